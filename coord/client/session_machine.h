// The session client: an event-driven machine over base::Dialer, base::Connection and base::Loop.
//
// It holds one link that works (`link_`), or none, and at most one that is being made (`attempt_`): after a break, or beside a
// working one when it moves. RequestQueue and WatchTable hold what has to survive a link.
#ifndef DROVER_COORD_CLIENT_SESSION_MACHINE_H_
#define DROVER_COORD_CLIENT_SESSION_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/base/connection.h"
#include "coord/base/loop.h"
#include "coord/client/breaks.h"
#include "coord/client/codec.h"
#include "coord/client/deadlines.h"
#include "coord/client/link.h"
#include "coord/client/redial.h"
#include "coord/client/request_queue.h"
#include "coord/client/watch_table.h"
#include "drover/coord/session.h"

namespace drover::coord::client {

class SessionMachine final : public Session, private Link::Owner {
 public:
  SessionMachine(base::Loop* loop, base::Dialer* dialer, SessionOptions options);
  ~SessionMachine() override;
  SessionMachine(const SessionMachine&) = delete;
  SessionMachine& operator=(const SessionMachine&) = delete;

  [[nodiscard]] base::Loop* loop() const override { return loop_; }
  void AddObserver(SessionObserver* observer) override;
  void RemoveObserver(SessionObserver* observer) override;

  [[nodiscard]] SessionState state() const override { return state_; }
  [[nodiscard]] SessionId id() const override { return id_; }
  [[nodiscard]] std::optional<SessionTicket> ticket() const override;
  [[nodiscard]] base::Duration timeout() const override { return timeout_; }
  [[nodiscard]] base::Instant lease_deadline() const override { return lease_deadline_; }
  [[nodiscard]] base::WallTime cluster_time() const override { return cluster_time_; }
  [[nodiscard]] base::Instant cluster_time_heard_at() const override { return cluster_time_heard_at_; }
  [[nodiscard]] const absl::Status& last_break() const override { return breaks_.last(); }
  [[nodiscard]] const Breaks& breaks() const { return breaks_; }
  [[nodiscard]] Zxid seen_zxid() const override { return seen_zxid_; }
  [[nodiscard]] std::uint32_t feature_level() const override { return feature_level_.value; }
  // Streams that have carried the session so far; one more when it moves while it is connected, too.
  [[nodiscard]] std::uint64_t streams() const { return streams_; }
  // Where it is attached, as an index of SessionOptions::endpoints.
  [[nodiscard]] std::optional<std::size_t> endpoint() const;

  void Create(std::string path, std::string data, CreateOptions how, Callback<CreateResult> done, WriteOptions options) override;
  void Set(std::string path, std::string data, std::optional<std::uint32_t> version, Callback<SetResult> done,
           WriteOptions options) override;
  void Delete(std::string path, std::optional<std::uint32_t> version, Callback<DeleteResult> done, WriteOptions options) override;
  void DeleteSubtree(std::string path, std::optional<std::uint32_t> version, Callback<DeleteSubtreeResult> done,
                     WriteOptions options) override;
  void Commit(Transaction transaction, Callback<TransactionResult> done, WriteOptions options) override;
  void SetAcl(std::string path, Acl acl, std::optional<std::uint32_t> aversion, Callback<SetResult> done,
              WriteOptions options) override;
  void SetQuota(std::string path, Quota quota, Callback<Zxid> done, WriteOptions options) override;
  void Authenticate(Credential credential, Callback<Zxid> done, WriteOptions options) override;
  void Get(std::string path, Callback<GetResult> done, ReadOptions options) override;
  void Exists(std::string path, Callback<ExistsResult> done, ReadOptions options) override;
  void Children(std::string path, std::string after, std::uint32_t limit, Callback<ChildrenPage> done,
                ReadOptions options) override;
  void List(std::string path, std::string after, std::uint32_t limit, Callback<ListPage> done, ReadOptions options) override;
  void ListWithoutData(std::string path, std::string after, std::uint32_t limit, Callback<ListPage> done,
                       ReadOptions options) override;
  void MultiRead(std::vector<ReadOperation> reads, Callback<MultiReadResult> done, ReadOptions options) override;
  void CountDescendants(std::string path, Callback<CountResult> done, ReadOptions options) override;
  void Ephemerals(SessionId session, std::string path, AfterNode after, std::uint32_t limit, Callback<ListPage> done,
                  ReadOptions options) override;
  void GetAcl(std::string path, Callback<AclResult> done, ReadOptions options) override;
  void Quotas(std::string path, AfterNode after, std::uint32_t limit, Callback<QuotasPage> done, ReadOptions options) override;
  void WhoAmI(Callback<IdentitiesResult> done, ReadOptions options) override;
  void Sessions(SessionId after, std::uint32_t limit, Callback<SessionsPage> done, ReadOptions options) override;
  void Sync(Callback<Zxid> done, ReadOptions options) override;
  WatchId Watch(std::string path, WatchOptions options, WatchListener* listener) override;
  void Unwatch(WatchId id) override;
  void Close(DoneCallback done) override;

 private:
  using Alive = std::shared_ptr<const bool>;

  void OnLinkFrame(Link* link, const base::Bytes& frame) override;
  void OnLinkDrained(Link* link) override;
  void OnLinkClosed(Link* link, base::CloseCause cause, const absl::Status& status) override;

  // Links.
  void DialNext();
  void Dial(std::size_t endpoint);
  void Attach(const GrantView& grant);
  // `answered`: by the node's own word.
  void AttemptFailed(const absl::Status& why, bool answered);
  void LinkBroke(const absl::Status& how, bool answered);
  void MoveIfAsked();
  void Retire(std::unique_ptr<Link> link, bool end);
  [[nodiscard]] base::Duration attempt_limit() const;

  // Liveness.
  void SendContact();
  void OnContactTick();
  void OnContactAck(const ContactAckView& ack);
  void SetLeaseTimer();

  // Requests and answers. False: the session ended or is destroyed, touch nothing.
  bool TakeItems(const FrameView& frame);
  bool TakeAnswer(const AnswerView& answer);
  // `needed`: the feature level that the cluster must be at, if it is known.
  void Enqueue(bool write, std::string body, Reply reply, base::Duration timeout,
               base::FeatureLevel needed = base::kFirstFeatureLevel);
  void Refuse(Reply reply, absl::Status status);
  void ScheduleFlush();
  void Flush();
  void SetDeadlineTimer();
  void OnDeadline();
  void SawZxid(Zxid zxid) { seen_zxid_ = std::max(seen_zxid_, zxid); }

  void End(SessionState how, const absl::Status& why);
  [[nodiscard]] bool ended() const { return state_ == SessionState::kExpired || state_ == SessionState::kClosed; }
  template <typename Event>
  void Tell(Event event);

  base::Loop* const loop_;
  base::Dialer* const dialer_;
  const SessionOptions options_;
  const Chroot chroot_;
  const std::shared_ptr<bool> alive_;

  SessionState state_ = SessionState::kConnecting;
  std::uint64_t streams_ = 0;
  SessionId id_;
  std::string secret_;
  base::Duration timeout_;
  base::Instant lease_deadline_{};
  bool lease_lost_ = false;
  base::WallTime cluster_time_;
  base::Instant cluster_time_heard_at_;
  base::FeatureLevel feature_level_;
  Zxid seen_zxid_;
  std::uint64_t resumes_ = 0;  // streams on which this session was to be resumed
  Breaks breaks_;

  RequestQueue queue_;
  WatchTable watches_;
  Deadlines deadlines_;
  std::optional<RequestQueue::Key> close_key_;
  std::vector<SessionObserver*> observers_;

  Redial redial_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<Link> attempt_;
  std::uint64_t next_nonce_ = 1;
  int callback_depth_ = 0;  // inside a connection's callback: its object must not be destroyed yet
  bool flush_scheduled_ = false;

  base::Timer redial_timer_;
  base::Timer attempt_timer_;
  base::Timer contact_timer_;
  base::Timer lease_timer_;
  base::Timer deadline_timer_;
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_SESSION_MACHINE_H_

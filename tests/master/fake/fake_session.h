// A coordination service in one process for tests of the master: a tree in memory and sessions on it.
//
// Keeps the contract of drover/coord/session.h as far as the master relies on it: transactions are atomic and ordered, events come
// before the answers that show them, a session that expired refuses. Nothing is sent anywhere; answers come by posted tasks.
#ifndef DROVER_TESTS_MASTER_FAKE_FAKE_SESSION_H_
#define DROVER_TESTS_MASTER_FAKE_FAKE_SESSION_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/base/loop.h"
#include "drover/coord/session.h"
#include "drover/coord/subtree.h"

namespace drover::testing {

class FakeSession;

class FakeTree {
 public:
  explicit FakeTree(base::Loop* loop) : loop_(loop) {}

  // As somebody with a session of his own: 0 is nobody's.
  absl::StatusOr<coord::TransactionResult> Apply(const coord::Transaction& transaction, coord::SessionId session = {});
  [[nodiscard]] const coord::Node* Find(const std::string& path) const;
  [[nodiscard]] const coord::SubtreeCache::Nodes& nodes() const { return nodes_; }
  [[nodiscard]] coord::Zxid zxid() const { return zxid_; }

  // Shorthand; aborts if refused.
  coord::Stat Create(const std::string& path, std::string data, coord::SessionId owner = {});
  coord::Stat Set(const std::string& path, std::string data);
  void Delete(const std::string& path);

  // The cluster's time, and the mtime of nodes.
  std::int64_t now_ms = 1'700'000'000'000;

 private:
  friend class FakeSession;
  absl::Status ApplyOperation(const coord::Operation& operation, coord::SessionId session, coord::SubtreeCache::Nodes* nodes,
                              std::vector<coord::Event>* events, coord::OperationResult* result);
  bool Holds(const coord::Compare& compare) const;
  void DropEphemerals(coord::SessionId session);

  base::Loop* const loop_;
  coord::SubtreeCache::Nodes nodes_;
  std::map<std::string, std::uint32_t> made_;  // children ever created, for sequence numbers
  coord::Zxid zxid_{100};
  std::uint64_t sessions_ = 0;
  std::vector<FakeSession*> open_;
};

class FakeSession final : public coord::Session {
 public:
  explicit FakeSession(FakeTree* tree);
  ~FakeSession() override;

  // Its time is up: ephemerals go, observers hear of it, later calls are refused.
  void Expire();
  // Runs before each Commit is applied; a test changes the tree in there to make a race.
  std::function<void(const coord::Transaction&)> before_commit;
  // What was committed, in order.
  std::vector<coord::Transaction> commits;

  base::Loop* loop() const override { return tree_->loop_; }
  void AddObserver(coord::SessionObserver* observer) override;
  void RemoveObserver(coord::SessionObserver* observer) override;
  coord::SessionState state() const override;
  coord::SessionId id() const override { return id_; }
  std::optional<coord::SessionTicket> ticket() const override { return coord::SessionTicket{id_, std::string(16, 's')}; }
  base::Duration timeout() const override { return std::chrono::seconds(6); }
  base::Instant lease_deadline() const override { return tree_->loop_->Now() + timeout(); }
  base::WallTime cluster_time() const override { return base::WallTime(tree_->now_ms); }
  base::Instant cluster_time_heard_at() const override { return tree_->loop_->Now(); }
  const absl::Status& last_break() const override { return last_break_; }
  coord::Zxid seen_zxid() const override { return tree_->zxid(); }

  void Create(std::string path, std::string data, coord::CreateOptions how, coord::Callback<coord::CreateResult> done,
              coord::WriteOptions options) override;
  void Set(std::string path, std::string data, std::optional<std::uint32_t> version, coord::Callback<coord::SetResult> done,
           coord::WriteOptions options) override;
  void Delete(std::string path, std::optional<std::uint32_t> version, coord::Callback<coord::DeleteResult> done,
              coord::WriteOptions options) override;
  std::uint32_t feature_level() const override { return 1; }
  void DeleteSubtree(std::string path, std::optional<std::uint32_t> version, coord::Callback<coord::DeleteSubtreeResult> done,
                     coord::WriteOptions options) override;
  void SetAcl(std::string path, coord::Acl acl, std::optional<std::uint32_t> aversion, coord::Callback<coord::SetResult> done,
              coord::WriteOptions options) override;
  void SetQuota(std::string path, coord::Quota quota, coord::Callback<coord::Zxid> done, coord::WriteOptions options) override;
  void Authenticate(coord::Credential credential, coord::Callback<coord::Zxid> done, coord::WriteOptions options) override;
  void GetAcl(std::string path, coord::Callback<coord::AclResult> done, coord::ReadOptions options) override;
  void Quotas(std::string path, coord::AfterNode after, std::uint32_t limit, coord::Callback<coord::QuotasPage> done,
              coord::ReadOptions options) override;
  void WhoAmI(coord::Callback<coord::IdentitiesResult> done, coord::ReadOptions options) override;
  void Sessions(coord::SessionId after, std::uint32_t limit, coord::Callback<coord::SessionsPage> done,
                coord::ReadOptions options) override;
  void MultiRead(std::vector<coord::ReadOperation> reads, coord::Callback<coord::MultiReadResult> done,
                 coord::ReadOptions options) override;
  void CountDescendants(std::string path, coord::Callback<coord::CountResult> done, coord::ReadOptions options) override;
  void Ephemerals(coord::SessionId session, std::string path, coord::AfterNode after, std::uint32_t limit,
                  coord::Callback<coord::ListPage> done, coord::ReadOptions options) override;
  void Commit(coord::Transaction transaction, coord::Callback<coord::TransactionResult> done, coord::WriteOptions options) override;
  void Get(std::string path, coord::Callback<coord::GetResult> done, coord::ReadOptions options) override;
  void Exists(std::string path, coord::Callback<coord::ExistsResult> done, coord::ReadOptions options) override;
  void Children(std::string path, std::string after, std::uint32_t limit, coord::Callback<coord::ChildrenPage> done,
                coord::ReadOptions options) override;
  void List(std::string path, std::string after, std::uint32_t limit, coord::Callback<coord::ListPage> done,
            coord::ReadOptions options) override;
  void ListWithoutData(std::string path, std::string after, std::uint32_t limit, coord::Callback<coord::ListPage> done,
                       coord::ReadOptions options) override;
  void Sync(coord::Callback<coord::Zxid> done, coord::ReadOptions options) override;
  coord::WatchId Watch(std::string path, coord::WatchOptions options, coord::WatchListener* listener) override;
  void Unwatch(coord::WatchId id) override;
  void Close(coord::DoneCallback done) override;

  // Its watches' history is lost: each hears OnCompacted.
  void Compact();

 private:
  friend class FakeTree;
  struct Watching {
    std::string path;
    coord::WatchListener* listener;
  };
  void Post(base::Task task);
  void Deliver(const coord::Event& event);
  void Progress(coord::Zxid zxid);
  // Posts `done` with what `answer` gives when applied now, after the view's progress; refused once expired.
  template <typename T, typename F>
  void Answer(coord::Callback<T> done, F&& answer);

  FakeTree* const tree_;
  coord::SessionId id_;
  bool expired_ = false;
  absl::Status last_break_;
  std::vector<coord::SessionObserver*> observers_;
  std::map<coord::WatchId, Watching> watches_;
  std::uint64_t last_watch_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_MASTER_FAKE_FAKE_SESSION_H_

// A session with the coordination service: asynchronous, on one event loop.
//
//   auto session = coord::Session::Open(&loop, &dialer, {.endpoints = {"h1:7400", "h2:7400"}, .name = "master-1"});
//   session->AddObserver(this);
//   session->Create("/drover/default/x", "data", {.parents = true}, [](absl::StatusOr<coord::CreateResult> made) { ... });
//
// Guarantees
//   Calls take effect in the order made. Writes are linearizable; reads too, unless asked to be local: then they come from the node
//   at hand and never show an older state than this session saw before. An event reaches its listener before the callback of any
//   call that shows the newer state.
//   Writes are numbered and kept until answered. A broken link, a dead node, a change of the leader: they are sent again to the
//   next node, and the first answer comes, whatever happened to it on the way. So calls wait while the service is away; give
//   `timeout` where the caller would rather stop waiting. Watches go on from their position: no event is lost, doubled or
//   reordered. Only a session that ends leaves anything open: writes in flight then are unknown (status.h), reads and calls never
//   sent are refused with kSessionExpired.
//
// Life
//   kConnecting -> kConnected <-> kSuspended -> kExpired | kClosed
//   A session expires after `timeout` without contact and never comes back; its ephemerals are gone. It says so once, by OnExpired,
//   and is of no more use: make a new one. lease_deadline() tells until when it is certainly alive, counted from when the last
//   acknowledged contact was *sent*, by this host's clock; past it another process may already hold what this session held.
//
// Threads: everything on the loop's thread, also construction and destruction. No callback comes from inside a call. A session may
// be destroyed inside any callback of its own. Loop and dialer must outlive it.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SESSION_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "drover/coord/types.h"

namespace drover::base {
class Dialer;
class Loop;
}  // namespace drover::base

namespace drover::coord {

struct SessionOptions {
  std::vector<std::string> endpoints;  // host:port of the nodes; at least one
  std::size_t first_endpoint = 0;      // modulo their number; spread it (a random number) so that clients do not crowd on one node

  base::Duration timeout =
      std::chrono::seconds(6);  // silence after which the session expires; the service clamps it to 500 ms .. 5 min
  base::Duration disconnect_grace{
      0};            // not 0: the session also ends this long after its link was seen to break, unless resumed before
  std::string name;  // for logs and status pages; at most 128 bytes
  // The session takes this node for the root: all its paths, given and got, lie below it ("/app": "/x" is "/app/x"). It need not
  // exist. "" or "/": none.
  std::string chroot;

  // Redial: the next endpoint at once after a break; once each was tried, one every redial_min, growing by half to redial_max.
  base::Duration redial_min = std::chrono::milliseconds(20);
  base::Duration redial_max = std::chrono::seconds(1);

  // Requests accepted and not yet answered. Over either bound a call is refused with kResourceExhausted and was not sent.
  std::size_t pending_requests_max = 65'536;
  std::size_t pending_bytes_max = std::size_t{64} << 20;
  // A frame takes no further request once it is this long; a request longer than 8 MiB less 64 KiB is refused with kTooLarge.
  std::size_t frame_bytes_max = std::size_t{1} << 20;
};

enum class SessionState { kConnecting, kConnected, kSuspended, kExpired, kClosed };

// What happens to the session. Observers are called in the order added.
class SessionObserver {
 public:
  // A node granted the session (first) or took it up again (later). In between calls wait.
  virtual void OnConnected() {}
  virtual void OnSuspended(const absl::Status& /*why*/) {}
  // lease_deadline() has passed: from now on somebody else may hold what this session held. The session may still turn out alive.
  virtual void OnLeaseLost() {}
  // It was alive after all: a contact was acknowledged. Ephemerals are as they were.
  virtual void OnLeaseRestored() {}
  // The last event: the session is gone for ever. Not after a Close that was asked for.
  virtual void OnExpired(const absl::Status& /*why*/) {}

 protected:
  ~SessionObserver() = default;
};

// One watch of a session. It lives through reconnects.
class WatchListener {
 public:
  // The watch stands: every later event comes, and every answer from here on to a call made from here on shows no older state than
  // `zxid`. Once per watch.
  virtual void OnArmed(Zxid /*zxid*/) {}
  // In order of position; each once. Of a watch that hears once the last call: the watch is gone before it.
  virtual void OnEvent(const Event& event) = 0;
  // Every event up to and including this zxid was delivered. Comes with heartbeats, and before the callback of any call whose
  // answer shows that zxid; so Session::Sync brings a view up to now.
  virtual void OnProgress(Zxid /*zxid*/) {}
  // No node can resume from where the watch was: it is gone. Watch anew, then read.
  virtual void OnCompacted() = 0;
  // The session ended, or the watch was refused (a path that is none). Last event; not after Unwatch.
  virtual void OnEnded(const absl::Status& /*why*/) {}

 protected:
  ~WatchListener() = default;
};

// Heard of is what may be read: of a node, by its access control list as it is after the change; that a child came or went, by the
// parent's (kPersistent, kOnceChildren; then without the data of a child that may not be read).
enum class WatchKind : std::uint8_t {
  kRecursive = 1,   // the node and everything below it
  kPersistent = 2,  // the node, and the creation and deletion of its children
  // One event. Of the node: creation, change or deletion. Of its children: creation or deletion of one, or the deletion of the
  // node.
  kOnce = 3,
  kOnceChildren = 4,
};
[[nodiscard]] constexpr bool HearsOnce(WatchKind kind) {
  return kind == WatchKind::kOnce || kind == WatchKind::kOnceChildren;
}

struct WatchOptions {
  WatchKind kind = WatchKind::kRecursive;
  bool with_data = true;
  std::optional<Position> after;  // resume: every event after it (of one that hears once: the first); nothing: from now on
};

using WatchId = base::Strong<struct WatchIdTag>;

struct WriteOptions {
  base::Duration timeout{0};  // ends the wait with an unknown outcome, not the write; 0: waits as long as the session lives
};

struct ReadOptions {
  bool local = false;
  base::Duration timeout{0};
};

// What another process needs to close this session when its owner has died (session_closer.h). Secret: whoever has it owns the
// session.
struct SessionTicket {
  SessionId id;
  std::string secret;  // 16 bytes
};

template <typename T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;
using DoneCallback = absl::AnyInvocable<void(absl::Status)>;

class Session {
 public:
  // Starts dialling; calls may be made at once.
  static std::unique_ptr<Session> Open(base::Loop* loop, base::Dialer* dialer, SessionOptions options);
  // Drops links and callbacks (uncalled). The session itself lives on until its timeout or grace: Close it first to end it.
  virtual ~Session() = default;

  [[nodiscard]] virtual base::Loop* loop() const = 0;

  virtual void AddObserver(SessionObserver* observer) = 0;
  virtual void RemoveObserver(SessionObserver* observer) = 0;

  [[nodiscard]] virtual SessionState state() const = 0;
  // 0 before the first OnConnected.
  [[nodiscard]] virtual SessionId id() const = 0;
  // Nothing before the first OnConnected.
  [[nodiscard]] virtual std::optional<SessionTicket> ticket() const = 0;
  // As the service granted it.
  [[nodiscard]] virtual base::Duration timeout() const = 0;
  // Until then the session is certainly alive; a past instant (the epoch) before it was granted.
  [[nodiscard]] virtual base::Instant lease_deadline() const = 0;
  // The cluster's time of the last acknowledged contact, 0 before the first.
  [[nodiscard]] virtual base::WallTime cluster_time() const = 0;
  // When that was heard; the epoch before the first.
  [[nodiscard]] virtual base::Instant cluster_time_heard_at() const = 0;
  // Why there is no link, with the node's address: what a node has said that answered, of several the last; if none has, how a
  // link, or an attempt to make one, ended last. Of the last time, if there is a link again; OK if none has ended yet.
  [[nodiscard]] virtual const absl::Status& last_break() const = 0;
  // The newest zxid seen in an answer, an event or a bookmark.
  [[nodiscard]] virtual Zxid seen_zxid() const = 0;

  // That the cluster is at, as this session knows; 0 before the first OnConnected. What needs a higher one (containers, times to
  // live, if_absent, checks, delete-subtree: 3; access control lists, Authenticate, quotas: 4) is refused with kUnimplemented, but
  // not while the level is not known.
  [[nodiscard]] virtual std::uint32_t feature_level() const = 0;

  // Writes.
  virtual void Create(std::string path, std::string data, CreateOptions how, Callback<CreateResult> done,
                      WriteOptions options = {}) = 0;
  virtual void Set(std::string path, std::string data, std::optional<std::uint32_t> version, Callback<SetResult> done,
                   WriteOptions options = {}) = 0;
  virtual void Delete(std::string path, std::optional<std::uint32_t> version, Callback<DeleteResult> done,
                      WriteOptions options = {}) = 0;
  // The node and all below it, in one transaction.
  virtual void DeleteSubtree(std::string path, std::optional<std::uint32_t> version, Callback<DeleteSubtreeResult> done,
                             WriteOptions options = {}) = 0;
  virtual void Commit(Transaction transaction, Callback<TransactionResult> done, WriteOptions options = {}) = 0;
  // Needs kAdmin. `aversion`: refused with kBadVersion unless the list is this one.
  virtual void SetAcl(std::string path, Acl acl, std::optional<std::uint32_t> aversion, Callback<SetResult> done,
                      WriteOptions options = {}) = 0;
  // Needs kAdmin. Without bounds: the node has no quota any more.
  virtual void SetQuota(std::string path, Quota quota, Callback<Zxid> done, WriteOptions options = {}) = 0;
  // Proves who this session is, for the calls made from here on and for as long as it lives, through all reconnects.
  virtual void Authenticate(Credential credential, Callback<Zxid> done, WriteOptions options = {}) = 0;

  // Reads. Linearizable ones may be refused with kUnavailable while the node at hand has no quorum: ask again later.
  virtual void Get(std::string path, Callback<GetResult> done, ReadOptions options = {}) = 0;
  virtual void Exists(std::string path, Callback<ExistsResult> done, ReadOptions options = {}) = 0;
  // A page: names greater than `after`; limit 0: as many as a page holds.
  virtual void Children(std::string path, std::string after, std::uint32_t limit, Callback<ChildrenPage> done,
                        ReadOptions options = {}) = 0;
  // A page of the subtree, with data: paths after `after` in PathLess order; "" for the first page.
  virtual void List(std::string path, std::string after, std::uint32_t limit, Callback<ListPage> done,
                    ReadOptions options = {}) = 0;
  virtual void ListWithoutData(std::string path, std::string after, std::uint32_t limit, Callback<ListPage> done,
                               ReadOptions options = {}) = 0;
  // Of one state.
  virtual void MultiRead(std::vector<ReadOperation> reads, Callback<MultiReadResult> done, ReadOptions options = {}) = 0;
  // How many nodes there are below it, at all depths.
  virtual void CountDescendants(std::string path, Callback<CountResult> done, ReadOptions options = {}) = 0;
  // A page of the ephemerals of `session` (0: this one) at or below `path` ("": all), without data, in the order of their creation.
  virtual void Ephemerals(SessionId session, std::string path, AfterNode after, std::uint32_t limit, Callback<ListPage> done,
                          ReadOptions options = {}) = 0;
  virtual void GetAcl(std::string path, Callback<AclResult> done, ReadOptions options = {}) = 0;
  // What is at and below the node, and the quotas that are set there, in the order of the nodes' creation. The node itself is the
  // first of the first page, or among them if it has a quota.
  virtual void Quotas(std::string path, AfterNode after, std::uint32_t limit, Callback<QuotasPage> done,
                      ReadOptions options = {}) = 0;
  // What this session has proved to be, and where the node at hand sees it.
  virtual void WhoAmI(Callback<IdentitiesResult> done, ReadOptions options = {}) = 0;
  // A page of all sessions of the core, by id and so by age: those behind `after`; limit 0: as many as a page holds. A root of
  // one's own bounds paths, not this.
  virtual void Sessions(SessionId after, std::uint32_t limit, Callback<SessionsPage> done, ReadOptions options = {}) = 0;
  // Everything committed when it was asked has been applied by the node at hand: gives that state's zxid.
  virtual void Sync(Callback<Zxid> done, ReadOptions options = {}) = 0;

  // `listener` must live until Unwatch, OnCompacted, OnEnded or the session's destruction.
  virtual WatchId Watch(std::string path, WatchOptions options, WatchListener* listener) = 0;
  // No event comes afterwards. An id that is gone is ignored.
  virtual void Unwatch(WatchId id) = 0;

  // Ends the session after the writes made before it and deletes its ephemerals; later calls are refused. OK also if it had expired
  // meanwhile: it is gone. Waits for the service as writes do.
  virtual void Close(DoneCallback done) = 0;
};

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SESSION_H_

// The session as blocking calls, for command lines and tests: a loop thread of its own inside.
//
//   auto client = coord::BlockingClient::Connect({.session = {.endpoints = {"127.0.0.1:7400"}}, .call_timeout =
//   std::chrono::seconds(30)}); if (!client.ok()) return client.status();   // UNAVAILABLE: nobody serves
//   absl::StatusOr<coord::GetResult> got = (*client)->Get("/drover");
//
// Every call waits at most `call_timeout`. A write that ran into it is unknown (status.h); a read is DEADLINE_EXCEEDED. One that is
// given up (`give_up`) ends at once: a write is unknown, a read CANCELLED.
// Threads: any number may call at once. Never from a loop's thread.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_BLOCKING_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_BLOCKING_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"

namespace drover::coord {

struct BlockingOptions {
  SessionOptions session;
  base::Duration call_timeout = std::chrono::seconds(30);
  std::vector<Credential> auth = {};  // what the session proves at once; UNAUTHENTICATED if one proves nothing
  // Asked every 100 ms while a call waits, on the caller's thread; true: give it up. Null: never.
  std::function<bool()> give_up = nullptr;
};

class BlockingClient {
 public:
  // Opens a session and waits for its grant. When none came within `call_timeout`: RESOURCE_EXHAUSTED if a node said that it can
  // open none (its disk is full), else UNAVAILABLE: with what the nodes said that answered, or that none did.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<BlockingClient>> Connect(BlockingOptions options);
  // Closes the session, waiting at most a second for the service's word.
  virtual ~BlockingClient() = default;

  [[nodiscard]] virtual SessionTicket ticket() = 0;
  // The session ended by itself; calls fail from then on.
  [[nodiscard]] virtual bool expired() = 0;

  [[nodiscard]] virtual absl::StatusOr<CreateResult> Create(std::string path, std::string data, CreateOptions how = {}) = 0;
  [[nodiscard]] virtual absl::StatusOr<SetResult> Set(std::string path, std::string data,
                                                      std::optional<std::uint32_t> version = std::nullopt) = 0;
  [[nodiscard]] virtual absl::StatusOr<DeleteResult> Delete(std::string path,
                                                            std::optional<std::uint32_t> version = std::nullopt) = 0;
  [[nodiscard]] virtual absl::StatusOr<DeleteSubtreeResult> DeleteSubtree(std::string path,
                                                                          std::optional<std::uint32_t> version = std::nullopt) = 0;
  [[nodiscard]] virtual absl::StatusOr<TransactionResult> Commit(Transaction transaction) = 0;
  [[nodiscard]] virtual absl::StatusOr<SetResult> SetAcl(std::string path, Acl acl,
                                                         std::optional<std::uint32_t> aversion = std::nullopt) = 0;
  [[nodiscard]] virtual absl::StatusOr<Zxid> SetQuota(std::string path, Quota quota) = 0;
  [[nodiscard]] virtual absl::StatusOr<Zxid> Authenticate(Credential credential) = 0;

  [[nodiscard]] virtual absl::StatusOr<GetResult> Get(std::string path) = 0;
  [[nodiscard]] virtual absl::StatusOr<ExistsResult> Exists(std::string path) = 0;
  // All names, read page by page: not one state if there is more than one page.
  [[nodiscard]] virtual absl::StatusOr<std::vector<std::string>> Children(std::string path) = 0;
  // All nodes of the subtree, page by page; at most `limit` of them (0: all).
  [[nodiscard]] virtual absl::StatusOr<std::vector<Node>> List(std::string path, std::size_t limit = 0) = 0;
  // All nodes of the subtree as they are at one zxid, which List does not promise of more than one page.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Node>> ListAtOneState(std::string path) = 0;
  // One page of them: paths after `after` in PathLess order; "" for the first page; limit 0: as many as a page holds.
  [[nodiscard]] virtual absl::StatusOr<ListPage> ListFrom(std::string path, std::string after, std::uint32_t limit,
                                                          bool with_data) = 0;
  [[nodiscard]] virtual absl::StatusOr<MultiReadResult> MultiRead(std::vector<ReadOperation> reads) = 0;
  [[nodiscard]] virtual absl::StatusOr<CountResult> CountDescendants(std::string path) = 0;
  // All of them, page by page.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Node>> Ephemerals(SessionId session, std::string path = "") = 0;
  [[nodiscard]] virtual absl::StatusOr<AclResult> GetAcl(std::string path) = 0;
  // What is at and below the node, and all quotas there, page by page.
  [[nodiscard]] virtual absl::StatusOr<std::vector<QuotaUsage>> Quotas(std::string path) = 0;
  [[nodiscard]] virtual absl::StatusOr<IdentitiesResult> WhoAmI() = 0;
  // All of the core, page by page.
  [[nodiscard]] virtual absl::StatusOr<std::vector<SessionInfo>> Sessions() = 0;
  [[nodiscard]] virtual absl::StatusOr<Zxid> Sync() = 0;

  // Hands every event of the watch to `on_event`, on the client's own thread (it must not call this client), until it returns
  // false or has heard the one event that a watch of its kind hears, `stop` (may be null) returns true (asked every 100 ms), or the
  // session ends. OK if the caller ended it.
  [[nodiscard]] virtual absl::Status Watch(std::string path, WatchOptions options, absl::AnyInvocable<bool(const Event&)> on_event,
                                           absl::AnyInvocable<bool()> stop) = 0;

  // Ends the session now, with its ephemerals, and says whether the service confirmed it.
  [[nodiscard]] virtual absl::Status Close() = 0;

  // Runs `use` with the session on the client's loop thread and waits for it to return: for what this facade does not have.
  virtual void OnLoop(absl::AnyInvocable<void(Session&)> use) = 0;
};

// What one node knows of itself and its cluster; answered without a quorum.
struct MemberStatus {
  std::uint64_t node_id = 0;
  std::string address;
  std::string role;               // empty: not known
  std::uint64_t lag_entries = 0;  // known to the leader only
  std::uint64_t silent_ms = 0;    // since it answered last; known to the leader only
};

// A process with a copy of the data directory of a member that runs elsewhere; known to the leader only.
struct CopyStatus {
  std::uint64_t node_id = 0;
  std::string host;  // the IP address that its link to the leader comes from; empty: not known
};

struct NodeStatus {
  std::uint64_t node_id = 0;
  std::uint64_t cluster_id = 0;  // 0: forming
  std::string role;              // leader, follower, candidate, learner, forming, joining
  std::uint64_t leader_id = 0;
  std::uint64_t term = 0;
  std::uint64_t commit_index = 0;
  std::uint64_t applied_index = 0;
  Zxid last_zxid;
  std::uint64_t log_bytes = 0;
  std::uint64_t sessions = 0;
  std::uint64_t nodes = 0;
  std::uint64_t tree_bytes = 0;
  std::uint64_t watches = 0;
  std::string version;
  bool serving = false;
  std::string trouble;  // why it does not serve, or not all of it
  bool disk_full = false;
  std::uint64_t streams = 0;            // of sessions, at this node; `sessions` are the cluster's
  std::uint32_t feature_level = 0;      // of the cluster, as the node knows; 0: none yet, or not known
  std::uint32_t feature_level_max = 0;  // that its program knows; 0: not known
  std::uint64_t boot = 0;               // of this process, at random; 0: of no cluster yet, or not known
  std::vector<MemberStatus> members;
  std::vector<CopyStatus> copies;
};

[[nodiscard]] absl::StatusOr<NodeStatus> FetchNodeStatus(const std::string& endpoint, base::Duration timeout);

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_BLOCKING_H_

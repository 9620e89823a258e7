// What a client of ZooKeeper says and hears: operations as requests of its protocol, its replies as answers. Pure.
//
// Creates ask for the Stat (create2), which within a multi is not given; children, too, come with one, which is not looked at. A
// watch is armed by addWatch, or as what an exists or a getChildren leaves, and taken away by removeWatches (of any kind: a session
// has one watch a path here).
#ifndef DROVER_TESTS_ORACLE_ZOOKEEPER_MESSAGES_H_
#define DROVER_TESTS_ORACLE_ZOOKEEPER_MESSAGES_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

inline constexpr std::int32_t kEventXid = -1;

struct ZooKeeperGrant {
  std::int32_t timeout_ms = 0;
  std::uint64_t session = 0;  // 0: refused
  std::string password;       // 16 bytes
};

struct ZooKeeperReplyHead {
  std::int32_t xid = 0;
  std::int64_t zxid = 0;
  std::int32_t error = 0;
};

// All without the length that goes before each.
[[nodiscard]] std::string EncodeConnect(std::int32_t timeout_ms);
// Takes the session up again, with another time-out.
[[nodiscard]] std::string EncodeReconnect(const ZooKeeperGrant& grant, std::int32_t timeout_ms);
[[nodiscard]] absl::StatusOr<ZooKeeperGrant> DecodeGrant(absl::string_view bytes);
// Not of kOpen, kAbandon and kCheck, which are no requests.
[[nodiscard]] std::string EncodeRequest(std::int32_t xid, const Operation& operation);
[[nodiscard]] absl::StatusOr<ZooKeeperReplyHead> DecodeHead(absl::string_view bytes);
// Of a reply to `operation`, or with kEventXid. INTERNAL: it is not as the protocol says.
[[nodiscard]] absl::StatusOr<Answer> DecodeReply(const Operation& operation, absl::string_view bytes);
[[nodiscard]] absl::StatusOr<Event> DecodeEvent(absl::string_view bytes);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_ZOOKEEPER_MESSAGES_H_

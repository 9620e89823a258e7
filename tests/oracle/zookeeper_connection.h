// A session with a ZooKeeper server over a connection of its own. Blocking; threads: one at a time.
#ifndef DROVER_TESTS_ORACLE_ZOOKEEPER_CONNECTION_H_
#define DROVER_TESTS_ORACLE_ZOOKEEPER_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/operation.h"
#include "tests/oracle/zookeeper_messages.h"

namespace drover::oracle {

class ZooKeeperConnection {
 public:
  // A new session. UNAVAILABLE: the server cannot be reached, or refuses.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ZooKeeperConnection>> Open(int port, std::int32_t timeout_ms);
  // Closes the connection; the session lives until its time-out unless it was closed.
  ~ZooKeeperConnection();
  ZooKeeperConnection(const ZooKeeperConnection&) = delete;
  ZooKeeperConnection& operator=(const ZooKeeperConnection&) = delete;

  [[nodiscard]] std::uint64_t session() const { return grant_.session; }
  // Gives the session so short a time to live after this connection, which is of no use afterwards: destroy it.
  [[nodiscard]] absl::Status Shorten(int port, std::int32_t timeout_ms);
  // Not kOpen or kAbandon. UNAVAILABLE: the connection broke, or nothing came within a minute.
  [[nodiscard]] absl::StatusOr<std::vector<Reply>> Execute(absl::Span<const Operation> burst);

 private:
  explicit ZooKeeperConnection(int fd) : fd_(fd) {}

  // Says `greeting` (a connect) over a connection of its own.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ZooKeeperConnection>> Greet(int port, const std::string& greeting);
  [[nodiscard]] absl::StatusOr<Reply> ReceiveReply(std::int32_t xid, const Operation& operation);
  [[nodiscard]] absl::Status Send(const std::string& message);
  [[nodiscard]] absl::StatusOr<std::string> Receive();
  [[nodiscard]] absl::StatusOr<std::string> ReceiveBytes(std::size_t size);

  const int fd_;
  ZooKeeperGrant grant_;
  std::int32_t xid_ = 0;
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_ZOOKEEPER_CONNECTION_H_

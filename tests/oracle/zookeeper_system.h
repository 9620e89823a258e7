// A real ZooKeeper server, spoken to by its wire protocol: a connection and a session for each slot.
//
// Its own process on a free loopback port, ended with this object. It does not sync its log: what a power failure leaves is not
// what is compared. Nothing is pinged: sessions have a time-out that no run reaches, until they are
// abandoned.
#ifndef DROVER_TESTS_ORACLE_ZOOKEEPER_SYSTEM_H_
#define DROVER_TESTS_ORACLE_ZOOKEEPER_SYSTEM_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/oracle/system.h"
#include "tests/oracle/zookeeper_connection.h"
#include "tests/support/process.h"

namespace drover::oracle {

class ZooKeeperSystem final : public System {
 public:
  // Data and logs go to `directory`. FAILED_PRECONDITION: it is not installed. UNAVAILABLE, with its log: it did not begin to
  // serve.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ZooKeeperSystem>> Start(const std::string& directory, int sessions);

  [[nodiscard]] absl::StatusOr<std::vector<Reply>> Execute(absl::Span<const Operation> burst) override;

 private:
  ZooKeeperSystem(std::unique_ptr<testing::Process> process, int port, int sessions)
      : process_(std::move(process)), port_(port), connections_(static_cast<std::size_t>(sessions)) {}

  // Waits until it has ended, and gives the zxid of that.
  [[nodiscard]] absl::StatusOr<Reply> Abandon(std::unique_ptr<ZooKeeperConnection> connection);

  const std::unique_ptr<testing::Process> process_;
  const int port_;
  std::vector<std::unique_ptr<ZooKeeperConnection>> connections_;  // by slot; null: it has no session
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_ZOOKEEPER_SYSTEM_H_

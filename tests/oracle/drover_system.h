// A real drover-coord, a cluster of one, driven through the client library: a session for each slot, all on one loop.
//
// Its own process on a free loopback port, ended with this object.
#ifndef DROVER_TESTS_ORACLE_DROVER_SYSTEM_H_
#define DROVER_TESTS_ORACLE_DROVER_SYSTEM_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "tests/oracle/drover_session.h"
#include "tests/oracle/system.h"
#include "tests/support/process.h"

namespace drover::oracle {

class DroverSystem final : public System {
 public:
  // Data and logs go to `directory`. FAILED_PRECONDITION: the program is not beside this one.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<DroverSystem>> Start(const std::string& directory, int sessions);
  ~DroverSystem() override;

  [[nodiscard]] absl::StatusOr<std::vector<Reply>> Execute(absl::Span<const Operation> burst) override;

 private:
  DroverSystem(std::unique_ptr<testing::Process> process, std::string address, int sessions);

  // Waits until it has ended, and gives the zxid of that.
  [[nodiscard]] absl::StatusOr<Reply> Abandon(std::unique_ptr<DroverSession> session);

  const std::unique_ptr<testing::Process> process_;
  const std::string address_;
  transport::LoopThread thread_;
  std::unique_ptr<transport::GrpcDialer> dialer_;         // of the loop's thread
  std::vector<std::unique_ptr<DroverSession>> sessions_;  // by slot; null: it has no session
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_DROVER_SYSTEM_H_

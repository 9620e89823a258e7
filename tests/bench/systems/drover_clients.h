// Sessions of coord/client, all on one loop in one thread.
#ifndef DROVER_TESTS_BENCH_SYSTEMS_DROVER_CLIENTS_H_
#define DROVER_TESTS_BENCH_SYSTEMS_DROVER_CLIENTS_H_

#include <memory>
#include <string>
#include <vector>

#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "drover/coord/session.h"
#include "tests/bench/systems/clients.h"

namespace drover::bench {

class DroverClients final : public Clients {
 public:
  // Client i begins at address `first` + i, modulo their number.
  DroverClients(const std::vector<std::string>& addresses, int count, int first);
  // Closes the sessions, waiting at most a second for the service's word.
  ~DroverClients() override;

  [[nodiscard]] int count() const override { return static_cast<int>(sessions_.size()); }
  void Run(int client, absl::AnyInvocable<void()> task) override;
  void Issue(int client, Operation operation, const std::string& key, const std::string& value, Done done) override;

 private:
  transport::LoopThread thread_;
  // Of the loop's thread; made and destroyed there.
  std::unique_ptr<transport::GrpcDialer> dialer_;
  std::vector<std::unique_ptr<coord::Session>> sessions_;
};

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SYSTEMS_DROVER_CLIENTS_H_

// Clients of etcd: asynchronous unary calls, a connection for each client, all on one loop in one thread.
#ifndef DROVER_TESTS_BENCH_SYSTEMS_ETCD_CLIENTS_H_
#define DROVER_TESTS_BENCH_SYSTEMS_ETCD_CLIENTS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/bytes.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/unary_client.h"
#include "tests/bench/systems/clients.h"

namespace drover::bench {

class EtcdClients final : public Clients {
 public:
  // Client i talks to address `first` + i, modulo their number, and to no other.
  EtcdClients(const std::vector<std::string>& addresses, int count, int first);
  ~EtcdClients() override;

  [[nodiscard]] int count() const override { return static_cast<int>(clients_.size()); }
  void Run(int client, absl::AnyInvocable<void()> task) override;
  void Issue(int client, Operation operation, const std::string& key, const std::string& value, Done done) override;

 private:
  struct Client {
    std::string address;
    std::unique_ptr<transport::UnaryClient> unary;
  };
  // A request not yet answered. Slots are used again.
  struct Slot {
    std::unique_ptr<transport::PendingCall> call;
    Done done;
    Operation operation = Operation::kSet;
  };
  void OnAnswer(std::size_t slot, absl::StatusOr<base::Bytes> answer);

  transport::LoopThread thread_;
  // Of the loop's thread; made and destroyed there.
  std::vector<Client> clients_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_;
};

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SYSTEMS_ETCD_CLIENTS_H_

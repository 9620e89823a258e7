// The clients of one system while it is measured: each a session (or what the system has in its place) of its own.
//
// Threads: a client's requests are made on its own thread, in a task of Run or in the `done` of an earlier request; different
// clients may have different threads. Destroyed on any other thread.
#ifndef DROVER_TESTS_BENCH_SYSTEMS_CLIENTS_H_
#define DROVER_TESTS_BENCH_SYSTEMS_CLIENTS_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "tests/bench/workload.h"

namespace drover::bench {

class Clients {
 public:
  using Done = absl::AnyInvocable<void(const absl::Status&)>;

  // Requests not answered end with an error before it returns, or never.
  virtual ~Clients() = default;

  [[nodiscard]] virtual int count() const = 0;
  // Any thread but the clients' own. Runs `task` where requests of `client` may be made; may return before that.
  virtual void Run(int client, absl::AnyInvocable<void()> task) = 0;
  // `done` gets OK when the request took effect; it runs once, and inside Issue only with an error. `value` matters to create and
  // set.
  virtual void Issue(int client, Operation operation, const std::string& key, const std::string& value, Done done) = 0;
};

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_SYSTEMS_CLIENTS_H_

// Closed-loop load: every client keeps its window full, each request following the answer to an earlier one.
#ifndef DROVER_TESTS_BENCH_LOAD_H_
#define DROVER_TESTS_BENCH_LOAD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/time.h"
#include "tests/bench/report.h"
#include "tests/bench/systems/clients.h"
#include "tests/bench/workload.h"

namespace drover::bench {

struct LoadSpec {
  Workload workload = Workload::kSet;
  int window = 1;
  int set_percent = 0;
  const std::vector<std::string>* keys = nullptr;  // requests are spread over them at random
  std::string value;
  bool random_values = false;  // not `value`, but each time another text of its length
  base::Duration warm_up{0};
  base::Duration measure{0};
  std::function<void()> at_begin;  // where the measurement begins, on the caller's thread; may be empty
  // The measurement goes on beyond `measure` until this holds, asked every few milliseconds with what was answered in it so far;
  // may be empty.
  std::function<bool(std::uint64_t answered)> until;
  std::uint64_t seed = 0;  // of the choice of keys and operations
};

// Requests 0 to `count` - 1, some of each client in flight at a time; returns when all are answered. `key` and `value` are called
// on the clients' threads. DEADLINE_EXCEEDED: nothing was answered for a minute.
struct Requests {
  std::size_t count = 0;
  Operation operation = Operation::kCreate;
  std::function<std::string(std::size_t)> key;
  std::function<std::string(std::size_t)> value;
};
absl::Status MakeRequests(Clients* clients, Requests requests);

// The same: one request for each key.
absl::Status ForEachKey(Clients* clients, const std::vector<std::string>& keys, Operation operation, const std::string& value);

// Counts what is answered between the end of the warm-up and `measure` later, the first answer if that comes later still, and what
// `until` waits for. Any request refused fails the measurement: its figures would be those of something else. DEADLINE_EXCEEDED: no
// answer within a minute.
absl::StatusOr<Measurement> RunLoad(std::unique_ptr<Clients> clients, const LoadSpec& spec);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_LOAD_H_

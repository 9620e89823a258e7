// Closed-loop load: every client keeps its window full, each request following the answer to an earlier one.
#ifndef DROVER_TESTS_BENCH_LOAD_H_
#define DROVER_TESTS_BENCH_LOAD_H_

#include <cstdint>
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
  base::Duration warm_up{0};
  base::Duration measure{0};
  std::uint64_t seed = 0;  // of the choice of keys and operations
};

// One request for each key, some in flight at a time; returns when all are answered.
absl::Status ForEachKey(Clients* clients, const std::vector<std::string>& keys, Operation operation, const std::string& value);

// Counts what is answered between the end of the warm-up and `measure` later, or the first answer if that comes later still. Any
// request refused fails the measurement: its figures would be those of something else. DEADLINE_EXCEEDED: no answer within a
// minute.
absl::StatusOr<Measurement> RunLoad(std::unique_ptr<Clients> clients, const LoadSpec& spec);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_LOAD_H_

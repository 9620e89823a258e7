// What one decision of the scheduler costs while many tasks wait. Pure but for the clock.
#ifndef DROVER_TESTS_BENCH_TASKS_DECISIONS_H_
#define DROVER_TESTS_BENCH_TASKS_DECISIONS_H_

#include <cstddef>

namespace drover::bench::tasks {

struct DecisionsOptions {
  std::size_t waiting = 1'000;
  std::size_t workers = 1'000;
  std::size_t slots = 10;
  std::size_t decisions = 20'000;
};
struct DecisionsReport {
  double p50_us = 0;
  double p99_us = 0;
  double steps = 0;  // queues, classes, groups, tasks and workers looked at, on average
  double bytes = 0;  // that a waiting task takes of the scheduler's memory, from the process's resident bytes
};
// Every slot is taken; a task ends, the next one is placed and another one comes to wait. Tasks are of 8 queues, 4 priorities and 8
// requirements.
[[nodiscard]] DecisionsReport MeasureDecisions(const DecisionsOptions& options);

}  // namespace drover::bench::tasks

#endif  // DROVER_TESTS_BENCH_TASKS_DECISIONS_H_

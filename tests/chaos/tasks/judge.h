// What was ordered, what became of it and what its programs left behind: does it go together? Pure.
#ifndef DROVER_TESTS_CHAOS_TASKS_JUDGE_H_
#define DROVER_TESTS_CHAOS_TASKS_JUDGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "drover/client/task.h"
#include "tests/chaos/tasks/orders.h"

namespace drover::chaos::tasks {

// A program's line: this attempt began.
struct Begin {
  std::string task;
  std::uint64_t attempt = 0;
  std::uint64_t fence = 0;
  std::int64_t at_ms = 0;
};
// Of the witness file; a line that is none is a fault.
[[nodiscard]] std::vector<Begin> ReadWitness(const std::string& text, std::vector<std::string>* faults);

// Of one order that was acknowledged: all states that its customer was told, in order, and the last word.
struct Story {
  const Order* order = nullptr;
  std::vector<client::State> states;
  client::Task last;
  std::int64_t submitted_ms = 0;  // by the host's clock, before it was sent
};

// Each fault a sentence that names the task.
[[nodiscard]] std::vector<std::string> Judge(const std::vector<Story>& stories, const std::vector<Begin>& begins);

// A schedule that fired every `every`, with at-most-once tasks: each time once.
[[nodiscard]] std::vector<std::string> JudgeSchedule(const client::Schedule& schedule, const std::vector<Begin>& begins);

}  // namespace drover::chaos::tasks

#endif  // DROVER_TESTS_CHAOS_TASKS_JUDGE_H_

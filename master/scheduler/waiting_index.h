// Internal: waiting tasks per requirement class, each class in the order of its tasks' places.
#ifndef DROVER_MASTER_SCHEDULER_WAITING_INDEX_H_
#define DROVER_MASTER_SCHEDULER_WAITING_INDEX_H_

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "master/scheduler/requirement.h"
#include "master/scheduler/types.h"

namespace drover::master::scheduler {

struct Queue;
struct WorkerGroup;

// A waiting task's place in line: 16 bytes. What was submitted earlier comes first, and each priority is worth kAgeingStepMs of
// waiting: so the order of two tasks never changes while they wait.
struct Place {
  std::int64_t line = 0;
  TaskRef task;

  friend bool operator==(const Place&, const Place&) = default;
  friend std::strong_ordering operator<=>(const Place& a, const Place& b) {
    if (const auto c = a.line <=> b.line; c != 0) return c;
    return a.task <=> b.task;
  }
};
static_assert(sizeof(Place) == 16);

// 41 bits of milliseconds, then the last 22 bits of the submission's zxid.
[[nodiscard]] inline std::int64_t LineOf(const TaskFacts& facts) {
  constexpr int kOrderBits = 22;
  const std::int64_t priority = facts.priority < kPriorities ? facts.priority : kPriorities - 1;
  return (facts.submitted_ms - priority * kAgeingStepMs) * (std::int64_t{1} << kOrderBits) +
         static_cast<std::int64_t>(facts.order & ((std::uint64_t{1} << kOrderBits) - 1));
}

struct ClassKey {
  std::string queue;
  Requirement requirement;
  bool alone = false;

  friend auto operator<=>(const ClassKey&, const ClassKey&) = default;
};

// Tasks of one queue that can run in the same places. Open: it may be that its first can be placed now; it is looked at by the next
// plan.
struct RequirementClass {
  ClassKey key;
  Queue* queue = nullptr;
  std::vector<WorkerGroup*> groups;  // of workers whose labels meet it
  absl::btree_set<Place> waiting;
  std::size_t others = 0;  // tasks of it that hold a slot or are held back by their key
  bool open = false;
  Place open_at;  // its key in the open line while `open`
  // Since when its first found no place although it asks for resources; 0: it does not wait so.
  std::int64_t starved_since_ms = 0;
};

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_WAITING_INDEX_H_

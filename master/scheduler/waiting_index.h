// Internal: waiting tasks per requirement class (queue, labels, must it run alone), each class ordered by priority and submission.
#ifndef DROVER_MASTER_SCHEDULER_WAITING_INDEX_H_
#define DROVER_MASTER_SCHEDULER_WAITING_INDEX_H_

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "master/scheduler/types.h"

namespace drover::master::scheduler {

struct WorkerGroup;

// A waiting task's place in line: 16 bytes.
struct Place {
  std::uint64_t order = 0;
  TaskRef task;
  std::uint8_t after = 0;  // 9 - priority

  friend bool operator==(const Place&, const Place&) = default;
  friend std::strong_ordering operator<=>(const Place& a, const Place& b) {
    if (const auto c = a.after <=> b.after; c != 0) return c;
    if (const auto c = a.order <=> b.order; c != 0) return c;
    return a.task <=> b.task;
  }
};
static_assert(sizeof(Place) == 16);

struct ClassKey {
  std::string queue;
  Labels labels;
  bool alone = false;

  friend auto operator<=>(const ClassKey&, const ClassKey&) = default;
};

// Tasks that can run in the same places. Open: it may be that its first can be placed now; it is looked at by the next plan.
struct RequirementClass {
  ClassKey key;
  std::vector<WorkerGroup*> groups;  // of workers that meet it
  absl::btree_set<Place> waiting;
  bool open = false;
  Place open_at;  // its key in the open line while `open`
};

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_WAITING_INDEX_H_

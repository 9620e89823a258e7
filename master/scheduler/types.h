// What the scheduler is told and what it says. Plain values.
#ifndef DROVER_MASTER_SCHEDULER_TYPES_H_
#define DROVER_MASTER_SCHEDULER_TYPES_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/strong.h"

namespace drover::master::scheduler {

// A small number by which the view and the scheduler call a task; dense, reused after Forget.
using TaskRef = base::Strong<struct TaskRefTag, std::uint32_t>;

// Sorted by key, keys unique.
using Labels = std::vector<std::pair<std::string, std::string>>;

inline constexpr unsigned kPriorities = 10;

// After this many losses (workers that died under it) a task runs alone on its worker; after this many it is given up.
inline constexpr std::uint32_t kLossesAlone = 2;
inline constexpr std::uint32_t kLossesQuarantine = 5;

struct WorkerFacts {
  std::string name;
  std::uint32_t slots = 0;
  Labels labels;
  bool takes_work = true;  // false: it is draining, or known to be dying
};

struct TaskFacts {
  std::string queue;
  Labels labels;              // a worker must have all of them
  std::uint8_t priority = 0;  // 0..9, 9 first
  std::uint64_t order = 0;    // smaller first within a priority: the zxid of the submission
  std::uint32_t losses = 0;
};

struct Placement {
  TaskRef task;
  std::string worker;

  friend bool operator==(const Placement&, const Placement&) = default;
};

struct Plan {
  std::vector<Placement> placements;  // in the order decided
  std::vector<TaskRef> quarantined;   // to be failed: too many attempts were lost with the process that ran them
  bool more = false;                  // the limit was reached; ask again
};

// Why a task is where it is, on demand.
enum class WaitReason {
  kNotWaiting,        // it is placed, or not known
  kNoWorkers,         // nobody is there who takes work
  kNoMatchingWorker,  // nobody has all its labels
  kMatchingDraining,  // those who have them take no work
  kBusy,              // those who have them are full
  kNeedsIdleWorker,   // attempts died with what ran them: it waits to run alone on one
  kQuarantined,
  kNext,  // it is placed by the next plan
};

// What one worker has to do with it.
struct WorkerVerdict {
  std::string worker;
  bool suits = false;  // it could run it, if not now
  std::string sentence;
};

struct Explanation {
  WaitReason reason = WaitReason::kNotWaiting;
  std::string sentence;
  // Of a waiting one: how many of the same requirements come before it, counted up to kAheadMax; and each worker, by name.
  std::size_t ahead = 0;
  std::vector<WorkerVerdict> workers;
};
inline constexpr std::size_t kAheadMax = 10'000;

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_TYPES_H_

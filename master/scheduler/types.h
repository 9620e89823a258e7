// What the scheduler is told and what it says. Plain values.
#ifndef DROVER_MASTER_SCHEDULER_TYPES_H_
#define DROVER_MASTER_SCHEDULER_TYPES_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/strong.h"

namespace drover::master::scheduler {

// A small number by which the view and the scheduler call a task; dense, reused after Forget.
using TaskRef = base::Strong<struct TaskRefTag, std::uint32_t>;

// Sorted by key, keys unique.
using Labels = std::vector<std::pair<std::string, std::string>>;

enum class LabelOperator : std::uint8_t {
  kIn,       // the label has one of the values
  kNotIn,    // it has none of them, or is missing
  kExists,   // no values
  kMissing,  // no values
  kAbove,    // it is a number larger than the only value
  kBelow,
};

// What a worker's labels must be like.
struct LabelRule {
  std::string label;
  LabelOperator op = LabelOperator::kExists;
  std::vector<std::string> values;

  friend auto operator<=>(const LabelRule&, const LabelRule&) = default;
};

using LabelRules = std::vector<LabelRule>;  // sorted

// (name, amount in thousandths of its unit, above 0), sorted by name, names unique.
using Resources = std::vector<std::pair<std::string, std::int64_t>>;

inline constexpr unsigned kPriorities = 10;
// A task that has waited so long comes before those of the next higher priority that are submitted only now.
inline constexpr std::int64_t kAgeingStepMs = 10 * 60 * 1000;

// After this many losses (workers that died under it) a task runs alone on its worker; after this many it is given up.
inline constexpr std::uint32_t kLossesAlone = 2;
inline constexpr std::uint32_t kLossesQuarantine = 5;

// A task whose resources no worker has free, though one has them in all, waits so long while smaller ones pass it; then that worker
// is emptied for it.
inline constexpr std::int64_t kReserveAfterMs = 30 * 1000;

struct WorkerFacts {
  std::string name;
  std::uint32_t slots = 0;
  Labels labels;
  bool takes_work = true;  // false: it is draining, or known to be dying
  Resources resources;
};

// Of a queue nobody said anything about, all of these.
struct QueueFacts {
  std::uint32_t weight = 1;       // 1..1000: its share of the slots that others want, too
  std::uint32_t running_max = 0;  // 0: no cap
  double starts_per_second = 0;   // 0: no limit
  std::uint32_t burst = 1;        // starts at once after a pause
  bool paused = false;            // nothing of it starts
  bool pack = false;              // on the fullest worker that has room, not on the least loaded

  friend bool operator==(const QueueFacts&, const QueueFacts&) = default;
};

struct TaskFacts {
  std::string queue;
  Labels labels;              // a worker must have all of them
  std::uint8_t priority = 0;  // 0..9, 9 first
  std::uint64_t order = 0;    // smaller first among those submitted at the same time: the zxid of the submission
  std::uint32_t losses = 0;
  std::int64_t submitted_ms = 0;  // smaller first within a priority
  LabelRules rules;               // and satisfy all of these
  Resources resources;            // and have these free
  // Of the tasks of one key not more than `key_max` hold slots when this one is placed. Empty: none.
  std::string key;
  std::uint32_t key_max = 1;

  [[nodiscard]] bool alone() const { return losses >= kLossesAlone; }
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
  // When time alone may make something possible (Advance): ask again then.
  std::optional<std::int64_t> again_at_ms;
};

// Why a task is where it is, on demand.
enum class WaitReason {
  kNotWaiting,        // it is placed, or not known
  kNoWorkers,         // nobody is there who takes work
  kNoMatchingWorker,  // nobody has all its labels and resources
  kMatchingDraining,  // those who have them take no work
  kBusy,              // those who have them are full
  kNeedsIdleWorker,   // attempts died with what ran them: it waits to run alone on one
  kQuarantined,
  kNext,         // it is placed by the next plan
  kQueuePaused,  // nothing of its queue starts
  kQueueFull,    // as many of its queue run as may
  kQueueRate,    // its queue starts no more for now
  kKeyBusy,      // as many of its key run as may
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

// What a queue has at the moment.
struct QueueCounts {
  std::size_t waiting = 0;    // READY
  std::uint32_t running = 0;  // holding a slot
};

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_TYPES_H_

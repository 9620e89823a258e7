// Internal: one queue's claim to the next free slot.
//
// Fair share: a queue's *usage* is the time for which its tasks have held slots, divided by its weight. The queue with the least
// usage is served first, each slot it holds counted one second ahead (so that slots that come free together are shared out, too). A
// start costs 10 ms at least. A queue that was idle begins where the others are, and one that could not use its share for long
// (paused, capped, no worker for it) is owed 60 s of a slot at most: nobody hoards.
//
// Integers only, so that the same calls give the same plans.
#ifndef DROVER_MASTER_SCHEDULER_QUEUE_SHARE_H_
#define DROVER_MASTER_SCHEDULER_QUEUE_SHARE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/btree_map.h"
#include "master/scheduler/types.h"
#include "master/scheduler/waiting_index.h"

namespace drover::master::scheduler {

class QueueShare {
 public:
  static constexpr std::int64_t kStartMs = 10;
  static constexpr std::int64_t kAheadMs = 1'000;
  static constexpr std::int64_t kOwedMaxMs = 60'000;

  void SetWeight(std::uint32_t weight) { weight_ = std::max<std::int64_t>(1, weight); }
  // Its tasks held `running` slots for so long.
  void Used(std::uint32_t running, std::int64_t ms) { usage_ += Cost(running * ms); }
  void Started() { usage_ += Cost(kStartMs); }
  // `front`: the usage of the queue that was served last.
  void RaiseFromIdle(std::int64_t front) { usage_ = std::max(usage_, front); }
  void RaiseToOwed(std::int64_t front) { usage_ = std::max(usage_, front - Cost(kOwedMaxMs)); }

  [[nodiscard]] std::int64_t usage() const { return usage_; }
  // The least comes first.
  [[nodiscard]] std::int64_t Score(std::uint32_t running) const { return usage_ + Cost(running * kAheadMs); }

 private:
  [[nodiscard]] std::int64_t Cost(std::int64_t ms) const { return ms * 1'000 / weight_; }

  std::int64_t weight_ = 1;
  std::int64_t usage_ = 0;
};

// At most so many starts in a time: `burst` at once, then one each time the interval has passed.
class StartRate {
 public:
  void Set(double starts_per_second, std::uint32_t burst, std::int64_t now_ms) {
    const std::int64_t interval =
        starts_per_second <= 0 ? 0 : std::max<std::int64_t>(1, static_cast<std::int64_t>(1e6 / starts_per_second));
    if (interval == interval_us_ && burst == burst_) return;
    interval_us_ = interval;
    burst_ = std::max<std::uint32_t>(1, burst);
    // One may start at once, not a burst: another master may have let one through a moment ago.
    earned_us_ = now_ms * 1000 + Ahead();
  }
  [[nodiscard]] bool Allows(std::int64_t now_ms) const { return now_ms >= free_at_ms(); }
  [[nodiscard]] std::int64_t free_at_ms() const { return interval_us_ == 0 ? 0 : (earned_us_ - Ahead() + 999) / 1000; }
  void Started(std::int64_t now_ms) {
    if (interval_us_ != 0) earned_us_ = std::max(earned_us_, now_ms * 1000) + interval_us_;
  }

 private:
  [[nodiscard]] std::int64_t Ahead() const { return (static_cast<std::int64_t>(burst_) - 1) * interval_us_; }

  std::int64_t interval_us_ = 0;
  std::uint32_t burst_ = 1;
  std::int64_t earned_us_ = 0;  // when the next start is due at an even pace
};

struct Queue {
  std::string name;
  QueueFacts facts;
  bool configured = false;
  QueueShare share;
  StartRate rate;
  std::uint32_t running = 0;
  std::size_t waiting = 0;  // also those held back by their key
  std::size_t classes = 0;
  absl::btree_map<Place, RequirementClass*> open;

  [[nodiscard]] bool idle() const { return running == 0 && waiting == 0; }
  [[nodiscard]] bool full() const { return facts.running_max > 0 && running >= facts.running_max; }
  // It may start something.
  [[nodiscard]] bool Allows(std::int64_t now_ms) const { return !facts.paused && !full() && rate.Allows(now_ms); }
};

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_QUEUE_SHARE_H_

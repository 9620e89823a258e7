// Simulated time: one queue of events for a whole system of simulated processes, run in one thread.
//
// Same seed and same calls give the same run: events are ordered by (time, order of scheduling), nothing depends on addresses or
// real time. SimLoop, SimExecutor and SimNetwork are built on it. Only tests use anything in this folder.
#ifndef DROVER_TESTS_SIM_SIM_WORLD_H_
#define DROVER_TESTS_SIM_SIM_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "coord/base/time.h"

namespace drover::sim {

class SimLoop;

// One thread. Outlives every loop, network and executor made with it.
class SimWorld {
 public:
  using EventId = std::uint64_t;  // never reused, never 0

  explicit SimWorld(std::uint64_t seed) : random_(seed) {}
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  // True simulated time. Processes see it through their loop's clock, which may be wrong.
  [[nodiscard]] base::Instant Now() const { return now_; }
  // For the world's own choices (delays, faults). Give processes generators of their own.
  [[nodiscard]] base::Random& random() { return random_; }
  // Uniform in [min, max].
  [[nodiscard]] base::Duration Between(base::Duration min, base::Duration max);

  // Runs `task` once, `delay` from now, as an event of process `loop`: later if it is paused by then, never once it has stopped.
  // Without a loop it is an event of the world itself (a fault, a script). Events of one time run in the order scheduled.
  EventId Schedule(SimLoop* loop, base::Duration delay, base::Task task);
  // An event that has run or was cancelled is ignored.
  void Cancel(EventId id);

  // Runs the next event, advancing time to it (an event of a paused process is set aside instead). False if there is none.
  bool Step();
  // Runs events until `condition` holds (looked at before each one and at the end). False once `limit` has passed, or nothing is
  // left to happen, and it still does not.
  [[nodiscard]] bool RunUntil(const std::function<bool()>& condition, base::Duration limit);
  // Runs all events of the next `duration`; time then stands at its end.
  void RunFor(base::Duration duration);

  [[nodiscard]] std::uint64_t events_run() const { return events_run_; }

 private:
  friend class SimLoop;
  using Key = std::pair<base::Instant, EventId>;
  struct Event {
    SimLoop* loop;
    base::Task task;
  };

  void Insert(base::Instant at, EventId id, Event event);
  // Destroys the events of a loop that stops, without running them.
  void Forget(SimLoop* loop);

  base::SeededRandom random_;
  base::Instant now_{std::chrono::hours(1)};
  EventId last_id_ = 0;
  std::uint64_t events_run_ = 0;
  std::map<Key, Event> events_;
  std::unordered_map<EventId, base::Instant> times_;  // of the events in events_; only looked up, never iterated
};

}  // namespace drover::sim

#endif  // DROVER_TESTS_SIM_SIM_WORLD_H_

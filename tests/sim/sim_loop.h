// The loop of one simulated process: base::Loop over SimWorld, with a clock that may be wrong and a process that may be paused.
#ifndef DROVER_TESTS_SIM_SIM_LOOP_H_
#define DROVER_TESTS_SIM_SIM_LOOP_H_

#include <cstdint>
#include <vector>

#include "coord/base/loop.h"
#include "coord/base/time.h"
#include "tests/sim/sim_world.h"

namespace drover::sim {

// Posted tasks and timers are events of the world. PostFromAnyThread is Post: there is one thread.
// A process that is started again after a crash gets a new SimLoop.
class SimLoop final : public base::Loop {
 public:
  struct Options {
    base::Duration boot_offset{0};  // added to true time: instants of two hosts cannot be compared
    std::int64_t rate_ppm = 0;      // how much faster than true time the clock runs, in millionths
    base::WallTime wall_start{1'700'000'000'000};
  };

  SimLoop(SimWorld* world, Options options);
  explicit SimLoop(SimWorld* world) : SimLoop(world, Options()) {}
  ~SimLoop() override { Stop(); }
  SimLoop(const SimLoop&) = delete;
  SimLoop& operator=(const SimLoop&) = delete;

  base::Instant Now() const override;
  base::WallTime WallNow() const override;
  void Post(base::Task task) override { world_->Schedule(this, base::Duration::zero(), std::move(task)); }
  void PostFromAnyThread(base::Task task) override { Post(std::move(task)); }
  base::TimerId After(base::Duration delay, base::Task task) override;
  void Cancel(base::TimerId timer) override;

  // SIGSTOP: nothing of this process runs, what comes due is kept. Resume runs it, in order.
  void Pause() { paused_ = true; }
  void Resume();
  [[nodiscard]] bool paused() const { return paused_; }

  // The process dies: everything posted, timed or under way for it is destroyed unrun, and later posts are ignored.
  void Stop();
  [[nodiscard]] bool stopped() const { return stopped_; }

  // From now on. Now() itself does not jump.
  void SetRate(std::int64_t rate_ppm);
  void JumpWall(base::Duration by) { wall_jumps_ += by; }

  [[nodiscard]] SimWorld* world() const { return world_; }

 private:
  friend class SimWorld;
  struct Held {
    SimWorld::EventId id;
    base::Task task;
  };

  SimWorld* const world_;
  const base::WallTime wall_start_;
  const base::Instant started_;  // true time
  base::Instant rate_since_;     // true time of the last SetRate
  base::Instant clock_then_;     // this clock at that time
  std::int64_t rate_ppm_;
  base::Duration wall_jumps_{0};
  bool paused_ = false;
  bool stopped_ = false;
  std::vector<Held> held_;  // came due while paused
};

}  // namespace drover::sim

#endif  // DROVER_TESTS_SIM_SIM_LOOP_H_

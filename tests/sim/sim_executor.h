// An Executor whose work takes simulated time: a disk, or a compression thread, of one simulated process.
#ifndef DROVER_TESTS_SIM_SIM_EXECUTOR_H_
#define DROVER_TESTS_SIM_SIM_EXECUTOR_H_

#include <deque>

#include "coord/base/loop.h"
#include "coord/base/time.h"
#include "tests/sim/sim_loop.h"

namespace drover::sim {

// Work runs one at a time in the order submitted, as an event of the loop's process, and `done` as a later one: a crash may fall
// before, between or after them. Work itself sees no time pass. A paused process pauses its executor.
// `loop` must outlive it.
class SimExecutor final : public base::Executor {
 public:
  struct Options {
    base::Duration work_min = std::chrono::microseconds(50);  // each job takes a random time between the two
    base::Duration work_max = std::chrono::microseconds(500);
  };

  SimExecutor(SimLoop* loop, Options options) : loop_(loop), options_(options) {}
  explicit SimExecutor(SimLoop* loop) : SimExecutor(loop, Options()) {}
  ~SimExecutor() override;

  void Submit(base::Task work, base::Task done) override;

  // A slow device: no work is begun before `duration` has passed; a job under way takes that much longer to be reported done.
  void Stall(base::Duration duration);
  [[nodiscard]] bool stalled() const { return loop_->world()->Now() < stalled_until_; }
  [[nodiscard]] std::size_t jobs() const { return jobs_.size(); }

 private:
  struct Job {
    base::Task work;
    base::Task done;
  };
  void Begin();
  void Work();
  void Finish();

  SimLoop* const loop_;
  const Options options_;
  std::deque<Job> jobs_;  // the first is under way
  base::Instant stalled_until_{};
  SimWorld::EventId next_ = 0;
};

}  // namespace drover::sim

#endif  // DROVER_TESTS_SIM_SIM_EXECUTOR_H_

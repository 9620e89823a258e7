// The event loop: everything that decides runs on one, in one thread, one event at a time.
//
// Implementations: transport::CqLoop (its thread polls a gRPC completion queue with the next timer as deadline) and sim::SimLoop
// (simulated time, one per simulated process). Code that decides sees this interface alone and so can be run in either.
#ifndef DROVER_COORD_BASE_LOOP_H_
#define DROVER_COORD_BASE_LOOP_H_

#include <cstdint>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "coord/base/strong.h"
#include "coord/base/time.h"

namespace drover::base {

using Task = absl::AnyInvocable<void()>;
using TimerId = Strong<struct TimerIdTag>;

class Loop {
 public:
  virtual ~Loop() = default;

  // Loop thread only. The instant of the current wake-up: constant while one batch of events is handled.
  [[nodiscard]] virtual Instant Now() const = 0;
  [[nodiscard]] virtual WallTime WallNow() const = 0;

  // Loop thread only. Runs `task` after the current event, before the loop sleeps; tasks run in the order posted.
  virtual void Post(Task task) = 0;
  // Any thread. Wakes the loop; tasks of one thread run in the order posted. Dropped (destroyed unrun) once the loop has stopped.
  virtual void PostFromAnyThread(Task task) = 0;

  // Loop thread only. Runs `task` once, not before `delay` has passed. A timer that fires is forgotten.
  [[nodiscard]] virtual TimerId After(Duration delay, Task task) = 0;
  // Loop thread only. A timer that has fired or been cancelled already is ignored.
  virtual void Cancel(TimerId timer) = 0;
};

// A timer that is cancelled when its owner goes. Loop thread only.
class Timer {
 public:
  explicit Timer(Loop* loop) : loop_(loop) {}
  ~Timer() { Cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Replaces what was set before.
  void Set(Duration delay, Task task) {
    Cancel();
    armed_ = true;
    id_ = loop_->After(delay, [this, task = std::move(task)]() mutable {
      armed_ = false;
      Task run = std::move(task);  // `run` may Set this timer anew or destroy it
      run();
    });
  }
  void Cancel() {
    if (armed_) loop_->Cancel(id_);
    armed_ = false;
  }
  [[nodiscard]] bool armed() const { return armed_; }

 private:
  Loop* const loop_;
  TimerId id_;
  bool armed_ = false;
};

// Runs work that may block (disk) or is long (compression) away from the loop. One executor runs its work one at a time, in the
// order submitted; `done` runs on the loop afterwards. Dropping an executor waits for the work under way and drops the rest.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Submit(Task work, Task done) = 0;
};

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_LOOP_H_

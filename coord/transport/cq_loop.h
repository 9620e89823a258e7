// The real event loop: the thread that calls Run() polls gRPC's completion queue with its next timer as deadline, so that a network
// event is handled by the thread that received it.
//
// One wake-up: handle every completion that is ready (up to a slice), take what other threads posted, run posted tasks, then timers
// that are due (by time, then in the order set) and the tasks they posted, then the end-of-wake-up hooks in the order added, then
// start the writes of all connections that were sent to. So what many events of one wake-up produce can leave as one frame.
//
// Threads: one, the caller of Run(); before Run and after its return, the owner's. PostFromAnyThread, Stop and BusyFor: any.
// Destroy everything that uses the loop (connections, dialers, servers) before the loop, on the owner's thread.
#ifndef DROVER_COORD_TRANSPORT_CQ_LOOP_H_
#define DROVER_COORD_TRANSPORT_CQ_LOOP_H_

#include <cstddef>
#include <memory>
#include <thread>

#include "coord/base/loop.h"

namespace drover::transport {

struct CqLoopOptions {
  // Posts from other threads that may wait; a thread that posts more waits until there is room (or the loop has stopped).
  std::size_t mailbox_max = 65536;
  // A wake-up stops taking completions or tasks after this long and lets timers and hooks run.
  base::Duration slice = std::chrono::milliseconds(5);
};

class CqLoop final : public base::Loop {
 public:
  explicit CqLoop(CqLoopOptions options = {});
  // Drops tasks, timers and hooks unrun; returns when gRPC has given back everything that was started on the loop.
  ~CqLoop() override;
  CqLoop(const CqLoop&) = delete;
  CqLoop& operator=(const CqLoop&) = delete;

  // Turns until Stop. May be called again after it returned, unless Stop was called.
  void Run();
  // Any thread, any number of times, before Run too. Run returns after the wake-up under way. Final.
  void Stop();

  [[nodiscard]] base::Instant Now() const override;
  [[nodiscard]] base::WallTime WallNow() const override;
  void Post(base::Task task) override;
  void PostFromAnyThread(base::Task task) override;
  [[nodiscard]] base::TimerId After(base::Duration delay, base::Task task) override;
  void Cancel(base::TimerId timer) override;

  // Runs `hook` at the end of every wake-up while the returned handle lives. Loop thread. A hook may send, post and set timers.
  class Hook {
   public:
    virtual ~Hook() = default;
  };
  [[nodiscard]] std::unique_ptr<Hook> AtEndOfWakeup(base::Task hook);

  // Any thread. How long the wake-up under way has lasted; 0 while the loop sleeps. What /healthz asks.
  [[nodiscard]] base::Duration BusyFor() const;

  class Impl;
  // For this folder's own files.
  [[nodiscard]] Impl* impl() { return impl_.get(); }

 private:
  const std::unique_ptr<Impl> impl_;
};

// A loop that runs in a thread of its own: what blocking facades stand on.
class LoopThread {
 public:
  explicit LoopThread(CqLoopOptions options = {});
  // Stops the loop and waits for its thread. Whatever used the loop must be gone: destroy it by a task (see RunOnLoop).
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  [[nodiscard]] CqLoop* loop() { return &loop_; }
  // Any thread but the loop's. Runs `task` on the loop and waits until it has run.
  void RunOnLoop(base::Task task);

 private:
  CqLoop loop_;
  std::thread thread_;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_CQ_LOOP_H_

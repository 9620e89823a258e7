// An Executor with one thread of its own: the disk's, or the one for compression.
#ifndef DROVER_COORD_BASE_THREAD_EXECUTOR_H_
#define DROVER_COORD_BASE_THREAD_EXECUTOR_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <thread>

#include "coord/base/loop.h"
#include "coord/base/mailbox.h"

namespace drover::base {

// `loop` must outlive it. Submit may be called from any thread; the work of one thread runs in its order. `done` goes through
// Loop::PostFromAnyThread, and so is dropped unrun if the loop has stopped. The destructor waits for the work under way; work not
// yet begun is destroyed unrun, with its `done`.
class ThreadExecutor final : public Executor {
 public:
  struct Options {
    std::string thread_name = "drover-work";  // as `top -H` shows it; the kernel keeps 15 bytes
    // Submitters bound their own work in flight, far below this: exceeding it is a bug and ends the process.
    std::size_t queue_max = 65'536;
    // How far the thread stands behind the process's others where cores are short, as nice(1) counts: 0 to 19.
    int nice = 0;
  };

  ThreadExecutor(Loop* loop, Options options);
  ~ThreadExecutor() override;

  void Submit(Task work, Task done) override;

 private:
  struct Job {
    Task work;
    Task done;
  };
  void Run();

  Loop* const loop_;
  const std::string thread_name_;
  const int nice_;
  std::atomic<bool> stopping_ = false;
  Mailbox<Job> jobs_;
  std::thread thread_;  // last: starts when everything above is there
};

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_THREAD_EXECUTOR_H_

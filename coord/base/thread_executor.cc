#include "coord/base/thread_executor.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "coord/base/check.h"

namespace drover::base {

ThreadExecutor::ThreadExecutor(Loop* loop, Options options)
    : loop_(loop), thread_name_(options.thread_name.substr(0, 15)), nice_(options.nice), jobs_(options.queue_max), thread_([this] {
        Run();
      }) {}

ThreadExecutor::~ThreadExecutor() {
  stopping_.store(true, std::memory_order_relaxed);
  jobs_.Close();
  thread_.join();
}

void ThreadExecutor::Submit(Task work, Task done) {
  const PushResult result = jobs_.Push(Job{std::move(work), std::move(done)});
  DROVER_CHECK(result == PushResult::kFirst || result == PushResult::kQueued)
      << "executor " << thread_name_ << " has more work queued than its users may submit";
}

void ThreadExecutor::Run() {
  pthread_setname_np(pthread_self(), thread_name_.c_str());
  if (nice_ != 0) {
    // Linux counts it by thread (setpriority(2), "C library/kernel differences"). If that fails the work is done all the same.
    const auto id = static_cast<id_t>(gettid());
    static_cast<void>(setpriority(PRIO_PROCESS, id, getpriority(PRIO_PROCESS, id) + nice_));
  }
  std::vector<Job> jobs;
  while (jobs_.WaitAndTake(&jobs)) {
    for (Job& job : jobs) {
      if (stopping_.load(std::memory_order_relaxed)) return;
      job.work();
      job.work = nullptr;  // what it captured goes before `done` is seen
      loop_->PostFromAnyThread(std::move(job.done));
    }
  }
}

}  // namespace drover::base

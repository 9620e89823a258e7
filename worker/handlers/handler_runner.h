// ProcessRunner over handlers: functions of this program on threads of its own. Runs without a handler are handed to the runner of
// programs.
//
// What must end and does not is ended with the whole process, by its reaper: it looks at a page of memory that says when
// (exec/lease.h), so that a process that is paused, or whose loop hangs, is killed in time, too.
//
// Threads: as ProcessRunner; handlers run on as many threads as there are slots.
#ifndef DROVER_WORKER_HANDLERS_HANDLER_RUNNER_H_
#define DROVER_WORKER_HANDLERS_HANDLER_RUNNER_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "coord/base/loop.h"
#include "drover/worker/worker.h"
#include "worker/exec/local_runner.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::handlers {

struct HandlerRunnerOptions {
  unsigned threads = 1;
  // One that has not returned by the end of its grace has so long, from then on, before its process is killed: enough for its end
  // to be committed, so that it is its own and not that of the process.
  base::Duration commit_time = std::chrono::milliseconds(500);
  // A handler whose lease ends is told so long before.
  base::Duration lease_notice = std::chrono::seconds(1);
  // As of the runner of programs.
  std::size_t unacked_bytes_max = 1 << 20;
};

class HandlerRunner final : public exec::ProcessRunner {
 public:
  HandlerRunner(base::Loop* loop, std::unique_ptr<exec::LocalRunner> programs, std::map<std::string, Handler> handlers,
                HandlerRunnerOptions options);
  // Waits for handlers that run; the reaper ends the process if they do not return within a second.
  ~HandlerRunner() override;

  exec::RunId Start(exec::TaskRun run, exec::RunListener* listener) override;
  void Kill(exec::RunId run, exec::KilledBy reason, base::Duration grace) override;
  void Ack(exec::RunId run, std::size_t bytes) override;
  void SetLease(base::Instant deadline) override;
  void SetLastWill(std::string will) override { programs_->SetLastWill(std::move(will)); }

 private:
  class Call;
  struct Run {
    exec::RunListener* listener = nullptr;
    std::shared_ptr<Call> call;
    exec::KilledBy killed_by = exec::KilledBy::kNobody;
    bool needs_lease = false;
    std::int64_t doom_ns = 0;  // when the process must die if it has not returned; 0: not yet
    std::unique_ptr<base::Timer> time_limit;
    std::unique_ptr<base::Timer> grace;
  };
  // Its grace is over: its end is told, and its process dies unless it returns meanwhile.
  void GiveUp(exec::RunId run);

  void Work();
  void OnLoop(exec::RunId run, base::Task task);
  void Returned(exec::RunId run, const absl::StatusOr<std::string>& result);
  void NotStarted(exec::RunId run, exec::RunListener* listener, exec::Exit exit);
  void WatchLease();
  void TellReaper();

  base::Loop* const loop_;
  const HandlerRunnerOptions options_;
  const std::unique_ptr<exec::LocalRunner> programs_;
  const std::map<std::string, Handler> handlers_;
  std::map<exec::RunId, Run> runs_;
  std::map<exec::RunId, Run> given_up_;
  std::uint64_t last_run_ = 0;
  base::Instant lease_;
  base::Timer lease_timer_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  std::mutex mu_;  // guards what follows
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Call>> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace drover::worker::handlers

#endif  // DROVER_WORKER_HANDLERS_HANDLER_RUNNER_H_

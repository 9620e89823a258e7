#include "worker/handlers/handler_runner.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "worker/exec/lease.h"

namespace drover::worker::handlers {
namespace {

using exec::Exit;
using exec::KilledBy;
using exec::RunId;

// Runs of handlers are told from those of programs by it.
constexpr std::uint64_t kHandlerBit = std::uint64_t{1} << 62;
constexpr base::Duration kLastGrace = std::chrono::seconds(1);

bool IsHandlers(RunId run) {
  return (run.value & kHandlerBit) != 0;
}

std::int64_t Nanos(base::Instant at) {
  return at.time_since_epoch().count();
}

// The rest of a line would be another line.
std::string OneLine(absl::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace

// One call of a handler: what its thread and the loop share.
class HandlerRunner::Call final : public Task {
 public:
  Call(HandlerRunner* runner, RunId run, exec::TaskRun task, const Handler* handler)
      : run_(run), handler_(handler), runner_(runner), input_(task.stdin_bytes.ToString()) {
    for (auto& [name, value] : task.env) {
      std::uint32_t number = 0;
      if (name == "DROVER_TASK_ID") id_ = value;
      if (name == "DROVER_ATTEMPT" && absl::SimpleAtoi(value, &number)) attempt_ = number;
      if (name == "DROVER_FENCE") static_cast<void>(absl::SimpleAtoi(value, &fence_));
      if (name == "DROVER_ARRAY_INDEX" && absl::SimpleAtoi(value, &number)) array_index_ = number;
      env_[name] = std::move(value);
    }
  }

  const std::string& input() const override { return input_; }
  const std::string& id() const override { return id_; }
  std::uint32_t attempt() const override { return attempt_; }
  std::uint64_t fence() const override { return fence_; }
  std::optional<std::uint32_t> array_index() const override { return array_index_; }
  const std::map<std::string, std::string>& env() const override { return env_; }
  std::stop_token stop() const override { return stop_.get_token(); }

  void SetProgress(double percent, absl::string_view text) override {
    std::string line = percent < 0 ? OneLine(text) : absl::StrCat(std::min(percent, 100.0), "% ", OneLine(text));
    runner_->OnLoop(run_, [runner = runner_, run = run_, line = std::move(line)]() mutable {
      const auto it = runner->runs_.find(run);
      if (it != runner->runs_.end()) it->second.listener->OnProgress(std::move(line));
    });
  }

  void Write(absl::string_view data) override {
    // In parts, so that the bound holds however much comes at once.
    while (!data.empty()) {
      const absl::string_view part = data.substr(0, kPart);
      data.remove_prefix(part.size());
      {
        std::unique_lock lock(mu_);
        taken_.wait(lock, [this] { return unacked_ < runner_->options_.unacked_bytes_max || over_; });
        unacked_ += part.size();
      }
      Deliver(exec::Stream::kOut, std::string(part));
    }
  }

  // On its thread.
  absl::StatusOr<std::string> Run() {
    try {
      return (*handler_)(*this);
    } catch (const std::exception& error) {
      return absl::InternalError(absl::StrCat("exception: ", error.what()));
    } catch (...) {
      return absl::InternalError("an exception that is no std::exception");
    }
  }
  void Deliver(exec::Stream stream, std::string data) {
    runner_->OnLoop(run_, [runner = runner_, run = run_, stream, data = std::move(data)]() mutable {
      const auto it = runner->runs_.find(run);
      if (it != runner->runs_.end()) it->second.listener->OnOutput(stream, base::Bytes::Adopt(std::move(data)));
    });
  }

  // On the loop.
  void RequestStop() { stop_.request_stop(); }
  void Ack(std::size_t bytes) {
    const std::lock_guard lock(mu_);
    unacked_ -= std::min(unacked_, bytes);
    taken_.notify_all();
  }
  // Nobody takes its output any more.
  void LetGo() {
    const std::lock_guard lock(mu_);
    over_ = true;
    taken_.notify_all();
  }
  [[nodiscard]] RunId run() const { return run_; }

 private:
  static constexpr std::size_t kPart = 64 * 1024;

  const RunId run_;
  const Handler* const handler_;
  HandlerRunner* const runner_;
  const std::string input_;
  std::string id_;
  std::uint32_t attempt_ = 0;
  std::uint64_t fence_ = 0;
  std::optional<std::uint32_t> array_index_;
  std::map<std::string, std::string> env_;
  std::stop_source stop_;
  std::mutex mu_;  // guards what follows
  std::condition_variable taken_;
  std::size_t unacked_ = 0;
  bool over_ = false;
};

HandlerRunner::HandlerRunner(base::Loop* loop, std::unique_ptr<exec::LocalRunner> programs, std::map<std::string, Handler> handlers,
                             HandlerRunnerOptions options)
    : loop_(loop), options_(options), programs_(std::move(programs)), handlers_(std::move(handlers)), lease_timer_(loop) {
  programs_->WatchWorker();
  for (unsigned i = 0; i < std::max(1U, options_.threads); ++i) threads_.emplace_back([this] { Work(); });
}

HandlerRunner::~HandlerRunner() {
  *alive_ = false;
  for (auto& [id, run] : given_up_) run.grace.reset();
  for (auto& [id, run] : runs_) {
    run.call->RequestStop();
    run.call->LetGo();
    run.doom_ns = Nanos(loop_->Now() + kLastGrace);
  }
  TellReaper();
  {
    const std::lock_guard lock(mu_);
    ending_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  programs_->SetDoom(0);
}

void HandlerRunner::Work() {
  for (;;) {
    std::shared_ptr<Call> call;
    {
      std::unique_lock lock(mu_);
      wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (ending_) return;
      call = std::move(queue_.front());
      queue_.pop_front();
    }
    const RunId run = call->run();
    OnLoop(run, [this, run] {
      const auto it = runs_.find(run);
      if (it != runs_.end()) it->second.listener->OnStarted();
    });
    absl::StatusOr<std::string> result = call->Run();
    OnLoop(run, [this, run, result = std::move(result)] { Returned(run, result); });
  }
}

// Of this runner as long as it lives: its destructor waits for the threads, and the loop drops what finds it gone.
void HandlerRunner::OnLoop(RunId, base::Task task) {
  loop_->PostFromAnyThread([alive = alive_, task = std::move(task)]() mutable {
    if (*alive) task();
  });
}

RunId HandlerRunner::Start(exec::TaskRun run, exec::RunListener* listener) {
  if (run.handler.empty()) return programs_->Start(std::move(run), listener);
  const RunId id(++last_run_ | kHandlerBit);
  const auto handler = handlers_.find(run.handler);
  if (handler == handlers_.end()) {
    NotStarted(
        id, listener,
        {.kind = Exit::Kind::kNotStarted, .error = ENOENT, .sentence = absl::StrCat("this worker has no handler ", run.handler)});
    return id;
  }
  if (run.needs_lease && loop_->Now() >= lease_) {
    NotStarted(id, listener,
               {.kind = Exit::Kind::kNotStarted, .killed_by = KilledBy::kLease, .sentence = "the worker's lease had ended"});
    return id;
  }
  Run& added = runs_[id];
  added.listener = listener;
  added.needs_lease = run.needs_lease;
  if (run.time_limit.count() > 0) {
    added.time_limit = std::make_unique<base::Timer>(loop_);
    added.time_limit->Set(run.time_limit, [this, id, grace = run.grace] { Kill(id, KilledBy::kTimeLimit, grace); });
  }
  added.call = std::make_shared<Call>(this, id, std::move(run), &handler->second);
  {
    const std::lock_guard lock(mu_);
    queue_.push_back(added.call);
  }
  wake_.notify_one();
  TellReaper();
  WatchLease();
  return id;
}

void HandlerRunner::NotStarted(RunId, exec::RunListener* listener, Exit exit) {
  loop_->Post([alive = alive_, listener, exit = std::move(exit)] {
    if (*alive) listener->OnExit(exit);
  });
}

void HandlerRunner::Kill(RunId run, KilledBy reason, base::Duration grace) {
  if (!IsHandlers(run)) return programs_->Kill(run, reason, grace);
  const auto it = runs_.find(run);
  if (it == runs_.end()) return;
  Run& killed = it->second;
  if (killed.killed_by == KilledBy::kNobody) killed.killed_by = reason;
  const std::int64_t doom_ns = Nanos(loop_->Now() + grace + options_.commit_time);
  if (killed.doom_ns == 0 || doom_ns < killed.doom_ns) {
    killed.doom_ns = doom_ns;
    if (killed.grace == nullptr) killed.grace = std::make_unique<base::Timer>(loop_);
    killed.grace->Set(grace, [this, run] { GiveUp(run); });
  }
  killed.call->RequestStop();
  TellReaper();
}

void HandlerRunner::GiveUp(RunId run) {
  const auto it = runs_.find(run);
  if (it == runs_.end()) return;
  exec::RunListener* const listener = it->second.listener;
  const Exit exit{.kind = Exit::Kind::kSignalled, .signal = SIGKILL, .killed_by = it->second.killed_by};
  it->second.call->LetGo();
  auto node = runs_.extract(it);
  Run& given_up = given_up_.insert(std::move(node)).position->second;
  given_up.listener = nullptr;
  given_up.time_limit.reset();
  WatchLease();
  TellReaper();
  listener->OnExit(exit);
}

void HandlerRunner::Ack(RunId run, std::size_t bytes) {
  if (!IsHandlers(run)) return programs_->Ack(run, bytes);
  const auto it = runs_.find(run);
  if (it != runs_.end()) it->second.call->Ack(bytes);
}

void HandlerRunner::SetLease(base::Instant deadline) {
  lease_ = std::max(lease_, deadline);
  programs_->SetLease(deadline);
}

// Who needs the lease is told before it ends; whoever has not returned by then ends with the process.
void HandlerRunner::WatchLease() {
  const bool needed = std::any_of(runs_.begin(), runs_.end(), [](const auto& run) { return run.second.needs_lease; });
  if (!needed) return lease_timer_.Cancel();
  if (lease_timer_.armed()) return;
  const base::Duration left = lease_ - options_.lease_notice - loop_->Now();
  lease_timer_.Set(std::max(left, base::Duration::zero()), [this] {
    if (loop_->Now() < lease_ - options_.lease_notice) return WatchLease();  // it was renewed
    for (auto& [id, run] : runs_) {
      if (!run.needs_lease) continue;
      if (run.killed_by == KilledBy::kNobody) run.killed_by = KilledBy::kLease;
      run.call->RequestStop();
    }
  });
}

void HandlerRunner::TellReaper() {
  std::int64_t doom_ns = 0;
  bool needs_lease = false;
  for (const auto* runs : {&runs_, &given_up_}) {
    for (const auto& [id, run] : *runs) {
      if (run.doom_ns != 0) doom_ns = doom_ns == 0 ? run.doom_ns : std::min(doom_ns, run.doom_ns);
      needs_lease |= run.needs_lease;
    }
  }
  programs_->SetDoom(doom_ns);
  programs_->SetDoomedWithLease(needs_lease);
}

void HandlerRunner::Returned(RunId run, const absl::StatusOr<std::string>& result) {
  if (given_up_.erase(run) > 0) return TellReaper();  // in time for its process
  const auto it = runs_.find(run);
  if (it == runs_.end()) return;
  exec::RunListener* const listener = it->second.listener;
  Exit exit{.kind = Exit::Kind::kExited, .killed_by = it->second.killed_by};
  if (!result.ok()) {
    exit.code = static_cast<int>(result.status().code());
    exit.sentence = OneLine(result.status().ToString());
    listener->OnOutput(exec::Stream::kErr, base::Bytes::Adopt(absl::StrCat(exit.sentence, "\n")));
  } else if (result->size() > exec::kResultBytesMax) {
    exit.result_refused_bytes = result->size();
  } else if (!result->empty()) {
    listener->OnOutput(exec::Stream::kResult, base::Bytes::Copy(*result));
  }
  runs_.erase(it);
  TellReaper();
  WatchLease();
  listener->OnExit(exit);
}

}  // namespace drover::worker::handlers

// A ProcessRunner whose programs are played by the test, on simulated time.
#ifndef DROVER_TESTS_WORKER_AGENT_SIM_RUNNER_H_
#define DROVER_TESTS_WORKER_AGENT_SIM_RUNNER_H_

#include <algorithm>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/loop.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::agent {

// Programs start at once and run until the test, a kill (at once, whatever the grace, unless `ignores_sigterm`) or the lease ends
// them.
class SimRunner final : public exec::ProcessRunner {
 public:
  struct Program {
    exec::RunId id;
    exec::TaskRun run;
    exec::RunListener* listener = nullptr;
    bool over = false;
    exec::KilledBy killed_by = exec::KilledBy::kNobody;
    std::size_t unacked = 0;
    std::unique_ptr<base::Timer> lease;

    [[nodiscard]] std::string Env(const std::string& name) const {
      std::string value = "(unset)";
      for (const auto& [n, v] : run.env) {
        if (n == name) value = v;
      }
      return value;
    }
  };

  explicit SimRunner(base::Loop* loop) : loop_(loop) {}

  exec::RunId Start(exec::TaskRun run, exec::RunListener* listener) override {
    auto program = std::make_shared<Program>();
    program->id = exec::RunId(programs.size() + 1);
    program->run = std::move(run);
    program->listener = listener;
    programs.push_back(program);
    Post([this, program] {
      if (program->run.needs_lease && (loop_->Now() >= lease || too_late > 0)) {
        too_late = std::max(too_late - 1, 0);
        program->over = true;
        return program->listener->OnExit({.kind = exec::Exit::Kind::kNotStarted, .killed_by = exec::KilledBy::kLease});
      }
      program->listener->OnStarted();
      if (program->run.needs_lease) WatchLease(program);
    });
    return program->id;
  }
  void Kill(exec::RunId run, exec::KilledBy reason, base::Duration) override {
    const auto program = Find(run);
    if (program == nullptr || program->over) return;
    if (program->killed_by == exec::KilledBy::kNobody) program->killed_by = reason;
    if (!ignores_sigterm) Signal(program, SIGTERM);
  }
  void Ack(exec::RunId run, std::size_t bytes) override {
    if (const auto program = Find(run)) program->unacked -= bytes;
  }
  void SetLease(base::Instant deadline) override { lease = std::max(lease, deadline); }
  void SetLastWill(std::string w) override { will = std::move(w); }

  // What the test's programs do.
  void Write(const std::shared_ptr<Program>& program, exec::Stream stream, const std::string& text) {
    program->unacked += text.size();
    program->listener->OnOutput(stream, base::Bytes::Copy(text));
  }
  void Exit(const std::shared_ptr<Program>& program, int code) { End(program, {.kind = exec::Exit::Kind::kExited, .code = code}); }
  void Signal(const std::shared_ptr<Program>& program, int signal) {
    End(program, {.kind = exec::Exit::Kind::kSignalled, .signal = signal});
  }
  void Lose(const std::shared_ptr<Program>& program) {
    End(program, {.kind = exec::Exit::Kind::kLost, .sentence = "the reaper died"});
  }

  [[nodiscard]] std::size_t running() const {
    std::size_t count = 0;
    for (const auto& program : programs) count += program->over ? 0 : 1;
    return count;
  }

  std::vector<std::shared_ptr<Program>> programs;  // in the order started
  base::Instant lease{};
  std::string will;
  bool ignores_sigterm = false;
  int too_late = 0;  // so many starts find that the lease has just ended

 private:
  void Post(base::Task task) {
    loop_->Post([alive = std::weak_ptr<int>(alive_), task = std::move(task)]() mutable {
      if (!alive.expired()) task();
    });
  }
  void End(const std::shared_ptr<Program>& program, exec::Exit exit) {
    if (program->over) return;
    program->over = true;
    program->lease.reset();
    exit.killed_by = program->killed_by;
    Post([program, exit] { program->listener->OnExit(exit); });
  }
  void WatchLease(const std::shared_ptr<Program>& program) {
    program->lease = std::make_unique<base::Timer>(loop_);
    program->lease->Set(lease - loop_->Now(), [this, weak = std::weak_ptr<Program>(program)] {
      const auto p = weak.lock();
      if (p == nullptr || p->over) return;
      if (loop_->Now() < lease) return WatchLease(p);
      p->killed_by = exec::KilledBy::kLease;
      loop_->Post([this, p] { Signal(p, SIGKILL); });
    });
  }
  std::shared_ptr<Program> Find(exec::RunId run) {
    for (const auto& program : programs) {
      if (program->id == run) return program;
    }
    return nullptr;
  }

  base::Loop* const loop_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace drover::worker::agent

#endif  // DROVER_TESTS_WORKER_AGENT_SIM_RUNNER_H_

// A real LocalRunner on a small loop of its own, and listeners that remember what they were told.
#ifndef DROVER_TESTS_WORKER_EXEC_RUNNER_FIXTURE_H_
#define DROVER_TESTS_WORKER_EXEC_RUNNER_FIXTURE_H_

#include <sys/types.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "coord/base/loop.h"
#include "coord/base/mutex.h"
#include "gtest/gtest.h"
#include "worker/exec/local_runner.h"

namespace drover::worker::exec {

// Runs posted tasks on the test's thread; has no timers, for the runner uses none.
class PostLoop final : public base::Loop {
 public:
  base::Instant Now() const override;
  base::WallTime WallNow() const override { return base::WallTime(0); }
  void Post(base::Task task) override { PostFromAnyThread(std::move(task)); }
  void PostFromAnyThread(base::Task task) override;
  base::TimerId After(base::Duration, base::Task) override { std::abort(); }
  void Cancel(base::TimerId) override { std::abort(); }

  // Until `done` holds, checked after every task and every few milliseconds (it may look at the world). False after `limit`.
  [[nodiscard]] bool RunUntil(const std::function<bool()>& done, base::Duration limit = std::chrono::seconds(60));

 private:
  base::Mutex mu_;
  base::CondVar arrived_;
  std::deque<base::Task> tasks_ ABSL_GUARDED_BY(mu_);
};

class Recorder final : public RunListener {
 public:
  explicit Recorder(ProcessRunner* runner) : runner_(runner) {}
  void Begin(TaskRun run) { id = runner_->Start(std::move(run), this); }

  void OnStarted() override {
    EXPECT_FALSE(exit.has_value());
    ++started;
  }
  void OnOutput(Stream stream, base::Bytes data) override {
    EXPECT_FALSE(exit.has_value()) << "output after the end";
    unacked += data.size();
    unacked_max = std::max(unacked_max, unacked);
    (stream == Stream::kOut ? out : stream == Stream::kErr ? err : result).append(data.view().data(), data.size());
    if (acknowledge) AckAll();
  }
  void OnProgress(std::string line) override {
    EXPECT_FALSE(exit.has_value()) << "progress after the end";
    progress.push_back(std::move(line));
  }
  void OnExit(const Exit& e) override {
    EXPECT_FALSE(exit.has_value()) << "a second end";
    exit = e;
  }
  void AckAll() { runner_->Ack(id, std::exchange(unacked, 0)); }

  RunId id;
  int started = 0;
  std::string out, err, result;
  std::vector<std::string> progress;
  std::optional<Exit> exit;
  bool acknowledge = true;
  std::size_t unacked = 0, unacked_max = 0;

 private:
  ProcessRunner* const runner_;
};

class RunnerTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  static TaskRun Shell(const std::string& script);
  // A run with PATH alone in its environment.
  static TaskRun Command(std::vector<std::string> argv);

  std::unique_ptr<Recorder> Begin(TaskRun run);
  // Runs it to its end.
  std::unique_ptr<Recorder> RunToEnd(TaskRun run);
  void WaitForExit(const Recorder& recorder);
  void WaitForStart(const Recorder& recorder);
  void WaitFor(const std::function<bool()>& condition, const char* what);

  std::string directory_;
  PostLoop loop_;
  int reapers_lost_ = 0;
  RunnerOptions options_;
  std::unique_ptr<LocalRunner> runner_;
};

// Whether a process has `marker` among its arguments; zombies have none left.
bool AnyProcessWith(const std::string& marker);
// One that no other process of this host has.
std::string UniqueMarker();
std::string ReadFile(const std::string& path);

}  // namespace drover::worker::exec

#endif  // DROVER_TESTS_WORKER_EXEC_RUNNER_FIXTURE_H_

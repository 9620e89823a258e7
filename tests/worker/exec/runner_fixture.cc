#include "tests/worker/exec/runner_fixture.h"

#include <dirent.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "worker/exec/lease.h"
#include "worker/exec/process_tree.h"

namespace drover::worker::exec {

base::Instant PostLoop::Now() const {
  return base::Instant(base::Duration(BootNanos()));
}

void PostLoop::PostFromAnyThread(base::Task task) {
  base::MutexLock lock(&mu_);
  tasks_.push_back(std::move(task));
  arrived_.NotifyOne();
}

bool PostLoop::RunUntil(const std::function<bool()>& done, base::Duration limit) {
  const base::Instant end = Now() + limit;
  while (!done()) {
    if (Now() >= end) return false;
    base::Task task;
    {
      base::MutexLock lock(&mu_);
      if (tasks_.empty()) arrived_.WaitFor(&mu_, std::chrono::milliseconds(5));
      if (tasks_.empty()) continue;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
  return true;
}

void RunnerTest::SetUp() {
  std::string path = testing::TempDir() + "drover-exec-XXXXXX";
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  directory_ = path;
  options_.work_root = directory_;
  options_.on_reaper_lost = [this] { ++reapers_lost_; };
  auto runner = LocalRunner::Create(&loop_, options_);
  ASSERT_TRUE(runner.ok()) << runner.status();
  runner_ = *std::move(runner);
}

void RunnerTest::TearDown() {
  runner_.reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_)) << "a task's directory was left behind";
  std::filesystem::remove_all(directory_);
  EXPECT_TRUE(Descendants(::getpid()).empty()) << "a process was left behind";
}

TaskRun RunnerTest::Command(std::vector<std::string> argv) {
  TaskRun run;
  run.argv = std::move(argv);
  run.env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}};
  return run;
}

TaskRun RunnerTest::Shell(const std::string& script) {
  return Command({"bash", "-c", script});
}

std::unique_ptr<Recorder> RunnerTest::Begin(TaskRun run) {
  auto recorder = std::make_unique<Recorder>(runner_.get());
  recorder->Begin(std::move(run));
  return recorder;
}

std::unique_ptr<Recorder> RunnerTest::RunToEnd(TaskRun run) {
  auto recorder = Begin(std::move(run));
  WaitForExit(*recorder);
  return recorder;
}

void RunnerTest::WaitForExit(const Recorder& recorder) {
  WaitFor([&] { return recorder.exit.has_value(); }, "the run's end");
}

void RunnerTest::WaitForStart(const Recorder& recorder) {
  WaitFor([&] { return recorder.started > 0; }, "the run's start");
}

void RunnerTest::WaitFor(const std::function<bool()>& condition, const char* what) {
  if (!loop_.RunUntil(condition)) {
    ADD_FAILURE() << "waited in vain for " << what;
    std::abort();  // recorders on the stack are still listened to: nothing sensible can follow
  }
}

bool AnyProcessWith(const std::string& marker) {
  DIR* proc = ::opendir("/proc");
  bool found = false;
  while (const dirent* entry = ::readdir(proc)) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    found |= ReadFile(absl::StrCat("/proc/", entry->d_name, "/cmdline")).find(marker) != std::string::npos;
  }
  ::closedir(proc);
  return found;
}

std::string UniqueMarker() {
  static std::atomic<int> count{0};
  return absl::StrCat("drover-exec-test-", ::getpid(), "-", ++count, "-");
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

}  // namespace drover::worker::exec

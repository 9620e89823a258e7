// Deaths: of the reaper, of a shim, of the worker.
#include "worker/exec/reaper.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "tests/worker/exec/runner_fixture.h"
#include "tests/worker/exec/victim.h"
#include "worker/exec/process_tree.h"

namespace drover::worker::exec {
namespace {

class ReaperTest : public RunnerTest {
 protected:
  // A program with a child, a grandchild in its own session and a daemon, all of them recognisable and deaf to SIGTERM. It says
  // "up" (on its output, and by making a file of the marker's name) when all of them run.
  std::string Family(const std::string& marker) {
    const std::string up = absl::StrCat(directory_, "/", marker);
    const auto member = [&](int i) { return absl::StrCat("trap \"\" TERM HUP; touch ", up, ".", i, "; sleep 1000; : ", marker); };
    return absl::StrCat("trap '' TERM; bash -c '", member(1), "' & setsid bash -c '", member(2), "' & (setsid bash -c '(",
                        member(3), ") >/dev/null 2>&1 </dev/null &' &) ; until [ $(ls ", up, ".* | wc -l) = 3 ]; do :; done; rm ",
                        up, ".*; touch ", up, "; echo up; while :; do sleep 0.05; done; : ", marker);
  }
  void WaitUntilUp(const std::string& marker) {
    WaitFor([&] { return std::filesystem::exists(directory_ + "/" + marker); }, "the family");
    std::filesystem::remove(directory_ + "/" + marker);
  }

  pid_t StartVictim(const std::string& will, const std::string& script) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execl("/proc/self/exe", "victim", kVictimArgument, directory_.c_str(), will.c_str(), script.c_str(), nullptr);
      ::_exit(126);
    }
    return pid;
  }
};

TEST_F(ReaperTest, AReaperThatDiesTakesItsTasksAlongAndANewOneWorks) {
  const std::string marker = UniqueMarker();
  auto one = Begin(Shell(Family(marker)));
  WaitUntilUp(marker);
  auto two = Begin(Shell(Family(marker)));
  WaitUntilUp(marker);
  const pid_t reaper = runner_->reaper_pid();
  ASSERT_EQ(::kill(reaper, SIGKILL), 0);
  WaitForExit(*one);
  EXPECT_FALSE(AnyProcessWith(marker)) << "reported before everything was dead";
  WaitForExit(*two);
  EXPECT_EQ(one->exit->kind, Exit::Kind::kLost);
  EXPECT_EQ(two->exit->kind, Exit::Kind::kLost);
  EXPECT_EQ(reapers_lost_, 1);
  EXPECT_EQ(RunToEnd(Shell("echo again"))->out, "again\n");
  EXPECT_NE(runner_->reaper_pid(), reaper);
}

TEST_F(ReaperTest, AnIdleReaperThatDiesIsReplaced) {
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(::kill(runner_->reaper_pid(), SIGKILL), 0);
    WaitFor([&] { return reapers_lost_ == i; }, "the loss to be seen");
    EXPECT_EQ(RunToEnd(Shell("exit 5"))->exit->code, 5);
  }
}

TEST_F(ReaperTest, OutputWrittenBeforeTheReaperDiedStillArrives) {
  auto run = Begin(Shell("head -c 50000 /dev/zero; echo on >&2; sleep 1000"));
  WaitFor([&] { return run->err == "on\n"; }, "the output");
  ASSERT_EQ(::kill(runner_->reaper_pid(), SIGKILL), 0);
  WaitForExit(*run);
  EXPECT_EQ(run->out.size(), 50'000U);
}

TEST_F(ReaperTest, TheTreeOfAKilledShimDiesAndIsReported) {
  const std::string marker = UniqueMarker();
  auto run = Begin(Shell("echo $PPID; " + Family(marker)));
  WaitUntilUp(marker);
  auto other = Begin(Shell("echo on; until [ -e " + directory_ + "/go ]; do sleep 0.02; done; echo unharmed"));
  WaitFor([&] { return !other->out.empty(); }, "the other");
  int shim = 0;
  ASSERT_TRUE(absl::SimpleAtoi(run->out.substr(0, run->out.find('\n')), &shim));
  ASSERT_EQ(::kill(shim, SIGKILL), 0);
  WaitForExit(*run);
  EXPECT_EQ(run->exit->kind, Exit::Kind::kLost);
  EXPECT_FALSE(AnyProcessWith(marker));
  // Its directory is gone with it: what is left is the other's.
  std::size_t directories = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_))
    directories += entry.path().filename() == "work";
  EXPECT_EQ(directories, 1U);
  std::ofstream(directory_ + "/go") << "";
  WaitForExit(*other);
  std::filesystem::remove(directory_ + "/go");
  EXPECT_EQ(other->out, "on\nunharmed\n");
  EXPECT_EQ(reapers_lost_, 0);
}

TEST_F(ReaperTest, AKilledWorkersTasksAreDeadBeforeTheLastWord) {
  const std::string marker = UniqueMarker();
  const std::string answer = directory_ + "/answer";
  const pid_t victim = StartVictim(answer + "\n" + marker, Family(marker));
  WaitUntilUp(marker);
  ASSERT_EQ(::kill(victim, SIGKILL), 0);
  ASSERT_EQ(::waitpid(victim, nullptr, 0), victim);
  WaitFor([&] { return std::filesystem::exists(answer); }, "the last word");
  EXPECT_EQ(ReadFile(answer), "dead");
  std::filesystem::remove(answer);
  // The reaper has also removed the worker's directories.
  std::size_t left = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_)) ++left;
  EXPECT_EQ(left, 1U) << "only this test's own runner's";
}

TEST_F(ReaperTest, AnOrderlyEndHasNoLastWord) {
  const std::string marker = UniqueMarker();
  const std::string answer = directory_ + "/answer";
  const pid_t victim = StartVictim(answer + "\n" + marker, "true");
  int status = -1;
  ASSERT_EQ(::waitpid(victim, &status, 0), victim);  // which waits for its reaper
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(std::filesystem::exists(answer));
}

TEST_F(ReaperTest, AReaperIsNotEndedByWhatEndsAWorkersProcessGroup) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ASSERT_EQ(::kill(runner_->reaper_pid(), signal), 0);
  EXPECT_EQ(RunToEnd(Shell("exit 6"))->exit->code, 6);
  EXPECT_NE(::getpgid(runner_->reaper_pid()), ::getpgid(0));
  EXPECT_EQ(reapers_lost_, 0);
}

TEST_F(ReaperTest, ABinaryThatIsNoReaperIsRefusedAtOnce) {
  RunnerOptions options = options_;
  options.reaper_binary = "/bin/true";
  EXPECT_FALSE(LocalRunner::Create(&loop_, options).ok());
  options.reaper_binary = "/no/such/binary";
  EXPECT_FALSE(LocalRunner::Create(&loop_, options).ok());
  options = options_;
  options.work_root = "/no/such/directory";
  EXPECT_FALSE(LocalRunner::Create(&loop_, options).ok());
}

}  // namespace
}  // namespace drover::worker::exec

// Ends that are not the program's own: time limit, cancel with its grace, the lease.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "tests/worker/exec/runner_fixture.h"
#include "worker/exec/lease.h"

namespace drover::worker::exec {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class LimitsTest : public RunnerTest {
 protected:
  static base::Instant Now() { return base::Instant(base::Duration(BootNanos())); }
};

TEST_F(LimitsTest, ATimeLimitEndsTheWholeTree) {
  const std::string marker = UniqueMarker();
  TaskRun run = Shell("setsid bash -c 'sleep 1000; : " + marker + "' & echo on; wait");
  run.time_limit = milliseconds(300);
  const base::Instant before = Now();
  const auto recorder = RunToEnd(std::move(run));
  EXPECT_GE(Now() - before, milliseconds(300));
  EXPECT_EQ(recorder->exit->kind, Exit::Kind::kSignalled);
  EXPECT_EQ(recorder->exit->signal, SIGTERM);
  EXPECT_EQ(recorder->exit->killed_by, KilledBy::kTimeLimit);
  EXPECT_FALSE(AnyProcessWith(marker));
}

TEST_F(LimitsTest, AProgramThatIsFasterThanItsLimitIsNotBlamed) {
  TaskRun run = Shell("true");
  run.time_limit = minutes(1);
  EXPECT_EQ(RunToEnd(std::move(run))->exit->killed_by, KilledBy::kNobody);
}

TEST_F(LimitsTest, ACancelledProgramHasItsGraceToEndByItself) {
  // The handler takes a while and must be let through.
  auto run = Begin(Shell("trap 'sleep 0.3; echo saved; exit 7' TERM; echo on; while :; do sleep 0.05; done"));
  WaitFor([&] { return run->out == "on\n"; }, "the trap");
  runner_->Kill(run->id, KilledBy::kCancel, minutes(1));
  WaitForExit(*run);
  EXPECT_EQ(run->out, "on\nsaved\n");
  EXPECT_EQ(run->exit->kind, Exit::Kind::kExited);
  EXPECT_EQ(run->exit->code, 7);
  EXPECT_EQ(run->exit->killed_by, KilledBy::kCancel);
}

TEST_F(LimitsTest, AProgramThatIgnoresSigtermIsKilledAfterTheGrace) {
  auto run = Begin(Shell("trap '' TERM; echo on; while :; do sleep 0.05; done"));
  WaitFor([&] { return run->out == "on\n"; }, "the trap");
  const base::Instant before = Now();
  runner_->Kill(run->id, KilledBy::kCancel, milliseconds(400));
  WaitForExit(*run);
  EXPECT_GE(Now() - before, milliseconds(400));
  EXPECT_EQ(run->exit->signal, SIGKILL);
  EXPECT_EQ(run->exit->killed_by, KilledBy::kCancel);
}

TEST_F(LimitsTest, ASecondKillShortensTheGraceAndKeepsTheReason) {
  auto run = Begin(Shell("trap '' TERM; echo on; while :; do sleep 0.05; done"));
  WaitFor([&] { return run->out == "on\n"; }, "the trap");
  runner_->Kill(run->id, KilledBy::kCancel, minutes(10));
  runner_->Kill(run->id, KilledBy::kDrain, {});
  WaitForExit(*run);
  EXPECT_EQ(run->exit->signal, SIGKILL);
  EXPECT_EQ(run->exit->killed_by, KilledBy::kCancel);
}

TEST_F(LimitsTest, AStoppedProgramIsStillCancelled) {
  auto run = Begin(Shell("echo on; kill -STOP $$; echo never"));
  WaitFor([&] { return run->out == "on\n"; }, "the program");
  runner_->Kill(run->id, KilledBy::kCancel, minutes(10));
  WaitForExit(*run);
  EXPECT_EQ(run->exit->killed_by, KilledBy::kCancel);
}

TEST_F(LimitsTest, AKillBeforeTheStartIsNotForgotten) {
  auto run = Begin(Command({"sleep", "1000"}));
  runner_->Kill(run->id, KilledBy::kCancel, minutes(10));
  WaitForExit(*run);
  EXPECT_EQ(run->exit->killed_by, KilledBy::kCancel);
}

TEST_F(LimitsTest, AKillOfAnEndedRunIsIgnored) {
  const auto run = RunToEnd(Shell("exit 3"));
  runner_->Kill(run->id, KilledBy::kCancel, {});
  EXPECT_EQ(RunToEnd(Shell("exit 4"))->exit->code, 4);
  EXPECT_EQ(run->exit->code, 3);
}

TEST_F(LimitsTest, AKillThatMeetsTheEndDoesNotTakeTheBlame) {
  auto run = Begin(Shell("echo $PPID $$; until [ -e " + directory_ + "/go ]; do sleep 0.02; done"));
  WaitFor([&] { return !run->out.empty() && run->out.back() == '\n'; }, "the pids");
  const std::vector<std::string> pids = absl::StrSplit(absl::StripSuffix(run->out, "\n"), ' ');
  const auto state_of = [](const std::string& pid) {
    const std::string stat = ReadFile("/proc/" + pid + "/stat");
    const std::size_t at = stat.rfind(") ");
    return at == std::string::npos ? '?' : stat[at + 2];
  };
  int shim = 0;
  ASSERT_TRUE(absl::SimpleAtoi(pids[0], &shim));
  ASSERT_EQ(::kill(shim, SIGSTOP), 0);
  WaitFor([&] { return state_of(pids[0]) == 'T'; }, "the shim to stop");
  std::ofstream(directory_ + "/go") << "";
  WaitFor([&] { return state_of(pids[1]) == 'Z'; }, "the program's end");
  runner_->Kill(run->id, KilledBy::kCancel, minutes(1));
  RunToEnd(Shell("true"));  // the reaper takes orders in turn: it has passed on the kill
  ASSERT_EQ(::kill(shim, SIGCONT), 0);
  WaitForExit(*run);
  std::filesystem::remove(directory_ + "/go");
  EXPECT_EQ(run->exit->kind, Exit::Kind::kExited);
  EXPECT_EQ(run->exit->code, 0);
  EXPECT_EQ(run->exit->killed_by, KilledBy::kNobody);
}

TEST_F(LimitsTest, WithoutALeaseNothingThatNeedsOneStarts) {
  TaskRun run = Shell("echo ran");
  run.needs_lease = true;
  const auto recorder = RunToEnd(std::move(run));
  EXPECT_EQ(recorder->exit->kind, Exit::Kind::kNotStarted);
  EXPECT_EQ(recorder->exit->killed_by, KilledBy::kLease);
  EXPECT_EQ(recorder->out, "");
}

TEST_F(LimitsTest, AfterTheLeaseNothingThatNeedsOneStarts) {
  runner_->SetLease(Now() - milliseconds(1));
  TaskRun run = Shell("echo ran");
  run.needs_lease = true;
  EXPECT_EQ(RunToEnd(std::move(run))->exit->killed_by, KilledBy::kLease);
}

TEST_F(LimitsTest, AtTheLeasesEndTheProgramIsKilledWithoutGrace) {
  const base::Instant deadline = Now() + milliseconds(600);
  runner_->SetLease(deadline);
  TaskRun run = Shell("trap '' TERM; echo on; while :; do sleep 0.05; done");
  run.needs_lease = true;
  const auto recorder = RunToEnd(std::move(run));
  EXPECT_GE(Now(), deadline);
  EXPECT_EQ(recorder->out, "on\n");
  EXPECT_EQ(recorder->exit->signal, SIGKILL);
  EXPECT_EQ(recorder->exit->killed_by, KilledBy::kLease);
}

TEST_F(LimitsTest, ARefreshedLeaseLetsItLive) {
  runner_->SetLease(Now() + milliseconds(400));
  TaskRun run = Shell("sleep 1; echo done");
  run.needs_lease = true;
  auto recorder = Begin(std::move(run));
  runner_->SetLease(Now() + minutes(10));
  runner_->SetLease(Now() + milliseconds(10));  // never moves back
  WaitForExit(*recorder);
  EXPECT_EQ(recorder->out, "done\n");
  EXPECT_EQ(recorder->exit->killed_by, KilledBy::kNobody);
}

TEST_F(LimitsTest, ARunThatNeedsNoLeaseOutlivesIt) {
  runner_->SetLease(Now() + milliseconds(50));
  EXPECT_EQ(RunToEnd(Shell("sleep 0.3; echo done"))->out, "done\n");
}

}  // namespace
}  // namespace drover::worker::exec

// Programs run to their end: exits, output, input, environment, and what cannot start.
#include "worker/exec/local_runner.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coord/base/random.h"
#include "gmock/gmock.h"
#include "tests/worker/exec/runner_fixture.h"

namespace drover::worker::exec {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string RandomBytes(std::size_t size, std::uint64_t seed) {
  base::SeededRandom random(seed);
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random.Next());
  return bytes;
}

TEST_F(RunnerTest, ExitCodesAndSignalsAreReported) {
  const struct {
    const char* script;
    Exit::Kind kind;
    int number;
  } cases[] = {
      {"exit 0", Exit::Kind::kExited, 0},
      {"exit 1", Exit::Kind::kExited, 1},
      {"exit 255", Exit::Kind::kExited, 255},
      {"kill -9 $$", Exit::Kind::kSignalled, SIGKILL},
      {"kill -TERM $$", Exit::Kind::kSignalled, SIGTERM},
      {"kill -SEGV $$", Exit::Kind::kSignalled, SIGSEGV},
  };
  for (const auto& c : cases) {
    const auto run = RunToEnd(Shell(c.script));
    EXPECT_EQ(run->started, 1) << c.script;
    EXPECT_EQ(run->exit->kind, c.kind) << c.script;
    EXPECT_EQ(c.kind == Exit::Kind::kExited ? run->exit->code : run->exit->signal, c.number) << c.script;
    EXPECT_EQ(run->exit->killed_by, KilledBy::kNobody) << c.script;
  }
}

TEST_F(RunnerTest, BothStreamsArriveApartAndInOrder) {
  const auto run = RunToEnd(Shell("for i in $(seq 500); do echo out $i; echo err $i >&2; done"));
  std::string out, err;
  for (int i = 1; i <= 500; ++i) {
    absl::StrAppend(&out, "out ", i, "\n");
    absl::StrAppend(&err, "err ", i, "\n");
  }
  EXPECT_EQ(run->out, out);
  EXPECT_EQ(run->err, err);
}

TEST_F(RunnerTest, LargeBinaryOutputArrivesByteForByte) {
  const std::string path = directory_ + "/data";
  const std::string bytes = RandomBytes(100 << 20, 1);
  std::ofstream(path, std::ios::binary) << bytes;
  const auto run = RunToEnd(Command({"cat", path}));
  std::filesystem::remove(path);
  EXPECT_EQ(run->exit->code, 0);
  EXPECT_TRUE(run->out == bytes) << run->out.size() << " bytes";
  EXPECT_LE(run->unacked_max, options_.unacked_bytes_max);
}

TEST_F(RunnerTest, OutputThatNobodyAcknowledgesStopsTheProgramAndNotTheOthers) {
  auto blocked = std::make_unique<Recorder>(runner_.get());
  blocked->acknowledge = false;
  blocked->Begin(Shell("head -c 5000000 /dev/zero; echo end >&2"));
  WaitFor([&] { return blocked->unacked == options_.unacked_bytes_max; }, "the bound to be reached");
  EXPECT_EQ(RunToEnd(Shell("head -c 3000000 /dev/zero"))->out.size(), 3'000'000U);
  EXPECT_FALSE(blocked->exit.has_value());
  EXPECT_EQ(blocked->unacked_max, options_.unacked_bytes_max);
  blocked->acknowledge = true;
  blocked->AckAll();
  WaitForExit(*blocked);
  EXPECT_EQ(blocked->out.size(), 5'000'000U);
  EXPECT_EQ(blocked->err, "end\n");
}

TEST_F(RunnerTest, StandardInputIsEmptyUnlessGiven) {
  EXPECT_EQ(RunToEnd(Shell("cat; readlink /proc/self/fd/0"))->out, "/dev/null\n");
}

TEST_F(RunnerTest, TenMebibytesOfStandardInputArrive) {
  TaskRun run = Command({"cat"});
  const std::string bytes = RandomBytes(10 << 20, 2);
  run.stdin_bytes = base::Bytes::Copy(bytes);
  EXPECT_TRUE(RunToEnd(std::move(run))->out == bytes);
}

TEST_F(RunnerTest, StandardInputMayBeAFile) {
  TaskRun run = Command({"cat"});
  run.stdin_file = directory_ + "/input";
  std::ofstream(run.stdin_file) << "from a file";
  const auto recorder = RunToEnd(run);
  std::filesystem::remove(run.stdin_file);
  EXPECT_EQ(recorder->out, "from a file");
}

TEST_F(RunnerTest, AnArgumentOfOneHundredKibibytesRuns) {
  const std::string argument = std::string(100 << 10, 'x') + "'\" $;";
  EXPECT_EQ(RunToEnd(Command({"printf", "%s", argument}))->out, argument);
}

TEST_F(RunnerTest, ArgumentsBeyondTheSystemsLimitAreNamed) {
  const auto run = RunToEnd(Command({"true", std::string(200 << 10, 'x')}));
  EXPECT_EQ(run->exit->kind, Exit::Kind::kNotStarted);
  EXPECT_EQ(run->exit->error, E2BIG);
}

TEST_F(RunnerTest, TheEnvironmentIsWhatWasGivenAndWhereItsOwnFilesAre) {
  TaskRun run = Command({"env"});
  ASSERT_EQ(::setenv("DROVER_TEST_LEAK", "1", 1), 0);
  run.env = {{"PATH", "/bin:/usr/bin"}, {"GREETING", "first"}, {"EMPTY", ""}, {"GREETING", "a=b c\nd"}};
  const auto recorder = RunToEnd(std::move(run));
  std::vector<std::string> lines = absl::StrSplit(recorder->out, '\n', absl::SkipEmpty());
  for (const std::string& own : {std::string("TMPDIR="), std::string("DROVER_PROGRESS="), std::string("DROVER_RESULT=")}) {
    const auto line = std::find_if(lines.begin(), lines.end(), [&](const std::string& l) { return l.rfind(own, 0) == 0; });
    ASSERT_NE(line, lines.end()) << own;
    EXPECT_THAT(*line, HasSubstr(directory_));
    lines.erase(line);
  }
  EXPECT_THAT(lines, UnorderedElementsAre("PATH=/bin:/usr/bin", "GREETING=a=b c", "d", "EMPTY="));
}

TEST_F(RunnerTest, NoDescriptorLeaksIntoATask) {
  auto other = Begin(Command({"sleep", "1000"}));  // whose descriptors could leak
  WaitForStart(*other);
  const auto run = RunToEnd(Command({"ls", "/proc/self/fd"}));
  EXPECT_EQ(run->out, "0\n1\n2\n3\n");  // 3 is ls reading the directory
  runner_->Kill(other->id, KilledBy::kCancel, {});
  WaitForExit(*other);
}

TEST_F(RunnerTest, SignalsAreAsAFreshProcessHasThem) {
  const auto run = RunToEnd(Command({"grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}));
  EXPECT_EQ(run->out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(RunnerTest, TheWorkingDirectoryIsFreshEmptyAndRemoved) {
  const auto run = RunToEnd(
      Shell("pwd; ls -A | wc -l; mkdir -p a/b; echo x > a/b/c; chmod 0 a/b; chmod 500 a; ln -s / root; echo y > $TMPDIR/t"));
  const std::vector<std::string> lines = absl::StrSplit(run->out, '\n');
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(lines[0], HasSubstr(directory_));
  EXPECT_EQ(lines[1], "0");
  EXPECT_FALSE(std::filesystem::exists(lines[0]));
  EXPECT_TRUE(std::filesystem::exists("/proc/self"));  // the link was not followed
}

TEST_F(RunnerTest, AGivenWorkingDirectoryIsUsedAndKept) {
  TaskRun run = Shell("pwd; echo x > made");
  run.cwd = directory_ + "/mine";
  std::filesystem::create_directory(run.cwd);
  EXPECT_EQ(RunToEnd(run)->out, run.cwd + "\n");
  EXPECT_EQ(ReadFile(run.cwd + "/made"), "x\n");
  std::filesystem::remove_all(run.cwd);
}

TEST_F(RunnerTest, WhatCannotStartSaysWhy) {
  const std::string text = directory_ + "/text";
  std::ofstream(text) << "no program\n";
  ::chmod(text.c_str(), 0644);
  TaskRun no_cwd = Shell("true");
  no_cwd.cwd = directory_ + "/nowhere";
  TaskRun relative = Shell("true");
  relative.cwd = "somewhere";
  TaskRun no_input = Shell("true");
  no_input.stdin_file = directory_ + "/nothing";
  TaskRun bad_name = Shell("true");
  bad_name.env.emplace_back("A=B", "c");
  const struct {
    TaskRun run;
    int error;
    const char* words;
  } cases[] = {
      {Command({"no-such-program-at-all"}), ENOENT, "no-such-program-at-all not found in PATH"},
      {Command({"/no/such/program"}), ENOENT, "/no/such/program not found"},
      {Command({text}), EACCES, "Permission denied"},
      {Command({directory_}), EACCES, "Permission denied"},
      {Command({""}), ENOENT, "not found"},
      {Command({}), EINVAL, "argv is empty"},
      {Command({"echo", std::string("a\0b", 3)}), EINVAL, "NUL"},
      {no_cwd, ENOENT, "nowhere: No such file"},
      {relative, EINVAL, "not an absolute path"},
      {no_input, ENOENT, "standard input"},
      {bad_name, EINVAL, "environment"},
  };
  for (const auto& c : cases) {
    const auto run = RunToEnd(c.run);
    EXPECT_EQ(run->started, 0) << c.words;
    EXPECT_EQ(run->exit->kind, Exit::Kind::kNotStarted) << c.words;
    EXPECT_EQ(run->exit->error, c.error) << c.words;
    EXPECT_THAT(run->exit->sentence, HasSubstr(c.words));
    EXPECT_LE(run->exit->sentence.size(), 128U);
  }
  std::filesystem::remove(text);
}

TEST_F(RunnerTest, AScriptWithoutAnInterpreterLineIsRunByTheShell) {
  const std::string script = directory_ + "/script";
  std::ofstream(script) << "echo \"script $1\"\n";
  ::chmod(script.c_str(), 0755);
  EXPECT_EQ(RunToEnd(Command({script, "one"}))->out, "script one\n");
  std::filesystem::remove(script);
}

TEST_F(RunnerTest, SixtyFourTasksRunAtOnce) {
  // Each waits until all are there, so they cannot have run one after the other.
  const std::string script = absl::StrCat("touch ", directory_, "/all.$0; while [ $(ls ", directory_,
                                          " | grep -c all) -lt 64 ]; do sleep 0.05; done; echo $0");
  std::vector<std::unique_ptr<Recorder>> runs;
  for (int i = 0; i < 64; ++i) {
    TaskRun run = Shell(script);
    run.argv.push_back(absl::StrCat(i));
    runs.push_back(Begin(std::move(run)));
  }
  for (int i = 0; i < 64; ++i) {
    WaitForExit(*runs[static_cast<std::size_t>(i)]);
    EXPECT_EQ(runs[static_cast<std::size_t>(i)]->out, absl::StrCat(i, "\n"));
  }
  for (int i = 0; i < 64; ++i) std::filesystem::remove(absl::StrCat(directory_, "/all.", i));
}

TEST_F(RunnerTest, WhatAProgramLeavesRunningDiesWithIt) {
  const std::string marker = UniqueMarker();
  const struct {
    const char* name;
    std::string script;
  } cases[] = {
      {"background child", "(touch $TMPDIR/up; sleep 1000; : " + marker + ") &"},
      {"grandchild in its own session", "setsid bash -c 'touch $TMPDIR/up; sleep 1000; : " + marker + "' &"},
      {"double fork daemon",
       "(setsid bash -c '(trap \"\" TERM HUP; touch $TMPDIR/up; sleep 1000; : " + marker + ") </dev/null >/dev/null 2>&1 &' &) ;"},
      {"one that holds no output", "setsid bash -c 'exec >/dev/null 2>&1; touch $TMPDIR/up; sleep 1000; : " + marker + "' &"},
  };
  for (const auto& c : cases) {
    // The program waits until its descendant is really there.
    const auto run = RunToEnd(Shell(c.script + " until [ -e $TMPDIR/up ]; do :; done; echo started"));
    EXPECT_EQ(run->out, "started\n") << c.name;
    EXPECT_EQ(run->exit->kind, Exit::Kind::kExited) << c.name;
    EXPECT_FALSE(AnyProcessWith(marker)) << c.name;
  }
}

TEST_F(RunnerTest, AForkBombIsOver) {
  // Every process forks two more until told to stop; bounded in time only by being killed.
  const std::string marker = UniqueMarker();
  TaskRun run = Shell("f() { (sleep 0.001; f; : " + marker + ") & (setsid sleep 0.002; f) & }; f; f; echo on; sleep 1000");
  auto recorder = Begin(std::move(run));
  WaitFor([&] { return recorder->out == "on\n"; }, "the bomb to go off");
  runner_->Kill(recorder->id, KilledBy::kCancel, {});
  WaitForExit(*recorder);
  EXPECT_EQ(recorder->exit->killed_by, KilledBy::kCancel);
  EXPECT_FALSE(AnyProcessWith(marker));
}

TEST_F(RunnerTest, ADestroyedRunnerKillsWhatItRuns) {
  const std::string marker = UniqueMarker();
  auto run = Begin(Shell("setsid bash -c 'sleep 1000; : " + marker + "' & wait"));
  WaitFor([&] { return AnyProcessWith(marker); }, "the grandchild");
  runner_.reset();
  EXPECT_FALSE(AnyProcessWith(marker));
  EXPECT_FALSE(run->exit.has_value());
}

TEST_F(RunnerTest, WhatAProgramSaysOfItsProgressArrives) {
  // From a process far below that has closed all its descriptors.
  const auto run = RunToEnd(
      Shell("echo 10 begin > $DROVER_PROGRESS; sleep 0.3; (exec 0<&- 1>&- 2>&-; setsid sh -c 'echo 50 > $DROVER_PROGRESS');"
            "sleep 0.3; for i in $(seq 2000); do echo $i; done > $DROVER_PROGRESS; printf 'no end' > $DROVER_PROGRESS"));
  EXPECT_EQ(run->exit->code, 0);
  ASSERT_GE(run->progress.size(), 3U);
  EXPECT_EQ(run->progress[0], "10 begin");
  EXPECT_EQ(run->progress[1], "50");
  EXPECT_EQ(run->progress.back(), "2000") << "the newest, before the end";
  EXPECT_LT(run->progress.size(), 100U) << "what comes too fast is left out";
}

TEST_F(RunnerTest, ASignOfLifeLeavesWhatWasSaid) {
  const auto run = RunToEnd(Shell("echo 10 > $DROVER_PROGRESS; sleep 0.3; (echo 50; echo) > $DROVER_PROGRESS"));
  EXPECT_EQ(std::count(run->progress.begin(), run->progress.end(), "50"), 1);
}

TEST_F(RunnerTest, ALineOfProgressIsCutAndAProgramThatOnlyWritesThemEndsAllTheSame) {
  const auto run = RunToEnd(Shell("head -c 100000 /dev/zero | tr '\\0' x > $DROVER_PROGRESS; echo > $DROVER_PROGRESS"));
  ASSERT_EQ(run->progress.size(), 1U);
  EXPECT_EQ(run->progress[0], std::string(kProgressLineBytesMax, 'x'));
  TaskRun busy = Shell("while :; do echo 1 > $DROVER_PROGRESS; done");
  busy.time_limit = std::chrono::milliseconds(500);
  EXPECT_EQ(RunToEnd(std::move(busy))->exit->killed_by, KilledBy::kTimeLimit);
}

TEST_F(RunnerTest, AResultArrivesBeforeTheEndOfWhatSucceeded) {
  EXPECT_EQ(RunToEnd(Shell("echo 42 > $DROVER_RESULT"))->result, "42\n");
  EXPECT_EQ(RunToEnd(Shell("echo 42 > $DROVER_RESULT; exit 3"))->result, "");
  EXPECT_EQ(RunToEnd(Shell("true"))->result, "");
  TaskRun ended = Shell("trap 'echo 42 > $DROVER_RESULT; exit 0' TERM; while :; do sleep 0.1; done");
  ended.time_limit = std::chrono::milliseconds(300);
  EXPECT_EQ(RunToEnd(std::move(ended))->result, "") << "it was ended";
  EXPECT_EQ(RunToEnd(Shell("ln -s /etc/passwd $DROVER_RESULT"))->result, "") << "not what it points at";
  EXPECT_EQ(RunToEnd(Shell("mkfifo $DROVER_RESULT"))->result, "");
  EXPECT_EQ(RunToEnd(Shell("mkdir $DROVER_RESULT"))->result, "");
  // Larger than what may be handed out at a time.
  const auto run = RunToEnd(Shell("head -c 3000000 /dev/zero > $DROVER_RESULT"));
  EXPECT_EQ(run->result.size(), 3'000'000U);
  EXPECT_EQ(run->exit->code, 0);
  const auto large = RunToEnd(Shell("truncate -s 65M $DROVER_RESULT"));
  EXPECT_EQ(large->result, "");
  EXPECT_EQ(large->exit->result_refused_bytes, 65ULL << 20);
}

}  // namespace
}  // namespace drover::worker::exec

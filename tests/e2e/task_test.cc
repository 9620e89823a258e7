// A task's whole way through a healthy cluster: what goes in, what comes out, byte for byte.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

class TaskTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = std::make_unique<Cluster>(); }
  static void TearDownTestSuite() {
    ExpectPoolIsWell(*cluster_);
    cluster_.reset();
  }
  static std::unique_ptr<Cluster> cluster_;
};
std::unique_ptr<Cluster> TaskTest::cluster_;

std::string Noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t x = 2463534242U;
  for (char& c : bytes) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    c = static_cast<char>(x);
  }
  return bytes;
}

TEST_F(TaskTest, RunPrintsWhatTheProgramPrintsAndExitsAsItDoes) {
  const CommandResult result = cluster_->Drover({"run", "--", "sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(result.out, "out\n");
  EXPECT_NE(result.err.find("err\n"), std::string::npos);
  EXPECT_EQ(result.exit_code, 7);
}

TEST_F(TaskTest, ASignalEndsRunAsAShellShowsIt) {
  EXPECT_EQ(cluster_->Drover({"run", "--", "sh", "-c", "kill -SEGV $$"}).exit_code, 128 + SIGSEGV);
}

TEST_F(TaskTest, OutputThatCannotBeWrittenIsNoSuccess) {
  const std::string id = Trimmed(cluster_->Drover({"submit", "--", "echo", "hi"}).out);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 0);
  for (const std::string& command : {std::string("run -- echo hi"), "logs " + id, "logs -f " + id}) {
    CommandOptions options;
    options.env["DROVER_COORD"] = cluster_->coord_address();
    const CommandResult result = RunCommand({"sh", "-c", Binary("drover") + " " + command + " > /dev/full"}, options);
    EXPECT_EQ(result.exit_code, 1) << command;
    EXPECT_NE(result.err.find("cannot write to standard output"), std::string::npos) << command << ": " << result.err;
  }
}

TEST_F(TaskTest, BytesThatAreNoTextAreRefusedByName) {
  const CommandResult run = cluster_->Drover({"run", "--", "printf", "\xff"});
  const CommandResult submit = cluster_->Drover({"submit", "--env", "A=\xff", "--", "true"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(submit.exit_code, 2);
  EXPECT_NE(run.err.find("argument 1 is not UTF-8"), std::string::npos) << run.err;
  EXPECT_NE(submit.err.find("the environment's A is not UTF-8"), std::string::npos) << submit.err;
  EXPECT_EQ(Lines(run.err).size(), 1u) << run.err;
  EXPECT_EQ(Lines(submit.err).size(), 1u) << submit.err;
}

TEST_F(TaskTest, AProgramThatCouldNotStartIsAnErrorInJsonToo) {
  const CommandResult text = cluster_->Drover({"run", "--", "/no/such/program"});
  EXPECT_EQ(text.exit_code, 3);
  EXPECT_EQ(Lines(text.err).size(), 1u) << text.err;
  EXPECT_NE(text.err.find("COULD_NOT_START"), std::string::npos) << text.err;
  const CommandResult json = cluster_->Drover({"-o", "json", "run", "--", "/no/such/program"});
  EXPECT_EQ(json.exit_code, 3);
  EXPECT_EQ(json.out, "");
  const nlohmann::json error = nlohmann::json::parse(json.err).at("error");
  EXPECT_EQ(error.at("code"), "ABORTED");
  EXPECT_NE(error.at("message").get<std::string>().find("COULD_NOT_START"), std::string::npos) << json.err;
  // What the program said itself needs no error.
  EXPECT_EQ(cluster_->Drover({"-o", "json", "run", "--", "false"}).err, "");
}

TEST_F(TaskTest, TheOutputOfAnAttemptThatNeverWasIsNotFound) {
  const std::string id = Trimmed(cluster_->Drover({"submit", "--wait", "--", "echo", "once"}).out);
  EXPECT_EQ(cluster_->Drover({"logs", id, "--attempt", "1"}).out, "once\n");
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"-f"}, {"--stderr"}, {"--both"}}) {
    std::vector<std::string> args = {"logs", id, "--attempt", "99"};
    args.insert(args.end(), more.begin(), more.end());
    const CommandResult result = cluster_->Drover(args);
    EXPECT_EQ(result.exit_code, 6) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "drover: task " + id + " has no attempt 99: there is 1\n");
  }
}

TEST_F(TaskTest, AKibibyteOfBinaryOutputArrivesByteForByte) {
  const std::string bytes = Noise(1024);
  WriteFile(cluster_->path("small"), bytes);
  EXPECT_EQ(cluster_->Drover({"run", "--", "cat", cluster_->path("small")}).out, bytes);
}

TEST_F(TaskTest, AHundredMebibytesOfBinaryOutputArriveByteForByte) {
  const std::string bytes = Noise(100 << 20);
  WriteFile(cluster_->path("large"), bytes);
  const CommandResult result = cluster_->Drover({"run", "--", "cat", cluster_->path("large")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(result.out == bytes) << result.out.size() << " bytes arrived";
  std::filesystem::remove(cluster_->path("large"));
}

TEST_F(TaskTest, StandardInputIsHandedOver) {
  const std::string bytes = Noise(300'000);
  CommandOptions options;
  options.input = bytes;
  const CommandResult result = cluster_->Drover({"run", "--stdin", "-", "--", "cat"}, options);
  EXPECT_TRUE(result.out == bytes) << result.out.size() << " bytes arrived; " << result.err;
}

TEST_F(TaskTest, TheProgramSeesItsTaskAndNothingElseOfTheWorker) {
  const CommandResult result = cluster_->Drover({"run", "--id", "environment", "--env", "COLOUR=blue", "--", "env"});
  std::set<std::string> names;
  for (const std::string& line : Lines(result.out)) names.insert(line.substr(0, line.find('=')));
  const std::set<std::string> expected = {"PATH",           "HOME",           "LANG",         "TMPDIR",        "COLOUR",
                                          "DROVER_TASK_ID", "DROVER_ATTEMPT", "DROVER_FENCE", "DROVER_WORKER", "DROVER_PROGRESS",
                                          "DROVER_RESULT"};
  EXPECT_EQ(names, expected) << result.out << result.err;
  EXPECT_NE(result.out.find("DROVER_TASK_ID=environment\n"), std::string::npos);
  EXPECT_NE(result.out.find("DROVER_ATTEMPT=1\n"), std::string::npos);
  EXPECT_NE(result.out.find("COLOUR=blue\n"), std::string::npos);
}

TEST_F(TaskTest, TheWorkingDirectoryIsFreshAndGoneAfterwards) {
  const CommandResult first = cluster_->Drover({"run", "--", "sh", "-c", "pwd; ls -A; touch left"});
  const std::vector<std::string> lines = Lines(first.out);
  ASSERT_EQ(lines.size(), 1u) << first.out << first.err;
  EXPECT_TRUE(Await([&] { return !std::filesystem::exists(lines[0]); }));
  EXPECT_EQ(cluster_->Drover({"run", "--cwd", cluster_->dir(), "--", "pwd"}).out, cluster_->dir() + "\n");
}

TEST_F(TaskTest, SubmitPrintsTheIdAloneAndTheSameSubmissionIsTheSameTask) {
  const CommandResult first = cluster_->Drover({"submit", "--id", "twice", "--", "echo", "hello"});
  EXPECT_EQ(first.out, "twice\n");
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(cluster_->Drover({"submit", "--id", "twice", "--", "echo", "hello"}).exit_code, 0);
  const CommandResult other = cluster_->Drover({"submit", "--id", "twice", "--", "echo", "other"});
  EXPECT_EQ(other.exit_code, 8);
  EXPECT_NE(other.err.find("twice"), std::string::npos) << other.err;
  EXPECT_EQ(cluster_->Drover({"wait", "twice"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"logs", "twice"}).out, "hello\n");
  const nlohmann::json task = cluster_->Json({"status", "twice"});
  EXPECT_EQ(task.at("state"), "SUCCEEDED");
  EXPECT_EQ(task.at("attempt"), 1);
  EXPECT_EQ(task.at("exit_code"), 0);
}

TEST_F(TaskTest, WaitTellsFailureFromCancellationFromTimeOut) {
  const std::string failed = Trimmed(cluster_->Drover({"submit", "--", "false"}).out);
  const std::string endless = Trimmed(cluster_->Drover({"submit", "--", "sleep", "1000"}).out);
  EXPECT_EQ(cluster_->Drover({"wait", failed}).exit_code, 3);
  EXPECT_EQ(cluster_->Drover({"wait", endless, "--timeout", "200ms"}).exit_code, 5);
  EXPECT_EQ(cluster_->Drover({"cancel", endless}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", endless}).exit_code, 4);
  EXPECT_EQ(cluster_->Drover({"status", "no-such-task"}).exit_code, 6);
}

TEST_F(TaskTest, RetriesRunTheProgramAgainWithAGreaterFence) {
  const CommandResult submitted = cluster_->Drover(
      {"submit", "--retries", "2", "--", "sh", "-c", "echo $DROVER_FENCE >> " + cluster_->path("fences") + "; exit 1"});
  const std::string id = Trimmed(submitted.out);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 3);
  const std::vector<std::string> fences = Lines(ReadFile(cluster_->path("fences")));
  ASSERT_EQ(fences.size(), 3u);
  EXPECT_LT(std::stoull(fences[0]), std::stoull(fences[1]));
  EXPECT_LT(std::stoull(fences[1]), std::stoull(fences[2]));
  EXPECT_EQ(cluster_->Json({"status", id}).at("attempts").size(), 3u);
}

TEST_F(TaskTest, TheOutputOfEveryAttemptIsKept) {
  const std::string id = Trimmed(cluster_
                                     ->Drover({"submit", "--retries", "2", "--retry-backoff", "0", "--", "sh", "-c",
                                               "echo out $DROVER_ATTEMPT; echo err $DROVER_ATTEMPT >&2; exit 1"})
                                     .out);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 3);
  for (const std::string attempt : {"1", "2", "3"}) {
    EXPECT_EQ(cluster_->Drover({"logs", id, "--attempt", attempt}).out, "out " + attempt + "\n");
    EXPECT_EQ(cluster_->Drover({"logs", id, "--attempt", attempt, "--stderr"}).out, "err " + attempt + "\n");
  }
}

TEST_F(TaskTest, ATaskThatWaitsForItsRetrySaysWhyAndUntilWhen) {
  const std::string id =
      Trimmed(cluster_->Drover({"submit", "--retries", "1", "--retry-backoff", "1h", "--", "sh", "-c", "exit 9"}).out);
  ASSERT_TRUE(Await([&] { return cluster_->Json({"status", id}).at("state") == "WAITING"; }));
  const nlohmann::json task = cluster_->Json({"status", id});
  EXPECT_EQ(task.at("reason"), "EXIT_CODE");
  EXPECT_TRUE(task.at("not_before").is_string()) << task;
  EXPECT_NE(cluster_->Drover({"status", id}).out.find("waits until"), std::string::npos);
  EXPECT_EQ(cluster_->Drover({"cancel", id}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 4);
}

TEST_F(TaskTest, ATaskRunsInItsTimeOrFails) {
  const std::string file = cluster_->path("delayed");
  const std::string delayed = Trimmed(cluster_->Drover({"submit", "--delay", "1s", "--", "sh", "-c", "date +%s%3N > " + file}).out);
  EXPECT_EQ(cluster_->Json({"status", delayed}).at("state"), "WAITING");
  EXPECT_EQ(cluster_->Drover({"wait", delayed}).exit_code, 0);
  const nlohmann::json task = cluster_->Json({"status", delayed});
  EXPECT_GT(task.at("started_at"), task.at("submitted_at"));

  // Nobody has this label.
  const std::string hopeless =
      Trimmed(cluster_->Drover({"submit", "--label", "gpu=yes", "--start-within", "200ms", "--", "true"}).out);
  EXPECT_EQ(cluster_->Drover({"wait", hopeless}).exit_code, 3);
  EXPECT_EQ(cluster_->Json({"status", hopeless}).at("reason"), "DEADLINE");

  const std::string endless = Trimmed(
      cluster_->Drover({"submit", "--total-limit", "1s", "--retries", "5", "--retry-backoff", "0", "--", "sleep", "1000"}).out);
  EXPECT_EQ(cluster_->Drover({"wait", endless}).exit_code, 3);
  const nlohmann::json ended = cluster_->Json({"status", endless});
  EXPECT_EQ(ended.at("reason"), "TIME_LIMIT");
  EXPECT_EQ(ended.at("attempts").size(), 1u);

  const CommandResult late = cluster_->Drover({"submit", "--deadline", "2020-01-01T00:00:00Z", "--", "true"});
  EXPECT_EQ(late.exit_code, 8) << late.err;
  EXPECT_NE(late.err.find("its deadline is over"), std::string::npos) << late.err;
}

TEST_F(TaskTest, ATaskThatFailedIsRunAnew) {
  const std::string file = cluster_->path("mended");
  const std::vector<std::string> submit = {"submit", "--id", "mend-me", "--", "test", "-e", file};
  ASSERT_EQ(cluster_->Drover(submit).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", "mend-me"}).exit_code, 3);
  EXPECT_EQ(cluster_->Drover({"submit", "--id", "mend-me", "--if-exists", "reject", "--", "test", "-e", file}).exit_code, 8);
  std::ofstream(file) << "x";
  ASSERT_EQ(cluster_->Drover({"retry", "mend-me"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", "mend-me"}).exit_code, 0);
  const nlohmann::json task = cluster_->Json({"status", "mend-me"});
  EXPECT_EQ(task.at("reruns"), 1);
  EXPECT_EQ(task.at("attempt"), 2);
  const CommandResult again = cluster_->Drover({"retry", "mend-me"});
  EXPECT_EQ(again.exit_code, 8);
  EXPECT_NE(again.err.find("it has succeeded"), std::string::npos) << again.err;
  EXPECT_EQ(cluster_->Drover({"retry", "no-such-task"}).exit_code, 6);

  // By a submission.
  ASSERT_EQ(cluster_->Drover({"submit", "--id", "nightly", "--", "false"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", "nightly"}).exit_code, 3);
  ASSERT_EQ(cluster_->Drover({"submit", "--id", "nightly", "--if-exists", "rerun-failed", "--", "true"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", "nightly"}).exit_code, 0);
}

TEST_F(TaskTest, WhyATaskWaitsIsExplained) {
  const std::string id = Trimmed(cluster_->Drover({"submit", "--label", "gpu=yes", "--start-within", "1h", "--", "true"}).out);
  const nlohmann::json why = cluster_->Json({"explain", id});
  EXPECT_EQ(why.at("state"), "READY");
  EXPECT_NE(why.at("sentence").get<std::string>().find("no worker has all the labels it asks for; it fails at "), std::string::npos)
      << why;
  ASSERT_FALSE(why.at("workers").empty());
  EXPECT_EQ(why.at("workers").at(0).at("suits"), false);
  EXPECT_EQ(why.at("workers").at(0).at("sentence"), "has not the label gpu=yes");
  EXPECT_NE(cluster_->Drover({"explain", id}).out.find("WORKER"), std::string::npos);
  EXPECT_EQ(cluster_->Drover({"cancel", id}).exit_code, 0);
  EXPECT_NE(cluster_->Drover({"explain", id}).out.find("it has ended: CANCELLED"), std::string::npos);
  EXPECT_EQ(cluster_->Drover({"explain", "no-such-task"}).exit_code, 6);
}

TEST_F(TaskTest, ACancellationSaysWhy) {
  const std::string id = Trimmed(cluster_->Drover({"submit", "--", "sleep", "1000"}).out);
  EXPECT_EQ(cluster_->Drover({"cancel", id, "--reason", "the wrong input"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 4);
  EXPECT_EQ(cluster_->Json({"status", id}).at("sentence"), "the wrong input");
}

TEST_F(TaskTest, TasksAreChosenByWhatIsKnownOfThem) {
  ASSERT_EQ(cluster_->Drover({"queue", "pause", "chosen"}).exit_code, 0);
  for (const char* name : {"a", "a", "b"}) {
    ASSERT_EQ(cluster_->Drover({"submit", "--queue", "chosen", "--name", name, "--", "true"}).exit_code, 0);
  }
  const auto count = [](std::vector<std::string> filter) {
    filter.insert(filter.begin(), "list");
    return cluster_->Json(filter).size();
  };
  EXPECT_EQ(count({"--queue", "chosen"}), 3U);
  EXPECT_EQ(count({"--queue", "chosen", "--name", "a", "--state", "READY,RUNNING"}), 2U);
  EXPECT_EQ(count({"--queue", "chosen", "--limit", "1"}), 1U);
  EXPECT_EQ(count({"--worker", "nobody"}), 0U);

  const CommandResult dry = cluster_->Drover({"cancel", "--queue", "chosen", "--name", "a", "--dry-run"});
  EXPECT_EQ(Lines(dry.out).size(), 2U);
  EXPECT_EQ(count({"--queue", "chosen", "--state", "CANCELLED"}), 0U);
  EXPECT_EQ(cluster_->Drover({"cancel", "--queue", "chosen", "--name", "a"}).out, "2 tasks are cancelled\n");
  EXPECT_EQ(count({"--queue", "chosen", "--state", "CANCELLED"}), 2U);
  EXPECT_EQ(cluster_->Drover({"retry", "--queue", "chosen"}).out, "2 tasks are run anew\n");
  EXPECT_EQ(cluster_->Drover({"cancel", "--queue", "chosen"}).out, "3 tasks are cancelled\n");
  EXPECT_EQ(cluster_->Drover({"cancel", "--queue", "chosen"}).out, "0 tasks are cancelled\n");

  const std::string table = cluster_->Drover({"list", "--queue", "chosen", "--columns", "name,state"}).out;
  EXPECT_EQ(Lines(table).at(0).substr(0, 4), "NAME");
  EXPECT_EQ(table.find("ID"), std::string::npos) << table;

  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"cancel"},
                                                                                     {"cancel", "--all", "some-id"},
                                                                                     {"retry", "--all", "--queue", "chosen"},
                                                                                     {"list", "--state", "READY,NOPE"},
                                                                                     {"list", "--queue", "a/b"},
                                                                                     {"list", "--columns", "id,nope"}}) {
    EXPECT_EQ(cluster_->Drover(wrong).exit_code, 2) << wrong.back();
  }
  EXPECT_EQ(cluster_->Drover({"queue", "delete", "chosen"}).exit_code, 0);
}

TEST_F(TaskTest, OnlyChosenExitCodesAreRetriedAfter) {
  const auto attempts = [](const std::string& code) {
    const std::string id = Trimmed(
        cluster_->Drover({"submit", "--retries", "1", "--retry-backoff", "0", "--retry-on", "75", "--", "sh", "-c", "exit " + code})
            .out);
    EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 3);
    return cluster_->Json({"status", id}).at("attempts").size();
  };
  EXPECT_EQ(attempts("75"), 2u);
  EXPECT_EQ(attempts("76"), 1u);
}

TEST_F(TaskTest, ATimeLimitEndsEverythingTheTaskStarted) {
  const std::string pids = cluster_->path("limited");
  const CommandResult result =
      cluster_->Drover({"run", "--time-limit", "500ms", "--", "sh", "-c",
                        "setsid sh -c 'echo $$ >> " + pids + "; exec sleep 1000' & echo $$ >> " + pids + "; exec sleep 1000"});
  EXPECT_NE(result.exit_code, 0);
  const std::vector<std::string> lines = Lines(ReadFile(pids));
  ASSERT_EQ(lines.size(), 2u) << result.err;
  for (const std::string& pid : lines) EXPECT_TRUE(Await([&] { return !Alive(std::stoi(pid)); })) << pid;
}

TEST_F(TaskTest, AProgramSaysHowFarItIsAndLeavesAResult) {
  const std::string go_on = cluster_->path("go-on");
  const std::string id = Trimmed(
      cluster_
          ->Drover({"submit", "--env", "DROVER=" + Binary("drover"), "--heartbeat", "1h", "--", "sh", "-c",
                    "$DROVER progress 40% of the files; until [ -e " + go_on + " ]; do sleep 0.05; done; echo 42 > $DROVER_RESULT"})
          .out);
  ASSERT_TRUE(Await([&] { return !cluster_->Json({"status", id}).at("progress").is_null(); }));
  const nlohmann::json running = cluster_->Json({"status", id});
  EXPECT_EQ(running.at("progress").at("percent"), 40);
  EXPECT_EQ(running.at("progress").at("text"), "of the files");
  EXPECT_EQ(cluster_->Drover({"result", id}).exit_code, 8) << "it has not ended";
  std::ofstream(go_on).close();
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"result", id}).out, "42\n");
  EXPECT_EQ(cluster_->Json({"status", id}).at("result"), "42\n");
  EXPECT_TRUE(cluster_->Json({"status", id}).at("progress").is_null());

  const std::string large =
      Trimmed(cluster_->Drover({"submit", "--", "sh", "-c", "head -c 3000000 /dev/zero > $DROVER_RESULT"}).out);
  EXPECT_EQ(cluster_->Drover({"wait", large}).exit_code, 0);
  EXPECT_EQ(cluster_->Json({"status", large}).at("result_bytes"), 3'000'000);
  EXPECT_TRUE(cluster_->Json({"status", large}).at("result").is_null());
  EXPECT_EQ(cluster_->Drover({"result", large}).out.size(), 3'000'000U);
  EXPECT_EQ(cluster_->Drover({"progress", "5"}).exit_code, 2) << "no task";
}

TEST_F(TaskTest, AProgramThatHangsIsRunAgainOrFails) {
  const CommandResult result = cluster_->Drover({"run", "--heartbeat", "500ms", "--", "sleep", "1000"});
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_NE(result.err.find("HEARTBEAT"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("no sign of life for 500ms"), std::string::npos) << result.err;
  EXPECT_EQ(cluster_
                ->Drover({"run", "--heartbeat", "1s", "--", "sh", "-c",
                          "for i in 1 2 3 4 5 6; do sleep 0.3; echo > $DROVER_PROGRESS; done"})
                .exit_code,
            0);
}

TEST_F(TaskTest, TheArgumentOfAHundredKibibytesRuns) {
  const std::string argument(100 << 10, 'a');
  EXPECT_EQ(cluster_->Drover({"run", "--", "sh", "-c", "printf %s \"$1\" | wc -c", "sh", argument}).out, "102400\n");
}

TEST_F(TaskTest, AnArgumentThatNoKernelTakesIsRefusedWithItsLine) {
  CommandOptions options;
  options.input = "short\n" + std::string(128 << 10, 'x') + "\n";
  for (const std::string& format : {std::string("table"), std::string("json")}) {
    const CommandResult result = cluster_->Drover({"-o", format, "submit", "--each-line", "-", "--", "echo", "{}"}, options);
    EXPECT_EQ(result.exit_code, 8) << result.err;
    EXPECT_NE(result.err.find("line 2"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("at most 131071"), std::string::npos) << result.err;
  }
}

TEST_F(TaskTest, EachLineSubmitsATaskPerLine) {
  CommandOptions options;
  options.input = "one\ntwo words\nthree\n";
  const CommandResult result = cluster_->Drover(
      {"submit", "--each-line", "-", "--wait", "--", "sh", "-c", "echo \"$1\" >> " + cluster_->path("lines"), "sh", "{}"}, options);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(Lines(result.out).size(), 3u);
  std::vector<std::string> lines = Lines(ReadFile(cluster_->path("lines")));
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "three", "two words"}));
}

TEST_F(TaskTest, TasksOfAFileRunInTheirOrder) {
  CommandOptions options;
  const std::string file = cluster_->path("order");
  options.input = R"([{"id": "json-1", "command": ["sh", "-c", "cat >> )" + file + R"("], "stdin": "one\n"},
    {"id": "json-2", "command": ["sh", "-c", "echo two >> )" +
                  file + R"("], "after": ["json-1"]},
    {"command": ["sh", "-c", "echo three >> )" +
                  file + R"("], "after": ["json-2:end"]}])";
  const CommandResult result = cluster_->Drover({"submit", "--from-json", "-", "--wait"}, options);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(Lines(result.out).size(), 3u);
  EXPECT_EQ(ReadFile(file), "one\ntwo\nthree\n");
}

TEST_F(TaskTest, LabelsChooseTheWorkerAndAnUnknownOneWaits) {
  const std::string waiting = Trimmed(cluster_->Drover({"submit", "--label", "colour=none", "--", "true"}).out);
  EXPECT_EQ(cluster_->Drover({"wait", waiting, "--timeout", "300ms"}).exit_code, 5);
  EXPECT_EQ(cluster_->Json({"status", waiting}).at("state"), "READY");
  EXPECT_EQ(cluster_->Drover({"cancel", waiting}).exit_code, 0);
}

}  // namespace
}  // namespace drover::testing

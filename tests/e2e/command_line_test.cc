// What a new user does wrong, and what the machine does to them: each gets one clear answer, and nothing is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CommandLineTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ClusterOptions options;
    options.workers = 0;
    cluster_ = std::make_unique<Cluster>(options);
  }
  static void TearDownTestSuite() { cluster_.reset(); }
  static std::unique_ptr<Cluster> cluster_;
};
std::unique_ptr<Cluster> CommandLineTest::cluster_;

// Reading takes no lock, disturbs nobody, and a write under way is no damage.
TEST_F(CommandLineTest, TheLogOfANodeIsVerifiedAndDumpedWhileTheNodeWrites) {
  const std::string data = cluster_->path("coord");
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(cluster_->Drover({"submit", "--", "true"}).exit_code, 0);
    done = true;
  });
  while (!done) {
    const CommandResult verified = RunCommand({Binary("drover-coord"), "log", "verify", data});
    EXPECT_EQ(verified.exit_code, 0) << verified.err;
    EXPECT_THAT(verified.out, HasSubstr("ok: node 1 of cluster "));
  }
  writer.join();
  const CommandResult dumped = RunCommand({Binary("drover-coord"), "log", "dump", data, "-o", "json"});
  EXPECT_EQ(dumped.exit_code, 0) << dumped.err;
  EXPECT_GT(nlohmann::json::parse(dumped.out).size(), 10u);
  EXPECT_EQ(RunCommand({Binary("drover-coord"), "log", "verify"}).exit_code, 2);
  EXPECT_EQ(RunCommand({Binary("drover-coord"), "log", "verify", cluster_->path("store")}).exit_code, 1);
}

TEST_F(CommandLineTest, WhatChangedIsNamedWhereIdsAreAskedFor) {
  const std::string id = Trimmed(cluster_->Drover({"submit", "--", "true"}).out);
  EXPECT_EQ(cluster_->Drover({"-o", "id", "cancel", id}).out, id + "\n");
  ASSERT_EQ(cluster_->Drover({"tree", "create", "/named"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"-o", "id", "tree", "set", "/named", "x"}).out, "/named\n");
  EXPECT_EQ(cluster_->Drover({"-o", "id", "tree", "delete", "/named"}).out, "/named\n");
}

TEST_F(CommandLineTest, WrongUsageExitsTwoWithOneLineThatNamesIt) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> table = {
      {{"frobnicate"}, "frobnicate"},
      {{}, ""},
      {{"submit"}, ""},
      {{"status"}, ""},
      {{"submit", "--priority", "12", "--", "true"}, "priority"},
      {{"submit", "--time-limit", "soon", "--", "true"}, "time-limit"},
      {{"submit", "--at-most-once", "--retries", "2", "--", "true"}, "retries"},
      {{"submit", "--on-disconnect", "maybe", "--", "true"}, "on-disconnect"},
      {{"submit", "--id", "white space", "--", "true"}, "id"},
      {{"submit", "--id", "", "--", "true"}, "--id"},
      {{"submit", "--each-line", "/tmp", "--", "true"}, "/tmp: it is a directory"},
      {{"submit", "--stdin", "/tmp", "--", "true"}, "/tmp: it is a directory"},
      {{"submit", "--each-line", "/no/such/file", "--", "true"}, "/no/such/file"},
      {{"submit", "--label", "-bad=x", "--", "true"}, "label"},
      {{"submit", "--each-line", "/dev/null", "--label", "-bad=x", "--", "true"}, "label"},
      {{"submit", "--queue", "no queue", "--", "true"}, "queue"},
      {{"run", "--label", "-bad=x", "--", "true"}, "label"},
      {{"run", "--queue", "no queue", "--", "true"}, "queue"},
      {{"submit", "--no-such-flag", "--", "true"}, "no-such-flag"},
      {{"-o", "xml", "list"}, "xml"},
      {{"--coord", "nowhere", "list"}, "nowhere"},
  };
  for (const auto& [args, word] : table) {
    const CommandResult result = cluster_->Drover(args);
    std::string line = "drover";
    for (const std::string& arg : args) line += " " + arg;
    EXPECT_EQ(result.exit_code, 2) << line << ": " << result.out << result.err;
    EXPECT_THAT(result.err, HasSubstr(word)) << line;
    EXPECT_FALSE(result.err.empty()) << line;
  }
}

TEST_F(CommandLineTest, NoServerThereExitsSevenAndSaysWhatWasTried) {
  const std::string nobody = "127.0.0.1:" + std::to_string(FreePort());
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"list"}, {"tree", "get", "/"}, {"submit", "--", "true"}, {"cluster", "status"}}) {
    std::vector<std::string> args = {"--coord", nobody, "--request-timeout", "1s"};
    args.insert(args.end(), command.begin(), command.end());
    const CommandResult result = cluster_->Drover(args);
    EXPECT_EQ(result.exit_code, 7) << command[0] << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr(nobody)) << command[0];
    EXPECT_EQ(Lines(result.err).size(), 1u) << result.err;
  }
}

TEST_F(CommandLineTest, AShortTimeOutDoesNotHideWhyNobodyAnswered) {
  const std::string nobody = "127.0.0.1:" + std::to_string(FreePort());
  // A sanitizer's program has not even begun to ask after 50 ms, so that there is no cause to tell of.
  const std::vector<std::string> timeouts =
      kSanitized ? std::vector<std::string>{"2s", "4s"} : std::vector<std::string>{"50ms", "300ms", "1s"};
  for (const std::string& timeout : timeouts) {
    for (const std::vector<std::string>& command :
         {std::vector<std::string>{"list"}, {"tree", "get", "/"}, {"cluster", "status"}}) {
      std::vector<std::string> args = {"--coord", nobody, "--request-timeout", timeout};
      args.insert(args.end(), command.begin(), command.end());
      const CommandResult result = cluster_->Drover(args);
      EXPECT_EQ(result.exit_code, 7) << timeout << " " << command[0] << ": " << result.err;
      EXPECT_THAT(result.err, HasSubstr("Connection refused")) << timeout << " " << command[0];
    }
    const CommandResult master = cluster_->Drover({"--master", nobody, "--request-timeout", timeout, "list"});
    EXPECT_THAT(master.err, HasSubstr(nobody + " (cannot connect: Connection refused")) << timeout;
  }
}

TEST_F(CommandLineTest, ACommandThatWasThereBeforeTheCoreFindsItOnceItIsUp) {
  TemporaryDirectory dir;
  const std::string address = "127.0.0.1:" + std::to_string(FreePort());
  Process core({Binary("drover-coord"), "--id", "1", "--data", dir / "coord", "--listen", address}, {}, dir / "coord.log");
  Process master({Binary("drover-master"), "--coord", address, "--listen", "127.0.0.1:" + std::to_string(FreePort())}, {},
                 dir / "master.log");
  Process list({Binary("drover"), "--coord", address, "--request-timeout", "20s", "-o", "id", "master", "list"}, {},
               dir / "list.log");
  list.Start();
  // Long enough for its first try to have failed; the link must come back from that.
  Last(std::chrono::milliseconds(300));
  core.Start();
  master.Start();
  EXPECT_EQ(list.Wait(), 0) << list.Log();
  EXPECT_THAT(list.Log(), HasSubstr("127.0.0.1:"));
}

TEST_F(CommandLineTest, AnErrorInJsonModeIsAnObject) {
  const CommandResult result = cluster_->Drover({"-o", "json", "status", "never-was"});
  EXPECT_EQ(result.exit_code, 6);
  const nlohmann::json error = nlohmann::json::parse(result.err);
  EXPECT_FALSE(error.at("error").at("message").get<std::string>().empty());
  EXPECT_TRUE(error.at("error").contains("code"));
}

TEST_F(CommandLineTest, TheTreeCanBeReadAndChangedByHand) {
  EXPECT_EQ(cluster_->Drover({"tree", "create", "/hand", "one"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"tree", "create", "/hand", "again"}).exit_code, 8);
  EXPECT_EQ(cluster_->Drover({"tree", "get", "/hand"}).out, "one");
  EXPECT_EQ(cluster_->Drover({"tree", "set", "/hand", "two", "--version", "0"}).exit_code, 0);
  const CommandResult stale = cluster_->Drover({"tree", "set", "/hand", "three", "--version", "0"});
  EXPECT_EQ(stale.exit_code, 8);
  EXPECT_EQ(stale.err, "drover: /hand: BAD_VERSION: the node has version 1, not 0\n");
  CommandOptions options;
  options.input = std::string("\0binary\n", 8);
  EXPECT_EQ(cluster_->Drover({"tree", "set", "/hand", "-"}, options).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"tree", "get", "/hand"}).out, options.input);
  EXPECT_EQ(Trimmed(cluster_->Drover({"tree", "create", "-s", "/hand/s-"}).out), "/hand/s-0000000000");
  EXPECT_EQ(cluster_->Drover({"tree", "ls", "/hand"}).out, "s-0000000000\n");
  EXPECT_EQ(cluster_->Drover({"tree", "delete", "/hand"}).exit_code, 8);
  EXPECT_EQ(cluster_->Drover({"tree", "delete", "/hand/s-0000000000"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"tree", "delete", "/hand"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"tree", "get", "/hand"}).exit_code, 6);
}

TEST_F(CommandLineTest, AnotherTaskUnderAKnownIdIsToldWhatDiffersAndWhatToDo) {
  EXPECT_EQ(cluster_->Drover({"submit", "--id", "known", "--", "true"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"submit", "--id", "known", "--", "true"}).exit_code, 0);
  for (const char* command : {"submit", "run"}) {
    const CommandResult result = cluster_->Drover({command, "--id", "known", "--priority", "3", "--", "true"});
    EXPECT_EQ(result.exit_code, 8);
    EXPECT_THAT(result.err,
                HasSubstr("another task has this id: its priority differs; choose another --id, or see drover status known"));
  }
  EXPECT_THAT(cluster_->Drover({"submit", "--id", "known", "--", "false"}).err, HasSubstr("its program differs"));
}

TEST_F(CommandLineTest, AWrongPathIsToldItsRule) {
  const std::string empty = "a path has no empty names: no \"//\", and no \"/\" at its end";
  const std::tuple<std::string, std::string, std::string> table[] = {
      {"ls", "", "\"\": INVALID_ARGUMENT: a path begins with \"/\""},
      {"get", "hand", "hand: INVALID_ARGUMENT: a path begins with \"/\""},
      {"stat", "/hand/", "/hand/: INVALID_ARGUMENT: " + empty},
      {"create", "/a//b", "/a//b: INVALID_ARGUMENT: " + empty},
      {"set", "/a/..", "/a/..: INVALID_ARGUMENT: \".\" and \"..\" are no names in a path"},
      {"delete", "a", "a: INVALID_ARGUMENT: a path begins with \"/\""},
      {"watch", "a", "a: INVALID_ARGUMENT: a path begins with \"/\""},
  };
  for (const auto& [command, path, words] : table) {
    const CommandResult result = cluster_->Drover({"tree", command, path});
    EXPECT_EQ(result.exit_code, 2) << command;
    EXPECT_EQ(result.err, "drover: " + words + "\n") << command;
  }
}

TEST_F(CommandLineTest, AHeldEphemeralGoesWithItsHolderAndAWatchSeesBoth) {
  Process watch({Binary("drover"), "tree", "watch", "/held"}, {{"DROVER_COORD", cluster_->coord_address()}},
                cluster_->path("watch.log"));
  watch.Start();
  Process holder({Binary("drover"), "tree", "create", "-e", "--hold", "/held", "x"}, {{"DROVER_COORD", cluster_->coord_address()}},
                 cluster_->path("holder.log"));
  ASSERT_TRUE(Await([&] {
    if (!holder.running()) holder.Start();
    return cluster_->Drover({"tree", "get", "/held"}).out == "x";
  }));
  holder.Terminate();
  EXPECT_TRUE(Await([&] { return cluster_->Drover({"tree", "get", "/held"}).exit_code == 6; }));
  watch.Terminate();
}

TEST_F(CommandLineTest, AHolderEndsWhenSomebodyDeletesItsNode) {
  Process holder({Binary("drover"), "tree", "create", "-e", "--hold", "/taken"}, {{"DROVER_COORD", cluster_->coord_address()}},
                 cluster_->path("holder.log"));
  holder.Start();
  ASSERT_TRUE(Await([&] { return cluster_->Drover({"tree", "stat", "/taken"}).exit_code == 0; }));
  ASSERT_EQ(cluster_->Drover({"tree", "delete", "/taken"}).exit_code, 0);
  EXPECT_EQ(holder.Wait(), 6);
  EXPECT_THAT(holder.Log(), HasSubstr("/taken: somebody deleted the node"));
}

TEST_F(CommandLineTest, NodesThatEndByThemselvesAndWholeSubtrees) {
  // A new cluster rises to what its programs know.
  ASSERT_TRUE(Await([&] { return cluster_->Drover({"tree", "create", "/box", "--container", "-o", "json"}).exit_code == 0; }));
  EXPECT_EQ(cluster_->Json({"tree", "stat", "/box"}).at("container"), true);
  EXPECT_EQ(cluster_->Drover({"tree", "create", "/box", "--if-absent"}).out, "/box\n");
  EXPECT_EQ(cluster_->Drover({"tree", "create", "/box"}).exit_code, 8);
  EXPECT_EQ(cluster_->Drover({"tree", "create", "-p", "/box/a/b"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"tree", "create", "/box/t", "--ttl", "100ms"}).exit_code, 0);
  EXPECT_TRUE(Await([&] { return cluster_->Drover({"tree", "stat", "/box/t"}).exit_code == 6; }));
  EXPECT_EQ(cluster_->Drover({"tree", "count", "/box"}).out, "2\n");
  const CommandResult refused = cluster_->Drover({"tree", "delete", "/box/a"});
  EXPECT_EQ(refused.exit_code, 8);
  EXPECT_THAT(refused.err, HasSubstr("the node has children"));
  EXPECT_EQ(cluster_->Json({"tree", "delete", "-r", "/box/a"}).at("count"), 2);
  EXPECT_TRUE(Await([&] {
    return cluster_->Drover({"tree", "stat", "/box"}).exit_code == 6;
  })) << "it has had children and has none";
  EXPECT_EQ(cluster_->Drover({"tree", "create", "/x", "--container", "--ttl", "1s"}).exit_code, 2);
}

TEST_F(CommandLineTest, TheEphemeralsOfASessionAreListed) {
  Process holder({Binary("drover"), "tree", "create", "-e", "--hold", "/mine"}, {{"DROVER_COORD", cluster_->coord_address()}},
                 cluster_->path("holder.log"));
  holder.Start();
  ASSERT_TRUE(Await([&] { return cluster_->Drover({"tree", "stat", "/mine"}).exit_code == 0; }));
  const std::string session = cluster_->Json({"tree", "stat", "/mine"}).at("ephemeral_owner").dump();
  EXPECT_EQ(cluster_->Drover({"tree", "ephemerals", session}).out, "/mine\n");
  EXPECT_EQ(cluster_->Json({"tree", "ephemerals", session, "--under", "/mine"}).size(), 1u);
  EXPECT_EQ(cluster_->Drover({"tree", "ephemerals", session, "--under", "/other"}).out, "");
  EXPECT_EQ(cluster_->Drover({"tree", "ephemerals", "mine"}).exit_code, 2);
  EXPECT_EQ(cluster_->Drover({"tree", "ephemerals", session, "--under", "x"}).exit_code, 2);
  holder.Terminate();
}

TEST_F(CommandLineTest, AWatchOfAKindHearsWhatThatKindHears) {
  ASSERT_EQ(cluster_->Drover({"tree", "create", "/kind"}).exit_code, 0);
  const auto watch = [&](const std::string& kind) {
    auto process = std::make_unique<Process>(
        std::vector<std::string>{Binary("drover"), "-o", "jsonl", "tree", "watch", "/kind", "--kind", kind},
        std::map<std::string, std::string>{{"DROVER_COORD", cluster_->coord_address()}}, cluster_->path("watch-" + kind + ".log"));
    process->Start();
    return process;
  };
  const auto once = watch("once");
  const auto children = watch("once-children");
  const auto persistent = watch("persistent");
  // Whatever comes before they are armed they do not hear.
  for (int i = 0; once->running() || children->running() || Lines(persistent->Log()).size() < 3; ++i) {
    ASSERT_LT(i, 1'000);
    ASSERT_EQ(cluster_->Drover({"tree", "set", "/kind", std::to_string(i)}).exit_code, 0);
    ASSERT_EQ(cluster_->Drover({"tree", "create", "/kind/child"}).exit_code, 0);
    ASSERT_EQ(cluster_->Drover({"tree", "create", "/kind/child/deeper"}).exit_code, 0);
    ASSERT_EQ(cluster_->Drover({"tree", "delete", "/kind/child/deeper"}).exit_code, 0);
    ASSERT_EQ(cluster_->Drover({"tree", "delete", "/kind/child"}).exit_code, 0);
  }
  EXPECT_EQ(once->Wait(), 0);
  EXPECT_EQ(children->Wait(), 0);
  EXPECT_EQ(Lines(once->Log()).size(), 1u) << once->Log();
  EXPECT_EQ(nlohmann::json::parse(Lines(once->Log()).at(0)).at("path"), "/kind");
  EXPECT_EQ(nlohmann::json::parse(Lines(children->Log()).at(0)).at("path"), "/kind/child");
  persistent->Terminate();
  EXPECT_THAT(persistent->Log(), Not(HasSubstr("deeper")));
  EXPECT_EQ(cluster_->Drover({"tree", "watch", "/kind", "--kind", "twice"}).exit_code, 2);
}

TEST_F(CommandLineTest, TenThousandTasksWaitWhileNoWorkerIsUpAndNoneIsLost) {
  CommandOptions options;
  for (int i = 0; i < 10'000; ++i) options.input += std::to_string(i) + "\n";
  const CommandResult result = cluster_->Drover({"submit", "--each-line", "-", "--", "echo", "{}"}, options);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::vector<std::string> ids = Lines(result.out);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 10'000u);
  const nlohmann::json tasks = cluster_->Json({"list", "--state", "READY", "--limit", "10000"});
  EXPECT_EQ(tasks.size(), 10'000u);
  EXPECT_EQ(cluster_->Drover({"wait", ids[0], ids[9'999], "--timeout", "100ms"}).exit_code, 5);
}

TEST_F(CommandLineTest, AnArgumentListOverTheLimitIsRefusedAndNamed) {
  CommandOptions options;
  options.input.assign(65 << 20, 'x');
  const CommandResult result = cluster_->Drover({"submit", "--stdin", "-", "--", "cat"}, options);
  EXPECT_EQ(result.exit_code, 8) << result.err;
  EXPECT_THAT(result.err, HasSubstr("64 MiB"));
}

TEST_F(CommandLineTest, ServersRefuseWhatCannotWorkInOneLine) {
  const std::vector<std::pair<std::vector<std::string>, int>> table = {
      {{"drover-coord", "--id", "1", "--listen", "127.0.0.1:0"}, 2},                                     // no --data
      {{"drover-coord", "--id", "1", "--data", cluster_->path("x"), "--listen", "0.0.0.0:0"}, 2},        // not loopback
      {{"drover-coord", "--id", "1", "--data", cluster_->path("coord"), "--listen", "127.0.0.1:0"}, 1},  // data in use
      {{"drover-master", "--coord", cluster_->coord_address(), "--store", "file:/proc/nowhere", "--listen", "127.0.0.1:0"}, 1},
      {{"drover-worker", "--coord", cluster_->coord_address(), "--store", "ftp://x", "--listen", "127.0.0.1:0"}, 2},
      {{"drover-worker", "--coord", cluster_->coord_address(), "--slots", "0", "--listen", "127.0.0.1:0"}, 2},
  };
  for (const auto& [args, exit_code] : table) {
    std::vector<std::string> argv = args;
    argv[0] = Binary(args[0]);
    std::string line;
    for (const std::string& arg : args) line += arg + " ";
    const CommandResult result = RunCommand(argv);
    EXPECT_EQ(result.exit_code, exit_code) << line << ": " << result.err;
    EXPECT_FALSE(result.err.empty()) << line;
  }
}

}  // namespace
}  // namespace drover::testing

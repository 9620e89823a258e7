// `drover tree shell` as people use it: on a terminal, and with lines from a pipe, against a core of real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>

#include "tests/e2e/e2e.h"
#include "tests/support/terminal.h"

namespace drover::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TreeShellTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = std::make_unique<Cluster>(CoreAlone(1));
    // A new cluster rises to what its programs know.
    ASSERT_TRUE(Await([] { return cluster_->Drover({"tree", "create", "/level", "--container"}).exit_code == 0; }));
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  static CommandResult Shell(const std::string& lines, std::vector<std::string> flags = {}) {
    CommandOptions options;
    options.input = lines;
    flags.insert(flags.begin(), {"tree", "shell"});
    return cluster_->Drover(flags, options);
  }
  static std::string Get(const std::string& path) { return cluster_->Drover({"tree", "get", path}).out; }
  static bool IsThere(const std::string& path) { return cluster_->Drover({"tree", "stat", path}).exit_code == 0; }
  static std::unique_ptr<Cluster> cluster_;
};
std::unique_ptr<Cluster> TreeShellTest::cluster_;

TEST_F(TreeShellTest, LinesOfAPipeAreRunOneAfterTheOther) {
  const CommandResult result = Shell(
      "# a comment\n"
      "create /pipe 'two words'\n"
      "cd pipe\n"
      "\n"
      "create a/b \"x\\n\" -p\n"
      "set a -- -1\n"
      "pwd\n"
      "ls\n"
      "ls -R ..//pipe -o id\n"
      "cd a/b\n"
      "get .\n"
      "get ../..\n");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "/pipe\n/pipe/a/b\n/pipe\na\n/pipe/a\n/pipe/a/b\nx\ntwo words");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(Get("/pipe/a"), "-1");
}

TEST_F(TreeShellTest, TheFirstErrorEndsAPipeUnlessItIsToGoOn) {
  const std::string lines = "create /stop\nget /nothing\nfrob\ncreate /stop/after\n";
  const CommandResult stopped = Shell(lines);
  EXPECT_EQ(stopped.exit_code, 6);
  EXPECT_THAT(stopped.err, HasSubstr("/nothing: "));
  EXPECT_FALSE(IsThere("/stop/after"));
  ASSERT_EQ(cluster_->Drover({"tree", "delete", "/stop"}).exit_code, 0);
  const CommandResult went_on = Shell(lines, {"--keep-going"});
  EXPECT_EQ(went_on.exit_code, 6) << "of the first that failed";
  EXPECT_THAT(went_on.err, HasSubstr("no command frob"));
  EXPECT_TRUE(IsThere("/stop/after"));
  EXPECT_EQ(Shell("get 'x\n").exit_code, 2);
  EXPECT_EQ(Shell("create /stop/data -\n").exit_code, 2) << "standard input is where the lines come from";
  EXPECT_EQ(Shell("exit\nget /nothing\n").exit_code, 0);
  EXPECT_THAT(Shell("help\n").out, HasSubstr("unwatch"));
}

TEST_F(TreeShellTest, OneSessionIsKeptWithWhatItOwnsAndHasProved) {
  const CommandResult result = Shell(
      "create /kept\n"
      "create -e /kept/eph\n"
      "stat /kept/eph -o json\n"
      "session -o json\n"
      "auth digest:ann:secret\n"
      "create /kept/hers x --acl auth::cdrwa\n"
      "get /kept/hers\n"
      "watch /kept/hers\n"
      "set /kept/hers changed\n"
      "get /kept/hers\n");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::vector<std::string> lines = Lines(result.out);
  ASSERT_GE(lines.size(), 4u) << result.out;
  EXPECT_EQ(nlohmann::json::parse(lines.at(2)).at("ephemeral_owner"), nlohmann::json::parse(lines.at(3)).at("session"));
  EXPECT_THAT(result.out, HasSubstr("CHANGED /kept/hers"));
  EXPECT_EQ(cluster_->Drover({"tree", "get", "/kept/hers"}).exit_code, 8);
  EXPECT_FALSE(IsThere("/kept/eph")) << "the session ended with the shell";
}

TEST_F(TreeShellTest, WithoutACoreItSaysSo) {
  const CommandResult result = cluster_->Drover({"--coord", "127.0.0.1:1", "--request-timeout", "300ms", "tree", "shell"});
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_THAT(result.err, HasSubstr("127.0.0.1:1"));
}

TEST_F(TreeShellTest, OnATerminalLinesAreEditedCompletedAndKept) {
  const std::string state = cluster_->path("state");
  const std::map<std::string, std::string> env = {{"DROVER_COORD", cluster_->coord_address()}, {"XDG_STATE_HOME", state}};
  {
    // Without a command it is the shell.
    Terminal shell({Binary("drover"), "tree"}, env);
    ASSERT_TRUE(shell.AwaitText("drover:/> ")) << shell.shown();
    shell.Type("create /typed-long-name hallo\n");
    ASSERT_TRUE(shell.AwaitText("/typed-long-name\r\n")) << shell.shown();
    ASSERT_TRUE(shell.AwaitText("drover:/> "));
    // The tab key: a command, then a path.
    shell.Type("cre\t/typed-long-name/child -e\n");
    ASSERT_TRUE(shell.AwaitText("\n/typed-long-name/child\r\n")) << shell.shown();
    EXPECT_TRUE(IsThere("/typed-long-name/child")) << "it lives as long as the shell";
    // One that takes long completes nothing, and is asked for again.
    shell.Type("cd /typed-l");
    ASSERT_TRUE(Await([&] {
      shell.Type("\t");
      return shell.AwaitText("ong-name", std::chrono::seconds(2));
    })) << shell.shown();
    shell.Type("\n");
    ASSERT_TRUE(shell.AwaitText("drover:/typed-long-name> ")) << shell.shown();
    shell.Type("watch .\n");
    ASSERT_TRUE(shell.AwaitText("drover:/typed-long-name> ")) << shell.shown();
    // An event comes while a line is typed, which is whole below it. Whatever comes before the watch is armed it does not hear.
    shell.Type("set . from-h");
    int i = 0;
    ASSERT_TRUE(Await([&] {
      EXPECT_EQ(cluster_->Drover({"tree", "set", "/typed-long-name", "outside" + std::to_string(i++)}).exit_code, 0);
      return shell.AwaitText("CHANGED /typed-long-name", std::chrono::milliseconds(300));
    }));
    ASSERT_TRUE(shell.AwaitText("set . from-h")) << shell.shown();
    shell.Type("ere\n");
    ASSERT_TRUE(Await([] { return Get("/typed-long-name") == "from-here"; })) << shell.shown();
    // Ctrl-C drops a line, and ends a command.
    shell.Type("delete /typed-long-n\x03");
    ASSERT_TRUE(shell.AwaitText("^C")) << shell.shown();
    ASSERT_TRUE(shell.AwaitText("drover:/typed-long-name> "));
    shell.Type("auth digest:ann:secret\n");
    ASSERT_TRUE(shell.AwaitText("drover:/typed-long-name> "));
    shell.Type("\x04");
    EXPECT_EQ(shell.Wait(), 0) << shell.shown();
    EXPECT_FALSE(IsThere("/typed-long-name/child"));
  }
  const std::string history = ReadFile(state + "/drover/tree-history");
  EXPECT_THAT(history, HasSubstr("cd /typed-long-name\n"));
  EXPECT_THAT(history, Not(HasSubstr("secret")));
  Terminal again({Binary("drover"), "tree", "shell"}, env);
  ASSERT_TRUE(again.AwaitText("drover:/> ")) << again.shown();
  again.Type("get /typed-long-name\n");
  ASSERT_TRUE(again.AwaitText("from-here")) << again.shown();
  ASSERT_TRUE(again.AwaitText("drover:/> "));
  kill(again.pid(), SIGTERM);
  EXPECT_EQ(again.Wait(), 128 + SIGTERM) << again.shown();
}

TEST_F(TreeShellTest, CtrlCEndsACommandThatWaitsAndAnExpiredSessionIsTold) {
  Cluster lonely(CoreAlone(1));
  Terminal shell({Binary("drover"), "tree", "shell"},
                 {{"DROVER_COORD", lonely.coord_address()}, {"XDG_STATE_HOME", lonely.path("state")}});
  ASSERT_TRUE(shell.AwaitText("drover:/> ")) << shell.shown();
  lonely.coord().Signal(SIGSTOP);
  shell.Type("create /waits\n");
  ASSERT_TRUE(shell.AwaitText("create /waits\r\n")) << shell.shown();
  shell.Type("\x03");
  ASSERT_TRUE(shell.AwaitText("outcome unknown: given up")) << shell.shown();
  ASSERT_TRUE(shell.AwaitText("drover:/> ")) << shell.shown();
  lonely.coord().Signal(SIGCONT);
  // Stopped for longer than its session lives, it is told so when it wakes.
  kill(shell.pid(), SIGSTOP);
  ASSERT_TRUE(Await([&] { return lonely.Json({"cluster", "status"}).at(0).at("sessions") == 0; }));
  kill(shell.pid(), SIGCONT);
  ASSERT_TRUE(shell.AwaitText("has expired: its ephemeral nodes and watches are gone")) << shell.shown();
  shell.Type("ls\n");
  ASSERT_TRUE(shell.AwaitText("drover:/> ")) << shell.shown();
  shell.Type("session\n");
  ASSERT_TRUE(shell.AwaitText("timeout")) << shell.shown();
  shell.Type("exit\n");
  EXPECT_EQ(shell.Wait(), 0) << shell.shown();
}

}  // namespace
}  // namespace drover::testing

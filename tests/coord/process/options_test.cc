#include "coord/process/options.h"

#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

// A file that goes with the test.
class TempFile {
 public:
  explicit TempFile(const std::string& text) {
    char name[] = "/tmp/drover-options-XXXXXX";
    close(mkstemp(name));
    path_ = name;
    std::ofstream(path_) << text;
  }
  ~TempFile() { unlink(path_.c_str()); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A server's options, with one of each kind.
struct Server {
  OptionSet options{"drover-test", "A program for tests."};
  std::string name = "default";
  std::uint64_t count = 7;
  int small = 3;
  bool insecure = false;
  base::Duration wait = std::chrono::seconds(6);
  std::string listen = "127.0.0.1:7400";
  std::vector<std::string> coord{"127.0.0.1:7400"};
  std::vector<std::string> words;
  std::map<std::string, std::string> labels;
  std::string mode = "keep";
  std::map<std::string, std::string> environment;
  std::string printed;
  bool done = false;

  Server() {
    options.Text("--name", &name, "A name");
    options.Number("--count", &count, "A count", 1, 100);
    options.Number("--small", &small, "A small number", -5, 5);
    options.Flag("--insecure", &insecure, "A flag");
    options.Time("--long-wait", &wait, "A time", std::chrono::milliseconds(250), std::chrono::hours(2));
    options.Address("--listen", &listen, "An address");
    options.Addresses("--coord", &coord, "Addresses");
    options.Texts("--word", &words, "Words");
    options.Pairs("--label", &labels, "Labels");
    options.Choice("-m,--mode", &mode, {"keep", "stop"}, "A choice");
  }

  absl::Status Parse(const std::vector<std::string>& args) {
    std::ostringstream out;
    const absl::Status status = options.ParseFrom(
        args,
        [this](const std::string& variable) -> std::optional<std::string> {
          const auto found = environment.find(variable);
          if (found == environment.end()) return std::nullopt;
          return found->second;
        },
        out, &done);
    printed = out.str();
    return status;
  }
  std::string Refusal(const std::vector<std::string>& args) {
    const absl::Status status = Parse(args);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }
};

TEST(OptionPrecedence, FlagThenEnvironmentThenFileThenDefault) {
  const TempFile file("name = \"file\"\n");
  for (const bool flag : {false, true}) {
    for (const bool variable : {false, true}) {
      for (const bool in_file : {false, true}) {
        Server server;
        std::vector<std::string> args;
        if (flag) args = {"--name", "flag"};
        if (variable) server.environment["DROVER_NAME"] = "environment";
        if (in_file) server.environment["DROVER_CONFIG"] = file.path();
        ASSERT_TRUE(server.Parse(args).ok());
        EXPECT_EQ(server.name, flag ? "flag" : variable ? "environment" : in_file ? "file" : "default");
        EXPECT_EQ(server.options.given("--name"), flag || variable || in_file);
      }
    }
  }
}

TEST(OptionPrecedence, TheFileOfTheFlagWinsOverThatOfTheEnvironment) {
  const TempFile one("name = \"one\"\n");
  const TempFile two("name = \"two\"\n");
  Server server;
  server.environment["DROVER_CONFIG"] = one.path();
  ASSERT_TRUE(server.Parse({"--config", two.path()}).ok());
  EXPECT_EQ(server.name, "two");
}

TEST(OptionPrecedence, AnEmptyVariableIsOneThatIsNotSet) {
  Server server;
  server.environment["DROVER_NAME"] = "";
  ASSERT_TRUE(server.Parse({}).ok());
  EXPECT_EQ(server.name, "default");
}

TEST(OptionFlags, EachKindIsRead) {
  Server server;
  ASSERT_TRUE(server
                  .Parse({"--name",   "x y",     "--count=9", "--small", "-2",      "--insecure", "--long-wait", "250ms",
                          "--listen", "[::1]:0", "--coord",   "a:1,b:2", "--coord", "c:3",        "--word",      "w,1",
                          "--word",   "[w2]",    "--label",   "k=v",     "--label", "l=",         "-m",          "stop"})
                  .ok());
  EXPECT_EQ(server.name, "x y");
  EXPECT_EQ(server.count, 9u);
  EXPECT_EQ(server.small, -2);
  EXPECT_TRUE(server.insecure);
  EXPECT_EQ(server.wait, std::chrono::milliseconds(250));
  EXPECT_EQ(server.listen, "[::1]:0");
  EXPECT_THAT(server.coord, ElementsAre("a:1", "b:2", "c:3"));
  EXPECT_THAT(server.words, ElementsAre("w,1", "[w2]"));
  EXPECT_THAT(server.labels, ElementsAre(Pair("k", "v"), Pair("l", "")));
  EXPECT_EQ(server.mode, "stop");
}

TEST(OptionFlags, TheLastOfASingleOneCounts) {
  Server server;
  ASSERT_TRUE(server.Parse({"--name", "a", "--name", "b"}).ok());
  EXPECT_EQ(server.name, "b");
}

TEST(OptionEnvironment, EachKindIsRead) {
  Server server;
  server.environment = {{"DROVER_COUNT", "9"},       {"DROVER_INSECURE", "true"}, {"DROVER_LONG_WAIT", "2m"},
                        {"DROVER_COORD", "a:1,b:2"}, {"DROVER_WORD", "x,y"},      {"DROVER_LABEL", "k=v,l=w"}};
  ASSERT_TRUE(server.Parse({}).ok());
  EXPECT_EQ(server.count, 9u);
  EXPECT_TRUE(server.insecure);
  EXPECT_EQ(server.wait, std::chrono::minutes(2));
  EXPECT_THAT(server.coord, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(server.words, ElementsAre("x", "y"));
  EXPECT_THAT(server.labels, ElementsAre(Pair("k", "v"), Pair("l", "w")));
}

TEST(OptionFile, EachKindIsRead) {
  const TempFile file(
      "# a comment\n"
      "count = 9\n"
      "insecure = true\n"
      "long-wait = \"2m\"\n"
      "coord = [\"a:1\", \"b:2\"]\n"
      "label = [\"k=v\", \"l=w\"]\n"
      "name = \"with # and blanks\"\n");
  Server server;
  const absl::Status status = server.Parse({"--config", file.path()});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(server.count, 9u);
  EXPECT_TRUE(server.insecure);
  EXPECT_EQ(server.wait, std::chrono::minutes(2));
  EXPECT_THAT(server.coord, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(server.labels, ElementsAre(Pair("k", "v"), Pair("l", "w")));
  EXPECT_EQ(server.name, "with # and blanks");
}

TEST(OptionFile, WhatIsWrongNamesFileAndKey) {
  const struct {
    const char* text;
    const char* key;
  } table[] = {
      {"colour = \"red\"\n", "colour"},
      {"count = 0\n", "count"},
      {"count = [1, 2]\n", "count"},
      {"name = \"a\"\nname = \"b\"\n", "name"},
      {"[server]\nname = \"a\"\n", "sections"},
      {"config = \"x\"\n", "config"},
      {"help = true\n", "help"},
      {"listen = \"nowhere\"\n", "listen"},
  };
  for (const auto& row : table) {
    const TempFile file(row.text);
    Server server;
    const std::string refusal = server.Refusal({"--config", file.path()});
    EXPECT_THAT(refusal, HasSubstr(file.path())) << row.text;
    EXPECT_THAT(refusal, HasSubstr(row.key)) << row.text;
    EXPECT_EQ(server.name, "default");
  }
}

TEST(OptionFile, AWrongLineIsRefusedEvenWhereAFlagWins) {
  const TempFile file("count = 0\n");
  Server server;
  EXPECT_THAT(server.Refusal({"--config", file.path(), "--count", "5"}), HasSubstr("count"));
}

TEST(OptionFile, AMissingFileIsNamed) {
  Server server;
  EXPECT_THAT(server.Refusal({"--config", "/nowhere/drover.toml"}), HasSubstr("/nowhere/drover.toml"));
}

TEST(OptionRefusals, SayWhatIsWrongAndLeaveTheTargetsAlone) {
  const struct {
    std::vector<std::string> args;
    const char* words;
  } table[] = {
      {{"--count", "101"}, "1 to 100"},
      {{"--long-wait", "0"}, "0 is out of range; it must be 250ms to 2h"},
      {{"--long-wait", "2h1ms"}, "250ms to 2h"},
      {{"--count", "x"}, "not a number"},
      {{"--count", "-1"}, "not a number"},
      {{"--count"}, "--count"},
      {{"--long-wait", "6"}, "250ms"},
      {{"--listen", "7400"}, "HOST:PORT"},
      {{"--label", "k"}, "KEY=VALUE"},
      {{"--label", "k=v", "--label", "k=w"}, "k is given more than once"},
      {{"--mode", "go"}, "keep, stop"},
      {{"--colour", "red"}, "--colour"},
      {{"word"}, "word"},
      {{"--", "x"}, "--"},
  };
  for (const auto& row : table) {
    Server server;
    std::vector<std::string> args{"--name", "changed"};
    args.insert(args.end(), row.args.begin(), row.args.end());
    const std::string refusal = server.Refusal(args);
    EXPECT_THAT(refusal, HasSubstr(row.words));
    EXPECT_EQ(refusal.find('\n'), std::string::npos) << refusal;
    EXPECT_EQ(server.name, "default");
  }
  Server server;
  server.environment["DROVER_COUNT"] = "x";
  EXPECT_THAT(server.Refusal({}), HasSubstr("DROVER_COUNT"));
}

TEST(OptionHelp, ShowsOptionsAndDefaults) {
  Server server;
  ASSERT_TRUE(server.Parse({"--help"}).ok());
  EXPECT_TRUE(server.done);
  EXPECT_THAT(server.printed, HasSubstr("--long-wait"));
  EXPECT_THAT(server.printed, HasSubstr("127.0.0.1:7400"));
  EXPECT_THAT(server.printed, HasSubstr("6s"));
}

TEST(OptionHelp, VersionSaysWhatTheBuildIs) {
  Server server;
  ASSERT_TRUE(server.Parse({"--version"}).ok());
  EXPECT_TRUE(server.done);
  EXPECT_THAT(server.printed, HasSubstr("drover-test "));
  EXPECT_THAT(server.printed, HasSubstr("wire "));
}

// The shape of the `drover` command.
struct Tool {
  OptionSet options{"drover", "Runs tasks."};
  std::string output = "table";
  std::vector<std::string> coord{"127.0.0.1:7400"};
  OptionSet& submit = options.Command("submit", "Submits a task");
  OptionSet& wait = options.Command("wait", "Waits");
  OptionSet& tree = options.Command("tree", "Coordination data by hand");
  OptionSet& get = tree.Command("get", "Reads a node");
  OptionSet& set = tree.Command("set", "Writes a node");
  int priority = 0;
  std::vector<std::string> command;
  std::vector<std::string> ids;
  std::string path;
  std::string set_path;
  std::string set_data;
  std::int64_t version = -1;
  bool hold = false;
  std::map<std::string, std::string> environment;
  std::string printed;
  bool done = false;

  Tool() {
    options.Choice("-o,--output", &output, {"table", "json"}, "Form of the output");
    options.Addresses("--coord", &coord, "The core");
    submit.Number("--priority", &priority, "Priority", 0, 9);
    submit.Rest("COMMAND", &command, "What to run");
    wait.Arguments("ID", &ids, "Tasks");
    get.Argument("PATH", &path, "Path");
    set.Argument("PATH", &set_path, "Path");
    set.Argument("DATA", &set_data, "Data", false);
    set.Number("--version", &version, "Expected version");
    set.Flag("-e,--hold", &hold, "Hold");
  }
  absl::Status Parse(const std::vector<std::string>& args) {
    std::ostringstream out;
    const absl::Status status = options.ParseFrom(
        args,
        [this](const std::string& variable) -> std::optional<std::string> {
          const auto found = environment.find(variable);
          if (found == environment.end()) return std::nullopt;
          return found->second;
        },
        out, &done);
    printed = out.str();
    return status;
  }
  std::string Refusal(const std::vector<std::string>& args) {
    const absl::Status status = Parse(args);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }
};

TEST(OptionCommands, ASetMayBeGivenNoneOfItsCommands) {
  Tool without;
  EXPECT_FALSE(without.Parse({"tree"}).ok());
  Tool tool;
  tool.tree.CommandOptional();
  ASSERT_TRUE(tool.Parse({"tree", "-o", "json"}).ok());
  EXPECT_TRUE(tool.tree.chosen());
  EXPECT_FALSE(tool.get.chosen());
  EXPECT_EQ(tool.output, "json");
  Tool wrong;
  wrong.tree.CommandOptional();
  EXPECT_THAT(std::string(wrong.Parse({"tree", "frob"}).message()), HasSubstr("no command frob"));
}

TEST(OptionCommands, CommandsAreNamedInTheirOrder) {
  const Tool tool;
  EXPECT_THAT(tool.options.CommandsBelow({}), ElementsAre("submit", "wait", "tree"));
  EXPECT_THAT(tool.options.CommandsBelow({"tree"}), ElementsAre("get", "set"));
  EXPECT_THAT(tool.options.CommandsBelow({"tree", "get"}), IsEmpty());
  EXPECT_THAT(tool.options.CommandsBelow({"frob"}), IsEmpty());
}

TEST(OptionCommands, TheChosenOneSaysSo) {
  Tool tool;
  ASSERT_TRUE(tool.Parse({"tree", "get", "/a"}).ok());
  EXPECT_TRUE(tool.tree.chosen());
  EXPECT_TRUE(tool.get.chosen());
  EXPECT_FALSE(tool.set.chosen());
  EXPECT_FALSE(tool.submit.chosen());
  EXPECT_EQ(tool.path, "/a");
}

TEST(OptionCommands, OptionsOfTheProgramAreUnderstoodAfterTheCommandToo) {
  for (const auto& args :
       std::vector<std::vector<std::string>>{{"-o", "json", "wait", "t1", "t2"}, {"wait", "t1", "t2", "-o", "json"}}) {
    Tool tool;
    ASSERT_TRUE(tool.Parse(args).ok());
    EXPECT_EQ(tool.output, "json");
    EXPECT_THAT(tool.ids, ElementsAre("t1", "t2"));
  }
}

TEST(OptionCommands, WhatFollowsTheDashesIsUntouched) {
  Tool tool;
  ASSERT_TRUE(tool.Parse({"submit", "--priority", "9", "--", "sh", "-c", "wait", "--", "--coord", "submit", ""}).ok());
  EXPECT_EQ(tool.priority, 9);
  EXPECT_THAT(tool.command, ElementsAre("sh", "-c", "wait", "--", "--coord", "submit", ""));
  EXPECT_FALSE(tool.wait.chosen());
}

TEST(OptionCommands, ACommandWithoutItsDashesIsToldOfThem) {
  EXPECT_EQ(Tool().Refusal({"submit", "true"}), "do not know true; COMMAND is written after --");
  EXPECT_EQ(Tool().Refusal({"wait", "t1", "--never"}), "do not know --never");
}

TEST(OptionCommands, AMistypedFlagIsToldWhatItMayHaveBeen) {
  EXPECT_EQ(Tool().Refusal({"submit", "--prioritty", "3", "--", "true"}), "do not know --prioritty; did you mean --priority?");
  EXPECT_EQ(Tool().Refusal({"submit", "--priorty=3", "--", "true"}), "do not know --priorty; did you mean --priority?");
  EXPECT_EQ(Tool().Refusal({"submit", "--hlep", "--", "true"}), "do not know --hlep; did you mean --help?");
  EXPECT_EQ(Tool().Refusal({"submit", "--cord", "a:1", "--", "true"}), "do not know --cord; did you mean --coord?")
      << "the program's options are understood after the command, too";
  EXPECT_EQ(Tool().Refusal({"submit", "-z", "--", "true"}), "do not know -z");
  EXPECT_EQ(Tool().Refusal({"submit", "--prioritty", "true"}), "do not know --prioritty; did you mean --priority?");
}

TEST(OptionCommands, TheHintIsTheHelpOfTheCommandThatWasMeant) {
  Tool tool;
  EXPECT_NE(tool.Refusal({"submit", "--bogus", "--", "true"}), "");
  EXPECT_EQ(tool.options.HelpHint(), "see drover submit --help");
}

TEST(OptionCommands, AHundredKibibytesOfArgumentArrive) {
  Tool tool;
  const std::string large(100 * 1024, 'x');
  ASSERT_TRUE(tool.Parse({"submit", "--", "echo", large}).ok());
  EXPECT_EQ(tool.command.back(), large);
}

TEST(OptionCommands, ACommandsOwnOptionsComeFromFlagsAlone) {
  Tool tool;
  tool.environment = {{"DROVER_PRIORITY", "5"}, {"DROVER_COORD", "c:1"}};
  ASSERT_TRUE(tool.Parse({"submit", "--", "true"}).ok());
  EXPECT_EQ(tool.priority, 0);
  EXPECT_THAT(tool.coord, ElementsAre("c:1"));
}

TEST(OptionCommands, ACommandMayHaveAVersionOptionOfItsOwn) {
  Tool tool;
  ASSERT_TRUE(tool.Parse({"tree", "set", "/a", "-", "--version", "3", "-e"}).ok());
  EXPECT_FALSE(tool.done);
  EXPECT_EQ(tool.version, 3);
  EXPECT_EQ(tool.set_data, "-");
  EXPECT_TRUE(tool.hold);
}

TEST(OptionCommands, RefusalsNameWhatThereIs) {
  const struct {
    std::vector<std::string> args;
    const char* words;
  } table[] = {
      {{}, "submit, wait, tree"},
      {{"fly"}, "no command fly"},
      {{"tree"}, "get, set"},
      {{"tree", "fly"}, "no command fly"},
      {{"tree", "get"}, "PATH is missing"},
      {{"tree", "get", "/a", "/b"}, "/b"},
      {{"wait"}, "ID is missing"},
      {{"submit"}, "COMMAND is missing"},
      {{"submit", "--"}, "COMMAND is missing"},
      {{"wait", "t1", "--", "x"}, "--"},
      {{"wait", "--priority", "1", "t1"}, "--priority"},
  };
  for (const auto& row : table) {
    Tool tool;
    EXPECT_THAT(tool.Refusal(row.args), HasSubstr(row.words));
  }
}

TEST(OptionCommands, HelpOfACommand) {
  Tool tool;
  ASSERT_TRUE(tool.Parse({"submit", "--help"}).ok());
  EXPECT_TRUE(tool.done);
  EXPECT_THAT(tool.printed, HasSubstr("--priority"));
  EXPECT_THAT(tool.printed, HasSubstr("COMMAND"));
}

TEST(OptionParse, AUsageErrorIsOneLineAndExitCodeTwo) {
  Tool tool;
  const char* const argv[] = {"drover", "tree", "get"};
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(tool.options.Parse(3, argv), 2);
  const std::string line = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(line, "drover tree get: PATH is missing (see drover tree get --help)\n");
}

}  // namespace
}  // namespace drover::process

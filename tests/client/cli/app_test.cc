#include "client/cli/app.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "absl/strings/match.h"

namespace drover::cli {
namespace {

struct Ran {
  int code;
  std::string out;
  std::string err;
};

Ran Drover(const std::vector<std::string>& args, const std::map<std::string, std::string>& environment = {}) {
  std::ostringstream out, err;
  const int code = Main(
      args,
      [&environment](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
      },
      out, err);
  return {code, out.str(), err.str()};
}

TEST(AppTest, WrongUsageIsOneLineThatNamesItAndExitsTwo) {
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{"frobnicate"}, "frobnicate"},
      {{}, "command"},
      {{"submit"}, "COMMAND"},
      {{"run"}, "COMMAND"},
      {{"status"}, "ID"},
      {{"wait"}, "ID"},
      {{"cancel"}, "ID"},
      {{"tree"}, "get"},
      {{"tree", "get"}, "PATH"},
      {{"tree", "set", "/a", "x", "--version", "-2"}, "version"},
      {{"tree", "create", "-e", "/a"}, "--hold"},
      {{"tree", "create", "--hold", "/a"}, "-e"},
      {{"tree", "create", "/a", "--acl", "world:anyone"}, "SCHEME:ID:PERMISSIONS"},
      {{"tree", "acl", "set", "/a"}, "ACL"},
      {{"tree", "acl", "set", "/a", "world:anyone:x"}, "c (create)"},
      {{"tree", "acl", "digest", "ann"}, "USER:PASSWORD"},
      {{"tree", "quota", "set", "/a", "--nodes", "many"}, "nodes"},
      {{"tree", "get", "/a", "--auth", "digest"}, "digest:USER:PASSWORD"},
      {{"tree", "view", "/a", "--depth", "deep"}, "depth"},
      {{"tree", "watch", "/a", "--recursive", "--children"}, "exclude each other"},
      {{"tree", "watch", "/a", "--kind", "once", "--once"}, "--kind says it all"},
      {{"tree", "ephemerals", "mine"}, "SESSION"},
      {{"tree", "multi"}, "FILE"},
      {{"tree", "multi", "/no/such/file"}, "/no/such/file"},
      {{"tree", "multi", "/dev/null"}, "no line with a compare or an operation"},
      {{"worker"}, "list"},
      {{"submit", "--priority", "10", "--", "true"}, "priority"},
      {{"submit", "--time-limit", "soon", "--", "true"}, "time-limit"},
      {{"submit", "--at-most-once", "--retries", "2", "--", "true"}, "retries"},
      {{"submit", "--on-disconnect", "maybe", "--", "true"}, "on-disconnect"},
      {{"submit", "--id", "white space", "--", "true"}, "id"},
      {{"submit", "--cwd", "relative", "--", "true"}, "cwd"},
      {{"submit", "--env", "novalue", "--", "true"}, "env"},
      {{"submit", "--wait-timeout", "1s", "--", "true"}, "--wait"},
      {{"submit", "--each-line", "-", "--id", "x", "--", "true"}, "each-line"},
      {{"submit", "--each-line", "-", "--stdin", "-", "--", "true"}, "standard input"},
      {{"submit", "--from-json", "-", "--stdin", "-"}, "standard input"},
      {{"submit", "--from-json", "-", "--", "true"}, "--from-json"},
      {{"submit", "--from-json", "-", "--each-line", "-", "--", "true"}, "exclude each other"},
      {{"submit", "--from-json", "-", "--id", "x"}, "--from-json"},
      {{"submit", "--dry-run", "--wait", "--", "true"}, "--dry-run"},
      {{"submit", "--stdin", "/no/such/file", "--", "true"}, "/no/such/file"},
      {{"submit", "--no-such-flag", "--", "true"}, "do not know --no-such-flag (see drover submit --help)"},
      {{"cluster", "status", "--outptu", "json"},
       "do not know --outptu; did you mean --output? (see drover cluster status --help)"},
      {{"--pol", "x", "list"}, "did you mean --pool?"},
      {{"status", ""}, "ID: \"\" will not do: a task id is [A-Za-z0-9]"},
      {{"wait", "t", "white space"}, "ID: \"white space\""},
      {{"cancel", "t", ""}, "ID: \"\""},
      {{"logs", "/t"}, "ID: \"/t\""},
      {{"list", "--state", "RUNNINGS"}, "RUNNINGS"},
      {{"list", "--limit", "0"}, "limit"},
      {{"logs", "t", "--stderr", "--both"}, "--both"},
      {{"dev", "--coords", "10"}, "--coords"},
      {{"-o", "xml", "list"}, "xml"},
      {{"--coord", "nowhere", "list"}, "nowhere"},
      {{"--request-timeout", "30", "list"}, "request-timeout"},
      {{"--request-timeout", "0", "list"}, "--request-timeout: 0 is out of range; it must be 1ms to 24h"},
      {{"--request-timeout", "25h", "list"}, "1ms to 24h"},
  };
  for (const auto& [args, word] : table) {
    const Ran ran = Drover(args);
    std::string line;
    for (const std::string& arg : args) line += arg + " ";
    EXPECT_EQ(ran.code, 2) << line << ran.err;
    EXPECT_TRUE(absl::StrContains(ran.err, word)) << line << ran.err;
    EXPECT_TRUE(absl::StartsWith(ran.err, "drover: ")) << line << ran.err;
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << line << ran.err;
    EXPECT_EQ(ran.out, "") << line;
  }
}

TEST(AppTest, AnErrorIsAnObjectWhereJsonWasAskedFor) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"-o", "json", "status"}, {"status", "--output=jsonl"}}) {
    const Ran ran = Drover(args);
    EXPECT_EQ(ran.code, 2);
    const Json json = Json::parse(ran.err);
    EXPECT_EQ(json["error"]["code"], "INVALID_ARGUMENT");
    EXPECT_TRUE(json["error"]["message"].is_string());
  }
}

TEST(AppTest, TheFormatOfARejectedCommandLineIsGuessed) {
  const std::pair<std::vector<std::string>, Format> table[] = {
      {{"-o", "json"}, Format::kJson}, {{"list", "--output=jsonl"}, Format::kJsonl},
      {{"-oid"}, Format::kId},         {{"submit", "--", "-o", "json"}, Format::kTable},
      {{"-o"}, Format::kTable},        {{}, Format::kTable},
  };
  for (const auto& [args, format] : table) EXPECT_EQ(GuessFormat(args, [](const std::string&) { return std::nullopt; }), format);
  const auto json = [](const std::string& variable) -> std::optional<std::string> {
    if (variable != "DROVER_OUTPUT") return std::nullopt;
    return "json";
  };
  EXPECT_EQ(GuessFormat({}, json), Format::kJson);
  EXPECT_EQ(GuessFormat({"-o", "table"}, json), Format::kTable) << "a flag wins";
}

TEST(AppTest, AWrongVariableIsAnObjectWhereAnotherVariableAsksForJson) {
  const Ran ran = Drover({"list"}, {{"DROVER_OUTPUT", "json"}, {"DROVER_REQUEST_TIMEOUT", "soon"}});
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(absl::StrContains(Json::parse(ran.err)["error"]["message"].get<std::string>(), "DROVER_REQUEST_TIMEOUT")) << ran.err;
  EXPECT_EQ(Drover({"list"}, {{"DROVER_OUTPUT", "xml"}}).code, 2);
}

TEST(AppTest, NobodyThereExitsSevenAndNamesWhoWasAsked) {
  // Nothing listens on port 1.
  for (const std::vector<std::string>& command : {std::vector<std::string>{"list"},
                                                  {"tree", "get", "/"},
                                                  {"submit", "--", "true"},
                                                  {"cluster", "status"},
                                                  {"master", "list"}}) {
    std::vector<std::string> args = {"--coord", "127.0.0.1:1", "--request-timeout", "50ms"};
    args.insert(args.end(), command.begin(), command.end());
    const Ran ran = Drover(args);
    EXPECT_EQ(ran.code, 7) << command[0] << ran.err;
    EXPECT_TRUE(absl::StrContains(ran.err, "127.0.0.1:1")) << ran.err;
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_EQ(ran.out, "");
  }
}

TEST(AppTest, TheEnvironmentNamesTheCluster) {
  const Ran ran = Drover({"list"}, {{"DROVER_COORD", "127.0.0.1:2"}, {"DROVER_REQUEST_TIMEOUT", "10ms"}});
  EXPECT_EQ(ran.code, 7);
  EXPECT_TRUE(absl::StrContains(ran.err, "127.0.0.1:2")) << ran.err;
}

TEST(AppTest, HelpAndVersionGoToStandardOutput) {
  Ran ran = Drover({"--help"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(absl::StrContains(ran.out, "Exit codes"));
  ran = Drover({"version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(absl::StartsWith(ran.out, "drover "));
  ran = Drover({"-o", "json", "version"});
  EXPECT_TRUE(Json::parse(ran.out).contains("wire_version"));
}

}  // namespace
}  // namespace drover::cli

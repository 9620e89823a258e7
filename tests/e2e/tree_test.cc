// `drover tree` as people use it: each command against a core of real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class TreeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = std::make_unique<Cluster>(CoreAlone(1));
    // A new cluster rises to what its programs know.
    ASSERT_TRUE(Await([] { return Tree({"create", "/level", "--container"}).exit_code == 0; }));
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  static CommandResult Tree(std::vector<std::string> args, CommandOptions options = {}) {
    args.insert(args.begin(), "tree");
    return cluster_->Drover(args, std::move(options));
  }
  static nlohmann::json Json(std::vector<std::string> args) {
    args.insert(args.begin(), "tree");
    return cluster_->Json(std::move(args));
  }
  static void Make(const std::string& path, const std::string& data = "", std::vector<std::string> how = {}) {
    std::vector<std::string> args = {"create", "-p", path, data};
    args.insert(args.end(), how.begin(), how.end());
    const CommandResult made = Tree(args);
    ASSERT_EQ(made.exit_code, 0) << path << ": " << made.err;
  }
  static std::unique_ptr<Process> Background(std::vector<std::string> args, const std::string& log) {
    args.insert(args.begin(), {Binary("drover"), "tree"});
    return std::make_unique<Process>(args, std::map<std::string, std::string>{{"DROVER_COORD", cluster_->coord_address()}},
                                     cluster_->path(log));
  }
  static std::unique_ptr<Cluster> cluster_;
};
std::unique_ptr<Cluster> TreeTest::cluster_;

TEST_F(TreeTest, ASubtreeIsListedDrawnAndCounted) {
  Make("/look/b/c", "12345");
  Make("/look/d", "x", {"--ttl", "1h"});
  EXPECT_EQ(Tree({"ls", "/look"}).out, "b\nd\n");
  EXPECT_EQ(Tree({"ls", "-R", "/look"}).out, "/look/b\n/look/b/c\n/look/d\n");
  EXPECT_EQ(Json({"ls", "-R", "/look"}).at(1).at("data_length"), 5);
  EXPECT_EQ(Tree({"ls", "-R", "/look/missing"}).exit_code, 6);

  const CommandResult view = Tree({"view", "/look"});
  EXPECT_EQ(view.exit_code, 0) << view.err;
  EXPECT_THAT(Lines(view.out), ElementsAre("NODE       NODES  BYTES  DATA  KIND",  //
                                           "/look      4      6      0",           //
                                           "├── b      2      5      0",           //
                                           "│   └── c  1      5      5",           //
                                           "└── d      1      1      1     ttl 1h"));
  const CommandResult cut = Tree({"view", "/look", "--depth", "1", "--children", "1"});
  EXPECT_THAT(cut.out, HasSubstr("└── ... 1 more"));
  EXPECT_THAT(cut.err, HasSubstr("nodes not drawn: 1 deeper than --depth 1, 1 beyond --children 1 of a node"));
  EXPECT_EQ(Json({"view", "/look"}).size(), 4u);

  EXPECT_EQ(Tree({"count", "/look"}).out, "3\n");
  const nlohmann::json stats = Json({"stats", "/look", "--top", "1"});
  EXPECT_EQ(stats.at("nodes"), 4);
  EXPECT_EQ(stats.at("bytes"), 6);
  EXPECT_EQ(stats.at("ttls"), 1);
  EXPECT_EQ(stats.at("biggest").at(0).at("path"), "/look/b");
  EXPECT_EQ(stats.at("biggest").size(), 1u);
  EXPECT_THAT(Tree({"stats", "/look", "--top", "1"}).err, HasSubstr("1 of 2 children are shown"));
  EXPECT_EQ(Tree({"stats"}).exit_code, 0);
}

TEST_F(TreeTest, MoreThanAPageIsSeenToItsEnd) {
  Make("/pages");
  const std::string block(300'000, 'x');
  CommandOptions options;
  options.input = block;
  for (const char* name : {"/pages/a", "/pages/b", "/pages/c", "/pages/d", "/pages/e"}) {
    ASSERT_EQ(Tree({"create", name, "-"}, options).exit_code, 0);
  }
  EXPECT_EQ(Json({"stats", "/pages"}).at("bytes"), 1'500'000);
  EXPECT_EQ(Lines(Tree({"ls", "-R", "/pages"}).out).size(), 5u);
}

TEST_F(TreeTest, WhoOwnsEphemeralsIsTold) {
  Make("/owned");
  const auto holder = Background({"create", "-e", "--hold", "/owned/by", "x"}, "owner.log");
  holder->Start();
  ASSERT_TRUE(Await([] { return Tree({"stat", "/owned/by"}).exit_code == 0; }));
  const nlohmann::json owner = Json({"stat", "/owned/by"}).at("ephemeral_owner");
  const nlohmann::json sessions = Json({"sessions", "--under", "/owned"});
  ASSERT_EQ(sessions.size(), 1u);
  EXPECT_EQ(sessions.at(0).at("session"), owner);
  EXPECT_EQ(sessions.at(0).at("ephemerals"), 1);
  EXPECT_EQ(sessions.at(0).at("oldest_path"), "/owned/by");
  EXPECT_GE(sessions.at(0).at("timeout_ms"), 1);
  EXPECT_EQ(sessions.at(0).at("address"), "127.0.0.1");
  // Those that own none, too.
  const auto watcher = Background({"watch", "/owned"}, "watcher.log");
  watcher->Start();
  ASSERT_TRUE(Await([] { return Json({"sessions"}).size() == 2u; }));
  const nlohmann::json all = Json({"sessions"});
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const nlohmann::json& s) { return s.at("session") == owner; })) << all;
  EXPECT_THAT(Tree({"sessions"}).out, HasSubstr("TIMEOUT"));
  watcher->Terminate();
  EXPECT_EQ(Tree({"ephemerals", "--under", "/owned", "-o", "id"}).out, "/owned/by\n");
  EXPECT_EQ(Json({"ephemerals", "--under", "/owned"}).at(0).at("ephemeral_owner"), owner);
  EXPECT_EQ(Tree({"ephemerals", owner.dump()}).out, "/owned/by\n");
  holder->Terminate();
}

TEST_F(TreeTest, AWatchHearsWhatItWasToldTo) {
  Make("/heard/child");
  const auto watch = [](std::vector<std::string> flags, const std::string& log) {
    flags.insert(flags.begin(), {"watch", "/heard", "-o", "jsonl"});
    auto process = Background(flags, log);
    process->Start();
    return process;
  };
  const auto first = watch({"--recursive", "--once"}, "first.log");
  const auto node = watch({"--once"}, "node.log");
  const auto children = watch({"--children"}, "children.log");
  const auto child = watch({"--children", "--once"}, "child.log");
  // Whatever comes before they are armed they do not hear.
  for (int i = 0; first->running() || node->running() || child->running() || Lines(children->Log()).size() < 3; ++i) {
    ASSERT_LT(i, 1'000);
    ASSERT_EQ(Tree({"set", "/heard/child", "x"}).exit_code, 0);
    ASSERT_EQ(Tree({"create", "/heard/new"}).exit_code, 0);
    ASSERT_EQ(Tree({"delete", "/heard/new"}).exit_code, 0);
    ASSERT_EQ(Tree({"set", "/heard", "y"}).exit_code, 0);
  }
  EXPECT_EQ(first->Wait(), 0);
  EXPECT_EQ(node->Wait(), 0);
  EXPECT_EQ(child->Wait(), 0);
  EXPECT_EQ(Lines(first->Log()).size(), 1u) << first->Log();
  EXPECT_EQ(nlohmann::json::parse(Lines(node->Log()).at(0)).at("path"), "/heard");
  EXPECT_EQ(nlohmann::json::parse(Lines(child->Log()).at(0)).at("path"), "/heard/new");
  children->Terminate();
  EXPECT_THAT(children->Log(), Not(HasSubstr("/heard/child")));
}

TEST_F(TreeTest, ATransactionIsDoneAllOfItOrNone) {
  Make("/multi/config", "old");
  const auto multi = [](const std::string& text, std::vector<std::string> flags = {}) {
    CommandOptions options;
    options.input = text;
    flags.insert(flags.begin(), {"multi", "-"});
    return Tree(flags, options);
  };
  const std::string text =
      "# takes the place\n"
      "if absent /multi/lock\n"
      "if /multi/config version = 0\n"
      "then create /multi/lock \"me\\n\"\n"
      "then set /multi/config -- -1\n"
      "else create /multi/waiting- --sequential\n";
  const CommandResult done = multi(text);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("then, zxid "));
  EXPECT_THAT(done.out, HasSubstr("set        /multi/config  version 1"));
  EXPECT_EQ(Tree({"get", "/multi/lock"}).out, "me\n");
  EXPECT_EQ(Tree({"get", "/multi/config"}).out, "-1");
  const CommandResult otherwise = multi(text, {"-o", "json"});
  EXPECT_EQ(otherwise.exit_code, 0) << otherwise.err;
  const nlohmann::json outcome = nlohmann::json::parse(otherwise.out);
  EXPECT_EQ(outcome.at("succeeded"), false);
  EXPECT_THAT(outcome.at("results").at(0).at("path").get<std::string>(), HasSubstr("/multi/waiting-000000000"));

  const CommandResult refused = multi("set /multi/config new\nset /multi/nothing x\n");
  EXPECT_EQ(refused.exit_code, 6);
  EXPECT_THAT(refused.err, HasSubstr("line 2: set /multi/nothing: "));
  EXPECT_THAT(refused.err, HasSubstr("nothing was done"));
  EXPECT_EQ(Tree({"get", "/multi/config"}).out, "-1");
  EXPECT_EQ(multi("set /multi/config new --version 7\n").exit_code, 8);
  const CommandResult held = multi("if exists /multi/nothing\nset /multi/config new\n");
  EXPECT_EQ(held.exit_code, 8);
  EXPECT_THAT(held.err, HasSubstr("a compare does not hold"));
  EXPECT_EQ(multi("create /multi/e -e\n").exit_code, 2);
  EXPECT_THAT(multi("set /multi/config x\nfrob\n").err, HasSubstr("standard input: line 2: no command frob"));

  std::string many;
  for (int i = 0; i < 1'025; ++i) many += "check /multi\n";
  EXPECT_EQ(multi(many).exit_code, 2) << "more than a transaction holds";
}

TEST_F(TreeTest, ASubtreeIsExportedAndImported) {
  Make("/source/b/c", "text");
  CommandOptions binary;
  binary.input = std::string("\xff\x00\x01", 3);
  ASSERT_EQ(Tree({"create", "/source/raw", "-"}, binary).exit_code, 0);
  Make("/source/box", "", {"--container"});
  Make("/source/timed", "t", {"--ttl", "1h", "--acl", "world:anyone:r,ip:127.0.0.1:cdrwa"});
  const auto holder = Background({"create", "-e", "--hold", "/source/eph"}, "exported.log");
  holder->Start();
  ASSERT_TRUE(Await([] { return Tree({"stat", "/source/eph"}).exit_code == 0; }));

  const std::string file = cluster_->path("source.json");
  const CommandResult exported = Tree({"export", "/source", file});
  EXPECT_EQ(exported.exit_code, 0) << exported.err;
  EXPECT_THAT(exported.err, HasSubstr("1 ephemeral nodes are left out"));
  holder->Terminate();
  const nlohmann::json tree = nlohmann::json::parse(ReadFile(file));
  EXPECT_EQ(tree.at("one_state"), true);
  EXPECT_EQ(tree.at("nodes").size(), 6u);
  EXPECT_EQ(Tree({"export", "/source", file}).exit_code, 8) << "it is there";
  EXPECT_EQ(Tree({"export", "/source", file, "--force"}).exit_code, 0);
  EXPECT_EQ(nlohmann::json::parse(Tree({"export", "/source"}).out).at("nodes"), tree.at("nodes"));
  EXPECT_EQ(Tree({"export", "/nothing"}).exit_code, 6);

  const CommandResult dry = Tree({"import", file, "/copy", "--dry-run"});
  EXPECT_EQ(dry.out, "/copy: would be 6 created, 0 set, 0 unchanged, in 1 transactions\n") << dry.err;
  EXPECT_EQ(Tree({"stat", "/copy"}).exit_code, 6);
  const CommandResult imported = Tree({"import", file, "/copy"});
  EXPECT_EQ(imported.exit_code, 0) << imported.err;
  EXPECT_EQ(Tree({"get", "/copy/raw"}).out, binary.input);
  EXPECT_EQ(Tree({"get", "/copy/b/c"}).out, "text");
  EXPECT_EQ(Json({"stat", "/copy/box"}).at("container"), true);
  EXPECT_EQ(Json({"stat", "/copy/timed"}).at("ttl_ms"), 3'600'000);
  EXPECT_EQ(Tree({"acl", "get", "/copy/timed"}).out, "world:anyone:r\nip:127.0.0.1:cdrwa\n");

  EXPECT_EQ(Tree({"import", file, "/copy"}).exit_code, 8);
  ASSERT_EQ(Tree({"set", "/copy/b/c", "changed"}).exit_code, 0);
  ASSERT_EQ(Tree({"create", "/copy/own"}).exit_code, 0);
  nlohmann::json outcome = Json({"import", file, "/copy", "--merge"});
  EXPECT_EQ(outcome.at("set"), 1);
  EXPECT_EQ(outcome.at("unchanged"), 5);
  EXPECT_EQ(outcome.at("complete"), true);
  EXPECT_EQ(Tree({"get", "/copy/b/c"}).out, "text");
  EXPECT_EQ(Tree({"stat", "/copy/own"}).exit_code, 0);
  outcome = Json({"import", file, "/copy", "--replace"});
  EXPECT_EQ(outcome.at("deleted"), 7);
  EXPECT_EQ(Tree({"stat", "/copy/own"}).exit_code, 6);
  EXPECT_EQ(Tree({"import", file, "/deep/er/copy"}).exit_code, 6);
  EXPECT_EQ(Tree({"import", file, "/deep/er/copy", "-p"}).exit_code, 0);

  WriteFile(cluster_->path("bad.json"), "{\"format\":\"drover-subtree\",\"version\":1,\"nodes\":[{\"path\":\"a\"}]}");
  const CommandResult bad = Tree({"import", cluster_->path("bad.json"), "/bad"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.err, HasSubstr("bad.json: node \"a\": the first node is the root"));
}

// What is larger than a transaction, and stops in the middle: the error says how far it came, and a merge goes on.
TEST_F(TreeTest, AnImportThatStopsInTheMiddleSaysHowFarItCame) {
  nlohmann::json file = {{"format", "drover-subtree"}, {"version", 1}, {"nodes", nlohmann::json::array({{{"path", ""}}})}};
  for (int i = 0; i < 2'500; ++i) file["nodes"].push_back({{"path", "n" + std::to_string(i)}});
  file["nodes"].push_back({{"path", "n1/bad\u0001name"}});
  WriteFile(cluster_->path("large.json"), file.dump());
  const CommandResult stopped = Tree({"import", cluster_->path("large.json"), "/large", "-o", "json"});
  EXPECT_EQ(stopped.exit_code, 2);
  EXPECT_THAT(stopped.err, HasSubstr("transaction 3 of 3: "));
  EXPECT_THAT(stopped.err, HasSubstr("nothing of it was done; before it were done: 2000 created"));
  EXPECT_THAT(stopped.err, HasSubstr("--merge goes on from there"));
  EXPECT_EQ(nlohmann::json::parse(stopped.out).at("complete"), false);
  EXPECT_EQ(Tree({"count", "/large"}).out, "1999\n");
  file["nodes"].erase(file["nodes"].size() - 1);
  WriteFile(cluster_->path("large.json"), file.dump());
  const nlohmann::json outcome = Json({"import", cluster_->path("large.json"), "/large", "--merge"});
  EXPECT_EQ(outcome.at("created"), 501);
  EXPECT_EQ(outcome.at("unchanged"), 2'000);
  EXPECT_EQ(Tree({"count", "/large"}).out, "2500\n");
}

TEST_F(TreeTest, AnImportKeepsOthersOutOfWhatItHasNotFinished) {
  const std::string auth = "digest:ann:secret";
  Make("/shut", "", {"--auth", auth});
  Make("/shut/in/deeper", "x", {"--auth", auth});
  ASSERT_EQ(Tree({"acl", "set", "/shut/in", "world:anyone:r", "--auth", auth}).exit_code, 0);
  const std::string file = cluster_->path("shut.json");
  ASSERT_EQ(Tree({"export", "/shut", file}).exit_code, 0);
  const CommandResult refused = Tree({"import", file, "/shut2"});
  EXPECT_EQ(refused.exit_code, 8);
  EXPECT_THAT(refused.err, HasSubstr("/shut2/in: its access control list may not let you"));
  EXPECT_EQ(Tree({"stat", "/shut2"}).exit_code, 6) << "checked before anything changes";
  const CommandResult imported = Tree({"import", file, "/shut2", "--auth", auth});
  EXPECT_EQ(imported.exit_code, 0) << imported.err;
  EXPECT_EQ(Tree({"acl", "get", "/shut2/in"}).out, "world:anyone:r\n");
  EXPECT_EQ(Tree({"get", "/shut2/in/deeper"}).out, "x");

  ASSERT_EQ(Tree({"acl", "set", "/shut2/in/deeper", "auth::cdrwa", "--auth", auth}).exit_code, 0);
  EXPECT_EQ(Tree({"export", "/shut2"}).exit_code, 8) << "it may not be read";
  EXPECT_EQ(Tree({"export", "/shut2", "--auth", auth}).exit_code, 0);
}

}  // namespace
}  // namespace drover::testing

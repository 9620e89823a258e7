// The example client/examples/search with real processes: many edit the metadata while they and a leader of the core are killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/e2e.h"
#include "tests/e2e/example.h"

namespace drover::testing {
namespace {

using ::testing::HasSubstr;

// "added basic title:text edit 7" as {title:text, 7}; nothing of other lines, nor of one that a kill cut short.
std::map<std::string, std::uint64_t> Edits(const std::string& log, const std::string& begin) {
  std::map<std::string, std::uint64_t> edits;
  for (std::size_t at = 0, end = 0; (end = log.find('\n', at)) != std::string::npos; at = end + 1) {
    const std::string line = log.substr(at, end - at);
    if (line.rfind(begin, 0) != 0) continue;
    std::istringstream words(line.substr(begin.size()));
    std::string what;
    std::string edit;
    std::uint64_t number = 0;
    if (words >> what >> edit >> number) {
      EXPECT_TRUE(edits.emplace(what, number).second) << "acknowledged twice: " << line;
    }
  }
  return edits;
}

// What a node was told of a config, in order.
std::vector<std::pair<std::uint64_t, std::string>> Told(const std::string& log, const std::string& config) {
  std::vector<std::pair<std::uint64_t, std::string>> told;
  for (const std::string& line : Lines(log)) {
    std::istringstream words(line);
    std::string word;
    std::string name;
    std::string edit;
    std::uint64_t number = 0;
    std::string field;
    if (words >> word >> name >> edit >> number && word == "config" && name == config) {
      words >> field;
      told.emplace_back(number, field);
    }
  }
  return told;
}

class SearchTest : public ExampleTest {
 protected:
  SearchTest() : ExampleTest("drover-example-search") {}

  // A node ends with its session: that shall not be over because the machine is busy.
  Process& StartNode(const std::string& name) { return StartMember(name, {"node"}, "2s"); }
  void AwaitShown(const std::string& text, int times) {
    std::string shown;
    EXPECT_TRUE(Await([&] {
      shown = Example({"show"}).out;
      int found = 0;
      for (std::size_t at = 0; (at = shown.find(text, at)) != std::string::npos; ++at) ++found;
      return found == times;
    })) << "not "
        << times << " times " << text << ": " << shown;
  }
  nlohmann::json Document(const std::string& path) { return nlohmann::json::parse(cluster().Drover({"tree", "get", path}).out); }
};

TEST_F(SearchTest, EveryAcknowledgedEditIsThereOnceThoughEditorsNodesAndTheLeaderAreKilled) {
  std::vector<Process*> nodes;
  for (const std::string name : {"n1", "n2", "n3"}) nodes.push_back(&StartNode(name));
  AwaitShown("node n", 3);
  ASSERT_EQ(Example({"create-collection", "books", "--config", "basic", "--shards", "3", "--replicas", "2"}).exit_code, 0);
  AwaitShown(" active", 6);

  // Editor 0 has more to do than there is time for: it is killed in the midst of it.
  std::vector<Process*> editors;
  for (int e = 0; e < 5; ++e) {
    std::vector<std::string> args = {"add-field", "basic", "--timeout", "100s"};
    for (int i = 0; i < (e == 0 ? 3000 : 80); ++i) args.push_back("e" + std::to_string(e) + "_" + std::to_string(i) + ":text");
    editors.push_back(&StartCommand("editor" + std::to_string(e), args));
  }
  // Several want the same name, and new collections make all nodes edit one document each.
  for (int i = 0; i < 4; ++i) {
    editors.push_back(&StartCommand("creator" + std::to_string(i),
                                    {"create-collection", "films", "--config", "films", "--shards", "2", "--timeout", "100s"}));
  }
  const auto acknowledged = [&] {
    std::map<std::string, std::uint64_t> all;
    for (const Process* editor : editors) all.merge(Edits(editor->Log(), "added basic "));
    return all;
  };
  ASSERT_TRUE(Await([&] { return acknowledged().size() >= 40; }));
  const int leader = cluster().AwaitCoordLeader();
  cluster().coord(leader).Kill();
  nodes[1]->Kill();
  const std::size_t before = acknowledged().size();
  ASSERT_TRUE(Await([&] { return acknowledged().size() >= before + 20; }));
  editors[0]->Kill();
  cluster().coord(leader).Start();
  int created = 0;
  for (std::size_t i = 1; i < editors.size(); ++i) {
    const int code = editors[i]->Wait();
    if (i < 5) {
      EXPECT_EQ(code, 0) << editors[i]->Log();
    } else {
      created += code == 0 ? 1 : 0;
      if (code != 0) {
        EXPECT_THAT(editors[i]->Log(), HasSubstr("already"));
      }
    }
  }
  EXPECT_EQ(created, 1);

  // The final schema: each acknowledged edit with its number, each number once; of what was not acknowledged at most the one edit
  // that was under way when its editor was killed.
  const nlohmann::json schema = Document("/search/configs/basic");
  std::map<std::string, std::uint64_t> final;
  std::uint64_t number = 0;
  for (const nlohmann::json& field : schema.at("fields")) {
    EXPECT_EQ(field.at("edit"), ++number);
    const std::string name = field.at("name").get<std::string>() + ":" + field.at("type").get<std::string>();
    EXPECT_TRUE(final.emplace(name, number).second) << "doubled: " << name;
  }
  EXPECT_EQ(schema.at("edits"), number);
  const auto all = acknowledged();
  EXPECT_GE(all.size(), 320u);
  for (const auto& [field, edit] : all) {
    ASSERT_EQ(final.count(field), 1u) << "lost: " << field;
    EXPECT_EQ(final[field], edit) << field;
  }
  EXPECT_LE(final.size(), all.size() + 1);

  // Both nodes that lived saw every edit, in the one order.
  for (const int i : {0, 2}) {
    EXPECT_TRUE(Await([&] {
      const auto told = Told(nodes[static_cast<std::size_t>(i)]->Log(), "basic");
      return !told.empty() && told.back().first == number;
    }));
    const auto told = Told(nodes[static_cast<std::size_t>(i)]->Log(), "basic");
    ASSERT_EQ(told.size(), number + 1) << "from the empty one on";
    for (std::uint64_t edit = 1; edit <= number; ++edit) {
      EXPECT_EQ(told[edit].first, edit);
      EXPECT_EQ(final[told[edit].second], edit) << told[edit].second;
    }
  }

  // The node that was killed is missed, and loads its replicas anew when it is back.
  AwaitShown("replica books shard 1 on n2 down", 1);
  nodes[1]->Start();
  AwaitShown(" active", 8);
  // That document was edited by all nodes at once: each edit has a number of its own.
  const std::string begin = "loaded /search/collections/books edit ";
  const std::uint64_t edits = Document("/search/collections/books").at("edits");
  std::multiset<std::uint64_t> loaded;
  EXPECT_TRUE(Await([&] {
    loaded = {1};  // who made it
    for (const Process* node : nodes) {
      for (const std::string& line : Lines(node->Log())) {
        if (line.rfind(begin, 0) == 0) loaded.insert(std::stoull(line.substr(begin.size())));
      }
    }
    return loaded.size() >= edits;
  }));
  std::uint64_t next = 0;
  for (const std::uint64_t edit : loaded) EXPECT_EQ(edit, ++next);
  EXPECT_EQ(next, edits);
  for (Process* node : nodes) EXPECT_EQ(node->Terminate(), 0) << node->Log();
}

TEST_F(SearchTest, ErrorsSayWhatIsWrong) {
  ExpectFailure({"add-field", "none", "title:text"}, 1, "there is no such config");
  ExpectFailure({"create-collection", "books", "--config", "basic"}, 1, "there are 0");
  ExpectFailure({"create-collection", "books", "--config", "basic", "--replicas", "two"}, 2,
                "--replicas: Value two not in range 1 to 1000");
  ExpectFailure({"create-collection", "books"}, 2, "--config is required");
  ExpectFailure({"node", "--name", "a/b"}, 2, "'a/b' can be no name of a node");
  ExpectFailure({"add-field", "basic"}, 2, "FIELD:TYPE is required");
  ExpectFailure({"add-field", "basic", "title"}, 2, "'title' is no FIELD:TYPE");
  ExpectFailure({"fly"}, 2, "argument was not expected: fly");
  ExpectFailure({"show", "--fast"}, 2, "argument was not expected: --fast");
  ExpectFailure({}, 2, "A subcommand is required");
  StartNode("n1");
  AwaitShown("node n1", 1);
  EXPECT_EQ(Example({"create-collection", "books", "--config", "basic"}).exit_code, 0);
  EXPECT_EQ(Example({"add-field", "basic", "title:text"}).exit_code, 0);
  ExpectFailure({"add-field", "basic", "title:string"}, 1, "title:text already, by edit 1");
  ExpectDeadCoreIsSaid({"show"});
}

TEST_F(SearchTest, ThePageIsTrue) {
  RunPage("search", "on n1 down");
}

}  // namespace
}  // namespace drover::testing

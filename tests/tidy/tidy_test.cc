// The rules of the house, checked over the sources. Each rule also has a canary: a small text that it must refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/tidy/hazards.h"
#include "tests/tidy/sources.h"

namespace drover::tidy {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const std::vector<Source>& Tree() {
  static const std::vector<Source> sources = ReadSources(DROVER_SOURCE_DIR);
  return sources;
}

TEST(Tidy, TheTreeIsThere) {
  EXPECT_GT(Tree().size(), 20u);
}
TEST(Tidy, RoomsKeepTheirBorders) {
  EXPECT_THAT(CheckRooms(Tree()), IsEmpty());
}
TEST(Tidy, DecidingCodeIsDeterministic) {
  EXPECT_THAT(CheckDeterminism(Tree()), IsEmpty());
}
TEST(Tidy, EveryTestIsBuiltAndNoneIsDisabled) {
  EXPECT_THAT(CheckTests(Tree()), IsEmpty());
}
TEST(Tidy, HabitsAreKept) {
  EXPECT_THAT(CheckHabits(Tree()), IsEmpty());
}
TEST(Tidy, EveryHazardHasATestThatExists) {
  const ReadText read = FilesBelow(DROVER_SOURCE_DIR);
  const std::optional<std::string> table = read("tests/HAZARDS.md");
  ASSERT_TRUE(table.has_value());
  EXPECT_THAT(CheckHazards(*table, read), IsEmpty());
}

// "QueueTest.AnArrayRuns..." of every test that there is.
std::set<std::string> NamesOfTests() {
  std::set<std::string> names;
  static const std::regex kTest(R"(^TEST(?:_F|_P)?\((\w+), (\w+)\))");
  for (const Source& source : Tree()) {
    for (const std::string& line : source.lines) {
      std::smatch match;
      if (std::regex_search(line, match, kTest)) names.insert(match[1].str() + "." + match[2].str());
    }
  }
  return names;
}
// Those that a page names, in backquotes.
std::vector<std::string> TestsNamedIn(const std::string& page) {
  static const std::regex kName(R"(`([A-Za-z]+\.[A-Z]\w+)`)");
  std::vector<std::string> named;
  for (auto it = std::sregex_iterator(page.begin(), page.end(), kName); it != std::sregex_iterator(); ++it) {
    named.push_back((*it)[1].str());
  }
  return named;
}

TEST(Tidy, EveryTestThatTheGuaranteesNameIsThere) {
  const std::optional<std::string> page = FilesBelow(DROVER_SOURCE_DIR)("client/GUARANTEES.md");
  ASSERT_TRUE(page.has_value());
  const std::set<std::string> names = NamesOfTests();
  const std::vector<std::string> named = TestsNamedIn(*page);
  EXPECT_GE(named.size(), 25U);
  for (const std::string& name : named) EXPECT_EQ(names.count(name), 1U) << name;
  EXPECT_THAT(TestsNamedIn("`NoSuch.Test` and `drover wait`"), SizeIs(1));
}

struct Canary {
  const char* path;
  const char* line;
};

TEST(Canaries, EachBorderCrossingIsFound) {
  const Canary canaries[] = {
      {"coord/raft/raft.cc", "#include <thread>"},
      {"coord/raft/raft.cc", "#include <random>"},
      {"coord/tree/tree.cc", "#include \"drover/coord/v1/coord.pb.h\""},
      {"master/scheduler/scheduler.cc", "  const auto now = std::chrono::steady_clock::now();"},
      {"coord/log/log.cc", "#include <grpcpp/grpcpp.h>"},
      {"worker/agent/agent.cc", "#include <grpcpp/grpcpp.h>"},
      {"coord/client/include/drover/coord/session.h", "#include \"drover/coord/v1/coord.pb.h\""},
      {"coord/recipes/election.cc", "#include \"coord/client/session_machine.h\""},
      {"coord/server/node.cc", "#include \"master/state/view.h\""},
      {"coord/log/log.cc", "#include \"tests/sim/sim_loop.h\""},
  };
  for (const Canary& canary : canaries)
    EXPECT_THAT(CheckRooms({{canary.path, {canary.line}}}), Not(IsEmpty())) << canary.path << ": " << canary.line;
}

TEST(Canaries, EachWayToBeUndeterminedIsFound) {
  const Canary canaries[] = {
      {"coord/tree/tree.cc", "  std::unordered_map<int, int> nodes;"},
      {"coord/raft/raft.cc", "  std::uniform_int_distribution<int> d;"},
      {"coord/raft/raft.cc", "  static int counter = 0;"},
      {"worker/agent/agent.cc", "  std::this_thread::sleep_for(pause);"},
      {"master/state/view.cc", "  std::future<int> answer;"},
      {"coord/server/leases.cc", "  const auto now = std::chrono::steady_clock::now();"},
      {"coord/client/session_machine.cc", "  clock_gettime(CLOCK_REALTIME, &t);"},
      {"coord/server/node_peers.cc", "  gettimeofday(&t, nullptr);"},
  };
  for (const Canary& canary : canaries) {
    EXPECT_THAT(CheckDeterminism({{canary.path, {canary.line}}}), SizeIs(1)) << canary.path << ": " << canary.line;
  }
}

TEST(Canaries, ProseAndStringsBreakNoRule) {
  EXPECT_THAT(CheckDeterminism({{"coord/tree/tree.cc",
                                 {"  // a std::unordered_map would do, but its order differs", "  Say(\"std::unordered_map\");"}}}),
              IsEmpty());
}

TEST(Canaries, ATestThatIsNotBuiltIsFound) {
  EXPECT_THAT(CheckTests({{"coord/log/log.cc", {}},
                          {"tests/coord/log/CMakeLists.txt", {"drover_test(t SOURCES b_test.cc)"}},
                          {"tests/coord/log/a_test.cc", {}}}),
              SizeIs(1));
  EXPECT_THAT(CheckTests({{"coord/log/log.cc", {}},
                          {"tests/coord/log/CMakeLists.txt", {"drover_test(t SOURCES a_test.cc)"}},
                          {"tests/coord/log/a_test.cc", {}}}),
              IsEmpty());
}

TEST(Canaries, ADisabledTestIsFound) {
  EXPECT_THAT(CheckTests({{"coord/log/log.cc", {}},
                          {"tests/coord/log/CMakeLists.txt", {"drover_test(t SOURCES a_test.cc)"}},
                          {"tests/coord/log/a_test.cc", {"TEST(A, DISABLED_B) {}"}}}),
              SizeIs(1));
}

TEST(Canaries, HabitsAreSeen) {
  EXPECT_THAT(CheckHabits({{"coord/log/log.cc", {"// TODO: later"}}}), SizeIs(1));
  EXPECT_THAT(CheckHabits({{"coord/log/log.h", {"#ifndef LOG_H"}}}), SizeIs(1));
  EXPECT_THAT(CheckHabits({{"coord/log/log.cc", std::vector<std::string>(801)}}), SizeIs(1));
  EXPECT_THAT(
      CheckHabits({{"client/include/drover/client/task_client.h", {"#ifndef DROVER_CLIENT_INCLUDE_DROVER_CLIENT_TASK_CLIENT_H_"}}}),
      IsEmpty());
}

// A table in which all hazards have the same test, but for the row of the last one.
std::string Table(const std::string& last_row) {
  std::string table = "| # | Hazard | Tests | To come |\n|---|---|---|---|\n";
  for (int i = 1; i < kHazards; ++i) table += "| " + std::to_string(i) + " | h | `tests/a_test.cc` `A.B` | |\n";
  return table + last_row + "\n";
}
std::optional<std::string> TwoFiles(const std::string& path) {
  if (path == "tests/a_test.cc") return "#include\nTEST_F(A, B) {\n  // TEST(A, C)\n}\nTEST_P(A,\n       D) {\n";
  if (path == "tests/scenarios/raft/s.txt") return "start n1\n";
  return std::nullopt;
}

TEST(Canaries, AHazardWithATestThatExistsIsInOrder) {
  for (const char* row : {"| 42 | h | `tests/a_test.cc` `A.B`, `A.D` | later |", "| 42 | h | `tests/scenarios/raft/s.txt` | |",
                          "| 42 | h | `tests/a_test.cc` `A.B`; `tests/scenarios/raft/s.txt` | |"})
    EXPECT_THAT(CheckHazards(Table(row), TwoFiles), IsEmpty()) << row;
}

TEST(Canaries, AHazardWithoutATestIsFound) {
  for (const char* row : {
           "",                                              // no row
           "| 41 | h | `tests/a_test.cc` `A.B` | |",        // another's row twice
           "| 43 | h | `tests/a_test.cc` `A.B` | |",        // no hazard
           "| 42 | h | | |",                                // no test
           "| 42 | h | tests/a_test.cc A.B | |",            // not in ticks
           "| 42 | h | `tests/a_test.cc` | |",              // a file, and no test of it
           "| 42 | h | `A.B` | |",                          // a test, and no file
           "| 42 | h | `tests/b_test.cc` `A.B` | |",        // a file that is not there
           "| 42 | h | `tests/a_test.cc` `A.C` | |",        // a test that is only spoken of
           "| 42 | h | `tests/a_test.cc` `A.BB` | |",       // a test that is not there
           "| 42 | h | `tests/scenarios/raft/t.txt` | |",   // a scenario that is not there
           "| 42 | h | `tests/a_test.cc` `A.B` `A B` | |",  // no name
           "| 42 | | `tests/a_test.cc` `A.B` | |",          // no words
           "| 42 | h | `tests/a_test.cc` `A.B` |",          // a cell is missing
           "| 42 | h | `tests/a_test.cc` `A.B` | | |",      // one too many
       })
    EXPECT_THAT(CheckHazards(Table(row), TwoFiles), Not(IsEmpty())) << row;
}

}  // namespace
}  // namespace drover::tidy

#include "coord/raft/term_runs.h"

#include <vector>

#include "coord/base/random.h"
#include "gtest/gtest.h"

namespace drover::coord::raft {
namespace {

TermRuns Log(const std::vector<std::uint64_t>& terms) {
  TermRuns runs;
  for (std::uint64_t term : terms) runs.Append(Term(term));
  return runs;
}

TEST(TermRunsTest, KnowsEveryTermAndNothingOutside) {
  const TermRuns runs = Log({1, 1, 2, 5, 5});
  EXPECT_EQ(runs.TermAt(Index(0)), Term(0));
  EXPECT_EQ(runs.TermAt(Index(2)), Term(1));
  EXPECT_EQ(runs.TermAt(Index(3)), Term(2));
  EXPECT_EQ(runs.TermAt(Index(5)), Term(5));
  EXPECT_EQ(runs.TermAt(Index(6)), std::nullopt);
  EXPECT_EQ(runs.last(), Index(5));
  EXPECT_EQ(runs.last_term(), Term(5));
}

TEST(TermRunsTest, ALogThatBeginsLaterKnowsTheEntryBefore) {
  TermRuns runs(Index(10), Term(3));
  EXPECT_EQ(runs.last(), Index(10));
  runs.Append(Term(3));
  runs.Append(Term(4));
  EXPECT_EQ(runs.TermAt(Index(9)), std::nullopt);
  EXPECT_EQ(runs.TermAt(Index(10)), Term(3));
  EXPECT_EQ(runs.TermAt(Index(11)), Term(3));
  EXPECT_EQ(runs.TermAt(Index(12)), Term(4));
}

TEST(TermRunsTest, TruncationEndsARunInItsMiddle) {
  TermRuns runs = Log({1, 2, 2, 2, 3});
  runs.TruncateFrom(Index(4));
  EXPECT_EQ(runs, Log({1, 2, 2}));
  runs.TruncateFrom(Index(9));
  EXPECT_EQ(runs, Log({1, 2, 2}));
  runs.TruncateFrom(Index(1));
  EXPECT_EQ(runs, Log({}));
}

// The logs of the Raft paper's figure 7: where a follower points the leader to.
TEST(TermRunsTest, FindConflictSkipsWholeTerms) {
  const TermRuns f = Log({1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3});
  EXPECT_EQ(f.FindConflict(Index(9), Term(6)), Index(9));
  EXPECT_EQ(f.FindConflict(Index(20), Term(2)), Index(6));
  EXPECT_EQ(f.FindConflict(Index(11), Term(1)), Index(3));
  EXPECT_EQ(f.FindConflict(Index(11), Term(0)), Index(0));
}

TEST(TermRunsTest, AgreesWithAPlainListOfTerms) {
  base::SeededRandom random(7);
  for (int round = 0; round < 200; ++round) {
    TermRuns runs;
    std::vector<std::uint64_t> plain = {0};
    for (int step = 0; step < 60; ++step) {
      if (random.Below(5) == 0 && plain.size() > 1) {
        const std::uint64_t from = 1 + random.Below(plain.size() - 1);
        runs.TruncateFrom(Index(from));
        plain.resize(from);
      } else {
        plain.push_back(plain.back() + random.Below(2));
        runs.Append(Term(plain.back()));
      }
      ASSERT_EQ(runs.last().value, plain.size() - 1);
      for (std::size_t i = 0; i < plain.size(); ++i) ASSERT_EQ(runs.TermAt(Index(i)), Term(plain[i]));
      const std::uint64_t index = random.Below(plain.size() + 2);
      const std::uint64_t term = random.Below(plain.back() + 2);
      std::uint64_t expected = std::min<std::uint64_t>(index, plain.size() - 1);
      while (expected > 0 && plain[expected] > term) --expected;
      ASSERT_EQ(runs.FindConflict(Index(index), Term(term)), Index(expected));
    }
  }
}

}  // namespace
}  // namespace drover::coord::raft

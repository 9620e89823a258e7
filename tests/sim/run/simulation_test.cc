#include "tests/sim/run/simulation.h"

#include <set>

#include "gtest/gtest.h"

namespace drover::sim::run {
namespace {

TEST(SimulationTest, TheSameSeedRunsTheSame) {
  const Outcome first = RunSeed(MakePlan(17), false);
  const Outcome second = RunSeed(MakePlan(17), false);
  EXPECT_TRUE(first.verdict.ok()) << first.verdict;
  EXPECT_GT(first.answers, 0U);
  EXPECT_EQ(first.digest, second.digest);
  EXPECT_EQ(first.events, second.events);
}

// The end of a session is proposed in time, behind a hundred writes that go to the others one by one over slow links.
TEST(SimulationTest, WhereAppendsAreFewAndSmallASessionMayEndLater) {
  const Outcome outcome = RunSeed(MakePlan(208'195'732'026), false);
  EXPECT_TRUE(outcome.verdict.ok()) << outcome.verdict;
}

TEST(SimulationTest, OtherSeedsRunOtherwise) {
  std::set<std::uint64_t> digests;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) digests.insert(RunSeed(MakePlan(seed), false).digest);
  EXPECT_EQ(digests.size(), 5U);
}

}  // namespace
}  // namespace drover::sim::run

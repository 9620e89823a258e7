// Real servers: a short run of a few seeds, always the same. DROVER_TEST_ORACLE says how many operations in all (tests/run --all:
// 100,000).
#include <gtest/gtest.h>

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "tests/oracle/pair.h"
#include "tests/oracle/report.h"

namespace drover::oracle {
namespace {

constexpr std::uint64_t kOperations = 2'100;
constexpr std::uint64_t kSeeds = 3;

std::uint64_t Operations() {
  const char* const asked = std::getenv("DROVER_TEST_ORACLE");
  std::uint64_t operations = 0;
  return asked != nullptr && absl::SimpleAtoi(asked, &operations) && operations >= kSeeds ? operations : kOperations;
}

TEST(OracleTest, NothingDiffersFromZooKeeperButWhatShall) {
  RunResult sum;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    // Three, four and five sessions.
    const RunOptions options = {.seed = seed, .operations = Operations() / kSeeds, .sessions = static_cast<int>(seed) + 2};
    const absl::StatusOr<RunResult> result = RunOnFreshPair(options);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->fault, "") << "again: " << Again(options);
    sum.Add(*result);
  }
  EXPECT_GE(sum.operations, Operations() / kSeeds * kSeeds);
  // That it did not pass for want of anything to compare.
  EXPECT_GT(sum.transactions, sum.operations / 10);
  EXPECT_GT(sum.stats, sum.operations / 10);
  EXPECT_GT(sum.events, sum.operations / 20);
  std::cout << Report(sum);
}

}  // namespace
}  // namespace drover::oracle

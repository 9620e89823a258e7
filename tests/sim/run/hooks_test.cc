// The simulator is tested itself: whatever is done wrong on purpose it has to catch.
#include "tests/sim/run/hooks.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sim/run/range.h"

namespace drover::sim::run {
namespace {

constexpr std::uint64_t kSeeds = 300;

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

class BreakageTest : public testing::TestWithParam<Breakage> {};

TEST_P(BreakageTest, IsCaught) {
  SetBreakage(GetParam().name);
  std::uint64_t seed = 0;
  bool caught = false;
  const auto next = [&]() -> std::optional<std::uint64_t> { return seed < kSeeds ? std::optional(++seed) : std::nullopt; };
  const absl::Status ran = RunSeeds(next, 2, [&](const SeedResult& result) {
    caught = caught || !result.outcome.verdict.ok();
    return !caught;
  });
  SetBreakage("");
  ASSERT_TRUE(ran.ok()) << ran;
  EXPECT_TRUE(caught) << GetParam().words << ", and " << kSeeds << " seeds did not show it";
}

INSTANTIATE_TEST_SUITE_P(All, BreakageTest, testing::ValuesIn(Breakages()), [](const auto& breakage) {
  std::string name = breakage.param.name;
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
});

TEST(HooksTest, OnlyTheSimulatorHoldsTheNamesOfBreakages) {
  const std::string simulator = Contents(DROVER_TEST_SIM);
  for (const std::string& path : std::vector<std::string>(absl::StrSplit(DROVER_TEST_PROGRAMS, ':'))) {
    const std::string program = Contents(path);
    for (const Breakage& breakage : Breakages()) {
      EXPECT_TRUE(absl::StrContains(simulator, breakage.name)) << breakage.name;
      EXPECT_FALSE(absl::StrContains(program, breakage.name)) << path << " holds " << breakage.name;
    }
  }
}

TEST(HooksTest, ProbesAreKnownBeforeTheyAreHit) {
  EXPECT_THAT(AllProbes(), testing::Contains("raft: conflict truncated"));
}

}  // namespace
}  // namespace drover::sim::run

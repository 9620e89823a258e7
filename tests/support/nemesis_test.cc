#include "tests/support/nemesis.h"

#include <gtest/gtest.h>

#include <sstream>

namespace drover::testing {
namespace {

std::string Text(const std::vector<Strike>& plan) {
  std::ostringstream text;
  for (const Strike& strike : plan) text << strike << "\n";
  return text.str();
}

NemesisOptions Options(std::uint64_t seed) {
  NemesisOptions options;
  options.seed = seed;
  options.victims = {"m0", "m1", "w0"};
  options.faults = {Fault::kKill, Fault::kPause, Fault::kCut};
  return options;
}

TEST(Nemesis, TheSameSeedGivesTheSamePlan) {
  EXPECT_EQ(Text(PlanStrikes(Options(7))), Text(PlanStrikes(Options(7))));
  EXPECT_NE(Text(PlanStrikes(Options(7))), Text(PlanStrikes(Options(8))));
}

TEST(Nemesis, FaultsDoNotOverlapAndAllHealInTime) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const NemesisOptions options = Options(seed);
    std::chrono::milliseconds healed{0};
    const std::vector<Strike> plan = PlanStrikes(options);
    EXPECT_FALSE(plan.empty()) << "seed " << seed;
    for (const Strike& strike : plan) {
      EXPECT_GE(strike.at, healed) << "seed " << seed;
      healed = strike.at + strike.duration;
    }
    EXPECT_LE(healed, options.length) << "seed " << seed;
  }
}

}  // namespace
}  // namespace drover::testing

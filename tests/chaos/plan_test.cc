#include "tests/chaos/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace drover::chaos {
namespace {

using std::chrono::milliseconds;

std::string Text(const PlanOptions& options) {
  std::ostringstream text;
  for (const Strike& strike : PlanStrikes(options)) text << strike << "\n";
  return text.str();
}

TEST(PlanTest, TheSameSeedGivesTheSamePlan) {
  EXPECT_EQ(Text({.seed = 7}), Text({.seed = 7}));
  EXPECT_NE(Text({.seed = 7}), Text({.seed = 8}));
}

TEST(PlanTest, AtMostAMinorityIsTakenOutAndNoNodeIsHitTwiceAtATime) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    PlanOptions options;
    options.seed = seed;
    options.nodes = seed % 2 == 0 ? 3 : 5;
    const std::vector<Strike> plan = PlanStrikes(options);
    EXPECT_GE(plan.size(), 2u) << "seed " << seed;
    for (const Strike& now : plan) {
      std::set<int> hit;
      int out = 0;
      for (const Strike& other : plan) {
        if (other.at > now.at || other.at + other.duration <= now.at) continue;
        EXPECT_TRUE(hit.insert(other.node).second) << "seed " << seed << ": " << other;
        if (TakesOut(other.fault)) ++out;
      }
      EXPECT_LE(out, (options.nodes - 1) / 2) << "seed " << seed << ": " << now;
    }
  }
}

TEST(PlanTest, AllHealInTimeAndEveryFaultComesUp) {
  std::map<Fault, int> seen;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    PlanOptions options;
    options.seed = seed;
    for (const Strike& strike : PlanStrikes(options)) {
      ++seen[strike.fault];
      EXPECT_LE(strike.at + strike.duration, options.length) << "seed " << seed << ": " << strike;
      EXPECT_GE(strike.duration, options.fault_min);
      EXPECT_LE(strike.duration, options.fault_max);
      EXPECT_NE(strike.node, strike.other);
    }
  }
  EXPECT_EQ(seen.size(), 13u);
}

TEST(PlanTest, APersonReadsIt) {
  std::ostringstream text;
  text << Strike{milliseconds(1200), milliseconds(3400), Fault::kCutLink, 0, 2};
  EXPECT_EQ(text.str(), "1200 ms: cut the link of node 1 and node 3 for 3400 ms");
}

}  // namespace
}  // namespace drover::chaos

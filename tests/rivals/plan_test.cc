#include "tests/rivals/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>

namespace drover::rivals {
namespace {

std::string Text(const std::vector<Strike>& plan) {
  std::ostringstream text;
  for (const Strike& strike : plan) text << strike << "\n";
  return text.str();
}

TEST(Plan, IsItsSeeds) {
  EXPECT_EQ(Text(PlanStrikes({.seed = 7})), Text(PlanStrikes({.seed = 7})));
  EXPECT_NE(Text(PlanStrikes({.seed = 7})), Text(PlanStrikes({.seed = 8})));
}

TEST(Plan, SparesWhatMustBeSparedAndHealsInTime) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const PlanOptions options{.seed = seed};
    const std::vector<Strike> plan = PlanStrikes(options);
    SCOPED_TRACE(Text(plan));
    for (std::size_t i = 0; i < plan.size(); ++i) {
      EXPECT_LE(plan[i].at + plan[i].duration, options.length);
      if (i > 0) {
        EXPECT_GT(plan[i].at, plan[i - 1].at);
      }
      std::set<int> rivals;
      int nodes = 0;
      for (std::size_t j = 0; j <= i; ++j) {
        if (plan[j].at + plan[j].duration < plan[i].at) continue;
        if (HitsNode(plan[j].fault)) {
          ++nodes;
        } else {
          EXPECT_TRUE(rivals.insert(plan[j].rival).second) << "hit twice at once";
        }
      }
      EXPECT_LE(nodes, 1);
      EXPECT_LE(rivals.size(), 2u);
      if (plan[i].fault == Fault::kPauseRival) {
        EXPECT_GT(plan[i].duration, options.session_timeout);
      }
    }
  }
}

TEST(Plan, EveryFaultComes) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    std::map<Fault, int> count;
    for (const Strike& strike : PlanStrikes({.seed = seed})) ++count[strike.fault];
    EXPECT_EQ(count.size(), 9u) << "seed " << seed;
  }
}

}  // namespace
}  // namespace drover::rivals

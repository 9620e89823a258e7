#include "tests/chaos/tasks/blows.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "coord/base/random.h"
#include "tests/chaos/tasks/orders.h"

namespace drover::chaos::tasks {
namespace {

TEST(TaskBlows, NeverAreTooManyHitAndAllHealInTime) {
  std::set<std::pair<Target, Blow>> seen;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const PlanOptions options{.seed = seed, .length = std::chrono::minutes(5)};
    const std::vector<Hit> plan = PlanHits(options);
    EXPECT_GT(plan.size(), 60U);
    for (const Hit& hit : plan) {
      seen.emplace(hit.target, hit.blow);
      EXPECT_LE(hit.at + hit.duration, options.length);
      EXPECT_GE(hit.duration, std::chrono::seconds(1));
      EXPECT_LE(hit.duration, std::chrono::seconds(10));
      std::map<Target, std::set<int>> down;
      for (const Hit& other : plan) {
        if (other.at > hit.at || other.at + other.duration <= hit.at) continue;
        EXPECT_TRUE(down[other.target].insert(other.index).second) << hit;
      }
      EXPECT_LE(down[Target::kNode].size(), 1U) << hit;
      EXPECT_LE(down[Target::kMaster].size(), 2U) << hit;
      EXPECT_LE(down[Target::kWorker].size(), 4U) << hit;
    }
  }
  EXPECT_EQ(seen.size(), 18U) << "each blow at each target";
}

TEST(TaskBlows, TheSameSeedIsTheSamePlan) {
  const auto first = PlanHits({.seed = 9}), second = PlanHits({.seed = 9});
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].at, second[i].at);
    EXPECT_EQ(first[i].index, second[i].index);
  }
}

TEST(TaskOrders, AreOfEveryKindAndValid) {
  base::SeededRandom random(3);
  const std::vector<Order> orders = MakeOrders(&random, "p", 500, "/w");
  std::set<std::string> ids;
  int arrays = 0, cancelled = 0, never = 0, once = 0;
  for (const Order& order : orders) {
    EXPECT_TRUE(client::CheckSpec(order.spec).ok()) << order.spec.id;
    EXPECT_TRUE(ids.insert(order.spec.id).second);
    for (const client::Dependency& dependency : order.spec.dependencies) EXPECT_TRUE(ids.count(dependency.task) > 0);
    arrays += order.elements > 0 ? 1 : 0;
    cancelled += order.cancel ? 1 : 0;
    never += order.runs ? 0 : 1;
    once += order.spec.at_most_once ? 1 : 0;
  }
  for (const int of_a_kind : {arrays, cancelled, never, once}) EXPECT_GT(of_a_kind, 10);
}

}  // namespace
}  // namespace drover::chaos::tasks

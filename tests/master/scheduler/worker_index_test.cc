#include "master/scheduler/worker_index.h"

#include <gtest/gtest.h>

namespace drover::master::scheduler {
namespace {

class Counter final : public WorkerIndex::GroupObserver {
 public:
  void OnGroupMade(WorkerGroup*) override { ++made; }
  void OnGroupGoing(WorkerGroup*) override { ++gone; }
  int made = 0;
  int gone = 0;
};

TEST(WorkerIndexTest, HasAllWantsEveryPair) {
  const Labels have = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const struct {
    Labels want;
    bool expected;
  } cases[] = {
      {{}, true},
      {{{"a", "1"}}, true},
      {{{"a", "1"}, {"c", "3"}}, true},
      {{{"a", "2"}}, false},
      {{{"d", "1"}}, false},
      {{{"a", "1"}, {"d", ""}}, false},
  };
  for (const auto& c : cases) EXPECT_EQ(HasAll(have, c.want), c.expected);
}

TEST(WorkerIndexTest, AWorkerThatRunsHandlersAloneTakesNoProgram) {
  const Labels both = {{"handler/a", ""}};
  const Labels alone = {{"drover/handlers-only", ""}, {"handler/a", ""}};
  const Requirement program;
  const Requirement handler{.rules = {{"handler/a", LabelOperator::kExists, {}}}};
  const Requirement another{.rules = {{"handler/b", LabelOperator::kExists, {}}}};
  EXPECT_TRUE(Meets(both, program));
  EXPECT_FALSE(Meets(alone, program));
  EXPECT_TRUE(Meets(both, handler));
  EXPECT_TRUE(Meets(alone, handler));
  EXPECT_FALSE(Meets(alone, another));
  EXPECT_FALSE(Meets(alone, {.rules = {{"handler/a", LabelOperator::kMissing, {}}}}));
}

TEST(WorkerIndexTest, EqualLabelsShareAGroupThatGoesWithItsLastWorker) {
  Counter counter;
  WorkerIndex index(&counter);
  Worker* a = index.Put({.name = "a", .slots = 1, .labels = {{"z", "1"}}});
  Worker* b = index.Put({.name = "b", .slots = 1, .labels = {{"z", "1"}}});
  EXPECT_EQ(a->group, b->group);
  EXPECT_EQ(counter.made, 1);
  index.Remove(a);
  EXPECT_EQ(counter.gone, 0);
  index.Put({.name = "b", .slots = 1, .labels = {}});
  EXPECT_EQ(counter.gone, 1);
  EXPECT_EQ(index.groups().size(), 1U);
}

TEST(WorkerIndexTest, LessLoadedFractionComesFirstThenTheName) {
  Counter counter;
  WorkerIndex index(&counter);
  const auto use = [&](Worker* w, std::uint32_t used) {
    index.Detach(w);
    w->used = used;
    index.Attach(w);
  };
  Worker* a = index.Put({.name = "a", .slots = 2});
  Worker* b = index.Put({.name = "b", .slots = 4});
  Worker* c = index.Put({.name = "c", .slots = 1});
  use(a, 1);  // 1/2
  use(b, 1);  // 1/4
  use(c, 1);  // 1/1
  EXPECT_EQ(*a->group->eligible.begin(), b);
  use(b, 2);  // 2/4 = 1/2: a before b
  EXPECT_EQ(*a->group->eligible.begin(), a);
  EXPECT_EQ(*a->group->eligible.rbegin(), c);
}

TEST(WorkerIndexTest, AWorkerThatIsGoneIsForgottenOnceItHoldsNothing) {
  Counter counter;
  WorkerIndex index(&counter);
  Worker* a = index.Put({.name = "a", .slots = 1});
  index.Detach(a);
  a->used = 1;
  index.Attach(a);
  index.Remove(a);
  ASSERT_NE(index.Find("a"), nullptr);
  a->used = 0;
  index.DropIfUnused(a);
  EXPECT_EQ(index.Find("a"), nullptr);
}

}  // namespace
}  // namespace drover::master::scheduler

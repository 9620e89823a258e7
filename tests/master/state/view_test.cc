#include "master/state/view.h"

#include <gtest/gtest.h>

#include "master/records/codec.h"
#include "tests/master/fake/fake_session.h"
#include "tests/sim/sim_loop.h"

namespace drover::master::state {
namespace {

class ViewTest : public ::testing::Test {
 protected:
  void Run() { world_.RunFor(std::chrono::milliseconds(1)); }
  static std::string Record(task::v1::State state) {
    worker::v1::TaskRecord record;
    record.set_state(state);
    return records::Encode(record);
  }
  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  testing::FakeTree tree_{&loop_};
  testing::FakeSession session_{&tree_};
  const records::PoolPaths paths_{"p"};
};

TEST_F(ViewTest, WhatWasThereAndWhatComesAreTheSame) {
  tree_.Create("/drover/p/tasks/a", Record(task::v1::READY));
  View view(&session_, paths_, nullptr);
  Run();
  ASSERT_TRUE(view.synced());
  tree_.Create("/drover/p/tasks/b", Record(task::v1::SUCCEEDED));
  tree_.Create("/drover/other/tasks/c", Record(task::v1::READY));
  Run();
  ASSERT_NE(view.Find("a"), nullptr);
  ASSERT_NE(view.Find("b"), nullptr);
  EXPECT_EQ(view.Find("c"), nullptr);
  EXPECT_EQ(view.tasks(), 2U);
  EXPECT_EQ(view.finished().size(), 1U);
  EXPECT_NE(view.Find("a")->ref, view.Find("b")->ref);
}

TEST_F(ViewTest, ATaskThatEndsIsFiledUnderItsEndAndOneThatGoesIsForgotten) {
  View view(&session_, paths_, nullptr);
  Run();
  tree_.Create("/drover/p/tasks/a", Record(task::v1::READY));
  const coord::Stat ended = tree_.Set("/drover/p/tasks/a", Record(task::v1::FAILED));
  Run();
  ASSERT_EQ(view.finished().size(), 1U);
  EXPECT_EQ(view.finished().begin()->first, ended.mzxid);
  EXPECT_EQ(view.Find("a")->state, task::v1::FAILED);
  tree_.Delete("/drover/p/tasks/a");
  Run();
  EXPECT_EQ(view.Find("a"), nullptr);
  EXPECT_TRUE(view.finished().empty());
  EXPECT_TRUE(view.by_submission().empty());
}

TEST_F(ViewTest, WhatWaitsIsFiledByItsTimeUntilItWaitsNoMore) {
  const auto waiting = [](std::int64_t not_before_ms) {
    worker::v1::TaskRecord record;
    records::BackToWaiting(&record, task::v1::EXIT_CODE, "", not_before_ms);
    return records::Encode(record);
  };
  tree_.Create("/drover/p/tasks/late", waiting(200));
  View view(&session_, paths_, nullptr);
  Run();
  tree_.Create("/drover/p/tasks/soon", waiting(100));
  Run();
  ASSERT_EQ(view.waiting().size(), 2U);
  EXPECT_EQ(view.At(view.waiting().begin()->second)->id, "soon");
  tree_.Set("/drover/p/tasks/soon", waiting(300));
  Run();
  ASSERT_EQ(view.waiting().size(), 2U);
  EXPECT_EQ(view.At(view.waiting().begin()->second)->id, "late");
  tree_.Set("/drover/p/tasks/late", Record(task::v1::READY));
  tree_.Delete("/drover/p/tasks/soon");
  Run();
  EXPECT_TRUE(view.waiting().empty());
}

TEST_F(ViewTest, ANumberStaysReservedWhileItIsPinned) {
  View view(&session_, paths_, nullptr);
  Run();
  const TaskRef ref = view.Pin("a");
  EXPECT_EQ(view.Find("a"), nullptr);
  tree_.Create("/drover/p/tasks/a", Record(task::v1::READY));
  Run();
  EXPECT_EQ(view.Find("a")->ref, ref);
  tree_.Delete("/drover/p/tasks/a");
  Run();
  EXPECT_NE(view.Pin("b"), ref);
  view.Unpin("a");
  EXPECT_EQ(view.Pin("c"), ref);
}

TEST_F(ViewTest, WorkersAssignmentsNoticesHorizonAndStoreAreKept) {
  View view(&session_, paths_, nullptr);
  Run();
  worker::v1::WorkerInfo info;
  info.set_process_id("p1");
  info.set_slots(3);
  const coord::Stat joined = tree_.Create(paths_.Worker("w"), records::Encode(info));
  worker::v1::Assignment assignment;
  assignment.set_process_id("p1");
  const coord::Stat assigned = tree_.Create(paths_.Assignment("w", "a"), records::Encode(assignment));
  tree_.Create(paths_.Died("p0"), "");
  worker::v1::Horizon horizon;
  horizon.set_ticket(9);
  tree_.Create(paths_.Horizon(), records::Encode(horizon));
  worker::v1::StoreInfo store;
  store.set_url("file:/x");
  tree_.Create(paths_.Store(), records::Encode(store));
  Run();
  ASSERT_NE(view.FindWorker("w"), nullptr);
  EXPECT_EQ(view.FindWorker("w")->incarnation, joined.czxid);
  EXPECT_EQ(view.FindWorker("w")->info.slots(), 3U);
  ASSERT_NE(view.FindAssignment("w", "a"), nullptr);
  EXPECT_EQ(view.FindAssignment("w", "a")->czxid, assigned.czxid);
  EXPECT_EQ(view.died().count("p0"), 1U);
  EXPECT_EQ(view.horizon(), 9U);
  EXPECT_EQ(view.store()->url(), "file:/x");
  tree_.Delete(paths_.Worker("w"));
  tree_.Delete(paths_.Assignment("w", "a"));
  tree_.Delete(paths_.Died("p0"));
  Run();
  EXPECT_EQ(view.FindWorker("w"), nullptr);
  EXPECT_TRUE(view.assignments().empty());
  EXPECT_TRUE(view.died().empty());
}

TEST_F(ViewTest, TheHorizonNeverFalls) {
  View view(&session_, paths_, nullptr);
  Run();
  worker::v1::Horizon horizon;
  horizon.set_ticket(9);
  tree_.Create(paths_.Horizon(), records::Encode(horizon));
  tree_.Set(paths_.Horizon(), "\xff");
  Run();
  EXPECT_EQ(view.horizon(), 9U);
}

TEST_F(ViewTest, ALostHistoryIsReadAnew) {
  tree_.Create("/drover/p/tasks/a", Record(task::v1::READY));
  View view(&session_, paths_, nullptr);
  Run();
  session_.Compact();
  Run();
  Run();
  EXPECT_TRUE(view.synced());
  EXPECT_NE(view.Find("a"), nullptr);
  EXPECT_EQ(view.tasks(), 1U);
}

TEST_F(ViewTest, WhatIsNoRecordIsShownAsNone) {
  View view(&session_, paths_, nullptr);
  Run();
  tree_.Create("/drover/p/tasks/a", "\xff\xff");
  Run();
  ASSERT_NE(view.Find("a"), nullptr);
  EXPECT_EQ(view.Find("a")->state, task::v1::STATE_UNSPECIFIED);
}

}  // namespace
}  // namespace drover::master::state

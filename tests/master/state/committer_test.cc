#include "master/state/committer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "tests/master/fake/fake_session.h"
#include "tests/sim/sim_loop.h"

namespace drover::master::state {
namespace {

using ::testing::ElementsAre;

class Answers final : public CommitObserver {
 public:
  void OnStepAnswered(StepKind kind, const std::string& subject, base::Zxid, const CommitResult& result) override {
    all.push_back(subject + " " + std::string(StepKindName(kind)) + " " + std::string(CommitOutcomeName(result.outcome)));
  }
  void OnHeld(std::size_t steps) override { held = steps; }
  std::vector<std::string> all;
  std::size_t held = 0;
};

class CommitterTest : public ::testing::Test {
 protected:
  CommitterTest() : epoch_(tree_.Create("/m/c-1", "", session_.id()).czxid) {}
  ~CommitterTest() override { std::remove(hold_.c_str()); }
  Plan Create(const std::string& path) {
    Step step{StepKind::kSubmit, path, {}, nullptr};
    step.transaction.compares.push_back(coord::Compare::Czxid("/m/c-1", epoch_));
    step.transaction.then.push_back(coord::Operation::Create(path, ""));
    Plan plan{epoch_, tree_.zxid(), {}};
    plan.steps.push_back(std::move(step));
    return plan;
  }
  void Run() { world_.RunFor(std::chrono::milliseconds(50)); }

  const std::string hold_ = ::testing::TempDir() + "committer_test_hold";
  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  testing::FakeTree tree_{&loop_};
  testing::FakeSession session_{&tree_};
  const base::Zxid epoch_;
  Answers answers_;
};

TEST_F(CommitterTest, EachStepIsAnsweredForItself) {
  Committer committer(&loop_, &session_, {}, &answers_);
  committer.Commit(Create("/a"));
  committer.Commit(Create("/a"));
  committer.Commit(Create("/b"));
  EXPECT_EQ(committer.outstanding(), 3U);
  Run();
  EXPECT_THAT(answers_.all, ElementsAre("/a submit done", "/a submit refused", "/b submit done"));
  EXPECT_EQ(committer.outstanding(), 0U);
}

TEST_F(CommitterTest, ADeposedMastersStepIsRefusedByItsGuard) {
  Committer committer(&loop_, &session_, {}, &answers_);
  tree_.Delete("/m/c-1");
  tree_.Create("/m/c-1", "", session_.id());  // the name comes back, the epoch does not
  committer.Commit(Create("/a"));
  Run();
  EXPECT_THAT(answers_.all, ElementsAre("/a submit guard"));
  EXPECT_EQ(tree_.Find("/a"), nullptr);
}

TEST_F(CommitterTest, AfterAnExpiryStepsAreRefusedAsThat) {
  Committer committer(&loop_, &session_, {}, &answers_);
  session_.Expire();
  committer.Commit(Create("/a"));
  Run();
  EXPECT_THAT(answers_.all, ElementsAre("/a submit session_expired"));
}

#ifdef DROVER_DEV
TEST_F(CommitterTest, TheFaultPointHoldsStepsInOrderUntilReleased) {
  Committer committer(&loop_, &session_, {.hold_file = hold_}, &answers_);
  std::ofstream(hold_) << "";
  committer.Commit(Create("/a"));
  committer.Commit(Create("/b"));
  Run();
  EXPECT_TRUE(answers_.all.empty());
  EXPECT_EQ(answers_.held, 2U);
  std::remove(hold_.c_str());
  committer.Commit(Create("/c"));  // does not overtake
  Run();
  EXPECT_THAT(answers_.all, ElementsAre("/a submit done", "/b submit done", "/c submit done"));
  EXPECT_EQ(answers_.held, 0U);
}

TEST_F(CommitterTest, WhatWasHeldIsRefusedIfItsEpochIsOver) {
  Committer committer(&loop_, &session_, {.hold_file = hold_}, &answers_);
  std::ofstream(hold_) << "";
  committer.Commit(Create("/a"));
  tree_.Delete("/m/c-1");
  std::remove(hold_.c_str());
  Run();
  EXPECT_THAT(answers_.all, ElementsAre("/a submit guard"));
}

TEST_F(CommitterTest, WhatWasHeldOverAnExpiryIsRefusedAsThat) {
  Committer committer(&loop_, &session_, {.hold_file = hold_}, &answers_);
  std::ofstream(hold_) << "";
  committer.Commit(Create("/a"));
  session_.Expire();
  std::remove(hold_.c_str());
  Run();
  EXPECT_THAT(answers_.all, ElementsAre("/a submit session_expired"));
}
#endif

}  // namespace
}  // namespace drover::master::state

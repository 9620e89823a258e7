// Tasks that wait for other tasks.
#include "master/records/dependency.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "master/records/codec.h"
#include "master/records/task_id.h"
#include "tests/master/state/planner_fixture.h"

namespace drover::master::state {
namespace {

using Kind = SubmitResult::Kind;

class DependencyTest : public PlannerFixture {
 protected:
  static worker::v1::TaskRecord After(const std::vector<std::string>& texts) {
    worker::v1::TaskRecord record = Record();
    for (const std::string& text : texts) *record.mutable_policy()->add_dependencies() = *records::ParseDependency(text);
    records::Normalise(record.mutable_policy());
    record.set_spec_digest(records::SpecDigest(record.policy(), absl::string_view(record.program())));
    return record;
  }
  void StartWithWorker(PlannerOptions options = {}) {
    StartAndLead(options);
    Join("w", "p1", 8);
    Run();
  }
  std::string Sentence(const std::string& id) const { return std::string(Stored(id).sentence()); }
};

TEST_F(DependencyTest, ItRunsOnceAllHaveEndedAsTheyShould) {
  StartWithWorker();
  Submit("a");
  Submit("b");
  EXPECT_EQ(Submit("c", After({"a", "b:end"})).kind, Kind::kDone);
  EXPECT_EQ(StateOf("c"), task::v1::WAITING);
  EXPECT_TRUE(Stored("c").awaits());
  EXPECT_EQ(view_->TallyOf("default").delayed, 1U);
  Finish("w", "a");
  Run();
  EXPECT_EQ(StateOf("c"), task::v1::WAITING);
  FailForGood("w", "b");
  Run();
  EXPECT_EQ(StateOf("c"), task::v1::ASSIGNED);
  EXPECT_FALSE(Stored("c").awaits());
  EXPECT_EQ(view_->DependentsOf("a"), nullptr);
  EXPECT_TRUE(view_->awaiting().empty());
}

TEST_F(DependencyTest, WhatHasEndedAlreadyIsNotWaitedFor) {
  StartWithWorker();
  Submit("a");
  Finish("w", "a");
  Run();
  Submit("b", After({"a"}));
  EXPECT_EQ(StateOf("b"), task::v1::ASSIGNED) << "in the transaction of its submission";
}

TEST_F(DependencyTest, WhatCannotRunAnyMoreIsCancelledAndSoIsWhatWaitsForThat) {
  StartWithWorker();
  Submit("a");
  Submit("b", After({"a"}));
  Submit("c", After({"b"}));
  Submit("cleanup", After({"a:failure"}));
  Submit("report", After({"c:end"}));
  FailForGood("w", "a");
  Run();
  EXPECT_EQ(StateOf("b"), task::v1::CANCELLED);
  EXPECT_EQ(Stored("b").reason(), task::v1::DEPENDENCY);
  EXPECT_EQ(Sentence("b"), "task a, on which it depends, has FAILED");
  EXPECT_EQ(Sentence("c"), "task b, on which it depends, was CANCELLED");
  EXPECT_EQ(StateOf("cleanup"), task::v1::ASSIGNED);
  EXPECT_EQ(StateOf("report"), task::v1::ASSIGNED);
}

TEST_F(DependencyTest, OneThatHasEndedOtherwiseAlreadyEndsWhatIsSubmittedAfterIt) {
  StartWithWorker();
  Submit("a");
  FailForGood("w", "a");
  Run();
  EXPECT_EQ(Submit("b", After({"a"})).kind, Kind::kDone) << "as if it had been submitted a moment sooner";
  EXPECT_EQ(StateOf("b"), task::v1::CANCELLED);
}

TEST_F(DependencyTest, WhatIsNotThereCannotBeWaitedFor) {
  StartWithWorker();
  const SubmitResult result = Submit("b", After({"a"}));
  EXPECT_EQ(result.kind, Kind::kNotThere);
  EXPECT_EQ(result.sentence, "task a, on which it depends, is not there: submit that first");
  EXPECT_EQ(Submit("b", After({"b"})).kind, Kind::kNotThere) << "itself";
}

// They are on their way together: the one that waits is committed after the other, or not at all.
TEST_F(DependencyTest, AChainIsSubmittedAtOnce) {
  StartWithWorker();
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    const auto record = i == 0 ? Record() : After({"t" + std::to_string(i - 1)});
    planner_->Submit("t" + std::to_string(i), record, task::v1::SAME_ONLY,
                     [&](const SubmitResult& r) { done += r.kind == Kind::kDone ? 1 : 0; });
  }
  Run();
  EXPECT_EQ(done, 20);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(StateOf("t" + std::to_string(i)), task::v1::ASSIGNED) << i;
    Finish("w", "t" + std::to_string(i));
    Run();
  }
}

// The ticket of the first is asked about, the second needs none.
TEST_F(DependencyTest, OneWhoseTicketIsAskedAboutIsWaitedFor) {
  StartWithWorker();
  // Newer than the view, older than the core.
  const std::uint64_t ticket = view_->zxid().value + 1;
  tree_.Create("/elsewhere", "");
  tree_.Create("/elsewhere2", "");
  const std::string first = records::GeneratedId(ticket, 7);
  std::vector<Kind> kinds;
  for (const auto& [id, record] : {std::pair(first, Record()), std::pair(std::string("b"), After({first}))}) {
    planner_->Submit(id, record, task::v1::SAME_ONLY, [&](const SubmitResult& r) { kinds.push_back(r.kind); });
  }
  Run();
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::kDone, Kind::kDone}));
}

TEST_F(DependencyTest, ItsDelayIsKeptAndItsLimitsCountFromTheEndOfTheLast) {
  StartWithWorker();
  Submit("a");
  worker::v1::TaskRecord delayed = After({"a"});
  delayed.mutable_policy()->set_delay_ms(60'000);
  Submit("delayed", delayed);
  worker::v1::TaskRecord limited = After({"a"});
  limited.mutable_policy()->set_start_within_ms(1'000);
  (*limited.mutable_policy()->mutable_labels())["gpu"] = "yes";
  Submit("limited", limited);
  worker::v1::TaskRecord deadline = After({"a"});
  deadline.mutable_policy()->set_deadline_ms(tree_.now_ms + 5'000);
  Submit("deadline", deadline);
  Pass(6'000);
  EXPECT_EQ(StateOf("limited"), task::v1::WAITING) << "it could not start sooner";
  EXPECT_EQ(StateOf("deadline"), task::v1::FAILED);
  EXPECT_EQ(Stored("deadline").reason(), task::v1::DEADLINE);
  Finish("w", "a");
  Pass(500);
  EXPECT_EQ(StateOf("delayed"), task::v1::WAITING);
  EXPECT_GT(Stored("delayed").not_before(), 0);
  EXPECT_EQ(StateOf("limited"), task::v1::READY);
  Pass(1'000);
  EXPECT_EQ(StateOf("limited"), task::v1::FAILED);
  Pass(60'000);
  EXPECT_EQ(StateOf("delayed"), task::v1::ASSIGNED);
}

TEST_F(DependencyTest, OneThatWaitsCanBeCancelled) {
  StartWithWorker();
  Submit("a");
  Submit("b", After({"a"}));
  EXPECT_EQ(Cancel("b").kind, CancelResult::Kind::kDone);
  EXPECT_EQ(StateOf("b"), task::v1::CANCELLED);
  Finish("w", "a");
  Run();
  EXPECT_EQ(Stored("b").reason(), task::v1::CANCELLED_BY_USER);
}

TEST_F(DependencyTest, WhatIsWaitedForIsNotRetired) {
  StartWithWorker({.finished_kept = 0, .retire_age = std::chrono::seconds(1)});
  Submit("a");
  Submit("slow");
  Submit("b", After({"a", "slow"}));
  Finish("w", "a");
  Pass(10'000);
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
  Finish("w", "slow");
  Pass(200);
  EXPECT_EQ(StateOf("b"), task::v1::ASSIGNED);
  Pass(10'000);
  EXPECT_EQ(retired_, (std::vector<std::string>{"a", "slow"}));
}

TEST_F(DependencyTest, OneWhoseDependencySomebodyDeletedEnds) {
  StartWithWorker();
  Submit("a", After({}));
  Submit("b", After({"a"}));
  Cancel("nobody");
  tree_.Delete(paths_.Assignment("w", "a"));
  tree_.Delete(paths_.Task("a"));
  Run();
  EXPECT_EQ(StateOf("b"), task::v1::CANCELLED);
  EXPECT_EQ(Sentence("b"), "task a, on which it depends, is not there");
}

TEST_F(DependencyTest, TheNextMasterGoesOn) {
  StartWithWorker({.turn_placements = 3});
  Submit("a");
  Submit("stays");
  for (int i = 0; i < 10; ++i) Submit("b" + std::to_string(i), After({"a"}));
  Submit("c", After({"stays"}));
  planner_->StopLeading();
  tree_.Delete(candidate_);
  Finish("w", "a");
  Run();
  EXPECT_EQ(StateOf("b9"), task::v1::WAITING);
  Lead();
  Pass(2'000);
  for (int i = 0; i < 10; ++i) EXPECT_NE(StateOf("b" + std::to_string(i)), task::v1::WAITING) << i;
  EXPECT_EQ(StateOf("c"), task::v1::WAITING);
  Finish("w", "stays");
  Run();
  EXPECT_NE(StateOf("c"), task::v1::WAITING);
}

// However many wait for one: a turn looks at so many, and the next goes on.
TEST_F(DependencyTest, ManyMayWaitForOne) {
  StartWithWorker({.turn_placements = 7});
  Submit("a");
  for (int i = 0; i < 100; ++i) {
    planner_->Submit("b" + std::to_string(i), After({"a"}), task::v1::SAME_ONLY, [](const SubmitResult&) {});
  }
  Run();
  EXPECT_EQ(view_->awaiting().size(), 100U);
  Finish("w", "a");
  Run();
  EXPECT_TRUE(view_->awaiting().empty());
  EXPECT_EQ(view_->tally().ready + view_->tally().running, 100U);
}

TEST_F(DependencyTest, RunAnewItWaitsAnew) {
  StartWithWorker();
  Submit("a");
  Submit("b", After({"a"}));
  FailForGood("w", "a");
  Run();
  const SubmitResult early = Retry("b", 1);
  EXPECT_EQ(early.kind, Kind::kRefused);
  EXPECT_EQ(early.sentence, "it would not run: task a, on which it depends, has FAILED");
  EXPECT_EQ(Retry("a", 2).kind, Kind::kDone);
  EXPECT_EQ(Retry("b", 3).kind, Kind::kDone);
  EXPECT_EQ(StateOf("b"), task::v1::WAITING);
  Finish("w", "a");
  Run();
  EXPECT_EQ(StateOf("b"), task::v1::ASSIGNED);
}

TEST_F(DependencyTest, AChainIsRunAnewAtOnce) {
  StartWithWorker();
  Submit("a");
  Submit("b", After({"a"}));
  Submit("c", After({"b"}));
  FailForGood("w", "a");
  Run();
  EXPECT_EQ(StateOf("c"), task::v1::CANCELLED);
  std::vector<Kind> kinds;
  for (const char* id : {"a", "b", "c"}) planner_->Retry(id, 1, [&](const SubmitResult& r) { kinds.push_back(r.kind); });
  Run();
  EXPECT_EQ(kinds, (std::vector<Kind>{Kind::kDone, Kind::kDone, Kind::kDone}));
  EXPECT_EQ(StateOf("c"), task::v1::WAITING);
  for (const char* id : {"a", "b", "c"}) {
    Finish("w", id);
    Run();
    EXPECT_EQ(StateOf(id), task::v1::SUCCEEDED) << id;
  }
}

TEST_F(DependencyTest, NothingComesToWaitForItself) {
  StartWithWorker();
  Submit("a");
  FailForGood("w", "a");
  Run();
  Submit("b", After({"a:failure"}));
  const SubmitResult result = Submit("a", After({"b"}), task::v1::RERUN_FAILED);
  EXPECT_EQ(result.kind, Kind::kRefused);
  EXPECT_EQ(result.sentence, "task b, on which it depends, was submitted after it: run it under another id");
}

}  // namespace
}  // namespace drover::master::state

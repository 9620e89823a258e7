// Arrays: each element runs, ends once, and counts once, whoever leads.
#include "master/records/array.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "master/check/pool_check.h"
#include "master/records/task_id.h"
#include "tests/master/state/planner_fixture.h"

namespace drover::master::state {
namespace {

using Kind = SubmitResult::Kind;

class ArrayTest : public PlannerFixture {
 protected:
  using Change = std::function<void(task::v1::Policy*)>;
  static worker::v1::TaskRecord RecordWith(const Change& change) {
    worker::v1::TaskRecord record = Record();
    change(record.mutable_policy());
    record.set_spec_digest(records::SpecDigest(record.policy(), absl::string_view(record.program())));
    return record;
  }
  static worker::v1::TaskRecord ArrayOf(
      const std::string& array, const Change& change = [](task::v1::Policy*) {}) {
    return RecordWith([&](task::v1::Policy* policy) {
      *policy->mutable_array() = *records::ParseArray(array);
      change(policy);
    });
  }
  // What is assigned to it.
  [[nodiscard]] std::vector<std::string> Held(const std::string& worker) const {
    std::vector<std::string> tasks;
    for (const auto& [key, assignment] : view_->assignments()) {
      if (key.first == worker) tasks.push_back(key.second);
    }
    return tasks;
  }
  // Ends all that it is given until nothing comes any more; those whose index is in `failing` fail for good.
  int Work(const std::string& worker, const std::set<std::uint32_t>& failing = {}) {
    int done = 0;
    for (std::vector<std::string> held = Held(worker); !held.empty(); held = Held(worker)) {
      for (const std::string& task : held) {
        const auto element = records::ParseElement(task);
        if (element.has_value() && failing.count(element->index) > 0) {
          FailForGood(worker, task);
        } else {
          EXPECT_TRUE(Finish(worker, task));
        }
        ++done;
      }
      Run();
    }
    return done;
  }
  [[nodiscard]] const ArrayView& Array(const std::string& id) const { return *view_->FindArray(id); }
  // What `drover check` would say, but of what is only pending.
  [[nodiscard]] std::string Broken() const {
    std::vector<coord::Node> nodes;
    for (const auto& [path, node] : tree_.nodes()) nodes.push_back(node);
    std::string broken;
    for (const check::Finding& finding : check::CheckPool(paths_, nodes).findings) {
      if (finding.kind == check::Finding::Kind::kBroken) absl::StrAppend(&broken, finding.path, ": ", finding.sentence, "\n");
    }
    return broken;
  }
  void TearDown() override { EXPECT_EQ(Broken(), ""); }
};

TEST_F(ArrayTest, EachElementRunsOnceAndTheArraySucceeds) {
  StartAndLead();
  Join("w", "p1", 3);
  ASSERT_EQ(Submit("a", ArrayOf("0-9")).kind, Kind::kDone);
  EXPECT_EQ(StateOf("a"), task::v1::RUNNING);
  EXPECT_EQ(Held("w"), (std::vector<std::string>{"a:0", "a:1", "a:2"}));
  EXPECT_EQ(Work("w"), 10);
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
  EXPECT_EQ(Array("a").Count(task::v1::SUCCEEDED), 10U);
  EXPECT_EQ(StateOf("a:9"), task::v1::SUCCEEDED);
  EXPECT_EQ(Stored("a:9").attempts_total(), 1U);
}

TEST_F(ArrayTest, NoMoreAreUnderWayThanItSays) {
  StartAndLead();
  Join("w", "p1", 8);
  ASSERT_EQ(Submit("a", ArrayOf("0-5%2")).kind, Kind::kDone);
  EXPECT_EQ(Held("w").size(), 2U);
  // One that waits for its retry counts, too.
  Fail("w", "a:0", tree_.now_ms + 1'000);
  Run();
  EXPECT_EQ(Held("w"), (std::vector<std::string>{"a:1"}));
  Pass(1'500);
  EXPECT_EQ(Held("w"), (std::vector<std::string>{"a:0", "a:1"}));
  EXPECT_EQ(Work("w"), 6);
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

TEST_F(ArrayTest, NoMoreAreHandedOutThanAreSoonToRun) {
  StartAndLead({.array_ahead = 5});
  ASSERT_EQ(Submit("a", ArrayOf("0-999")).kind, Kind::kDone);
  EXPECT_EQ(Array("a").live().size(), 5U);
  Join("w", "p1", 2);
  Run();
  EXPECT_EQ(Array("a").live().size(), 7U) << "two run, five wait";
  EXPECT_EQ(Work("w"), 1'000);
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

TEST_F(ArrayTest, ItHasFailedIfSomeOfItsElementsHave) {
  StartAndLead();
  Join("w", "p1", 4);
  ASSERT_EQ(Submit("a", ArrayOf("0-9")).kind, Kind::kDone);
  EXPECT_EQ(Work("w", {3, 4, 9}), 10);
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
  EXPECT_EQ(Stored("a").reason(), task::v1::ELEMENTS);
  EXPECT_EQ(Stored("a").sentence(), "3 of 10 elements did not succeed: 3 FAILED");
}

TEST_F(ArrayTest, ARetryRunsThoseAnewThatDidNotSucceed) {
  StartAndLead();
  Join("w", "p1", 4);
  ASSERT_EQ(Submit("a", ArrayOf("0-9")).kind, Kind::kDone);
  EXPECT_EQ(Work("w", {3, 4, 9}), 10);
  EXPECT_EQ(Retry("a:3").kind, Kind::kRefused) << "an element alone";
  ASSERT_EQ(Retry("a", 7).kind, Kind::kDone);
  ASSERT_EQ(Retry("a", 7).kind, Kind::kDone) << "the same wish once more";
  EXPECT_EQ(Held("w"), (std::vector<std::string>{"a:3", "a:4", "a:9"}));
  EXPECT_EQ(Work("w", {9}), 3);
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
  EXPECT_EQ(Stored("a").sentence(), "1 of 10 elements did not succeed: 1 FAILED");
  EXPECT_EQ(Stored("a:9").attempts_total(), 2U);
  ASSERT_EQ(Retry("a", 8).kind, Kind::kDone);
  EXPECT_EQ(Work("w"), 1);
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

TEST_F(ArrayTest, ASuccessorGoesOnWhereItWas) {
  StartAndLead({.array_ahead = 6});
  Join("w", "p1", 2);
  ASSERT_EQ(Submit("a", ArrayOf("0-99")).kind, Kind::kDone);
  Finish("w", "a:0");
  FailForGood("w", "a:1");
  // Nobody leads while these end.
  planner_->StopLeading();
  tree_.Delete(candidate_);
  Run();
  for (const std::string& task : Held("w")) Finish("w", task);
  Run();
  view_.reset();
  committer_.reset();
  planner_.reset();
  StartAndLead({.array_ahead = 6});
  Work("w");
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
  EXPECT_EQ(Stored("a").sentence(), "1 of 100 elements did not succeed: 1 FAILED");
}

TEST_F(ArrayTest, ACancelEndsWhatRunsAndHandsOutNothingMore) {
  StartAndLead({.array_ahead = 4});
  Join("w", "p1", 2);
  ASSERT_EQ(Submit("a", ArrayOf("0-9999")).kind, Kind::kDone);
  ASSERT_TRUE(Finish("w", "a:0"));
  Run();
  ASSERT_EQ(Cancel("a").kind, CancelResult::Kind::kDone);
  Run();
  const std::vector<std::string> held = Held("w");
  ASSERT_EQ(held.size(), 2U);
  for (const std::string& task : held) {
    EXPECT_TRUE(view_->FindAssignment("w", task)->data.cancel()) << task;
    EXPECT_EQ(StateOf("a"), task::v1::RUNNING);
    EXPECT_TRUE(Finish("w", task));  // one that ends all the same counts as what it is
    Run();
  }
  EXPECT_EQ(StateOf("a"), task::v1::CANCELLED);
  EXPECT_EQ(Stored("a").sentence(), "because");
  EXPECT_EQ(Array("a").Count(task::v1::SUCCEEDED), 3U);
  EXPECT_EQ(Array("a").Count(task::v1::CANCELLED), 9'997U);
  EXPECT_EQ(Cancel("a").kind, CancelResult::Kind::kAlreadyTerminal);
}

TEST_F(ArrayTest, AnElementIsCancelledWhereverItIs) {
  StartAndLead({.array_ahead = 2});
  Join("w", "p1", 1);
  ASSERT_EQ(Submit("a", ArrayOf("0-9")).kind, Kind::kDone);
  EXPECT_EQ(Cancel("a:9").kind, CancelResult::Kind::kDone) << "not handed out";
  EXPECT_EQ(Cancel("a:9").kind, CancelResult::Kind::kAlreadyTerminal);
  EXPECT_EQ(Cancel("a:1").kind, CancelResult::Kind::kDone) << "it waits";
  EXPECT_EQ(Cancel("a:0").kind, CancelResult::Kind::kDone) << "its worker is told";
  EXPECT_EQ(Cancel("a:10").kind, CancelResult::Kind::kNotFound);
  EXPECT_EQ(Cancel("b:0").kind, CancelResult::Kind::kNotFound);
  Work("w");
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
  EXPECT_EQ(Array("a").Count(task::v1::CANCELLED), 2U);
  EXPECT_EQ(Cancel("a:0").kind, CancelResult::Kind::kAlreadyTerminal);
}

TEST_F(ArrayTest, OneThatIsBeingCancelledIsNotHandedOutMeanwhile) {
  StartAndLead();
  Join("w", "p1", 1);
  ASSERT_EQ(Submit("a", ArrayOf("0-3%1")).kind, Kind::kDone);
  // Both in one turn: its place comes, and it is cancelled.
  ASSERT_TRUE(Finish("w", "a:0"));
  EXPECT_EQ(Cancel("a:1").kind, CancelResult::Kind::kDone);
  EXPECT_EQ(Broken(), "");
  EXPECT_EQ(tree_.Find(paths_.Task("a:1")), nullptr);
  Work("w");
  EXPECT_EQ(Array("a").Count(task::v1::CANCELLED), 1U);
  EXPECT_EQ(Array("a").Count(task::v1::SUCCEEDED), 3U);
}

TEST_F(ArrayTest, ALostWorkersElementsRunElsewhere) {
  StartAndLead();
  Join("w", "p1", 2);
  ASSERT_EQ(Submit("a", ArrayOf("0-3")).kind, Kind::kDone);
  Die("w", "p1");
  Join("x", "p2", 4);
  Run();
  EXPECT_EQ(Held("x").size(), 4U);
  EXPECT_EQ(Stored("a:0").losses(), 1U);
  Work("x");
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

TEST_F(ArrayTest, ADelayAndDependenciesAreThoseOfTheWhole) {
  StartAndLead();
  Join("w", "p1", 9);
  ASSERT_EQ(Submit("first").kind, Kind::kDone);
  const worker::v1::TaskRecord array = ArrayOf("0-2", [](task::v1::Policy* policy) {
    policy->add_dependencies()->set_task("first");
    policy->set_delay_ms(1'000);
  });
  ASSERT_EQ(Submit("a", array).kind, Kind::kDone);
  const worker::v1::TaskRecord after = RecordWith([](task::v1::Policy* policy) { policy->add_dependencies()->set_task("a"); });
  ASSERT_EQ(Submit("after", after).kind, Kind::kDone);
  EXPECT_EQ(Held("w"), (std::vector<std::string>{"first"}));
  Finish("w", "first");
  Run();
  EXPECT_TRUE(Held("w").empty());
  Pass(1'500);
  EXPECT_EQ(Held("w").size(), 3U);
  EXPECT_EQ(Work("w"), 4) << "and then what waited for it";
  EXPECT_EQ(StateOf("after"), task::v1::SUCCEEDED);
}

TEST_F(ArrayTest, OverItsDeadlineWhatWasNotHandedOutFails) {
  StartAndLead({.array_ahead = 1});
  Join("w", "p1", 1);
  const worker::v1::TaskRecord array =
      ArrayOf("0-99", [this](task::v1::Policy* policy) { policy->set_deadline_ms(tree_.now_ms + 2'000); });
  ASSERT_EQ(Submit("a", array).kind, Kind::kDone);
  ASSERT_TRUE(Finish("w", "a:0"));
  Pass(3'000);
  EXPECT_EQ(StateOf("a"), task::v1::RUNNING) << "one still runs";
  ASSERT_EQ(Held("w").size(), 1U);
  Work("w");
  EXPECT_EQ(StateOf("a"), task::v1::FAILED);
  EXPECT_EQ(Stored("a").reason(), task::v1::DEADLINE);
  EXPECT_EQ(Array("a").Count(task::v1::SUCCEEDED), 2U);
  EXPECT_EQ(Array("a").Count(task::v1::FAILED), 98U);
}

TEST_F(ArrayTest, OneThatIsCancelledBeforeItBeginsHandsOutNothing) {
  StartAndLead();
  Join("w", "p1", 1);
  const worker::v1::TaskRecord array = ArrayOf("0-3", [](task::v1::Policy* policy) { policy->set_delay_ms(60'000); });
  ASSERT_EQ(Submit("a", array).kind, Kind::kDone);
  ASSERT_EQ(Cancel("a").kind, CancelResult::Kind::kDone);
  EXPECT_EQ(StateOf("a"), task::v1::CANCELLED);
  EXPECT_EQ(Array("a").records(), 0U);
}

TEST_F(ArrayTest, ItIsRetiredAfterItsElements) {
  StartAndLead({.finished_kept = 0, .retire_age = std::chrono::seconds(1), .array_ahead = 4});
  Join("w", "p1", 2);
  ASSERT_EQ(Submit("a", ArrayOf("0-9999")).kind, Kind::kDone);
  ASSERT_TRUE(Finish("w", "a:0"));
  Run();
  ASSERT_EQ(Cancel("a").kind, CancelResult::Kind::kDone);
  Work("w");
  EXPECT_EQ(StateOf("a"), task::v1::CANCELLED);
  EXPECT_EQ(Array("a").chunks().size(), 3U);
  Pass(5'000);
  EXPECT_EQ(view_->tasks(), 0U);
  EXPECT_EQ(view_->FindArray("a"), nullptr);
  EXPECT_EQ(tree_.Find(paths_.ArrayChunks("a")), nullptr);
  ASSERT_FALSE(retired_.empty());
  EXPECT_EQ(retired_.back(), "a");
}

TEST_F(ArrayTest, AnElementThatSomebodyDeletedIsHandedOutAgain) {
  StartAndLead({.array_ahead = 2});
  ASSERT_EQ(Submit("a", ArrayOf("0-3")).kind, Kind::kDone);
  tree_.Delete(paths_.Task("a:0"));
  Run();
  EXPECT_EQ(StateOf("a:0"), task::v1::READY);
}

TEST_F(ArrayTest, RunAnewByAnotherSpecItKeepsItsElements) {
  StartAndLead();
  Join("w", "p1", 9);
  ASSERT_EQ(Submit("a", ArrayOf("0-3")).kind, Kind::kDone);
  Work("w", {2});
  const SubmitResult refused = Submit("a", ArrayOf("0-4"), task::v1::RERUN_FAILED);
  EXPECT_EQ(refused.kind, Kind::kConflict);
  EXPECT_TRUE(absl::StrContains(refused.sentence, "other elements")) << refused.sentence;
  worker::v1::TaskRecord mended = ArrayOf("0-3");
  mended.set_program("mended");
  mended.set_spec_digest(records::SpecDigest(mended.policy(), absl::string_view("mended")));
  ASSERT_EQ(Submit("a", mended, task::v1::RERUN_FAILED).kind, Kind::kDone);
  EXPECT_EQ(Held("w"), (std::vector<std::string>{"a:2"}));
  EXPECT_EQ(Stored("a:2").program(), "mended");
  Work("w");
  EXPECT_EQ(StateOf("a"), task::v1::SUCCEEDED);
}

}  // namespace
}  // namespace drover::master::state

// A master's planner on a tree in memory, and the hands of its workers.
#ifndef DROVER_TESTS_MASTER_STATE_PLANNER_FIXTURE_H_
#define DROVER_TESTS_MASTER_STATE_PLANNER_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "master/records/codec.h"
#include "master/records/spec.h"
#include "master/state/planner.h"
#include "tests/master/fake/fake_session.h"
#include "tests/sim/sim_loop.h"

namespace drover::master::state {

class PlannerFixture : public ::testing::Test {
 protected:
  void Start(PlannerOptions options = {}) {
    planner_ = std::make_unique<Planner>(
        &loop_, options,
        Planner::Hooks{.cluster_now_ms = [this] { return tree_.now_ms + ahead_ms_; },
                       .cluster_passed_ms = [this] { return tree_.now_ms - behind_ms_; },
                       .sync =
                           [this](std::function<void(Zxid)> done) {
                             session_.Sync([done](absl::StatusOr<Zxid> zxid) { done(zxid.value_or(Zxid())); }, {});
                           },
                       .retired = [this](const std::string& id, const worker::v1::TaskRecord&) { retired_.push_back(id); },
                       .step_down = [this] { ++stepped_down_; }});
    view_ = std::make_unique<View>(&session_, paths_, planner_.get());
    planner_->Attach(view_.get());
    committer_ = std::make_unique<Committer>(&loop_, &session_, CommitterOptions(), nullptr);
    Run();
  }
  void Lead() {
    const coord::Stat stat = tree_.Create(candidate_, "", session_.id());
    planner_->Lead({candidate_, stat.czxid}, stat.czxid, committer_.get());
    Run();
  }
  void StartAndLead(PlannerOptions options = {}) {
    Start(options);
    Lead();
  }
  void Run(int ms = 200) { world_.RunFor(std::chrono::milliseconds(ms)); }
  // The cluster's time passes, too.
  void Pass(int ms) {
    constexpr int kStep = 100;
    for (int passed = 0; passed < ms; passed += kStep) {
      tree_.now_ms += kStep;
      Run(kStep);
    }
  }

  static worker::v1::TaskRecord Record(const std::string& command = "true", bool at_most_once = false) {
    worker::v1::TaskRecord record;
    records::Normalise(record.mutable_policy());
    record.mutable_policy()->set_at_most_once(at_most_once);
    record.set_program(command);
    record.set_spec_digest(records::SpecDigest(record.policy(), absl::string_view(command)));
    record.set_state(task::v1::READY);
    return record;
  }
  SubmitResult Submit(const std::string& id, const worker::v1::TaskRecord& record = Record(),
                      task::v1::IfExists if_exists = task::v1::SAME_ONLY) {
    std::optional<SubmitResult> result;
    planner_->Submit(id, record, if_exists, [&](SubmitResult r) { result = std::move(r); });
    Run();
    EXPECT_TRUE(result.has_value()) << "submission of " << id << " was not answered";
    return result.value_or(SubmitResult());
  }
  SubmitResult Retry(const std::string& id, std::uint64_t submission = 0) {
    std::optional<SubmitResult> result;
    planner_->Retry(id, submission, [&](SubmitResult r) { result = std::move(r); });
    Run();
    EXPECT_TRUE(result.has_value()) << "retry of " << id << " was not answered";
    return result.value_or(SubmitResult());
  }
  CancelResult Cancel(const std::string& id) {
    std::optional<CancelResult> result;
    planner_->Cancel(id, "because", [&](CancelResult r) { result = std::move(r); });
    Run();
    EXPECT_TRUE(result.has_value());
    return result.value_or(CancelResult());
  }

  // What workers do.
  void Join(const std::string& worker, const std::string& process_id, std::uint32_t slots, bool draining = false) {
    worker::v1::WorkerInfo info;
    info.set_process_id(process_id);
    info.set_slots(slots);
    info.set_draining(draining);
    tree_.Create(paths_.Worker(worker), records::Encode(info), worker_session_.id());
  }
  void Vanish(const std::string& worker) { tree_.Delete(paths_.Worker(worker)); }
  void Die(const std::string& worker, const std::string& process_id) {
    tree_.Create(paths_.Died(process_id), "");
    Vanish(worker);
  }
  // Commits the start of an at-most-once task.
  void Begin(const std::string& worker, const std::string& task) {
    worker::v1::TaskRecord record = Stored(task);
    record.set_state(task::v1::RUNNING);
    const coord::Node* assignment = tree_.Find(paths_.Assignment(worker, task));
    ASSERT_NE(assignment, nullptr);
    auto result = tree_.Apply({.compares = {coord::Compare::Czxid(assignment->path, assignment->stat.czxid),
                                            coord::Compare::Mzxid(paths_.Task(task), assignment->stat.czxid)},
                               .then = {coord::Operation::Set(paths_.Task(task), records::Encode(record))}});
    EXPECT_TRUE(result.ok() && result->succeeded);
  }
  // Commits the outcome; false if the assignment does not stand any more.
  bool Finish(const std::string& worker, const std::string& task, Zxid fence) {
    worker::v1::TaskRecord record = Stored(task);
    const records::AttemptEnd end{
        .state = task::v1::SUCCEEDED, .fence = fence.value, .finished_at_ms = tree_.now_ms, .exit_code = 0};
    records::EndAttempt(&record, end);
    records::EndTask(&record, end);
    auto result = tree_.Apply({.compares = {coord::Compare::Czxid(paths_.Assignment(worker, task), fence)},
                               .then = {coord::Operation::Set(paths_.Task(task), records::Encode(record)),
                                        coord::Operation::Delete(paths_.Assignment(worker, task))}});
    return result.ok() && result->succeeded;
  }
  // Commits a failure that is followed by another attempt, not before a time.
  void Fail(const std::string& worker, const std::string& task, std::int64_t not_before_ms) {
    worker::v1::TaskRecord record = Stored(task);
    const coord::Node* assignment = tree_.Find(paths_.Assignment(worker, task));
    ASSERT_NE(assignment, nullptr);
    records::EndAttempt(&record, {.state = task::v1::FAILED, .reason = task::v1::EXIT_CODE, .fence = assignment->stat.czxid.value});
    records::BackToWaiting(&record, task::v1::EXIT_CODE, "exit code 1", not_before_ms);
    const auto result = tree_.Apply({.compares = {coord::Compare::Czxid(assignment->path, assignment->stat.czxid)},
                                     .then = {coord::Operation::Set(paths_.Task(task), records::Encode(record)),
                                              coord::Operation::Delete(paths_.Assignment(worker, task))}});
    EXPECT_TRUE(result.ok() && result->succeeded);
  }
  // Commits a failure that ends the task.
  void FailForGood(const std::string& worker, const std::string& task) {
    worker::v1::TaskRecord record = Stored(task);
    const coord::Node* assignment = tree_.Find(paths_.Assignment(worker, task));
    ASSERT_NE(assignment, nullptr);
    const records::AttemptEnd end{.state = task::v1::FAILED,
                                  .reason = task::v1::EXIT_CODE,
                                  .sentence = "exit code 1",
                                  .fence = assignment->stat.czxid.value,
                                  .finished_at_ms = tree_.now_ms,
                                  .exit_code = 1};
    record.set_failures(record.failures() + 1);
    records::EndAttempt(&record, end);
    records::EndTask(&record, end);
    const auto result = tree_.Apply({.compares = {coord::Compare::Czxid(assignment->path, assignment->stat.czxid)},
                                     .then = {coord::Operation::Set(paths_.Task(task), records::Encode(record)),
                                              coord::Operation::Delete(paths_.Assignment(worker, task))}});
    EXPECT_TRUE(result.ok() && result->succeeded);
  }
  bool Finish(const std::string& worker, const std::string& task) {
    const coord::Node* assignment = tree_.Find(paths_.Assignment(worker, task));
    return assignment != nullptr && Finish(worker, task, assignment->stat.czxid);
  }

  worker::v1::TaskRecord Stored(const std::string& task) const {
    const coord::Node* node = tree_.Find(paths_.Task(task));
    return node == nullptr ? worker::v1::TaskRecord() : *records::DecodeTaskRecord(node->data);
  }
  task::v1::State StateOf(const std::string& task) const { return Stored(task).state(); }
  bool Assigned(const std::string& worker, const std::string& task) const {
    return tree_.Find(paths_.Assignment(worker, task)) != nullptr;
  }

  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  testing::FakeTree tree_{&loop_};
  testing::FakeSession session_{&tree_};
  testing::FakeSession worker_session_{&tree_};
  const records::PoolPaths paths_{"p"};
  const std::string candidate_ = paths_.CandidatePrefix() + "0000000001";
  // How far what is known of the cluster's time may be off.
  std::int64_t ahead_ms_ = 0;
  std::int64_t behind_ms_ = 0;
  std::vector<std::string> retired_;
  int stepped_down_ = 0;
  std::unique_ptr<Planner> planner_;
  std::unique_ptr<View> view_;
  std::unique_ptr<Committer> committer_;
};

}  // namespace drover::master::state

#endif  // DROVER_TESTS_MASTER_STATE_PLANNER_FIXTURE_H_

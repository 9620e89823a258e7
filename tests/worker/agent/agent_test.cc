// The worker among others: registering, sessions that end, names that are taken, stores, and the drain.
#include "worker/agent/agent.h"

#include <string>

#include "drover/coord/cluster_time.h"
#include "gmock/gmock.h"
#include "tests/worker/agent/agent_fixture.h"
#include "worker/agent/last_will.h"

namespace drover::worker::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

TEST_F(AgentTest, RegistersWithWhatItIs) {
  AgentOptions options = Options();
  options.labels = {{"disk", "ssd"}};
  const auto worker = StartWorker("host1", options);
  AwaitReady(*worker);
  const auto info = records::DecodeWorkerInfo(master_->Get(paths_.Worker("w1"))->node.data);
  EXPECT_EQ(info->process_id(), "p1");
  EXPECT_EQ(info->address(), "host1:7420");
  EXPECT_EQ(info->slots(), 4U);
  EXPECT_EQ(info->labels().at("disk"), "ssd");
  EXPECT_FALSE(info->draining());
}

TEST_F(AgentTest, TheFirstStoreIsAnnouncedAndAnotherOneIsRefused) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  const auto info = records::DecodeStoreInfo(master_->Get(paths_.Store())->node.data);
  EXPECT_EQ(info->url(), "file:/s");
  EXPECT_EQ(info->marker(), "marker-of-host1");

  AgentOptions options = Options();
  options.name = "w2";
  SimWorker other(&core_, &stores_, &hang_, "host2", options, "file:/elsewhere");
  Await([&] { return other.stopped.has_value(); }, "the refusal");
  EXPECT_EQ(other.stopped->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(other.stopped->message()), HasSubstr("file:/elsewhere"));
  EXPECT_FALSE(master_->Exists(paths_.Worker("w2"))->stat.has_value());

  options.name = "w3";
  SimWorker third(&core_, &stores_, &hang_, "host3", options, "");
  AwaitReady(third);
}

TEST_F(AgentTest, LeavesItsReaperAWillThatNamesTheSession) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  const auto will = DecodeLastWill(worker->runner->will);
  ASSERT_TRUE(will.ok());
  EXPECT_EQ(will->died_path, paths_.Died("p1"));
  EXPECT_EQ(will->ticket.id, master_->Exists(paths_.Worker("w1"))->stat->ephemeral_owner);
}

TEST_F(AgentTest, AnAssignmentOfAnotherProcessIsNotRun) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  Submit("t1", {}, "p0");
  Submit("t2");
  EXPECT_EQ(AwaitProgram(*worker, 1)->Env("DROVER_TASK_ID"), "t2");
  core_.world.RunFor(seconds(1));
  EXPECT_EQ(worker->runner->programs.size(), 1U);
  EXPECT_TRUE(HasAssignment("t1"));
}

TEST_F(AgentTest, AssignmentsMadeBeforeItWatchedAreRun) {
  Submit("t1");
  Submit("t2");
  const auto worker = StartWorker();
  AwaitProgram(*worker, 2);
}

TEST_F(AgentTest, AnExpiredSessionIsReplacedAndWhatStandsGoesOn) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  const base::Zxid incarnation = master_->Exists(paths_.Worker("w1"))->stat->czxid;
  Submit("t1");
  Submit("t2");
  AwaitProgram(*worker, 2);
  const std::string will = worker->runner->will;
  core_.network.CutPair("host1", "core");
  Await([&] { return !master_->Exists(paths_.Worker("w1"))->stat.has_value(); }, "the expiry");
  TakeBack("t2");
  core_.network.HealAll();
  AwaitReady(*worker);
  const auto stat = master_->Exists(paths_.Worker("w1"))->stat;
  ASSERT_TRUE(stat.has_value());
  EXPECT_GT(stat->czxid, incarnation);
  EXPECT_EQ(records::DecodeWorkerInfo(master_->Get(paths_.Worker("w1"))->node.data)->process_id(), "p1");
  EXPECT_NE(worker->runner->will, will);
  Await([&] { return worker->runner->running() == 1; }, "the one that was taken back to be stopped");
  EXPECT_EQ(worker->runner->programs[1]->killed_by, exec::KilledBy::kRevoked);
  worker->runner->Exit(worker->runner->programs[0], 0);
  const v1::TaskRecord record = AwaitEnd("t1");
  EXPECT_EQ(record.state(), task::v1::SUCCEEDED);
  EXPECT_EQ(record.attempts_total(), 1U);
  EXPECT_EQ(Record("t2").state(), task::v1::READY);
  EXPECT_EQ(worker->agent->counters().refused, 1U);
}

TEST_F(AgentTest, ANodeDeletedByHandIsRegisteredAnew) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  ASSERT_TRUE(master_->Delete(paths_.Worker("w1")).ok());
  Await([&] { return master_->Exists(paths_.Worker("w1"))->stat.has_value(); }, "the second registration");
}

TEST_F(AgentTest, ANodeDeletedByHandJustBeforeTheDrainIsNotRegisteredAnew) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  ASSERT_TRUE(master_->Delete(paths_.Worker("w1")).ok());
  Await([&] { return !worker->agent->Ready().ok(); }, "the word of it");
  worker->agent->Drain();
  Await([&] { return worker->stopped.has_value(); }, "the end");
  EXPECT_TRUE(worker->stopped->ok()) << *worker->stopped;
  EXPECT_FALSE(master_->Exists(paths_.Worker("w1"))->stat.has_value());
}

TEST_F(AgentTest, ANameThatStaysTakenEndsItAndNamesTheHolder) {
  const auto holder = StartWorker();
  AwaitReady(*holder);
  AgentOptions options = Options();
  options.process_id = "p2";
  const auto late = StartWorker("host2", options);
  Await([&] { return late->stopped.has_value(); }, "its end");
  EXPECT_THAT(std::string(late->stopped->message()), HasSubstr("w1 is held by process p1 at host1:7420"));
  EXPECT_TRUE(holder->agent->Ready().ok());
}

TEST_F(AgentTest, AnErrorWhileProgramsRunLeavesSessionAndWillToTheReaper) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  Submit("t1");
  AwaitProgram(*worker, 1);
  const std::string will = worker->runner->will;
  v1::WorkerInfo thief;
  thief.set_process_id("p2");
  const auto stolen =
      master_->Commit({.then = {coord::Operation::Delete(paths_.Worker("w1")),
                                coord::Operation::Create(paths_.Worker("w1"), records::Encode(thief), {.ephemeral = true})}});
  ASSERT_TRUE(stolen.ok() && stolen->succeeded) << stolen.status();
  Await([&] { return worker->stopped.has_value(); }, "its end");
  EXPECT_EQ(worker->stopped->code(), absl::StatusCode::kAlreadyExists);
  core_.world.RunFor(seconds(1));
  EXPECT_EQ(worker->agent->attempts(), 1U);
  EXPECT_EQ(worker->session->state(), coord::SessionState::kConnected) << "closed while a program runs";
  EXPECT_EQ(worker->runner->will, will);
  EXPECT_EQ(worker->runner->running(), 1U);
}

TEST_F(AgentTest, ANameIsTakenOverWhenItsHolderIsGone) {
  auto holder = StartWorker();
  AwaitReady(*holder);
  holder->Kill();
  AgentOptions options = Options();
  options.process_id = "p2";
  const auto next = StartWorker("host2", options);
  AwaitReady(*next);
  EXPECT_EQ(records::DecodeWorkerInfo(master_->Get(paths_.Worker("w1"))->node.data)->process_id(), "p2");
}

TEST_F(AgentTest, DrainingSaysSoWaitsForWhatRunsAndReturnsWhatIsNew) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  Submit("t1");
  const auto program = AwaitProgram(*worker, 1);
  worker->agent->Drain();
  Await([&] { return records::DecodeWorkerInfo(master_->Get(paths_.Worker("w1"))->node.data)->draining(); }, "the flag");
  Submit("t2", AtMostOnce());
  EXPECT_EQ(AwaitBack("t2").state(), task::v1::READY);
  core_.world.RunFor(seconds(30));
  EXPECT_FALSE(worker->stopped.has_value());
  worker->runner->Exit(program, 0);
  Await([&] { return worker->stopped.has_value(); }, "the end");
  EXPECT_TRUE(worker->stopped->ok()) << *worker->stopped;
  EXPECT_EQ(Record("t1").state(), task::v1::SUCCEEDED);
  EXPECT_FALSE(master_->Exists(paths_.Worker("w1"))->stat.has_value());
  EXPECT_EQ(worker->runner->programs.size(), 1U);
  EXPECT_EQ(worker->runner->will, "");
}

TEST_F(AgentTest, WhatRunsPastTheDrainTimeoutIsReturned) {
  AgentOptions options = Options();
  options.drain_timeout = seconds(5);
  const auto worker = StartWorker("host1", options);
  AwaitReady(*worker);
  Submit("again");
  Submit("once", AtMostOnce());
  AwaitProgram(*worker, 2);
  worker->agent->Drain();
  Await([&] { return worker->stopped.has_value(); }, "the end");
  EXPECT_TRUE(worker->stopped->ok());
  EXPECT_EQ(Record("again").state(), task::v1::READY);
  EXPECT_EQ(Record("again").losses(), 0U);
  EXPECT_EQ(Record("once").state(), task::v1::LOST);
}

TEST_F(AgentTest, PastTheDeadlineOfItsDrainAWorkerReturnsEverythingUntilItIsUndrained) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  Submit("again");
  Submit("once", AtMostOnce());
  AwaitProgram(*worker, 2);
  v1::Drain drain;
  drain.set_deadline_ms(coord::ClusterTimeNow(*worker->session).value + 5'000);
  const auto drained =
      master_->Commit({.then = {coord::Operation::Create(paths_.Drain("w1"), records::Encode(drain), {.parents = true})}});
  ASSERT_TRUE(drained.ok() && drained->succeeded) << drained.status();
  core_.world.RunFor(seconds(4));
  EXPECT_EQ(worker->runner->running(), 2U) << "before the deadline what runs may end";
  EXPECT_EQ(AwaitBack("again").state(), task::v1::READY);
  EXPECT_EQ(Record("again").losses(), 0U);
  Await([&] { return Record("once").state() == task::v1::LOST; }, "the other's end");
  Submit("new");
  EXPECT_EQ(AwaitBack("new").state(), task::v1::READY);
  EXPECT_EQ(worker->runner->programs.size(), 2U);
  EXPECT_TRUE(worker->agent->Ready().ok()) << "it stays";
  ASSERT_TRUE(master_->Delete(paths_.Drain("w1")).ok());
  core_.world.RunFor(seconds(1));
  Submit("later");
  AwaitProgram(*worker, 3);
}

TEST_F(AgentTest, AnIdleDrainWithoutACoreEndsAllTheSame) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  core_.network.CutPair("host1", "core");
  worker->agent->Drain();
  // Not longer for the session's close than for the leave: the same core is to take both.
  Await([&] { return worker->stopped.has_value(); }, "the end", milliseconds(4100));
  EXPECT_TRUE(worker->stopped->ok());
}

TEST_F(AgentTest, ACoreThatIsGoneAlreadyIsNotWaitedForLong) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  core_.network.CutPair("host1", "core");
  core_.world.RunFor(seconds(5));
  worker->agent->Drain();
  Await([&] { return worker->stopped.has_value(); }, "the end", milliseconds(1600));
  EXPECT_TRUE(worker->stopped->ok());
}

TEST_F(AgentTest, StopTasksAreKilledBeforeTheSessionCanExpireAndRunAgain) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  task::v1::Policy policy;
  policy.set_on_disconnect(task::v1::STOP);
  Submit("stop", policy);
  Submit("keep");
  AwaitProgram(*worker, 2);
  core_.world.RunFor(seconds(30));
  ASSERT_EQ(worker->runner->running(), 2U) << "the lease was not kept up";
  core_.network.CutPair("host1", "core");
  Await([&] { return worker->runner->running() == 1; }, "the kill");
  EXPECT_TRUE(worker->runner->programs[0]->over);
  EXPECT_TRUE(master_->Exists(paths_.Worker("w1"))->stat.has_value()) << "the session ended before the program did";
  core_.network.HealAll();
  const v1::TaskRecord record = AwaitBack("stop");
  EXPECT_EQ(record.state(), task::v1::READY);
  EXPECT_EQ(record.reason(), task::v1::DISCONNECTED);
  EXPECT_EQ(record.losses(), 0U);
  EXPECT_EQ(record.failures(), 0U);
}

// A task of which the input comes while there is no lease.
class LeaseTest : public AgentTest {
 protected:
  void SubmitStop(const std::string& task) {
    task::v1::Policy policy;
    policy.set_on_disconnect(task::v1::STOP);
    const std::string key = "input/" + task + "/a";
    stores_["file:/s"].objects[key] = {.data = "x", .digest = store::DigestOf("x"), .modified = {}};
    task::v1::Program program;
    program.add_argv("cat");
    program.mutable_stdin_object()->set_key(key);
    program.mutable_stdin_object()->set_size(1);
    program.mutable_stdin_object()->set_digest(store::DigestBytes(store::DigestOf("x")));
    hang_.now = true;
    Submit(task, policy, program);
    Await([&] { return hang_.kept.size() == 1; }, "the fetch");
  }
};

TEST_F(LeaseTest, AStopTaskIsHeldBackWhileThereIsNoLease) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  SubmitStop("stop");
  core_.Crash(sim::Survival::kEverything);
  core_.world.RunFor(seconds(8));
  hang_.LetGo();
  core_.world.RunFor(seconds(1));
  EXPECT_EQ(worker->runner->programs.size(), 0U);
  core_.Start();
  const auto program = AwaitProgram(*worker, 1);
  worker->runner->Exit(program, 0);
  EXPECT_EQ(AwaitEnd("stop").state(), task::v1::SUCCEEDED);
  EXPECT_EQ(Record("stop").attempts_total(), 1U);
  EXPECT_EQ(worker->agent->counters().sessions, 1U) << "the session had ended: this tests something else";
}

TEST_F(LeaseTest, ACancelledTaskIsNotHeldBack) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  SubmitStop("stop");
  core_.network.CutPair("host1", "core");
  Cancel("stop", "not wanted");
  Await([&] { return !master_->Exists(paths_.Worker("w1"))->stat.has_value(); }, "the expiry");
  hang_.LetGo();
  core_.world.RunFor(seconds(1));
  core_.network.HealAll();
  EXPECT_EQ(AwaitEnd("stop").state(), task::v1::CANCELLED);
  EXPECT_EQ(worker->runner->programs.size(), 0U);
}

TEST_F(LeaseTest, ALeaseThatEndsOnTheWayToTheProgramUsesUpNoAttempt) {
  for (const bool at_most_once : {false, true}) {
    const std::string task = at_most_once ? "once" : "often";
    const auto worker = StartWorker();
    AwaitReady(*worker);
    task::v1::Policy policy;
    policy.set_on_disconnect(task::v1::STOP);
    policy.set_at_most_once(at_most_once);
    worker->runner->too_late = 3;
    Submit(task, policy);
    worker->runner->Exit(AwaitProgram(*worker, 4), 0);
    EXPECT_EQ(AwaitEnd(task).state(), task::v1::SUCCEEDED);
    EXPECT_EQ(Record(task).attempts_total(), 1U);
    worker->agent->Drain();
    Await([&] { return worker->stopped.has_value(); }, "the worker's end");
  }
}

// A new session has a lease at once; whether the assignments of the former one stand is known only once its view has been read.
TEST_F(LeaseTest, AStopTaskWaitsForTheViewOfANewSession) {
  AgentOptions options = Options();
  options.lease_interval = milliseconds(1);
  const auto worker = StartWorker("host1", options);
  AwaitReady(*worker);
  SubmitStop("stop");
  core_.network.CutPair("host1", "core");
  Await([&] { return !master_->Exists(paths_.Worker("w1"))->stat.has_value(); }, "the expiry");
  TakeBack("stop");
  hang_.LetGo();
  core_.world.RunFor(seconds(1));
  core_.network.HealAll();
  AwaitReady(*worker);
  Await([&] { return worker->agent->attempts() == 0; }, "the attempt to be let go of");
  EXPECT_EQ(worker->runner->programs.size(), 0U);
}

TEST_F(AgentTest, AnOutageOfTheWholeCoreChangesNothing) {
  const auto worker = StartWorker();
  AwaitReady(*worker);
  Submit("t1");
  const auto program = AwaitProgram(*worker, 1);
  core_.world.RunFor(seconds(1));
  core_.Crash(sim::Survival::kEverything);
  core_.world.RunFor(seconds(20));
  worker->runner->Exit(program, 0);
  core_.Start();
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::SUCCEEDED);
  EXPECT_EQ(Record("t1").attempts_total(), 1U);
  EXPECT_EQ(worker->agent->counters().sessions, 1U);
}

}  // namespace
}  // namespace drover::worker::agent

// One attempt: what is committed when, and what happens to it meanwhile.
#include "worker/agent/attempt.h"

#include <cerrno>
#include <string>

#include "client/store/names.h"
#include "gmock/gmock.h"
#include "master/records/spec.h"
#include "tests/worker/agent/agent_fixture.h"

namespace drover::worker::agent {
namespace {

using exec::Stream;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class AttemptTest : public AgentTest {
 protected:
  AttemptTest() {
    worker_ = StartWorker();
    AwaitReady(*worker_);
  }
  std::shared_ptr<SimRunner::Program> Run(const std::string& task, const task::v1::Policy& policy = {}) {
    Submit(task, policy);
    return AwaitProgram(*worker_, ++runs_);
  }
  store::MemoryObjects& objects() { return stores_["file:/s"]; }
  // The stored chunks of a stream and then what rides in the record.
  std::string Output(const std::string& task, bool err) {
    const v1::TaskRecord record = Record(task);
    const v1::OutputStream& stream = err ? record.output().err() : record.output().out();
    std::string all;
    for (std::uint32_t i = 0; i < stream.chunks(); ++i) {
      all += objects()
                 .objects
                 .at(store::OutputKey(task, record.attempts().rbegin()->fence(), err ? store::Part::kErr : store::Part::kOut, i))
                 .data;
    }
    all += stream.data();
    EXPECT_EQ(all.size(), stream.size());
    return all;
  }
  std::size_t Chunks() { return objects().objects.size() - 1; }  // besides the marker

  // The object of its input is put into the store before.
  void SubmitWithInput(const std::string& task, const std::string& input) {
    const std::string key = "input/" + task + "/a";
    objects().objects[key] = {.data = input, .digest = store::DigestOf(input), .modified = {}};
    task::v1::Program program;
    program.add_argv("cat");
    program.mutable_stdin_object()->set_key(key);
    program.mutable_stdin_object()->set_size(input.size());
    program.mutable_stdin_object()->set_digest(store::DigestBytes(store::DigestOf(input)));
    Submit(task, {}, program);
  }

  std::unique_ptr<SimWorker> worker_;
  std::size_t runs_ = 0;
};

TEST_F(AttemptTest, AShortTaskIsOneTransaction) {
  task::v1::Program program;
  program.add_argv("sh");
  program.add_argv("-c");
  (*program.mutable_env())["A"] = "b";
  (*program.mutable_env())["DROVER_FENCE"] = "forged";
  program.set_cwd("/somewhere");
  program.set_stdin("input");
  const base::Zxid fence = Submit("t1", {}, program);
  const auto run = AwaitProgram(*worker_, 1);
  EXPECT_EQ(run->run.argv, (std::vector<std::string>{"sh", "-c"}));
  EXPECT_EQ(run->run.cwd, "/somewhere");
  EXPECT_EQ(run->run.stdin_bytes.view(), "input");
  EXPECT_EQ(run->Env("A"), "b");
  EXPECT_EQ(run->Env("PATH"), "/bin");
  EXPECT_EQ(run->Env("DROVER_TASK_ID"), "t1");
  EXPECT_EQ(run->Env("DROVER_ATTEMPT"), "1");
  EXPECT_EQ(run->Env("DROVER_FENCE"), std::to_string(fence.value));
  EXPECT_EQ(run->Env("DROVER_WORKER"), "w1");
  EXPECT_EQ(Record("t1").state(), task::v1::ASSIGNED) << "nothing is written before the outcome";
  worker_->runner->Write(run, Stream::kOut, "hello\n");
  worker_->runner->Write(run, Stream::kErr, "oops\n");
  worker_->runner->Exit(run, 0);
  const v1::TaskRecord record = AwaitEnd("t1");
  EXPECT_EQ(record.state(), task::v1::SUCCEEDED);
  EXPECT_EQ(record.attempts(0).fence(), fence.value);
  EXPECT_EQ(record.attempts(0).exit_code(), 0);
  EXPECT_GT(record.attempts(0).started_at(), 0);
  EXPECT_EQ(record.output().out().data(), "hello\n");
  EXPECT_EQ(record.output().err().data(), "oops\n");
  EXPECT_EQ(Chunks(), 0U) << "a short task touched the store";
  EXPECT_EQ(run->unacked, 0U);
  // Created with zxid `fence`, changed once.
  EXPECT_EQ(master_->Exists(paths_.Task("t1"))->stat->version, 1U);
}

TEST_F(AttemptTest, AnAtMostOnceTaskIsMarkedBeforeItStarts) {
  const auto run = Run("t1", AtMostOnce());
  const v1::TaskRecord record = Record("t1");
  EXPECT_EQ(record.state(), task::v1::RUNNING);
  EXPECT_EQ(record.attempts(0).state(), task::v1::RUNNING);
  EXPECT_EQ(record.attempts(0).fence(), master_->Exists(paths_.Assignment("w1", "t1"))->stat->czxid.value);
  worker_->runner->Exit(run, 3);
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::FAILED);
  EXPECT_EQ(Record("t1").attempts(0).exit_code(), 3);
}

TEST_F(AttemptTest, ALongerTaskIsReportedRunningOnce) {
  const auto run = Run("t1");
  core_.world.RunFor(milliseconds(100));
  EXPECT_EQ(Record("t1").state(), task::v1::ASSIGNED);
  core_.world.RunFor(seconds(2));
  const v1::TaskRecord record = Record("t1");
  EXPECT_EQ(record.state(), task::v1::RUNNING);
  EXPECT_GT(record.attempts(0).started_at(), 0);
  EXPECT_EQ(master_->Exists(paths_.Task("t1"))->stat->version, 1U);
  worker_->runner->Exit(run, 0);
  EXPECT_EQ(AwaitEnd("t1").attempts(0).started_at(), record.attempts(0).started_at());
}

TEST_F(AttemptTest, LargeOutputGoesToTheStoreAndTheLastBytesIntoTheRecord) {
  const auto run = Run("t1");
  std::string out;
  for (int i = 0; i < 200; ++i) {
    const std::string part(10'000, static_cast<char>('a' + i % 26));
    out += part;
    worker_->runner->Write(run, Stream::kOut, part);
    if (i % 10 == 0) core_.world.RunFor(milliseconds(1));
  }
  core_.world.RunFor(seconds(1));
  EXPECT_EQ(run->unacked, 0U);
  worker_->runner->Write(run, Stream::kOut, "the end");
  worker_->runner->Write(run, Stream::kErr, "small");
  worker_->runner->Exit(run, 0);
  AwaitEnd("t1");
  EXPECT_TRUE(Output("t1", false) == out + "the end");
  EXPECT_EQ(Output("t1", true), "small");
  EXPECT_EQ(Record("t1").output().out().data(), "the end");
  EXPECT_EQ(Record("t1").output().err().chunks(), 0U);
}

TEST_F(AttemptTest, OutputOfARunningTaskIsInTheStoreSoonAfterItCame) {
  const auto run = Run("t1");
  core_.world.RunFor(seconds(1));
  worker_->runner->Write(run, Stream::kOut, "line\n");
  core_.world.RunFor(milliseconds(90));
  EXPECT_EQ(Chunks(), 0U);
  core_.world.RunFor(milliseconds(30));
  EXPECT_EQ(Chunks(), 1U);
}

TEST_F(AttemptTest, ProgressIsToldInTheAssignmentNotTooOften) {
  const auto run = Run("t1");
  core_.world.RunFor(seconds(1));
  const auto told = [&] { return records::DecodeAssignment(master_->Get(paths_.Assignment("w1", "t1"))->node.data)->progress(); };
  run->listener->OnProgress("10 first");
  core_.world.RunFor(milliseconds(100));
  EXPECT_EQ(told().percent(), 10);
  EXPECT_EQ(told().text(), "first");
  EXPECT_GT(told().at(), 0);
  run->listener->OnProgress("20");
  run->listener->OnProgress("30");
  core_.world.RunFor(milliseconds(500));
  EXPECT_EQ(told().percent(), 10);
  core_.world.RunFor(milliseconds(600));
  EXPECT_EQ(told().percent(), 30);
  EXPECT_EQ(told().text(), "");
  // A cancel in the same data stays, and so does what comes after it.
  Cancel("t1", "");
  run->listener->OnProgress("40");
  core_.world.RunFor(milliseconds(1'500));
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::CANCELLED);
}

TEST_F(AttemptTest, AProgramThatGivesNoSignOfLifeIsEnded) {
  task::v1::Policy policy;
  policy.set_heartbeat_ms(1'000);
  const auto run = Run("t1", policy);
  for (int i = 0; i < 5; ++i) {
    core_.world.RunFor(milliseconds(800));
    run->listener->OnProgress(i % 2 == 0 ? "" : "50");
  }
  EXPECT_FALSE(run->over);
  core_.world.RunFor(milliseconds(1'200));
  EXPECT_EQ(run->killed_by, exec::KilledBy::kSilence);
  const v1::TaskRecord record = AwaitEnd("t1");
  EXPECT_EQ(record.state(), task::v1::FAILED);
  EXPECT_EQ(record.reason(), task::v1::HEARTBEAT);
  EXPECT_EQ(record.sentence(), "no sign of life for 1s");
}

TEST_F(AttemptTest, AResultIsKeptWithTheOutput) {
  const auto run = Run("t1");
  worker_->runner->Write(run, Stream::kOut, "out\n");
  worker_->runner->Write(run, Stream::kResult, "42");
  worker_->runner->Exit(run, 0);
  const v1::TaskRecord record = AwaitEnd("t1");
  EXPECT_EQ(record.output().result().data(), "42");
  EXPECT_EQ(record.output().result().size(), 2U);
  EXPECT_EQ(Output("t1", false), "out\n");

  const auto large = Run("t2");
  worker_->runner->Write(large, Stream::kResult, std::string(300'000, 'r'));
  worker_->runner->Exit(large, 0);
  const v1::TaskRecord stored = AwaitEnd("t2");
  EXPECT_EQ(stored.output().result().size(), 300'000U);
  EXPECT_GT(stored.output().result().chunks(), 0U);
  const std::uint64_t fence = stored.attempts(0).fence();
  EXPECT_EQ(objects().objects.count(store::OutputKey("t2", fence, store::Part::kResult, 0)), 1U);
}

TEST_F(AttemptTest, AnElementKnowsItsIndex) {
  const auto run = Run("a:7");
  EXPECT_EQ(run->Env("DROVER_TASK_ID"), "a:7");
  EXPECT_EQ(run->Env("DROVER_ARRAY_ID"), "a");
  EXPECT_EQ(run->Env("DROVER_ARRAY_INDEX"), "7");
  EXPECT_EQ(Run("t1")->Env("DROVER_ARRAY_INDEX"), "(unset)");
}

TEST_F(AttemptTest, AProgramIsNotReadWhileTheStoreFailsAndItsOutputIsWholeAfterwards) {
  const auto run = Run("t1");
  objects().failure = absl::UnavailableError("away");
  const std::string much(3 << 20, 'x');
  worker_->runner->Write(run, Stream::kOut, much);
  core_.world.RunFor(seconds(5));
  EXPECT_GT(run->unacked, 0U);
  objects().failure = absl::OkStatus();
  worker_->runner->Exit(run, 0);
  AwaitEnd("t1");
  EXPECT_EQ(run->unacked, 0U);
  EXPECT_TRUE(Output("t1", false) == much);
}

TEST_F(AttemptTest, OutputThatCannotBeStoredFailsTheAttempt) {
  const auto run = Run("t1");
  objects().failure = absl::ResourceExhaustedError("disk full");
  worker_->runner->Write(run, Stream::kOut, std::string(5000, 'x'));
  worker_->runner->Exit(run, 0);
  Await([&] { return worker_->agent->attempts() == 0; }, "the end", std::chrono::minutes(5));
  const v1::TaskRecord record = AwaitEnd("t1");
  EXPECT_EQ(record.state(), task::v1::FAILED);
  EXPECT_EQ(record.reason(), task::v1::STORE_FAILED);
  EXPECT_THAT(record.sentence(), HasSubstr("disk full"));
}

TEST_F(AttemptTest, AStoreThatNeverAnswersHoldsNoAttemptForEver) {
  const auto run = Run("output");
  hang_.now = true;
  worker_->runner->Write(run, Stream::kOut, std::string(3 << 20, 'x'));
  worker_->runner->Exit(run, 0);
  SubmitWithInput("input", "input");
  core_.world.RunFor(seconds(50));
  EXPECT_EQ(worker_->agent->attempts(), 2U) << "given up too soon";
  Await([&] { return worker_->agent->attempts() == 0; }, "the end");
  for (const char* task : {"output", "input"}) {
    const v1::TaskRecord record = Record(task);
    EXPECT_EQ(record.state(), task::v1::FAILED) << task;
    EXPECT_EQ(record.reason(), task::v1::STORE_FAILED) << task;
    EXPECT_THAT(record.sentence(), HasSubstr("does not answer")) << task;
  }
  EXPECT_EQ(run->unacked, 0U);
  hang_.LetGo();
  core_.world.RunFor(seconds(1));
  EXPECT_EQ(worker_->runner->programs.size(), 1U);
}

TEST_F(AttemptTest, InputIsTriedAgainWhileTheStoreFails) {
  objects().failure = absl::UnavailableError("away");
  SubmitWithInput("t1", "input");
  core_.world.RunFor(seconds(30));
  EXPECT_TRUE(HasAssignment("t1"));
  objects().failure = absl::OkStatus();
  const auto run = AwaitProgram(*worker_, 1);
  EXPECT_EQ(run->run.stdin_bytes.view(), "input");
  worker_->runner->Exit(run, 0);
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::SUCCEEDED);
}

TEST_F(AttemptTest, InputThatStaysOutOfReachFailsTheAttempt) {
  objects().failure = absl::UnavailableError("away");
  SubmitWithInput("t1", "input");
  core_.world.RunFor(seconds(50));
  EXPECT_EQ(worker_->agent->attempts(), 1U) << "given up too soon";
  Await([&] { return worker_->agent->attempts() == 0; }, "the end");
  const v1::TaskRecord record = Record("t1");
  EXPECT_EQ(record.state(), task::v1::FAILED);
  EXPECT_EQ(record.reason(), task::v1::STORE_FAILED);
  EXPECT_THAT(record.sentence(), HasSubstr("away"));
}

TEST_F(AttemptTest, ACancelEndsTheTriesToReadInput) {
  objects().failure = absl::UnavailableError("away");
  SubmitWithInput("t1", "input");
  core_.world.RunFor(seconds(1));
  Cancel("t1", "");
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::CANCELLED);
  EXPECT_EQ(worker_->agent->attempts(), 0U);
}

TEST_F(AttemptTest, AProgramAndItsInputMayBeInTheStore) {
  store::MemoryStore uploads(worker_->loop.get(), &objects());
  const auto upload = [&](const std::string& key, const std::string& bytes) {
    std::optional<store::ObjectRef> ref;
    uploads.Put(key, base::Bytes::Copy(bytes), [&](absl::StatusOr<store::ObjectRef> put) { ref = *put; });
    Await([&] { return ref.has_value(); }, "the upload");
    task::v1::ObjectRef message;
    message.set_key(key);
    message.set_size(ref->size);
    message.set_digest(store::DigestBytes(ref->digest));
    return message;
  };
  task::v1::Program program;
  program.add_argv("cat");
  *program.mutable_stdin_object() = upload("input/t1/a", std::string(100'000, 'i'));
  v1::TaskRecord record;
  *record.mutable_program_object() = upload("input/t1/b", records::EncodeProgram(program));
  record.set_state(task::v1::ASSIGNED);
  records::AddAttempt(&record, "w1", 1);
  v1::Assignment assignment;
  assignment.set_process_id("p1");
  const auto assign = [&](const std::string& task) {
    return master_->Commit(
        {.then = {coord::Operation::Create(paths_.Task(task), records::Encode(record), {.parents = true}),
                  coord::Operation::Create(paths_.Assignment("w1", task), records::Encode(assignment), {.parents = true})}});
  };
  ASSERT_TRUE(assign("t1").ok());
  const auto run = AwaitProgram(*worker_, 1);
  EXPECT_EQ(run->run.argv, std::vector<std::string>{"cat"});
  EXPECT_EQ(run->run.stdin_bytes.size(), 100'000U);

  record.mutable_program_object()->set_key("input/t2/none");
  ASSERT_TRUE(assign("t2").ok());
  const v1::TaskRecord ended = AwaitEnd("t2");
  EXPECT_EQ(ended.state(), task::v1::FAILED);
  EXPECT_EQ(ended.reason(), task::v1::STORE_FAILED);
  EXPECT_EQ(worker_->runner->programs.size(), 1U);
}

TEST_F(AttemptTest, ARetryGoesBackToReadyUntilNoneIsLeft) {
  task::v1::Policy policy;
  policy.set_retries(1);
  policy.set_retry_backoff_ms(0);
  worker_->runner->Exit(Run("t1", policy), 1);
  v1::TaskRecord record = AwaitBack("t1");
  EXPECT_EQ(record.state(), task::v1::READY);
  EXPECT_EQ(record.failures(), 1U);
  EXPECT_EQ(record.attempts(0).state(), task::v1::FAILED);
  AssignAgain("t1");
  const auto run = AwaitProgram(*worker_, 2);
  EXPECT_EQ(run->Env("DROVER_ATTEMPT"), "2");
  worker_->runner->Exit(run, 1);
  record = AwaitEnd("t1");
  EXPECT_EQ(record.state(), task::v1::FAILED);
  EXPECT_EQ(record.attempts_total(), 2U);
}

TEST_F(AttemptTest, ATotalLimitBoundsTheTimeOfAnAttempt) {
  task::v1::Policy policy;
  policy.set_total_limit_ms(60'000);
  const auto run = Run("t1", policy);
  EXPECT_GT(run->run.time_limit, seconds(50));
  EXPECT_LE(run->run.time_limit, seconds(60));
  policy.set_time_limit_ms(5'000);
  EXPECT_EQ(Run("t2", policy)->run.time_limit, seconds(5)) << "its own is shorter";
}

TEST_F(AttemptTest, AnAssignmentThatComesTooLateIsNotStarted) {
  task::v1::Policy policy = AtMostOnce();
  policy.set_deadline_ms(1);
  Submit("t1", policy);
  const v1::TaskRecord record = AwaitEnd("t1");
  EXPECT_EQ(record.state(), task::v1::FAILED);
  EXPECT_EQ(record.reason(), task::v1::DEADLINE);
  EXPECT_EQ(record.attempts(0).started_at(), 0);
  EXPECT_TRUE(worker_->runner->programs.empty());
}

TEST_F(AttemptTest, ARetryWaitsForItsBackOffByTheClustersTime) {
  task::v1::Policy policy;
  policy.set_retries(1);
  policy.set_retry_backoff_ms(10'000);
  const auto run = Run("t1", policy);
  core_.world.RunFor(seconds(5));  // the last contact is a while ago
  worker_->runner->Exit(run, 1);
  const v1::TaskRecord record = AwaitBack("t1");
  EXPECT_EQ(record.state(), task::v1::WAITING);
  EXPECT_THAT(record.sentence(), HasSubstr("exit code 1"));
  const std::int64_t ended = master_->Exists(paths_.Task("t1"))->stat->mtime.value;
  EXPECT_GE(record.not_before(), ended + 8'000 - 100);
  EXPECT_LE(record.not_before(), ended + 12'000 + 100);
}

TEST_F(AttemptTest, TheOutputOfAnAttemptThatIsFollowedByAnotherIsInTheStore) {
  task::v1::Policy policy;
  policy.set_retries(1);
  policy.set_retry_backoff_ms(0);
  const auto first = Run("t1", policy);
  worker_->runner->Write(first, Stream::kOut, "first out\n");
  worker_->runner->Write(first, Stream::kErr, "first err\n");
  worker_->runner->Exit(first, 1);
  v1::TaskRecord record = AwaitBack("t1");
  const std::uint64_t fence = record.attempts(0).fence();
  EXPECT_EQ(Output("t1", false), "first out\n");
  EXPECT_EQ(record.output().out().data(), "");
  EXPECT_EQ(objects().objects.at(store::OutputKey("t1", fence, store::Part::kOut, 0)).data, "first out\n");
  EXPECT_EQ(objects().objects.at(store::OutputKey("t1", fence, store::Part::kErr, 0)).data, "first err\n");
  AssignAgain("t1");
  EXPECT_FALSE(Record("t1").has_output()) << "said of the wrong attempt";
  const auto second = AwaitProgram(*worker_, 2);
  worker_->runner->Write(second, Stream::kOut, "second\n");
  worker_->runner->Exit(second, 1);
  record = AwaitEnd("t1");
  EXPECT_EQ(record.output().out().data(), "second\n") << "nothing follows: it rides in the record";
  EXPECT_EQ(Chunks(), 2U);
}

TEST_F(AttemptTest, AStoreThatFailsChangesNothingForARetryWithLittleOutput) {
  task::v1::Policy policy;
  policy.set_retries(1);
  policy.set_retry_backoff_ms(0);
  const auto run = Run("t1", policy);
  objects().failure = absl::FailedPreconditionError("no store");
  worker_->runner->Write(run, Stream::kOut, "kept for now\n");
  worker_->runner->Exit(run, 3);
  const v1::TaskRecord record = AwaitBack("t1");
  EXPECT_EQ(record.reason(), task::v1::EXIT_CODE);
  EXPECT_EQ(record.output().out().data(), "kept for now\n");
}

TEST_F(AttemptTest, ACancelStopsTheProgram) {
  const auto run = Run("t1");
  Cancel("t1", "no longer wanted");
  const v1::TaskRecord record = AwaitEnd("t1");
  EXPECT_EQ(run->killed_by, exec::KilledBy::kCancel);
  EXPECT_EQ(record.state(), task::v1::CANCELLED);
  EXPECT_EQ(record.reason(), task::v1::CANCELLED_BY_USER);
  EXPECT_EQ(record.sentence(), "no longer wanted");
  EXPECT_EQ(worker_->agent->counters().cancelled, 1U);
}

TEST_F(AttemptTest, ACancelledTaskThatHasNotStartedNeverDoes) {
  // The assignment is there, and cancelled, before the worker sees it.
  core_.network.Cut("core", "host1");
  Submit("t1", AtMostOnce());
  Cancel("t1", "");
  core_.network.HealAll();
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::CANCELLED);
  EXPECT_EQ(worker_->runner->programs.size(), 0U);
}

TEST_F(AttemptTest, ACancelDoesNotWaitForInputThatIsBeingFetched) {
  hang_.now = true;
  SubmitWithInput("t1", "input");
  Await([&] { return hang_.kept.size() == 1; }, "the fetch");
  Cancel("t1", "no longer wanted");
  const v1::TaskRecord record = AwaitEnd("t1");
  EXPECT_EQ(record.state(), task::v1::CANCELLED);
  EXPECT_EQ(record.sentence(), "no longer wanted");
  hang_.LetGo();
  core_.world.RunFor(seconds(1));
  EXPECT_EQ(worker_->runner->programs.size(), 0U);
  EXPECT_EQ(worker_->agent->attempts(), 0U);
}

TEST_F(AttemptTest, ACancelThatMeetsARetryWins) {
  task::v1::Policy policy;
  policy.set_retries(5);
  const auto run = Run("t1", policy);
  // The worker does not hear of the cancel; its transition back to READY is refused for it.
  core_.network.Cut("core", "host1");
  Cancel("t1", "stop");
  worker_->runner->Exit(run, 1);
  core_.world.RunFor(milliseconds(500));
  core_.network.HealAll();
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::CANCELLED);
}

TEST_F(AttemptTest, ACancelDoesNotUndoWhatThePogramHasDone) {
  const auto run = Run("t1");
  core_.network.Cut("core", "host1");
  Cancel("t1", "too late");
  worker_->runner->Exit(run, 0);
  core_.world.RunFor(milliseconds(500));
  core_.network.HealAll();
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::SUCCEEDED);
}

TEST_F(AttemptTest, AnAttemptTakenBackIsStoppedAndTheNextOneIsAnother) {
  const auto first = Run("t1");
  TakeBack("t1");
  Await([&] { return first->over; }, "the stop");
  EXPECT_EQ(first->killed_by, exec::KilledBy::kRevoked);
  AssignAgain("t1");
  const auto second = AwaitProgram(*worker_, 2);
  worker_->runner->Exit(second, 0);
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::SUCCEEDED);
  EXPECT_EQ(worker_->agent->counters().refused, 1U);
}

TEST_F(AttemptTest, AnOutcomeThatFindsNoAssignmentIsRefusedAndCounted) {
  const auto run = Run("t1");
  core_.network.Cut("core", "host1");
  TakeBack("t1");
  worker_->runner->Exit(run, 0);
  core_.world.RunFor(milliseconds(500));
  core_.network.HealAll();
  Await([&] { return worker_->agent->attempts() == 0; }, "the refusal");
  EXPECT_EQ(worker_->agent->counters().refused, 1U);
  EXPECT_EQ(worker_->agent->counters().succeeded, 0U);
  EXPECT_EQ(Record("t1").state(), task::v1::READY);
}

TEST_F(AttemptTest, AnAtMostOnceTaskTakenBackBeforeItsMarkIsNotStarted) {
  core_.network.Cut("core", "host1");
  const base::Zxid fence = Submit("t1", AtMostOnce());
  TakeBack("t1");
  EXPECT_GT(AssignAgain("t1", "p9"), fence);
  core_.network.HealAll();
  core_.world.RunFor(seconds(2));
  EXPECT_EQ(worker_->runner->programs.size(), 0U);
}

TEST_F(AttemptTest, AMarkWhoseAnswerIsLostWithTheSessionStartsTheProgramOnce) {
  // The mark is applied, its answer is lost, the session expires; the assignment stands all the while.
  core_.network.SetLatency("core", "host1", milliseconds(50), milliseconds(50));
  Submit("t1", AtMostOnce());
  for (int i = 0; i < 1000 && Record("t1").state() != task::v1::RUNNING; ++i) core_.world.RunFor(milliseconds(1));
  ASSERT_EQ(worker_->runner->programs.size(), 0U) << "the answer was faster";
  core_.network.Reset("host1", "core");  // what was under way is lost
  core_.network.CutPair("host1", "core");
  Await([&] { return !master_->Exists(paths_.Worker("w1"))->stat.has_value(); }, "the expiry");
  core_.network.HealAll();
  AwaitReady(*worker_);
  const auto run = AwaitProgram(*worker_, 1);
  core_.world.RunFor(seconds(2));
  EXPECT_EQ(worker_->runner->programs.size(), 1U);
  worker_->runner->Exit(run, 0);
  EXPECT_EQ(AwaitEnd("t1").state(), task::v1::SUCCEEDED);
}

TEST_F(AttemptTest, AnOutcomeWhoseAnswerIsLostWithTheSessionIsCommittedOnce) {
  for (const bool applied : {false, true}) {
    const std::string task = applied ? "applied" : "lost";
    const auto run = Run(task);
    core_.world.RunFor(seconds(1));
    core_.network.Cut(applied ? "core" : "host1", applied ? "host1" : "core");
    worker_->runner->Exit(run, 0);
    core_.world.RunFor(milliseconds(100));
    core_.network.Reset("host1", "core");  // what was under way is lost
    core_.network.CutPair("host1", "core");
    Await([&] { return !master_->Exists(paths_.Worker("w1"))->stat.has_value(); }, "the expiry");
    EXPECT_EQ(HasAssignment(task), !applied);
    core_.network.HealAll();
    AwaitReady(*worker_);
    EXPECT_EQ(AwaitEnd(task).state(), task::v1::SUCCEEDED);
    Await([&] { return worker_->agent->attempts() == 0; }, "the attempt to be let go of");
  }
}

TEST_F(AttemptTest, AWorkersShortageReturnsTheTaskAfterAPauseAndCostsNothing) {
  const auto run = Run("t1", AtMostOnce());
  run->over = true;
  run->listener->OnExit({.kind = exec::Exit::Kind::kNotStarted, .error = EMFILE, .sentence = "too many open files"});
  core_.world.RunFor(milliseconds(500));
  EXPECT_TRUE(HasAssignment("t1")) << "returned without a pause";
  const v1::TaskRecord record = AwaitBack("t1");
  EXPECT_EQ(record.state(), task::v1::READY);
  EXPECT_EQ(record.failures(), 0U);
  EXPECT_EQ(record.losses(), 0U);
}

TEST_F(AttemptTest, AReaperThatDiedCostsALoss) {
  worker_->runner->Lose(Run("again"));
  v1::TaskRecord record = AwaitBack("again");
  EXPECT_EQ(record.state(), task::v1::READY);
  EXPECT_EQ(record.losses(), 1U);
  worker_->runner->Lose(Run("once", AtMostOnce()));
  record = AwaitEnd("once");
  EXPECT_EQ(record.state(), task::v1::LOST);
  EXPECT_EQ(record.reason(), task::v1::WORKER_LOST);
}

TEST_F(AttemptTest, ManyTasksAtOnceAllEnd) {
  constexpr int kTasks = 300;
  for (int i = 0; i < kTasks; ++i) Submit("t" + std::to_string(i));
  Await([&] { return worker_->runner->programs.size() == kTasks; }, "all to start");
  for (const auto& program : worker_->runner->programs) worker_->runner->Exit(program, 0);
  Await([&] { return worker_->agent->counters().succeeded == kTasks; }, "all to end");
  EXPECT_EQ(worker_->agent->attempts(), 0U);
}

}  // namespace
}  // namespace drover::worker::agent

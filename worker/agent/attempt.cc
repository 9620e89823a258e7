#include "worker/agent/attempt.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/store/names.h"
#include "coord/process/logging.h"
#include "drover/coord/cluster_time.h"
#include "drover/coord/status.h"
#include "master/records/codec.h"
#include "master/records/task_id.h"
#include "worker/agent/progress.h"

namespace drover::worker::agent {
namespace {

const process::Logger kLog("worker.attempt");

// Later than it was set for by more than this, a timer says that the process stood still.
constexpr base::Duration kHeldUp = std::chrono::seconds(1);

using coord::Compare;
using coord::Operation;
using coord::Transaction;

}  // namespace

Attempt::Attempt(AttemptParts parts, std::string task, base::Zxid fence)
    : parts_(parts),
      task_(std::move(task)),
      fence_(fence),
      task_path_(parts.paths->Task(task_)),
      assignment_path_(parts.paths->Assignment(parts.options->name, task_)),
      progress_due_(parts.loop),
      silence_(parts.loop),
      fetch_limit_(parts.loop),
      retry_(parts.loop) {}

void Attempt::Begin(const v1::Assignment& assignment, base::Zxid mzxid) {
  assignment_ = assignment;
  assignment_mzxid_ = mzxid;
  Read();
}

void Attempt::OnAssignment(const v1::Assignment& assignment, base::Zxid mzxid) {
  const bool newly_cancelled = assignment.cancel() && !assignment_.cancel();
  assignment_ = assignment;
  assignment_mzxid_ = mzxid;
  if (!newly_cancelled) return;
  if (phase_ == Phase::kRunning) KillProgram(exec::KilledBy::kCancel, parts_.options->grace);
  // The store may take its time; what it answers later is for nobody.
  if (phase_ == Phase::kFetching || phase_ == Phase::kHolding) {
    retry_.Cancel();
    Commit();
  }
}

void Attempt::OnAssignmentGone() {
  gone_ = true;
  if (phase_ == Phase::kRunning) {
    Refused("the attempt was taken back: its program is stopped");
    return KillProgram(exec::KilledBy::kRevoked, {});
  }
  // An answer under way says whether it was our own commit that did it.
  if (!waits_) Over();
}

void Attempt::OnSessionReplaced() {
  reporting_ = false;
  if (!waits_) return;
  ++call_;
  waits_ = false;
  parked_ = true;
}

void Attempt::OnStillStands() {
  if (!parked_) return;
  parked_ = false;
  switch (phase_) {
    case Phase::kMarking:
      mark_unknown_ = true;
      return Read();
    case Phase::kReading:
      return Read();
    case Phase::kCommitting:
      return Commit();
    case Phase::kFetching:
    case Phase::kHolding:
    case Phase::kRunning:
    case Phase::kStoring:
    case Phase::kOver:
      return;
  }
}

void Attempt::StopForDrain() {
  if (phase_ == Phase::kRunning) KillProgram(exec::KilledBy::kDrain, parts_.options->grace);
}

bool Attempt::Postponed(const absl::Status& status, void (Attempt::*again)()) {
  if (status.ok()) return false;
  if (coord::IsOutcomeUnknown(status) || coord::IsSessionExpired(status)) {
    parked_ = true;
  } else {
    kLog.Warning("the core refused, trying again", {{"task", task_}, {"fence", fence_}, {"status", status}});
    retry_.Set(parts_.options->retry_delay, [this, again] { (this->*again)(); });
  }
  if (gone_) Over();
  return true;
}

// ---- reading and fetching ----

void Attempt::Read() {
  phase_ = Phase::kReading;
  parts_.host->session()->Get(task_path_,
                              Awaited([](Attempt& self, absl::StatusOr<coord::GetResult> got) { self.OnRecord(std::move(got)); }),
                              {.local = true});
}

void Attempt::OnRecord(absl::StatusOr<coord::GetResult> got) {
  if (gone_) return Over();
  if (!got.ok() && coord::IsNoNode(got.status())) {
    kLog.Error("an assignment without a task", {{"task", task_}, {"fence", fence_}});
    return Over();
  }
  if (Postponed(got.status(), &Attempt::Read)) return;
  auto record = records::DecodeTaskRecord(got->node.data);
  if (!record.ok()) {
    kLog.Error("a task record that is none", {{"task", task_}, {"fence", fence_}, {"status", record.status()}});
    return Over();
  }
  record_ = *std::move(record);
  record_mzxid_ = got->node.stat.mzxid;
  // Only our own unanswered marking can have written this: the program was not started, and may be.
  marked_ = mark_unknown_ && record_.state() == task::v1::RUNNING && record_mzxid_ > fence_;
  Proceed();
}

// The next step before the program runs; what came meanwhile (a cancel, the wish to stop) is looked at here.
void Attempt::Proceed() {
  if (gone_) return Over();
  if (assignment_.cancel() || parts_.host->draining()) return Commit();
  if (!has_program_) return FetchProgram();
  if (NeedsLease() && !parts_.host->LeaseHolds()) return Hold();
  if (IsOverdue()) return Commit();
  if (record_.policy().at_most_once() && !marked_) return Mark();
  StartProgram();
}

// Of an assignment that came late. By the core's time; where it is not known yet its master has judged.
bool Attempt::IsOverdue() {
  const std::int64_t now_ms = coord::ClusterTimePassed(*parts_.host->session()).value;
  std::optional<records::TimeBound> bound = records::StartBound(record_);
  if (now_ms == 0 || marked_ || !bound || bound->at_ms > now_ms) return false;
  facts_.overdue = *std::move(bound);
  return true;
}

base::Duration Attempt::TimeLimit() {
  const std::chrono::milliseconds own(record_.policy().time_limit_ms());
  std::optional<records::TimeBound> total = records::TotalBound(record_);
  const std::int64_t now_ms = coord::ClusterTimePassed(*parts_.host->session()).value;
  if (!total || now_ms == 0) return own;
  // 0 is none.
  const std::chrono::milliseconds left(std::max<std::int64_t>(total->at_ms - now_ms, 1));
  if (own.count() != 0 && own <= left) return own;
  facts_.total_bound = *std::move(total);
  return left;
}

void Attempt::Hold() {
  phase_ = Phase::kHolding;
  retry_.Set(parts_.options->lease_interval, [this] {
    if (phase_ == Phase::kHolding) Proceed();
  });
}

void Attempt::FetchProgram() {
  phase_ = Phase::kFetching;
  if (!record_.has_program_object()) return OnProgram(record_.program());
  FetchObject(record_.program_object(), [this](absl::StatusOr<base::Bytes> bytes) {
    if (!bytes.ok()) return OnProgram(bytes.status());
    OnProgram(bytes->ToString());
  });
}

void Attempt::FetchObject(const task::v1::ObjectRef& object, absl::AnyInvocable<void(absl::StatusOr<base::Bytes>)> done) {
  store::ObjectRef ref{.key = object.key(), .size = object.size()};
  auto digest = store::DigestFromBytes(object.digest());
  if (!digest.ok()) return done(digest.status());
  ref.digest = *digest;
  parts_.store->Use([weak = weak_from_this(), ref, done = std::move(done)](absl::StatusOr<store::ObjectStore*> store) mutable {
    const auto self = weak.lock();
    if (self == nullptr || self->phase_ != Phase::kFetching) return;
    if (!store.ok()) return done(store.status());
    self->fetch_limit_.Set(self->parts_.options->output.patience, [owner = self.get()] {
      if (owner->phase_ == Phase::kFetching) owner->GiveUpInput(absl::DeadlineExceededError("the object store does not answer"));
    });
    store::GetObject(*store, ref, [weak, done = std::move(done)](absl::StatusOr<base::Bytes> bytes) mutable {
      const auto owner = weak.lock();
      if (owner == nullptr || owner->phase_ != Phase::kFetching) return;
      owner->fetch_limit_.Cancel();
      done(std::move(bytes));
    });
  });
}

void Attempt::OnProgram(absl::StatusOr<std::string> encoded) {
  if (!encoded.ok()) return FailInput(encoded.status());
  if (!program_.ParseFromString(*encoded)) return FailInput(absl::DataLossError("its program cannot be decoded"));
  if (!program_.has_stdin_object()) {
    stdin_ = base::Bytes::Adopt(std::move(*program_.mutable_stdin()));
    has_program_ = true;
    return Proceed();
  }
  // Another task's upload may be removed at any time.
  if (!absl::StartsWith(program_.stdin_object().key(), store::InputsOf(task_))) {
    return FailInput(absl::InvalidArgumentError("the object that it names was not uploaded for this task"));
  }
  FetchObject(program_.stdin_object(), [this](absl::StatusOr<base::Bytes> bytes) {
    if (!bytes.ok()) return FailInput(bytes.status());
    stdin_ = *std::move(bytes);
    has_program_ = true;
    Proceed();
  });
}

void Attempt::FailInput(const absl::Status& why) {
  const bool hopeless =
      absl::IsNotFound(why) || absl::IsDataLoss(why) || absl::IsFailedPrecondition(why) || absl::IsInvalidArgument(why);
  if (!input_failing_since_) input_failing_since_ = parts_.loop->Now();
  if (hopeless || parts_.loop->Now() - *input_failing_since_ >= parts_.options->output.patience) return GiveUpInput(why);
  kLog.Warning("its input cannot be read now, trying again", {{"task", task_}, {"fence", fence_}, {"status", why}});
  retry_.Set(parts_.options->output.retry_delay, [this] {
    if (phase_ == Phase::kFetching) Proceed();
  });
}

void Attempt::GiveUpInput(const absl::Status& why) {
  if (gone_) return Over();
  facts_.input_error = absl::StrCat("its input cannot be read: ", std::string(why.message()));
  Commit();
}

// ---- starting ----

void Attempt::SetRunning(v1::TaskRecord* record) const {
  record->set_state(task::v1::RUNNING);
  record->set_reason(task::v1::NONE);
  record->clear_sentence();
  if (record->attempts_size() == 0) return;
  task::v1::Attempt* attempt = record->mutable_attempts(record->attempts_size() - 1);
  attempt->set_fence(fence_.value);
  attempt->set_started_at(started_at_ms_);
  attempt->set_state(task::v1::RUNNING);
}

// At-most-once: the record says RUNNING before the program may start.
void Attempt::Mark() {
  phase_ = Phase::kMarking;
  started_at_ms_ = parts_.loop->WallNow().value;
  v1::TaskRecord running = record_;
  SetRunning(&running);
  parts_.host->session()->Commit(
      Transaction{.compares = {Compare::Czxid(assignment_path_, fence_), Compare::Mzxid(task_path_, fence_)},
                  .then = {Operation::Set(task_path_, records::Encode(running))}},
      Awaited([](Attempt& self, absl::StatusOr<coord::TransactionResult> result) { self.OnMarked(std::move(result)); }));
}

void Attempt::OnMarked(absl::StatusOr<coord::TransactionResult> result) {
  if (Postponed(result.status(), &Attempt::Mark)) return;
  if (!result->succeeded) {
    Refused("the attempt does not stand any more: not started");
    return Over();
  }
  SetRunning(&record_);
  record_mzxid_ = result->zxid;
  marked_ = true;
  Proceed();
}

void Attempt::StartProgram() {
  phase_ = Phase::kRunning;
  const AgentOptions& options = *parts_.options;
  exec::TaskRun run;
  run.handler = program_.handler();
  run.argv.assign(program_.argv().begin(), program_.argv().end());
  run.env = options.base_env;
  // A map's order is not defined, but its keys are unique.
  for (const auto& [name, value] : program_.env()) run.env.emplace_back(name, value);
  run.env.emplace_back("DROVER_TASK_ID", task_);
  if (const auto element = records::ParseElement(task_)) {
    run.env.emplace_back("DROVER_ARRAY_ID", element->array);
    run.env.emplace_back("DROVER_ARRAY_INDEX", absl::StrCat(element->index));
  }
  run.env.emplace_back("DROVER_ATTEMPT", absl::StrCat(record_.attempts_total()));
  run.env.emplace_back("DROVER_FENCE", absl::StrCat(fence_.value));
  run.env.emplace_back("DROVER_WORKER", options.name);
  run.cwd = program_.cwd();
  run.stdin_bytes = std::exchange(stdin_, {});
  run.time_limit = TimeLimit();
  run.grace = options.grace;
  run.needs_lease = NeedsLease();
  if (run.needs_lease) parts_.host->RefreshLease();
  capture_ = std::make_unique<OutputCapture>(parts_.loop, options.output, parts_.store, task_, fence_.value,
                                             [this](std::size_t bytes) { parts_.runner->Ack(run_, bytes); });
  run_ = parts_.runner->Start(std::move(run), this);
  program_.Clear();
  kLog.Info("program starts", {{"session", parts_.host->session()->id()}, {"task", task_}, {"fence", fence_}});
}

// ---- running ----

void Attempt::OnStarted() {
  started_at_ = parts_.loop->Now();
  if (started_at_ms_ == 0) started_at_ms_ = parts_.loop->WallNow().value;
  capture_->Started();
  WatchHeartbeat();
  parts_.host->OnProgramStarted();
}

void Attempt::OnProgress(std::string line) {
  WatchHeartbeat();
  if (!ReadProgress(line, &progress_)) return;
  progress_.set_at(parts_.loop->WallNow().value);
  progress_told_ = false;
  if (!progress_due_.armed()) ReportProgress();
}

void Attempt::ReportProgress() {
  if (phase_ != Phase::kRunning || gone_ || progress_told_) return;
  progress_told_ = true;
  progress_due_.Set(parts_.options->progress_interval, [this] { ReportProgress(); });
  v1::Assignment assignment = assignment_;
  *assignment.mutable_progress() = progress_;
  // Refused: a cancel is on its way to us, or the assignment's deletion. The next one is told with that.
  parts_.host->session()->Commit(
      Transaction{.compares = {Compare::Czxid(assignment_path_, fence_), Compare::Mzxid(assignment_path_, assignment_mzxid_)},
                  .then = {Operation::Set(assignment_path_, records::Encode(assignment))}},
      [weak = weak_from_this()](absl::StatusOr<coord::TransactionResult> result) {
        const auto self = weak.lock();
        if (self != nullptr && (!result.ok() || !result->succeeded)) self->progress_told_ = false;
      });
}

void Attempt::WatchHeartbeat() {
  const std::chrono::milliseconds patience(record_.policy().heartbeat_ms());
  if (patience.count() == 0 || phase_ != Phase::kRunning) return;
  const base::Instant due = parts_.loop->Now() + patience;
  silence_.Set(patience, [this, due] { OnSilence(due); });
}

void Attempt::OnSilence(base::Instant due) {
  // Where this process itself was held up, what the program said waits to be read.
  if (parts_.loop->Now() - due > kHeldUp) return WatchHeartbeat();
  KillProgram(exec::KilledBy::kSilence, parts_.options->grace);
}

void Attempt::OnOutput(exec::Stream stream, base::Bytes data) {
  capture_->Append(stream, std::move(data));
}

void Attempt::ReportRunning() {
  if (phase_ != Phase::kRunning || marked_ || reporting_ || gone_ || !started_at_) return;
  if (parts_.loop->Now() - *started_at_ < parts_.options->report_age) return;
  v1::TaskRecord running = record_;
  SetRunning(&running);
  reporting_ = true;
  parts_.host->session()->Commit(
      Transaction{.compares = {Compare::Czxid(assignment_path_, fence_), Compare::Mzxid(task_path_, record_mzxid_)},
                  .then = {Operation::Set(task_path_, records::Encode(running))}},
      [weak = weak_from_this()](absl::StatusOr<coord::TransactionResult> result) {
        // Refused: the assignment's deletion is on its way to us. Unknown: the outcome writes the whole record anyway.
        const auto self = weak.lock();
        if (self == nullptr || !result.ok()) return;
        self->marked_ = true;
        if (result->succeeded) self->record_mzxid_ = result->zxid;
      });
}

void Attempt::KillProgram(exec::KilledBy reason, base::Duration grace) {
  parts_.runner->Kill(run_, reason, grace);
}

void Attempt::OnExit(const exec::Exit& exit) {
  phase_ = Phase::kStoring;
  progress_due_.Cancel();
  silence_.Cancel();
  if (gone_) return Over();
  // The lease ended on the way to the program, which has not run: the same attempt starts it once there is a lease again.
  if (exit.kind == exec::Exit::Kind::kNotStarted && exit.killed_by == exec::KilledBy::kLease) {
    has_program_ = false;
    return Hold();
  }
  facts_.exit = exit;
  if (exit.kind == exec::Exit::Kind::kNotStarted) started_at_ms_ = 0;
  facts_.finished_at_ms = std::max(parts_.loop->WallNow().value, started_at_ms_);
  if (IsShortage(exit)) {
    kLog.Warning("too little to start it with", {{"task", task_}, {"fence", fence_}, {"error", exit.sentence}});
    return retry_.Set(parts_.options->shortage_pause, [this] { Commit(); });
  }
  // The record has room for one attempt's last bytes. Decided by what is known now: a cancel that comes later ends the task, and
  // then they are in the store all the same.
  const bool again = Decide().again;
  using Rest = OutputCapture::Rest;
  capture_->Finish(again ? Rest::kIntoStore : Rest::kIntoRecord, [this, again](absl::StatusOr<v1::Output> output) {
    if (gone_) return Over();
    if (output.ok()) {
      output_ = *std::move(output);
      if (again && (!output_.out().data().empty() || !output_.err().data().empty())) {
        kLog.Warning("its last output cannot be stored and goes when the next attempt begins",
                     {{"task", task_}, {"fence", fence_}});
      }
    } else {
      facts_.output_error = std::string(output.status().message());
      kLog.Error("output is lost", {{"task", task_}, {"fence", fence_}, {"status", output.status()}});
    }
    Commit();
  });
}

// ---- committing ----

Outcome Attempt::Decide() {
  facts_.fence = fence_.value;
  facts_.started_at_ms = facts_.exit ? started_at_ms_ : 0;
  if (facts_.finished_at_ms == 0) facts_.finished_at_ms = parts_.loop->WallNow().value;
  if (facts_.cluster_now_ms == 0) {
    const std::int64_t agreed = coord::ClusterTimeNow(*parts_.host->session()).value;
    facts_.cluster_now_ms = agreed != 0 ? agreed : facts_.finished_at_ms;
    facts_.random = parts_.random->Next();
  }
  facts_.cancel = assignment_.cancel();
  facts_.cancel_reason = assignment_.cancel_reason();
  return DecideOutcome(record_, facts_);
}

void Attempt::Commit() {
  phase_ = Phase::kCommitting;
  outcome_ = Decide();
  v1::TaskRecord record = record_;
  *record.mutable_output() = output_;
  if (outcome_.end.state != task::v1::SUCCEEDED) record.mutable_output()->clear_result();
  ApplyOutcome(outcome_, &record);
  Transaction transaction{.compares = {Compare::Czxid(assignment_path_, fence_)},
                          .then = {Operation::Set(task_path_, records::Encode(record)), Operation::Delete(assignment_path_)}};
  // A cancel that we have not seen forbids another attempt.
  if (outcome_.again) transaction.compares.push_back(Compare::Mzxid(assignment_path_, assignment_mzxid_));
  parts_.host->session()->Commit(
      std::move(transaction),
      Awaited([](Attempt& self, absl::StatusOr<coord::TransactionResult> result) { self.OnCommit(std::move(result)); }));
}

void Attempt::OnCommit(absl::StatusOr<coord::TransactionResult> result) {
  if (Postponed(result.status(), &Attempt::Commit)) return;
  if (result->succeeded) {
    parts_.host->OnCommitted(outcome_);
    kLog.Info("attempt ended", {{"session", parts_.host->session()->id()},
                                {"task", task_},
                                {"fence", fence_},
                                {"state", task::v1::State_Name(outcome_.end.state)},
                                {"reason", task::v1::Reason_Name(outcome_.end.reason)},
                                {"again", outcome_.again}});
    return Over();
  }
  if (outcome_.again && !gone_) return ReadAssignment();
  Refused("the outcome was refused: the attempt does not stand any more");
  Over();
}

// Which of the two compares failed? If the assignment stands, its data changed: decide anew.
void Attempt::ReadAssignment() {
  parts_.host->session()->Get(assignment_path_, Awaited([](Attempt& self, absl::StatusOr<coord::GetResult> got) {
                                const bool missing = !got.ok() && coord::IsNoNode(got.status());
                                if (!missing && self.Postponed(got.status(), &Attempt::ReadAssignment)) return;
                                if (missing || got->node.stat.czxid != self.fence_) {
                                  self.Refused("the outcome was refused: the attempt does not stand any more");
                                  return self.Over();
                                }
                                if (auto assignment = records::DecodeAssignment(got->node.data); assignment.ok())
                                  self.assignment_ = *std::move(assignment);
                                self.assignment_mzxid_ = got->node.stat.mzxid;
                                self.Commit();
                              }));
}

void Attempt::Refused(const char* what) {
  kLog.Warning(what, {{"session", parts_.host->session()->id()}, {"task", task_}, {"fence", fence_}});
  parts_.host->OnRefused();
}

void Attempt::Over() {
  if (phase_ == Phase::kOver) return;
  phase_ = Phase::kOver;
  fetch_limit_.Cancel();
  retry_.Cancel();
  progress_due_.Cancel();
  silence_.Cancel();
  parts_.host->OnAttemptOver(fence_);
}

}  // namespace drover::worker::agent

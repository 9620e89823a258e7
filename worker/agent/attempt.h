// One attempt: from an assignment seen to its outcome committed, or to the word that it no longer stands.
//
//   reading -> fetching -> [holding] -> [marking] -> running -> storing -> committing
//
// A task that must not outlive its worker's lease is held back while there is none: after an outage its assignment may be seen
// before the core has acknowledged a contact.
//
// Its fence (the assignment's czxid) guards every write: once the assignment is gone none of them can commit, and what runs is
// killed. When the session is replaced, calls under way are unknown; the attempt waits (parked) until the new session's view says
// whether the assignment stands, and then asks or commits again, which is safe because the fence proves that nothing was committed
// before.
#ifndef DROVER_WORKER_AGENT_ATTEMPT_H_
#define DROVER_WORKER_AGENT_ATTEMPT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/ids.h"
#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "drover/coord/session.h"
#include "drover/task/v1/task.pb.h"
#include "drover/worker/v1/record.pb.h"
#include "master/pool/pool_store.h"
#include "master/records/paths.h"
#include "worker/agent/options.h"
#include "worker/agent/outcome.h"
#include "worker/agent/output_capture.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::agent {

class Attempt;

// What an attempt needs of its agent.
class AttemptHost {
 public:
  [[nodiscard]] virtual coord::Session* session() = 0;
  // No new program starts: attempts that have not are returned.
  [[nodiscard]] virtual bool draining() const = 0;
  // Brings the runner's lease up to the session's.
  virtual void RefreshLease() = 0;
  // The session's lease has not ended, as the runner counts it, and its view of the assignments has been read.
  [[nodiscard]] virtual bool LeaseHolds() const = 0;
  virtual void OnProgramStarted() = 0;
  // A commit was refused: the attempt did not stand any more.
  virtual void OnRefused() = 0;
  virtual void OnCommitted(const Outcome& outcome) = 0;
  // Nothing follows; its owner lets go of it.
  virtual void OnAttemptOver(base::Zxid fence) = 0;

 protected:
  ~AttemptHost() = default;
};

struct AttemptParts {
  base::Loop* loop = nullptr;
  const AgentOptions* options = nullptr;
  const records::PoolPaths* paths = nullptr;
  exec::ProcessRunner* runner = nullptr;
  pool::PoolStore* store = nullptr;
  AttemptHost* host = nullptr;
  base::Random* random = nullptr;
};

// Loop thread. Shared: calls under way hold weak references. Must outlive its run in the runner (until OnAttemptOver).
class Attempt final : public exec::RunListener, public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(AttemptParts parts, std::string task, base::Zxid fence);

  // Once, first.
  void Begin(const v1::Assignment& assignment, base::Zxid mzxid);
  // The assignment's data, again or anew.
  void OnAssignment(const v1::Assignment& assignment, base::Zxid mzxid);
  // The assignment is gone: by this attempt's own commit, or because it was taken back.
  void OnAssignmentGone();
  void OnSessionReplaced();
  // The new session's view has been read and the assignment stands.
  void OnStillStands();
  // Ends what runs now, and returns the task.
  void StopForDrain();
  // At-least-once and old enough: says so in the record, once.
  void ReportRunning();

  [[nodiscard]] const std::string& task() const { return task_; }
  [[nodiscard]] base::Zxid fence() const { return fence_; }

 private:
  enum class Phase { kReading, kFetching, kHolding, kMarking, kRunning, kStoring, kCommitting, kOver };

  void OnStarted() override;
  void OnOutput(exec::Stream stream, base::Bytes data) override;
  void OnProgress(std::string line) override;
  void OnExit(const exec::Exit& exit) override;

  void Read();
  void OnRecord(absl::StatusOr<coord::GetResult> got);
  void Proceed();
  [[nodiscard]] bool IsOverdue();
  // Of this attempt: its own, or what is left of the task's total limit.
  [[nodiscard]] base::Duration TimeLimit();
  void FetchProgram();
  void OnProgram(absl::StatusOr<std::string> encoded);
  void FetchObject(const task::v1::ObjectRef& object, absl::AnyInvocable<void(absl::StatusOr<base::Bytes>)> done);
  // Tries again while there is hope and patience.
  void FailInput(const absl::Status& why);
  void GiveUpInput(const absl::Status& why);
  // Until the lease is renewed: a start without one would only use up the attempt.
  void Hold();
  void Mark();
  void OnMarked(absl::StatusOr<coord::TransactionResult> result);
  void StartProgram();
  // What is to be committed, by what is known now.
  [[nodiscard]] Outcome Decide();
  void Commit();
  void OnCommit(absl::StatusOr<coord::TransactionResult> result);
  void ReadAssignment();
  [[nodiscard]] bool NeedsLease() const { return record_.policy().on_disconnect() == task::v1::STOP; }
  // In the assignment's data: not more often than it is worth.
  void ReportProgress();
  // Ends a program that has to, and does not, give signs of life.
  void WatchHeartbeat();
  void OnSilence(base::Instant due);
  void KillProgram(exec::KilledBy reason, base::Duration grace);
  void Refused(const char* what);
  void Over();
  void SetRunning(v1::TaskRecord* record) const;
  // True, and taken care of, if the call must be made again later: with the next session, or by `again` after a while.
  bool Postponed(const absl::Status& status, void (Attempt::*again)());

  // The callback of the one call (or commit) the attempt waits for. Not called when the attempt is gone or the session was
  // replaced.
  template <typename F>
  auto Awaited(F f) {
    waits_ = true;
    return [weak = weak_from_this(), call = ++call_, f = std::move(f)](auto result) mutable {
      const auto self = weak.lock();
      if (self == nullptr || self->call_ != call || self->phase_ == Phase::kOver) return;
      self->waits_ = false;
      f(*self, std::move(result));
    };
  }

  const AttemptParts parts_;
  const std::string task_;
  const base::Zxid fence_;
  const std::string task_path_;
  const std::string assignment_path_;

  Phase phase_ = Phase::kReading;
  v1::Assignment assignment_;
  base::Zxid assignment_mzxid_;
  v1::TaskRecord record_;
  base::Zxid record_mzxid_;
  task::v1::Program program_;
  base::Bytes stdin_;
  std::optional<base::Instant> input_failing_since_;
  bool has_program_ = false;
  bool mark_unknown_ = false;  // an earlier try to mark may have been applied
  bool marked_ = false;        // the record says RUNNING
  bool reporting_ = false;
  exec::RunId run_;
  std::int64_t started_at_ms_ = 0;
  std::optional<base::Instant> started_at_;
  std::unique_ptr<OutputCapture> capture_;
  task::v1::Progress progress_;  // what the program said last
  bool progress_told_ = true;    // the assignment has it
  base::Timer progress_due_;     // until it may be told again
  base::Timer silence_;
  AttemptFacts facts_;
  v1::Output output_;
  Outcome outcome_;

  std::uint64_t call_ = 0;
  bool waits_ = false;       // for a call's answer
  bool parked_ = false;      // until the view of a new session
  bool gone_ = false;        // the assignment
  base::Timer fetch_limit_;  // one call to the store
  base::Timer retry_;
};

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_ATTEMPT_H_

// Two-phase commit between processes whose resources lie outside of the tree: all do it, or none.
//
//   recipes::CommitCoordinator transfers(session, "/app/transfers");
//   transfers.Begin("transfer-17", {"bank-a", "bank-b"}, "100 from a to b", seconds(10), [](absl::StatusOr<bool> committed) { ...
//   });
//
//   class Bank : public recipes::CommitParticipantObserver {
//     void OnPrepare(const std::string& id, const std::string& what) override { ... log it; participant_->Vote(id, true, done); }
//     void OnDecided(const std::string& id, bool commit) override { ... do or undo; participant_->Finish(id, done); }
//   };
//   recipes::CommitParticipant participant(session, {.path = "/app/transfers", .name = "bank-a"}, &bank);
//
// (What lies within the tree needs none of this: one transaction of the tree is atomic by itself.)
//
// Guarantees
//   One decision for each id, the same for all, and it never changes: to commit only if every participant has voted yes. Nobody
//   waits for a coordinator that is dead, as in the textbook: the decision is a node of the tree, and any participant may make it.
//   It is to abort once somebody voted no, or the coordinator's session ended or its patience did before all had voted. A
//   participant that was away is told again what it has not voted on, or not finished, under its name, as often as it comes back;
//   so what it does must be safe to do twice. What all have finished is forgotten.
//
// Failure
//   Link lost: calls wait. Session expired: OnParticipantEnded, and the coordinator's calls are answered with kSessionExpired; make
//   others with the new session. An id that is in use: kNodeExists. A vote after the decision: FAILED_PRECONDITION, and OnDecided
//   tells. What a participant that never comes back has not finished stays in the tree.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy before the session; callbacks then do not come.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_TWO_PHASE_COMMIT_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_TWO_PHASE_COMMIT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"

namespace drover::recipes {

class CommitCoordinator {
 public:
  // `path`: of all commits; made if missing.
  CommitCoordinator(coord::Session* session, std::string path);
  ~CommitCoordinator();
  CommitCoordinator(const CommitCoordinator&) = delete;
  CommitCoordinator& operator=(const CommitCoordinator&) = delete;

  // Asks all `participants` (at least one) for `what`; tells what was decided (true: to commit). `patience`: then, if not all have
  // voted, it is decided to abort.
  void Begin(const std::string& id, const std::vector<std::string>& participants, std::string what, base::Duration patience,
             coord::Callback<bool> done);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

class CommitParticipantObserver {
 public:
  // Can it be done? Answer by Vote. Once you have voted yes you must be able to do it, whatever happens to you.
  virtual void OnPrepare(const std::string& id, const std::string& what) = 0;
  // Do it, or leave it (also if there was no vote of yours), then Finish.
  virtual void OnDecided(const std::string& id, bool commit) = 0;
  virtual void OnParticipantEnded(const absl::Status& /*why*/) {}

 protected:
  ~CommitParticipantObserver() = default;
};

struct CommitParticipantOptions {
  std::string path;  // of all commits
  std::string name;
};

class CommitParticipant {
 public:
  // Told at once of what is open. `observer` must outlive it.
  CommitParticipant(coord::Session* session, CommitParticipantOptions options, CommitParticipantObserver* observer);
  ~CommitParticipant();
  CommitParticipant(const CommitParticipant&) = delete;
  CommitParticipant& operator=(const CommitParticipant&) = delete;

  void Vote(const std::string& id, bool yes, coord::DoneCallback done);
  // After OnDecided, else FAILED_PRECONDITION. OK also if it was finished.
  void Finish(const std::string& id, coord::DoneCallback done);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_TWO_PHASE_COMMIT_H_

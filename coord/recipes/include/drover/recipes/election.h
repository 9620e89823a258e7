// Election of one leader among candidates; the nodes of the tree decide, not messages.
//
// Every candidate makes an ephemeral sequential node `<path>/c-<ten digits>` that holds its data (an address). The lowest leads.
// The czxid of a leader's node is its *epoch*: a number that only grows from leader to leader.
//
//   class Master : public recipes::ElectionObserver {
//     void OnElected(const recipes::Leadership& mine) override { ... plan once the view has reached mine.since ... }
//     void OnDeposed(const absl::Status& why) override { ... stop planning, then election_->Stand() again if wanted ... }
//   };
//   recipes::Election election(session, {.path = "/drover/default/masters", .data = address}, &master);
//   election.Stand();
//
// Guarantees
//   Being told is late by nature: between the deletion of a leader's node and OnDeposed another may lead already. What makes two
//   leaders harmless is the guard: put Guard() among the compares of every transaction that leading entitles to; it fails for ever
//   once the node is gone. `since` is the zxid from which on nobody before can have committed under such a guard: read no older
//   state. The node is made by a numbered write: reconnects make no second one. It goes with the session, or by Resign.
//
// Failure
//   Link lost: nothing changes here; leadership lasts as long as the session does, and the guard holds either way. Whoever acts on
//   more than guarded transactions heeds Session::lease_deadline().
//   Session expired: OnDeposed(kSessionExpired) if it stood or led, or kNoNode if the news of the deletion came first; then kEnded:
//   this object is of no more use, make one with the new session. Its node deleted by somebody while the session lives:
//   OnDeposed(kNoNode); it may Stand again, as the last. Its view of the candidates compacted: read anew; leadership is unaffected
//   unless the node is found gone.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy it before its session; that neither resigns nor
// deletes.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_ELECTION_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_ELECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"

namespace drover::recipes {

struct Candidate {
  std::string path;
  std::string data;
  base::Zxid epoch;  // its node's czxid
  coord::SessionId session;

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct Leadership {
  std::string path;  // of this candidate's node
  base::Zxid epoch;
  // The deletion that made it the lowest; with nobody before it, its own creation. After a compacted view: a later zxid.
  base::Zxid since;
};

class ElectionObserver {
 public:
  // This candidate leads. Once per Stand.
  virtual void OnElected(const Leadership& mine) = 0;
  // It stands or leads no more, and did not ask for it (see Failure). Once per Stand; not after Resign.
  virtual void OnDeposed(const absl::Status& why) = 0;
  // Who stands, the leader first; also while this process does not stand. Comes before the OnElected that it causes.
  virtual void OnCandidates(const std::vector<Candidate>& /*candidates*/) {}

 protected:
  ~ElectionObserver() = default;
};

struct ElectionOptions {
  std::string path;  // the candidates' parent; made if missing
  std::string data;
};

class Election {
 public:
  enum class State {
    kIdle,      // watches the candidates only
    kStanding,  // its node is being made, or waits behind a lower one
    kLeading,
    kResigning,
    kEnded,  // the session is gone
  };

  // Begins to watch at once; stands when told. `observer` must outlive it.
  Election(coord::Session* session, ElectionOptions options, ElectionObserver* observer);
  ~Election();
  Election(const Election&) = delete;
  Election& operator=(const Election&) = delete;

  // Joins as the last candidate. Ignored unless kIdle.
  void Stand();
  // Deletes this candidate's node (only the one it made itself) and says when that is done: from then on every guard of it fails.
  // OK also if the node was gone. Ends kIdle; it may Stand again.
  void Resign(coord::DoneCallback done);

  [[nodiscard]] State state() const;
  // The leader first; empty before the first reading.
  [[nodiscard]] const std::vector<Candidate>& candidates() const;
  // Only while kLeading.
  [[nodiscard]] const Leadership& leadership() const;
  // True in the service only while this very candidate node exists. Only while kLeading.
  [[nodiscard]] coord::Compare Guard() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_ELECTION_H_

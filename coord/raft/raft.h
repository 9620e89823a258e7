// The consensus core: a deterministic machine of values. It owns no disk, clock, network or thread: events go in by the calls
// below, everything it wants done comes out of TakeOutput. Not thread-safe.
//
// This version runs a cluster of one voter. Its roles are a variant, its output and messages are those of the full protocol; what
// only several voters need (elections, replication, membership changes, snapshots) is refused by Step, not half done.
#ifndef DROVER_COORD_RAFT_RAFT_H_
#define DROVER_COORD_RAFT_RAFT_H_

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/raft/configuration.h"
#include "coord/raft/messages.h"
#include "coord/raft/output.h"
#include "coord/raft/tail.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

struct Options {
  base::NodeId id;
  base::Incarnation incarnation;
  base::BootNonce boot;
  // Payload bytes of entries that are appended and not committed. One entry is accepted whatever its size when there are none;
  // no-op, configuration and expiry entries are not counted.
  std::size_t uncommitted_bytes_max = 64U << 20;
};

// What the disk held at start. All of it is durable.
struct Recovered {
  HardState hard_state;
  Index last;  // 0: the log is empty
  Term last_term;
  // Known to be committed, and so applied already: at most `last`. A sole voter's durable entries are committed.
  Index commit;
  // The newest one in the log; of an empty log, the one to bootstrap with (it becomes entry 1).
  Configuration configuration;
};

// A summary for status pages, invariants and tests.
struct State {
  HardState hard_state;
  RoleName role = RoleName::kFollower;
  base::NodeId leader;
  Index last;
  Term last_term;
  Index commit;
  Index durable;                 // a leader's own log is on its disk up to here
  Index first_of_term;           // a leader's no-op; 0 for others
  std::size_t held_entries = 0;  // in memory, appended and not committed
  std::size_t uncommitted_bytes = 0;
  std::size_t waiting_reads = 0;
};

class Raft {
 public:
  Raft(const Options& options, Recovered recovered);

  // A message from a peer. Not OK if it had no effect: FAILED_PRECONDITION for another cluster's or an unknown incarnation's,
  // UNIMPLEMENTED for what a cluster of one voter has no use for.
  absl::Status Step(const Message& message);

  // Time passes. A sole voter needs nobody's vote: its first tick makes it leader of the next term.
  void Tick();

  // Appends an entry as leader; it is committed when it comes out in Output::committed, and not before.
  // FAILED_PRECONDITION: not the leader. RESOURCE_EXHAUSTED: over uncommitted_bytes_max, try again when something was committed.
  absl::StatusOr<Index> Propose(EntryKind kind, base::Bytes payload);

  // Asks for an index from which a read that arrived before this call is linearizable. Answered in Output::reads, after the no-op
  // of this term was committed and a quorum confirmed the leader. FAILED_PRECONDITION: not the leader.
  absl::Status ReadIndex(std::uint64_t context);

  // The disk has everything up to this entry. Ignored unless the entry at `index` is of `term`: a completion may be late.
  void OnDurable(Index index, Term term);

  // Everything since the last call.
  Output TakeOutput();

  [[nodiscard]] State Inspect() const;
  [[nodiscard]] const Configuration& configuration() const { return configuration_; }

 private:
  struct Follower {
    base::NodeId leader;
  };
  struct Leader {
    Index noop;     // first entry of its own term: only then older entries and reads count (Raft thesis 3.6.2, 6.4)
    Index durable;  // of its own log
    std::size_t uncommitted_bytes = 0;
    std::vector<std::uint64_t> reads;  // wait for the no-op
  };
  class StepCheck;

  void BecomeLeader();
  void AppendAsLeader(Leader* leader, EntryKind kind, base::Bytes payload);
  void AdvanceCommit(Leader* leader);

  const Options options_;
  Configuration configuration_;
  HardState hard_state_;
  Index commit_;
  Tail tail_;
  std::variant<Follower, Leader> role_;
  Output output_;
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_RAFT_H_

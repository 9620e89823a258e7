// What must hold between all members of a cluster, whatever is lost, doubled, late, cut off or crashed (Raft paper, figure 3): at
// most one leader a term, matching logs, leaders that have all that is committed, equal committed entries, no second vote in a term
// even across a crash, commitments that outlive a minority's disks, and reads that see what was committed before them.
//
// An onlooker of values: told of each node's start, outputs and reads, it remembers the whole history. For scenarios and the
// simulator; it grows with the history and is no part of a server. Not thread-safe.
#ifndef DROVER_COORD_RAFT_CLUSTER_INVARIANTS_H_
#define DROVER_COORD_RAFT_CLUSTER_INVARIANTS_H_

#include <cstdint>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/bytes.h"
#include "coord/base/ids.h"
#include "coord/raft/configuration.h"
#include "coord/raft/output.h"
#include "coord/raft/raft.h"
#include "coord/raft/term_runs.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

// All calls answer INTERNAL, naming what is violated; the history is of no use afterwards.
class ClusterInvariants {
 public:
  // What is durable on one machine, also while its process is down.
  struct Disk {
    base::NodeId id;
    base::Incarnation incarnation;
    const TermRuns* terms = nullptr;
  };

  // A process begins: `raft` was made of what its disk holds, and `log` is that log, from behind raft.log().terms().before() on.
  absl::Status Started(const Raft& raft, const std::vector<Entry>& log);
  // `raft` has accepted ReadIndex(context).
  void Asked(const Raft& raft, std::uint64_t context);
  // `output` was taken from `raft` just now, and nothing of it is done yet.
  absl::Status Took(const Raft& raft, const Output& output);
  // What is committed is on so many disks that no quorum is without it. Every machine's disk is given.
  absl::Status CheckDisks(const std::vector<Disk>& disks) const;

  // The last one committed.
  [[nodiscard]] const Configuration& configuration() const { return configuration_; }
  // The highest index that any node has handed out as committed.
  [[nodiscard]] Index commit() const { return committed_.empty() ? Index() : committed_.rbegin()->first; }

 private:
  // An entry's place tells its content and the term before it, and so, step by step, the whole log up to it.
  struct Content {
    Term previous;
    EntryKind kind = EntryKind::kNoop;
    base::Bytes payload;
  };
  struct Committed {
    Entry entry;
    Term reign;  // in which it was committed; only leaders of later ones must have it
  };
  // A process of a member.
  struct Process {
    base::BootNonce boot;
    State state;
    Index applied;
  };
  using Machine = std::pair<base::NodeId, base::Incarnation>;

  absl::Status Learn(const Entry& entry, Term previous);
  absl::Status Commit(const Entry& entry, Term reign);
  absl::Status Promise(const Message& message);
  absl::Status CastVote(const Machine& machine, Term term, base::NodeId vote);
  absl::Status CheckLeader(const Raft& raft);

  std::map<std::pair<Term, Index>, Content> entries_;  // that were ever in any log
  std::map<Index, Committed> committed_;
  std::map<Term, std::pair<Machine, base::BootNonce>> leaders_;
  std::map<std::pair<Machine, Term>, base::NodeId> votes_;  // that left their machine
  std::map<Machine, Term> spoken_;                          // the highest term in which it has promised anything
  std::map<base::NodeId, Process> processes_;
  std::map<std::tuple<base::NodeId, base::BootNonce, std::uint64_t>, Index> floors_;  // what reads must see
  Configuration configuration_;                                                       // the last one committed
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_CLUSTER_INVARIANTS_H_

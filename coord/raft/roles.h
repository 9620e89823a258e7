// The roles of a member, each with the data that only it has: a follower cannot hold a leader's.
#ifndef DROVER_COORD_RAFT_ROLES_H_
#define DROVER_COORD_RAFT_ROLES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/progress.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

// Times are durations since the machine was made.

struct Follower {
  base::NodeId leader;                   // 0: not known
  base::Incarnation leader_incarnation;  // as it says; our configuration may not name it (yet, or any more)
  base::Duration heard{};                // when the leader spoke last; meaningless while it is not known
  base::Duration campaign_at{};          // unless the leader speaks
  bool reset = false;                    // the link from the leader broke: its word no longer binds
  Index matched;                         // equal to the leader's log up to here
  Index acknowledged;                    // ... and the leader has been told that it is durable up to here
  std::uint64_t round = 0;               // the leader's newest
  bool confirms = false;                 // the leader wants it to campaign, and is asked whether it still does
};

struct PreCandidate {
  base::Duration campaign_at{};  // again
  std::set<base::NodeId> granted;
};

struct Candidate {
  base::Duration campaign_at{};  // again
  bool transfer = false;
  std::set<base::NodeId> granted;  // itself only once its vote is durable
  std::set<base::NodeId> refused;
  std::uint64_t vote_write = 0;  // sequence of the write with its own vote
};

struct Leader {
  struct Read {
    std::uint64_t context = 0;
    base::NodeId from;        // the member that asked; 0: this one
    std::uint64_t round = 0;  // that confirms it; 0: to begin with the next output
  };
  struct Transfer {
    base::NodeId target;
    base::Duration until{};
    Index needed;          // the target has all up to here before it is told to campaign
    bool ordered = false;  // TimeoutNow went out
    bool asked = false;    // the target has confirmed: nothing is proposed any more, so that it can have all
    bool granted = false;
  };

  Index noop;  // first entry of its own term: only then older entries and reads count (Raft thesis 3.6.2, 6.4)
  base::Duration since{};
  base::Duration heartbeat_at{};
  std::map<base::NodeId, Progress> peers;  // all members but itself
  std::size_t uncommitted_bytes = 0;
  std::uint64_t round = 0;  // the newest: each output is one
  std::vector<Read> reads;
  std::optional<Transfer> transfer;
};

using Role = std::variant<Follower, PreCandidate, Candidate, Leader>;

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_ROLES_H_

// What the members of a cluster say to each other, as values. Encoding them is the transport's business.
//
// One voter needs none of these; the types are here so that log, node and transport are shaped for them. Raft::Step refuses each
// kind that this version does not act on, by name.
#ifndef DROVER_COORD_RAFT_MESSAGES_H_
#define DROVER_COORD_RAFT_MESSAGES_H_

#include <cstdint>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

// Stands before every message. A wiped machine has another incarnation, a restarted process another boot nonce: acknowledgements of
// what either has forgotten can be told from acknowledgements of what it has.
struct Envelope {
  base::ClusterId cluster;
  base::NodeId from;
  base::Incarnation from_incarnation;
  base::BootNonce from_boot;
  base::NodeId to;
  base::Incarnation to_incarnation;
  Term term;  // the sender's
};

// Would you vote for me? Asked without raising anybody's term (Raft thesis 9.6).
struct PreVote {
  Index last_index;
  Term last_term;
};
struct PreVoteReply {
  bool granted = false;
};

struct Vote {
  Index last_index;
  Term last_term;
};
struct VoteReply {
  bool granted = false;
};

struct Append {
  Index previous_index;
  Term previous_term;
  std::vector<Entry> entries;  // contiguous from previous_index + 1; empty: a heartbeat
  Index commit;
  std::uint64_t round = 0;  // of the leader's quorum rounds; the reply carries it back
};
struct AppendReply {
  bool accepted = false;
  Index match;         // accepted: durable up to here. Else: where the follower's conflicting term begins
  Term conflict_term;  // not accepted: the term found there; 0: the follower's log is shorter
  std::uint64_t round = 0;
};

// The leader asks this member to campaign at once (Raft thesis 3.10).
struct TimeoutNow {};

using Body = std::variant<PreVote, PreVoteReply, Vote, VoteReply, Append, AppendReply, TimeoutNow>;

struct Message {
  Envelope envelope;
  Body body;
};

// "Append", "Vote" ... for refusals and logs.
absl::string_view NameOf(const Body& body);

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_MESSAGES_H_

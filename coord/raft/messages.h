// What the members of a cluster say to each other, as values. Encoding them is the transport's business.
//
// Any of them may be lost, doubled, delayed or overtaken by another.
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

// Would you vote for me in the term after the envelope's? Asked without raising anybody's term (Raft thesis 9.6).
struct PreVote {
  Index last_index;
  Term last_term;
  bool transfer = false;  // to the leader alone, which has sent TimeoutNow: do you still want it?
};
struct PreVoteReply {
  bool granted = false;
  Term asked;  // the term that the vote would be in
};

struct Vote {
  Index last_index;
  Term last_term;
  bool transfer = false;  // the leader asked for it: not held against a candidate that the leader is alive
};
struct VoteReply {
  bool granted = false;
};

struct Append {
  Index previous_index;
  Term previous_term;
  std::vector<Entry> entries;  // contiguous from previous_index + 1; empty: a heartbeat
  Index commit;
  std::uint64_t round = 0;  // of the leader's rounds; the reply carries it back
  Index held;               // the receiver has acknowledged in this term that its disk has all up to here; 0: not yet
};
// A follower answers each Append at once, whatever its disk does, and once more when more of its log has become durable.
struct AppendReply {
  bool accepted = false;
  Index match;  // accepted: equal to the leader's log, and durable, up to here
  Index
      received;  // accepted: equal to the leader's log up to here, durable or not. Else: Append::previous_index, which did not fit
  Index conflict;      // not accepted: the last place at which the logs may agree, by what the follower knows
  Term conflict_term;  // not accepted: the follower's term there
  std::uint64_t round = 0;
};

// The leader asks this member to campaign at once (Raft thesis 3.10).
struct TimeoutNow {
  // Ask the leader first, by a PreVote: this may lie in the queue of a process that stands still, and be read when the leader has
  // long gone on. Without it from a leader that is none any more by the time that it would be asked.
  bool confirm = false;
};

// A member asks the leader for ReadIndex on behalf of its own clients. The context means something to that process only.
struct ReadIndexAsk {
  std::uint64_t context = 0;
};
struct ReadIndexReply {
  std::uint64_t context = 0;
  Index index;
};

using Body = std::variant<PreVote, PreVoteReply, Vote, VoteReply, Append, AppendReply, TimeoutNow, ReadIndexAsk, ReadIndexReply>;

struct Message {
  Envelope envelope;
  Body body;
};

// "Append", "Vote" ... for refusals and logs.
absl::string_view NameOf(const Body& body);

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_MESSAGES_H_

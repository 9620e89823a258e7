// The consensus core: a deterministic machine of values. It owns no disk, clock, network or thread: events go in by the calls
// below, everything it wants done comes out of TakeOutput. Not thread-safe.
//
// Follows the Raft paper and thesis: leader election with pre-vote (9.6) and check-quorum (6.2), replication with parallel writing
// of the leader's own log (10.2.1), linearizable reads (6.4), learners and one-at-a-time membership changes (4), leadership
// transfer (3.10), snapshots in the place of compacted entries (7; the owner carries them from node to node).
#ifndef DROVER_COORD_RAFT_RAFT_H_
#define DROVER_COORD_RAFT_RAFT_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/feature_level.h"
#include "coord/base/random.h"
#include "coord/base/time.h"
#include "coord/raft/configuration.h"
#include "coord/raft/log_view.h"
#include "coord/raft/messages.h"
#include "coord/raft/output.h"
#include "coord/raft/roles.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

struct Options {
  base::NodeId id;
  base::Incarnation incarnation;
  base::BootNonce boot;
  base::ClusterId cluster;
  base::FeatureLevel feature_level_max = base::kNewestFeatureLevel;  // what this program knows
  std::uint64_t seed = 1;                                            // of election time-outs; different in each process

  base::Duration heartbeat = std::chrono::milliseconds(100);
  base::Duration election_timeout = std::chrono::seconds(1);  // at random up to twice this
  // A follower whose link from the leader was reset asks for pre-votes after at most `reset_spread`, again every `reset_repeat`,
  // until an election time-out has passed.
  base::Duration reset_spread = std::chrono::milliseconds(50);
  base::Duration reset_repeat = std::chrono::milliseconds(20);
  bool pre_vote = true;
  bool check_quorum = true;  // a leader that hears no quorum steps down; members that hear a leader stand by it

  // Payload bytes of entries that are appended and not committed. One entry is accepted whatever its size when there are none;
  // no-op, configuration and expiry entries are not counted.
  std::size_t uncommitted_bytes_max = 64U << 20;
  std::size_t append_bytes = 1U << 20;  // payloads in one Append, unless one entry alone is larger
  WindowLimits window;
  std::size_t cache_bytes = 16U << 20;  // payloads of committed entries kept in memory for slow followers
  std::size_t reads_max = 10'000;       // that wait for a quorum round
};

// What the disk held at start. All of it is durable.
struct Recovered {
  HardState hard_state;
  TermRuns terms;                                 // of the whole log
  std::vector<Entry> tail;                        // the log's end: at least what lies behind `commit`
  Index commit;                                   // known to be committed, and so applied already
  std::map<Index, Configuration> configurations;  // that the log holds, by index: the last one at or before `commit`, and all later
};

// A summary for status pages, invariants and tests.
struct State {
  HardState hard_state;
  RoleName role = RoleName::kFollower;
  base::NodeId leader;
  Index last;
  Term last_term;
  Index commit;
  Index durable;           // this node's disk equals its log up to here
  Index first_of_term;     // a leader's no-op; 0 for others
  bool voter = false;      // this node is one, by the newest configuration it has
  std::size_t voters = 0;  // of that configuration
  Index held_first;
  std::size_t held_entries = 0;  // in memory
  std::size_t uncommitted_bytes = 0;
  std::size_t waiting_reads = 0;
  bool reads_wait_for_noop = false;
  base::NodeId transfer;  // 0: no transfer under way
};

// A leader's view of another member, for status pages.
struct PeerState {
  base::NodeId id;
  Index match;
  Index next;
  bool probing = false;
  bool needs_snapshot = false;  // what it needs is compacted: to be sent a snapshot that ends at or behind the log's beginning
  base::Duration silent{};      // since it answered last, or since the leader began to count on it
  bool answered = false;        // in this term, at all
};

class Raft {
 public:
  Raft(const Options& options, Recovered recovered);

  // A message from a peer. Not OK if it had no effect and why: FAILED_PRECONDITION for another cluster's, for one meant for an
  // earlier incarnation of this node, and for answers of an incarnation that is no member; INVALID_ARGUMENT for one that no member
  // sends; ABORTED for one that came too late, or was turned down (an answer may go out); UNIMPLEMENTED for an Append with what
  // this program does not know: an entry of another kind, or a configuration above `feature_level_max`. Nothing of it was taken;
  // the owner must end, for the cluster goes on without this program.
  absl::Status Step(const Message& message);

  // `elapsed` has passed. The owner caps it, so that a pause of the process does not count as silence of the others.
  void Tick(base::Duration elapsed);
  // How long until the next Tick can have an effect.
  [[nodiscard]] base::Duration UntilNextTick() const;

  // Appends an entry as leader; it is committed when it comes out in Output::committed, and not before.
  // FAILED_PRECONDITION: not the leader, or a configuration that may not follow the present one now. UNAVAILABLE: leadership is
  // being handed over. RESOURCE_EXHAUSTED: over uncommitted_bytes_max, try again when something was committed.
  absl::StatusOr<Index> Propose(EntryKind kind, base::Bytes payload);

  // Asks for an index from which a read that arrived before this call is linearizable. Answered in Output::reads, after the no-op
  // of the leader's term was committed and a quorum confirmed the leader; never, if the leader changes or a message is lost: the
  // owner asks again, and passes over answers to contexts it does not wait for. FAILED_PRECONDITION: no leader is known.
  // RESOURCE_EXHAUSTED: too many wait.
  absl::Status ReadIndex(std::uint64_t context);

  // Begins to hand leadership to `target`: proposals are refused until it has begun an election or an election time-out has passed.
  // FAILED_PRECONDITION: not the leader. INVALID_ARGUMENT: no voter. OK at once if it leads already.
  absl::Status TransferLeadership(base::NodeId target);

  // The disk has every write up to this sequence.
  void OnPersisted(std::uint64_t sequence);
  // Answers each of Output::log_reads once, whoever leads by then: contiguous entries as the log holds them, from LogRead::first
  // on; none if they were compacted away.
  void OnLogRead(base::NodeId peer, std::vector<Entry> entries);
  // The owner has a durable snapshot that ends at `through` or behind it, and no longer needs the entries up to there: members that
  // do will need a snapshot. Only what was handed out as committed; an index that is gone already is ignored.
  void OnCompacted(Index through);
  // The owner has a durable snapshot from another member, and the state to go on from. True: it takes the place of this log, as the
  // next output says. False: not needed, or not now (a node that campaigns or leads); the snapshot may be dropped.
  // INVALID_ARGUMENT: no snapshot that a member has made. UNIMPLEMENTED: of a feature level that this program does not know.
  absl::StatusOr<bool> Install(const SnapshotPoint& point);
  // A log that ends like this has all that this one has: whose it is may be voted for.
  [[nodiscard]] bool UpToDate(Index last, Term last_term) const;
  // The link from `peer` broke, by FIN or RST: its process has probably died.
  void OnLinkReset(base::NodeId peer);

  // Everything since the last call.
  Output TakeOutput();

  [[nodiscard]] State Inspect() const;
  [[nodiscard]] std::vector<PeerState> Peers() const;  // empty unless leader
  // The newest in the log, committed or not; it is what counts.
  [[nodiscard]] const Configuration& configuration() const { return configurations_.rbegin()->second; }
  [[nodiscard]] Index configuration_index() const { return configurations_.rbegin()->first; }
  [[nodiscard]] Term term() const { return hard_state_.term; }
  [[nodiscard]] bool leads() const { return std::holds_alternative<Leader>(role_); }
  [[nodiscard]] Index commit() const { return commit_; }
  [[nodiscard]] const LogView& log() const { return log_; }
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  // A write that was handed out and is not known to be durable.
  struct Outstanding {
    std::uint64_t sequence = 0;
    Index last;  // what it makes durable, as far as it was not truncated since
  };
  struct Held {
    std::uint64_t after = 0;  // sequence of a write
    Message message;
  };

  // raft.cc: terms, writes, messages. Send promises nothing of this node; SendDurable waits until its term and vote are durable.
  void AdoptTerm(Term term);
  void BecomeFollower();
  Write& PendingWrite();
  void SetHardState(const HardState& hard_state);
  void AppendEntry(Entry entry);
  void TruncateFrom(Index from);
  [[nodiscard]] Envelope EnvelopeTo(base::NodeId to, base::Incarnation incarnation) const;
  void Send(base::NodeId to, base::Incarnation incarnation, Body body);
  void SendDurable(base::NodeId to, base::Incarnation incarnation, Body body);
  void CommitTo(Index commit);
  [[nodiscard]] bool IsVoter() const;
  [[nodiscard]] bool MayCampaign() const;
  [[nodiscard]] bool Known(const Envelope& envelope) const;
  [[nodiscard]] base::Duration RandomTimeout();

  // election.cc
  absl::Status OnPreVote(const Envelope& envelope, const PreVote& vote);
  absl::Status OnPreVoteReply(const Envelope& envelope, const PreVoteReply& reply);
  absl::Status OnVote(const Envelope& envelope, const Vote& vote);
  absl::Status OnVoteReply(const Envelope& envelope, const VoteReply& reply);
  absl::Status OnTimeoutNow(const Envelope& envelope, const TimeoutNow& order);
  absl::Status OnConfirmation(const Envelope& envelope);
  void Campaign();
  void BecomeCandidate(bool transfer);
  void GiveWay();
  void CountVotes();
  void BecomeLeader();
  [[nodiscard]] bool StandsByLeader() const;
  [[nodiscard]] std::size_t CountVoters(const std::set<base::NodeId>& of) const;
  [[nodiscard]] std::size_t Quorum() const;
  // Of one that does not lead.
  [[nodiscard]] base::Duration CampaignAt() const;
  [[nodiscard]] bool Impatient() const { return now_ < impatient_until_; }

  // follower.cc
  absl::Status OnAppend(const Envelope& envelope, const Append& append);
  absl::Status OnReadIndexReply(const Envelope& envelope, const ReadIndexReply& reply);
  void AcknowledgeDurable();

  // leader.cc
  absl::Status OnAppendReply(const Envelope& envelope, const AppendReply& reply);
  absl::Status OnReadIndexAsk(const Envelope& envelope, const ReadIndexAsk& ask);
  absl::Status CheckConfiguration(const Leader& leader, absl::string_view payload) const;
  void TickLeader(Leader* leader);
  void SyncPeers(Leader* leader);
  void AdvanceCommit();
  void ConfirmReads();
  void FlushLeader();
  void SendTo(const Member& member, Progress* progress);
  [[nodiscard]] Append AppendBehind(Index previous, const Progress& progress) const;
  void SendEntries(const Member& member, Progress* progress, std::vector<Entry> entries);
  void SendHeartbeat(const Member& member, Progress* progress);
  void DriveTransfer(Leader* leader);
  [[nodiscard]] bool HearsQuorum(const Leader& leader) const;

  const Options options_;
  base::SeededRandom random_;
  base::Duration now_{};
  base::Duration impatient_until_{};

  std::map<Index, Configuration> configurations_;  // by the index of their entry; the first is committed, or the beginning
  HardState hard_state_;
  LogView log_;
  Index commit_;
  Index handed_out_;  // in Output::committed
  Role role_;

  std::uint64_t last_sequence_ = 0;        // of writes
  std::uint64_t hard_state_sequence_ = 0;  // of the newest one with a hard state
  std::uint64_t persisted_ = 0;
  Index taken_last_;  // the log's end in the writes that were handed out
  Index durable_;
  std::deque<Outstanding> outstanding_;
  std::deque<Held> held_;
  std::map<base::NodeId, Index> log_reads_;  // that are not answered, by peer: where each begins
  Output output_;
  RoleChange told_;
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_RAFT_H_

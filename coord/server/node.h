// A node of the coordination core: consensus, log, replicated tree, sessions' streams, on one event loop. No gRPC.
//
// One wake-up of the loop: the streams read what came, reads and contacts share one quorum round, writes gather into one entry, and
// Perform does what Raft wants done. The log is written on the executor's thread, one batch at a time; what arrives meanwhile is
// the next batch. Answers leave after their entry was committed and applied here, in one frame per stream and wake-up.
//
// Clients may be attached to any node. One that does not lead hands its batches to the leader (Forward), asks it for the index of
// reads (ReadIndex) and tells it of its sessions (Touch). When the leader changes, what was handed over has an unknown outcome: the
// streams concerned end with UNAVAILABLE, their clients resume and send again, and the state machine answers what it has applied
// already.
//
// Threads: the loop's, for everything but what the executor runs.
#ifndef DROVER_COORD_SERVER_NODE_H_
#define DROVER_COORD_SERVER_NODE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/connection.h"
#include "coord/base/file_system.h"
#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "coord/raft/raft.h"
#include "coord/server/authenticator.h"
#include "coord/server/cluster_clock.h"
#include "coord/server/copies.h"
#include "coord/server/dismissals.h"
#include "coord/server/invitation.h"
#include "coord/server/leases.h"
#include "coord/server/log_writer.h"
#include "coord/server/member_change.h"
#include "coord/server/member_levels.h"
#include "coord/server/neighbours.h"
#include "coord/server/observer.h"
#include "coord/server/peer_links.h"
#include "coord/server/proposal_queue.h"
#include "coord/server/recovery.h"
#include "coord/server/scrubber.h"
#include "coord/server/session_stream.h"
#include "coord/server/snapshot_receiver.h"
#include "coord/server/snapshot_saves.h"
#include "coord/server/snapshot_seams.h"
#include "coord/server/snapshot_sender.h"
#include "coord/server/snapshot_taker.h"
#include "coord/server/stream_host.h"
#include "coord/server/touches.h"
#include "coord/tree/history.h"
#include "coord/tree/reaper.h"
#include "coord/tree/state_machine.h"
#include "coord/tree/watches.h"

namespace drover::coord::server {

// The effects of one Output, in their order.
enum class PerformStep { kPersist, kSend, kReadLog, kInstall, kApply, kServe, kChangeRole };

struct SnapshotOptions {
  // One is taken when the log has grown by so many bytes of payload since the last, and by twice the size of that one's file.
  std::uint64_t log_bytes = 64U << 20;
  // That many are kept, and the log from the oldest of them on: for members that are behind, and should the newest be damaged.
  std::size_t kept = 2;
  base::Duration retry = std::chrono::seconds(10);  // after one that failed
  SnapshotTaker::Options take;
  SnapshotSender::Options send;
  SnapshotReceiver::Options receive;
  Scrubber::Options scrub;
  SnapshotSaves::Options save;
};

struct NodeOptions {
  base::NodeId id;
  std::string address;         // where clients and peers reach it; goes into the configuration when the cluster begins
  std::string data_directory;  // made if it is missing
  // An empty directory does not begin a cluster: this node waits until it is added to one (MemberProcess).
  bool join = false;
  // One that is to begin a cluster of this node alone waits so long, in case this node is a member of a cluster that runs, and has
  // lost its directory: the others dial it, and it begins none (MemberProcess). 0: it begins at once.
  base::Duration found_after = std::chrono::seconds(2);
  // Who proves this digest ("user:hash") to this node may do everything; empty: nobody.
  std::string super_digest;

  tree::Options tree;
  tree::HistoryOptions history;
  StreamOptions stream;
  Leases::Options leases;
  log::Options log;
  raft::Options raft;  // its id, incarnation, boot, cluster and seed are filled in; `feature_level_max` is of the whole node
  PeerLinks::Options links;
  Dismissals::Options dismissals;
  Neighbours::Options neighbours;
  std::size_t batch_bytes = 1U << 20;                         // an entry is not made larger by gathering
  std::size_t forward_bytes = 8U << 20;                       // handed to the leader and not applied yet; one batch may be larger
  base::Duration forward_patience = std::chrono::seconds(5);  // then what was handed to the leader has an unknown outcome
  base::Duration leaderless_patience = std::chrono::seconds(3);   // then clients are sent to other nodes
  base::Duration invitation_patience = std::chrono::seconds(10);  // then a node that is to be added does not answer
  std::uint64_t promotion_lag_max = 1'000;                        // entries that a learner may lack and still become a voter
  base::Duration farewell = std::chrono::milliseconds(500);       // of a node that stops or was removed, before it ends
  base::Duration move_patience = std::chrono::seconds(2);         // for a client that was asked to go to another node
  // How long it is believed that a list of members is that of another cluster, which begins with a restored state.
  base::Duration renewal_window = std::chrono::seconds(10);
  base::Duration touch_interval = std::chrono::milliseconds(100);
  base::Duration read_retry = std::chrono::milliseconds(500);  // a quorum round without an answer is asked for again
  std::size_t streams_max = 10'000;
  std::size_t unary_calls_max = 1'024;
  std::size_t expiries_per_entry_max = 1'000;
  // How often a leader looks for containers and nodes with a time to live whose end has come, and for how many.
  base::Duration reap_every = std::chrono::seconds(1);
  tree::Reaper::Options reap;
  base::Duration tick = std::chrono::milliseconds(50);
  LogWriter::Options log_writer;
  SnapshotOptions snapshots;
  // While sessions are attached and nothing is written, an entry with nothing but the time is, this often: contacts carry the
  // cluster's time, which lives in entries.
  base::Duration time_entry_interval = std::chrono::seconds(1);

  // Called before each step; false: the process dies here, and nothing happens any more. For the simulator.
  std::function<bool(PerformStep)> before_step;
};

// What a node stands on; all of it must outlive the node, the executor's work too.
struct NodeSeams {
  base::Loop* loop = nullptr;
  base::Dialer* dialer = nullptr;  // to the other nodes' peer service; may be null for a node that is alone
  base::Executor* disk = nullptr;
  base::Executor* snapshots = nullptr;  // compresses, writes and reads them; not `disk`, for a log's sync shall not wait for it
  base::FileSystem* files = nullptr;
  base::Random* random = nullptr;    // secrets, ids: unguessable
  NodeObserver* observer = nullptr;  // may be null
  // Called on the executor of the snapshots after a whole state was freed, so that the allocator gives the memory back; may be
  // empty.
  std::function<void()> on_freed;
  // The log can no longer be trusted (a failed sync): nothing is acknowledged any more, the process should end.
  std::function<void(const absl::Status&)> on_fatal;
  // This node is none of the cluster that it was started for: the process should say why, in these words, and end.
  std::function<void(const absl::Status&)> on_refused;
};

// A change of the members, or a hand-over, was made; or why not. NOT_FOUND: no such member. FAILED_PRECONDITION: refused. ABORTED:
// not now; nothing was done. UNAVAILABLE: this node does not lead, or no longer does (then the outcome is unknown: ask again), or
// whoever is to be added does not answer. INVALID_ARGUMENT: an id or an address that cannot be.
using ChangeDone = std::function<void(const absl::Status&)>;

class Node final : private StreamHost, private tree::Sink, private PeerLinks::Events {
 public:
  // Opens the data directory and replays what is known to be committed; an empty one founds a cluster of this node alone (see
  // Formation for several). Blocks. FAILED_PRECONDITION: another process has the directory, or it is another node's. DATA_LOSS: the
  // log is damaged. RESOURCE_EXHAUSTED: the disk is full; the words say what to do. UNIMPLEMENTED: it is a newer program's, and as
  // it was. `opened`: the directory and its log, if they are open already; then the directory has no snapshot. `let_in`: the
  // configuration by which a cluster has taken this node in just now; what older ones do not say means nothing.
  static absl::StatusOr<std::unique_ptr<Node>> Open(const NodeSeams& seams, NodeOptions options, Disk opened = {},
                                                    raft::Index let_in = {});
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Begins to tick, and so to lead.
  void Start();
  // Takes a stream of Coordination.Session; null if it was refused (its status is sent). `address`: where it comes from, the bytes
  // of an IP address; empty: none.
  base::ConnectionEvents* Accept(std::unique_ptr<base::Connection> connection, std::string address = "");
  // Takes a stream of Peer.Link from another node.
  base::ConnectionEvents* AcceptPeer(std::unique_ptr<base::Connection> connection, std::string address = "");
  // Takes a stream of Coordination.SaveSnapshot; null if it was refused (its status is sent).
  base::ConnectionEvents* AcceptSave(std::unique_ptr<base::Connection> connection);
  // Takes a snapshot that holds all that was acknowledged, by whatever node, before this call; or finds that the newest does.
  // UNAVAILABLE: no leader, or the node stops. RESOURCE_EXHAUSTED: the disk is full. Its file stays until a later one was taken.
  void TakeSnapshot(SnapshotTakenDone done);
  // A drover.coord.v1.Request outside of any session. `done` runs once, on the loop, perhaps at once.
  // INVALID_ARGUMENT, RESOURCE_EXHAUSTED (a write, and the disk is full: nothing was done), UNAVAILABLE (nothing was done), or
  // UNAVAILABLE when the node stops or goes (unknown outcome).
  void Execute(const base::Bytes& request, ExecuteDone done, absl::string_view address = {});
  // A snapshot is taken as soon as none is under way, however little the log has grown.
  void WantSnapshot() { wants_snapshot_ = true; }
  // As leader; `done` runs once, on the loop, perhaps at once. What is so already is done. One at a time. `patience`: how long
  // whoever asks waits for the answer of a node that is to be added; at most `invitation_patience`.
  void ChangeMember(MemberChange change, ChangeDone done, std::optional<base::Duration> patience = std::nullopt);
  // To a voter; 0: to the one that has the most.
  void TransferLeadership(base::NodeId to, ChangeDone done);
  // `done` runs once, on the loop, perhaps at once. OK: this node leads, as a majority has confirmed after this call. UNAVAILABLE:
  // it does not, or no longer.
  void ConfirmLeads(ChangeDone done);
  // Ends every stream and call with UNAVAILABLE and takes no new ones. No session is the worse for it.
  void Stop();

  // The members with which the cluster began.
  [[nodiscard]] absl::StatusOr<raft::Configuration> Founding() const { return raft::DecodeConfiguration(founding_.view()); }
  [[nodiscard]] NodeStatus Status() const;
  [[nodiscard]] const tree::StateMachine& state() const override { return *state_; }
  // That the cluster is at, as far as this node has applied: what it may be asked to propose.
  [[nodiscard]] base::FeatureLevel feature_level() const { return state_->feature_level(); }
  [[nodiscard]] const raft::Raft& raft() const { return raft_; }
  // Second processes with the directory of a member, that speak to this node as the leader.
  [[nodiscard]] std::vector<Copy> copies() const { return Leads() ? copies_.Seen(loop_->Now()) : std::vector<Copy>(); }
  // The oldest snapshot that is on its way to a member; the log leads on from it.
  [[nodiscard]] std::optional<raft::Index> sending() const { return sender_.oldest(); }
  [[nodiscard]] bool taking_snapshot() const { return taker_.active(); }

 private:
  struct Stream {
    std::unique_ptr<SessionStream> machine;
    bool wants_work = false;
    bool wants_flush = false;
    bool wants_round = false;
  };
  struct UnaryRead {
    base::Bytes bytes;
    tree::RequestView view;
    ExecuteDone done;
    std::string address;
    std::vector<tree::Identity> identities;

    [[nodiscard]] tree::Asker asker() const { return {base::SessionId(), address, identities}; }
  };
  // A contact that its client wants confirmed.
  struct Contact {
    StreamId stream;
    base::SessionId session;
    std::uint64_t contact = 0;
  };
  // A touch of another node, to be confirmed.
  struct PeerTouch {
    base::NodeId node;
    std::uint64_t sequence = 0;
    std::vector<base::SessionId> sessions;
  };
  // A quorum round: who waits for it.
  struct Round {
    base::Instant asked;
    std::vector<std::pair<StreamId, SessionStream::RoundTicket>> streams;
    std::vector<UnaryRead> calls;
    std::vector<Contact> contacts;   // while this node leads
    std::vector<PeerTouch> touches;  // while this node leads
  };
  // What another node has forwarded, in its order. A batch that was lost makes what follows it wait for a new generation.
  struct Inbox {
    base::BootNonce boot;
    std::uint64_t generation = 0;
    std::uint64_t sequence = 0;
    std::deque<ProposalQueue::Batch> batches;
  };

  Node(const NodeSeams& seams, NodeOptions options, const raft::Options& raft_options, Recovery recovery);

  // StreamHost
  [[nodiscard]] base::Instant Now() const override { return loop_->Now(); }
  [[nodiscard]] const tree::EventHistory& history() const override { return history_; }
  [[nodiscard]] tree::WatchTable& watches() override { return watches_; }
  [[nodiscard]] NodeObserver& observer() override { return *observer_; }
  [[nodiscard]] base::NodeId node_id() const override { return options_.id; }
  [[nodiscard]] base::ClusterId cluster_id() const override { return raft_.options().cluster; }
  void WantWork(StreamId stream) override;
  void WantFlush(StreamId stream) override;
  void WantRound(StreamId stream) override;
  void Heard(StreamId stream, base::SessionId session) override;
  void WantConfirmation(StreamId stream, base::SessionId session, std::uint64_t contact) override;
  void LinkBroke(StreamId stream, base::SessionId session) override;
  [[nodiscard]] bool TakesWrites() const override;
  [[nodiscard]] bool DiskFull() const override { return log_writer_.disk_full(); }
  void Propose(StreamId stream, const tree::Asker& asker, std::uint64_t seen, absl::string_view request) override;
  void ProposeOpen(StreamId stream, const OpenView& open, absl::string_view address) override;
  [[nodiscard]] std::vector<tree::Identity> Verify(const tree::AuthenticateView& shown) const override {
    return authenticator_.Verify(shown);
  }
  void Attached(base::SessionId session, StreamId stream, std::uint64_t attach) override;

  // What a unary call shows of who asks. False: some of it proves nothing.
  [[nodiscard]] bool ReadAuth(const tree::RequestView& request, std::vector<tree::Identity>* out) const;
  // What says who asks may be put into the log.
  [[nodiscard]] bool KnowsAccessControl() const { return state_->feature_level() >= base::kAccessControl; }

  // tree::Sink
  void OnEvents(absl::Span<const tree::Event> events) override;
  void OnAnswer(const tree::Answered& answered) override;
  void OnSessionOpened(const tree::Origin& origin, const tree::Session& session) override;
  void OnSessionEnded(base::SessionId session, tree::SessionEnd end, base::Zxid zxid) override;

  // PeerLinks::Events
  void OnPeerFrame(PeerFrame frame) override;
  // `why`: for this node's log; `word`: for the stranger.
  void Dismiss(const PeerHeader& from, absl::string_view why, absl::string_view word);
  void OnStranger(const PeerHeader& from, absl::string_view why);
  // Its configuration names this id with another incarnation: whoever speaks is not that member.
  [[nodiscard]] bool IsAnother(base::NodeId id, base::Incarnation incarnation) const;
  void OnLinkUp(base::NodeId peer) override;
  void OnLinkReset(base::NodeId peer, base::Incarnation incarnation) override;
  void OnDismissed(base::NodeId peer, const absl::Status& why) override;
  void OnDeclined(base::NodeId peer, const absl::Status& why) override;
  void OnBadFrame(const absl::Status& status) override;

  void WantTurn();
  void Turn();
  void WorkStreams();
  void StartRound();
  void Tick();
  void FlushStreams();
  void Reap();

  // node_peers.cc: what goes between the nodes
  void OnForward(const PeerHeader& header, Forward forward);
  void OnTouch(const PeerHeader& header, const Touch& touch);
  void OnHello(const PeerHeader& header, const Hello& hello);
  // Whoever says so is to begin another cluster with a restored state.
  [[nodiscard]] bool BeginsAnew(const Hello& hello);
  void ConfirmLocal(base::SessionId session, StreamId stream, std::uint64_t contact);
  void SendTouchesIfDue();
  void FlushLinks();
  [[nodiscard]] std::vector<PeerStatus> PeerStatuses() const;
  void EndIfForeign();
  [[nodiscard]] std::string WhoThisIs() const;
  [[nodiscard]] std::vector<Attachment> Attachments() const;
  [[nodiscard]] Attachment AttachmentOf(base::SessionId session, StreamId stream) const;

  // node_changes.cc: what a leader is asked for
  struct PendingChange {
    MemberChange change;
    base::Instant deadline;  // for the answer to the invitation
    ChangeDone done;
    std::unique_ptr<Invitation> invitation;
    base::FeatureLevel promised;          // by whoever is to be added, as it said
    std::optional<raft::Index> proposed;  // under way
    base::Bytes entry;                    // that one
  };
  // A node that speaks with the id of a member and has another data directory.
  struct OtherLifeHeard {
    base::Incarnation incarnation;
    base::Instant at;
  };
  // Another cluster, that is to begin with a restored state.
  struct Renewal {
    base::ClusterId cluster;
    std::string members;  // as a Hello says them
    base::Instant heard;
  };
  struct PendingTransfer {
    base::NodeId target;
    std::optional<base::Instant> deposed;  // since when nobody leads
    ChangeDone done;
  };
  [[nodiscard]] absl::Status CheckLeads() const;
  [[nodiscard]] absl::Status CheckSettled() const;
  [[nodiscard]] absl::Status CheckAnswering(const raft::Configuration& next) const;
  [[nodiscard]] absl::Status CheckCaughtUp(base::NodeId learner) const;
  [[nodiscard]] bool HasOtherLife(const raft::Member& member) const;
  [[nodiscard]] bool Answers(base::NodeId member) const;
  void GiveWay();
  [[nodiscard]] bool AwaitsHello(base::NodeId from) const;
  // " (why)" of the address that is asked, or "".
  [[nodiscard]] std::string WhyUnreached() const;
  [[nodiscard]] raft::Configuration WithOwnAddress(raft::Configuration configuration) const;
  [[nodiscard]] base::NodeId Successor() const;
  [[nodiscard]] bool OthersHaveSpace() const;
  void Invite();
  void OnInvited(const PeerHeader& header, const Hello& hello);
  void AdvanceChange();
  void FinishChange();
  void EndChange(const absl::Status& status);
  void AdvanceTransfer();

  // node_farewell.cc: clients that had better go to another node
  [[nodiscard]] absl::Status MayStay() const override;
  void SayFarewell();
  void SendClientsAway();

  // node_members.cc: whom it speaks to, and whether it still belongs
  [[nodiscard]] raft::Configuration Committed() const;
  [[nodiscard]] std::string OwnAddress() const;
  void SetPeers();
  // `said`: a message of it that was heard; null: nothing yet.
  void MeetStranger(const PeerHeader& header, const raft::Message* said);
  // It comes from the present life of the member whose id its sender bears.
  [[nodiscard]] bool IsOfPresentLife(const raft::Message& said) const;
  void OnMemberHello(const PeerHeader& header, const Hello& hello);
  void TellStanding(base::NodeId to);
  void OnStanding(const PeerHeader& header, const Standing& standing);
  void AskForStanding();
  void OnConfigurationApplied(const raft::Configuration& before);
  void Leave(const raft::Configuration& without);
  void EndRolledBack(const absl::Status& lost);

  // node_levels.cc: feature levels
  void TickLevels();
  void Promise(base::FeatureLevel level);
  void RaiseLevelIfAllPromised();
  void HearLevels(const PeerHeader& header);
  void SayLevels(PeerHeader* header) const;
  // FAILED_PRECONDITION: a program that knows levels up to `known` is no use to this cluster.
  [[nodiscard]] absl::Status CheckKnowsLevel(base::NodeId node, base::FeatureLevel known, absl::string_view address) const;
  // The process must end: the cluster goes on with what this program does not know.
  void EndOutdated(const absl::Status& why);

  // node_proposals.cc: what goes into the log
  void ExpireSilentSessions();
  void ProposeExpiry(raft::Term judged);
  void ProposeTimeIfDue();
  void ReapIfDue();
  void ProposeForwarded();
  void HandOverGathered();
  bool ProposeBatch(const ProposalQueue::Batch& batch);
  void FailHandedOver(const absl::Status& status);
  [[nodiscard]] base::WallTime ClusterTime() const;
  [[nodiscard]] base::NodeId Leader() const { return raft_leader_; }
  [[nodiscard]] bool Leads() const { return raft_.leads(); }

  void TickRaft();
  void ArmRaftTimer();
  // For longer than the patience.
  [[nodiscard]] bool Leaderless() const;
  [[nodiscard]] std::string NoLeader() const;  // the words for it
  void GiveUpOnLeaderless();
  void AskAgain(bool all);
  void HandLeadershipOn();
  void NoteCommit();

  // The one place where effects happen.
  void Perform(raft::Output output);
  void Persist(raft::Output& output);
  void Send(raft::Output& output);
  void ReadLog(raft::Output& output);
  void Apply(raft::Output& output);
  void Serve(raft::Output& output);
  void ChangeRole(raft::Output& output);

  // node_snapshots.cc
  void Install(raft::Output& output);
  void TickSnapshots();
  void BeginSnapshot();
  void OnSentSnapshotBad(raft::Index index);
  void OnSavedSnapshotBad(raft::Index index, const absl::Status& why);
  void ReplaceSnapshot(raft::Index index);
  void OnSnapshotNotTaken(const absl::Status& status);
  void OnSnapshotTaken(const SnapshotTaker::Taken& taken);
  void OnSnapshotReceived(SnapshotReceiver::Received received);
  void OnSnapshotNotReceived(const absl::Status& status);
  void OnSnapshotChunk(const PeerHeader& header, const SnapshotChunk& chunk);
  void DropOldSnapshots();
  void CompactIfDue();
  [[nodiscard]] std::size_t KeptSnapshots() const;
  void OnScrubbed(const absl::Status& damage, base::Duration took);

  // node_founders.cc
  void PromoteFounders();

  // node_saves.cc
  void TickWantedSnapshots();
  void EndAwaitedSnapshots(const absl::StatusOr<raft::Index>& taken);
  void EndSaves(const absl::Status& status);

  // UNIMPLEMENTED: what only newer programs know; it was not applied.
  absl::Status ApplyEntry(const raft::Entry& entry);
  void ServeRound(Round* round);
  void ServeConfirmed();
  void OnPersisted(const LogWriter::Written& written);
  void OnDiskFull(bool full);
  void EndCalls(const absl::Status& status);
  void Fail(const absl::Status& status);
  [[nodiscard]] Stream* Find(StreamId stream);
  [[nodiscard]] SessionStream* FindMachine(StreamId stream);

  base::Loop* const loop_;
  base::Dialer* const dialer_;
  base::Random* const random_;
  NodeObserver silent_;
  NodeObserver* const observer_;
  const std::function<void(const absl::Status&)> on_fatal_;
  const std::function<void(const absl::Status&)> on_refused_;
  const NodeOptions options_;
  const std::function<void()> on_freed_;
  const SnapshotSeams snapshot_seams_;

  raft::Raft raft_;
  std::unique_ptr<tree::StateMachine> state_;
  tree::EventHistory history_;
  tree::WatchTable watches_;
  Leases leases_;    // while this node leads
  Touches touches_;  // while it does not
  ClusterClock clock_;
  Dismissals dismissals_;
  Authenticator authenticator_;
  ProposalQueue proposals_;
  LogWriter log_writer_;
  PeerLinks links_;
  base::Bytes founding_;  // empty until a node that was added knows it
  raft::Index applied_;

  SnapshotTaker taker_;
  SnapshotSender sender_;
  SnapshotReceiver receiver_;
  Scrubber scrubber_;
  bool damaged_ = false;  // as the scrubber found last
  SnapshotSaves saves_;
  std::vector<SnapshotTakenDone> snapshots_wanted_;   // of a snapshot that has not begun
  std::vector<SnapshotTakenDone> snapshots_awaited_;  // of the one in the making
  std::vector<raft::Index> snapshots_;                // durable, ascending
  std::uint64_t snapshot_bytes_ = 0;                  // of the newest's file, if this process took it
  std::uint64_t bytes_since_snapshot_ = 0;            // of payloads that were applied
  bool wants_snapshot_ = false;                       // whatever has grown: the last one failed or is damaged, or it was asked for
  base::Instant next_snapshot_;                       // not before
  raft::Index compacted_;                             // the log was asked to drop what lies up to here
  std::unique_ptr<tree::StateMachine> loaded_;        // of the snapshot that Raft was given
  base::Bytes loaded_founding_;                       // of that one
  raft::Index configuration_index_;                   // of the last configuration applied
  base::Bytes configuration_;                         // that one, as its entry carried it

  base::NodeId raft_leader_;  // 0: not known
  base::Instant leaderless_since_;
  Neighbours neighbours_;
  std::pair<raft::Index, raft::Index> members_known_;  // of the configurations that `neighbours_` knows
  std::uint64_t peers_version_ = 0;                    // of `neighbours_`, that `links_` knows
  std::unique_ptr<PendingChange> change_;              // while this node leads
  std::unique_ptr<PendingTransfer> transfer_;
  std::map<base::NodeId, OtherLifeHeard> other_lives_;
  std::optional<Renewal> renewal_;
  Copies copies_{Copies::Options()};
  tree::Reaper reaper_;
  base::Instant next_reap_;
  MemberLevels levels_;
  base::FeatureLevel promised_;         // by this data directory
  base::FeatureLevel wished_;           // by the last leader that said so
  bool promising_ = false;              // the disk is at it
  base::Instant next_promise_;          // not before
  std::optional<raft::Index> raising_;  // the entry by which this leader raises the level, until it is applied
  bool was_member_ = false;
  // It has been a member by a committed configuration, or may have been: this process does not know how the directory began.
  bool served_ = false;
  raft::Index let_in_;  // 0: not since this process began
  base::Instant asked_standing_at_;
  base::Timer leave_timer_;
  base::Timer farewell_timer_;
  std::optional<base::Instant> sends_away_since_;
  raft::Index uncommitted_behind_;   // nothing behind this index was committed
  base::Instant uncommitted_since_;  // since then, if this node leads and has something behind it
  raft::Index full_since_;           // the log's end when its disk was found full
  // When each entry that this leader proposed was, until it is committed.
  std::deque<std::pair<raft::Index, base::Instant>> proposed_at_;
  base::WallTime last_proposed_time_;

  std::map<StreamId, Stream> streams_;
  StreamId last_stream_;
  struct Home {
    StreamId stream;
    std::uint64_t attach = 0;
  };
  std::map<base::SessionId, Home> stream_of_;  // the newest of each session that has one here
  std::vector<StreamId> working_, flushing_, ended_;
  std::set<StreamId> waiting_;  // not attached, or with requests that were held back: to be asked again
  std::vector<StreamId> want_round_;
  std::vector<UnaryRead> want_round_calls_;
  std::vector<Contact> want_round_contacts_;
  std::vector<PeerTouch> want_round_touches_;
  std::map<std::uint64_t, Round> rounds_;               // asked for
  std::multimap<raft::Index, Round> confirmed_rounds_;  // to be served once so much is applied
  std::uint64_t last_round_;                            // from a random start: an answer meant for an earlier process fits none
  std::size_t unary_calls_ = 0;

  std::map<base::NodeId, Inbox> inboxes_;  // while this node leads
  std::uint64_t generation_ = 0;           // of what is forwarded: a new one for each leader
  std::uint64_t forwarded_ = 0;            // in this generation
  base::Instant handed_over_at_;           // since when something handed over waits
  base::Instant touched_at_;

  base::Timer tick_timer_;
  base::Timer raft_timer_;
  base::Instant raft_timer_at_;
  base::Instant raft_ticked_at_;
  bool started_ = false;  // replay is over
  bool turn_posted_ = false;
  bool tick_due_ = false;
  bool stopping_ = false;
  bool dead_ = false;            // after a fatal error: nothing happens any more
  std::shared_ptr<Node*> self_;  // for posts that may outlive the node
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_NODE_H_

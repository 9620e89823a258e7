#include "coord/server/node.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/hooks.h"
#include "coord/base/status.h"
#include "coord/tree/answer.h"

namespace drover::coord::server {

using tree::Code;

namespace {

LeaseTerms TermsOf(const tree::Session& session) {
  return LeaseTerms{session.id(), std::chrono::milliseconds(session.timeout_ms()),
                    std::chrono::milliseconds(session.disconnect_grace_ms())};
}

}  // namespace

absl::StatusOr<std::unique_ptr<Node>> Node::Open(const NodeSeams& seams, NodeOptions options, Disk opened, raft::Index let_in) {
  const auto progress = [observer = seams.observer](const StartProgress& at) {
    if (observer != nullptr) observer->OnStartProgress(at);
  };
  absl::StatusOr<Recovery> recovered =
      Recover(seams.files, seams.random, options.data_directory, options.id, options.address, options.log, options.tree, progress,
              std::move(opened), options.raft.feature_level_max);
  if (!recovered.ok()) return OfFullDisk(recovered.status(), options.data_directory);
  Recovery& recovery = *recovered;
  raft::Options raft_options = options.raft;
  raft_options.id = options.id;
  raft_options.incarnation = recovery.incarnation;
  raft_options.cluster = recovery.cluster;
  raft_options.boot = base::BootNonce(NextNotZero(seams.random));
  raft_options.seed = seams.random->Next();
  log::Log* log = recovery.disk.log.get();
  auto node = absl::WrapUnique(new Node(seams, std::move(options), raft_options, std::move(recovery)));
  node->let_in_ = let_in;
  node->served_ = node->served_ || let_in.value == 0;
  // The log is still ours: the writer has nothing to do before Start.
  const raft::Index before = node->applied_;
  StartMeter meter(StartPhase::kLog, node->raft_.commit().value - before.value, progress);
  absl::Status applied;
  DROVER_RETURN_IF_ERROR(ReplayLog(log, before.Next(), node->raft_.commit(), [&](const raft::Entry& entry) {
    meter.At(entry.index.Previous().value - before.value);
    if (applied.ok()) applied = node->ApplyEntry(entry);
  }));
  DROVER_RETURN_IF_ERROR(applied);
  return node;
}

Node::Node(const NodeSeams& seams, NodeOptions options, const raft::Options& raft_options, Recovery recovery)
    : loop_(seams.loop),
      dialer_(seams.dialer),
      random_(seams.random),
      observer_(seams.observer != nullptr ? seams.observer : &silent_),
      on_fatal_(seams.on_fatal),
      on_refused_(seams.on_refused),
      options_(std::move(options)),
      on_freed_(seams.on_freed),
      snapshot_seams_{seams.loop, seams.snapshots, seams.files, options_.data_directory},
      raft_(raft_options, std::move(recovery.raft)),
      state_(recovery.state != nullptr ? std::move(recovery.state) : std::make_unique<tree::StateMachine>(options_.tree)),
      history_(options_.history, state_->last_zxid()),
      leases_(options_.leases),
      touches_(seams.random->Next() >> 1),
      dismissals_(options_.dismissals),
      authenticator_(options_.super_digest),
      proposals_(options_.id, raft_options.boot, options_.batch_bytes),
      log_writer_(seams.loop, seams.disk, std::move(recovery.disk), options_.log_writer,
                  LogWriter::Events{[this](const LogWriter::Written& written) { OnPersisted(written); },
                                    [this](bool full) { OnDiskFull(full); }, [this](const absl::Status& status) { Fail(status); }}),
      links_(seams.loop, seams.dialer, this, options_.links),
      founding_(recovery.founding),
      applied_(recovery.snapshot.index),
      taker_(snapshot_seams_, options_.snapshots.take,
             SnapshotTaker::Events{[this](const SnapshotTaker::Taken& taken) { OnSnapshotTaken(taken); },
                                   [this](const absl::Status& status) { OnSnapshotNotTaken(status); }}),
      sender_(snapshot_seams_, options_.snapshots.send,
              SnapshotSender::Events{[this](base::NodeId to, SnapshotChunk chunk) {
                                       links_.Send(to, std::move(chunk));
                                       WantTurn();
                                     },
                                     [this](raft::Index index) { OnSentSnapshotBad(index); }}),
      receiver_(snapshot_seams_, raft_options.cluster, raft_options.feature_level_max, options_.tree, options_.snapshots.receive,
                SnapshotReceiver::Events{[this](base::NodeId to, SnapshotAck ack) {
                                           links_.Send(to, ack);
                                           WantTurn();
                                         },
                                         [this](SnapshotReceiver::Received received) { OnSnapshotReceived(std::move(received)); },
                                         [this](const absl::Status& status) { OnSnapshotNotReceived(status); }}),
      scrubber_(snapshot_seams_, options_.snapshots.scrub,
                [this](const absl::Status& damage, base::Duration took) { OnScrubbed(damage, took); }),
      saves_(
          snapshot_seams_, options_.snapshots.save, [this](SnapshotTakenDone done) { TakeSnapshot(std::move(done)); },
          [this](raft::Index index, const absl::Status& why) { OnSavedSnapshotBad(index, why); }),
      snapshots_(std::move(recovery.snapshots)),
      configuration_index_(recovery.snapshot.configuration_index),
      configuration_(recovery.snapshot.configuration),
      neighbours_(options_.id, options_.neighbours),
      reaper_(options_.reap),
      promised_(recovery.promised),
      leave_timer_(seams.loop),
      farewell_timer_(seams.loop),
      last_round_(seams.random->Next() >> 1),
      tick_timer_(seams.loop),
      raft_timer_(seams.loop),
      self_(std::make_shared<Node*>(this)) {}

Node::~Node() {
  EndCalls(absl::UnavailableError("this node has ended"));
  EndSaves(absl::UnavailableError("this node has ended"));
}

void Node::Start() {
  started_ = true;
  leaderless_since_ = raft_ticked_at_ = loop_->Now();
  observer_->OnStarted();
  SetPeers();
  WantTurn();
  tick_timer_.Set(options_.tick, [this] { Tick(); });
  scrubber_.Start(random_);
}

// ---- what comes from outside ----

base::ConnectionEvents* Node::Accept(std::unique_ptr<base::Connection> connection, std::string address) {
  if (stopping_ || dead_) {
    connection->Close(absl::UnavailableError("this node is stopping"));
    return nullptr;
  }
  if (streams_.size() >= options_.streams_max) {
    observer_->OnRefused(Refusal::kStreams);
    connection->Close(absl::UnavailableError("this node has too many streams"));
    return nullptr;
  }
  last_stream_ = last_stream_.Next();
  Stream& stream = streams_[last_stream_];
  stream.machine = std::make_unique<SessionStream>(static_cast<StreamHost*>(this), &options_.stream, last_stream_,
                                                   std::move(connection), std::move(address));
  waiting_.insert(last_stream_);
  return stream.machine.get();
}

void Node::Execute(const base::Bytes& request, ExecuteDone done, absl::string_view address) {
  if (request.size() > options_.stream.received_frame_bytes_max) {
    return done(absl::ResourceExhaustedError(
        absl::StrCat("a request of ", request.size(), " bytes; at most ", options_.stream.received_frame_bytes_max, " are taken")));
  }
  tree::RequestView view;
  if (!tree::RequestView::Parse(request.view(), &view)) return done(absl::InvalidArgumentError("malformed request"));
  if (stopping_ || dead_) return done(absl::UnavailableError("this node is stopping"));
  std::vector<tree::Identity> identities;
  if (!ReadAuth(view, &identities)) {
    return done(tree::EncodeAnswer({.id = view.id, .code = Code::kAuthFailed, .zxid = state_->last_zxid()}));
  }
  if (tree::IsRead(view.kind) && view.local) return done(state_->Read(view, {base::SessionId(), address, identities}));
  if (!tree::IsRead(view.kind) && !tree::IsWrite(view.kind)) {
    tree::AnswerHead head;
    head.id = view.id;
    head.zxid = state_->last_zxid();
    head.code = tree::IsWatch(view.kind) ? Code::kInvalidArgument : Code::kUnimplemented;
    if (tree::IsWatch(view.kind)) head.message = "watches need a session";
    return done(tree::EncodeAnswer(head));
  }
  const bool newest = state_->feature_level() == base::kNewestFeatureLevel;  // then nothing is to be looked for
  if (!newest && tree::IsWrite(view.kind) && tree::NeededLevel(view) > state_->feature_level()) {
    tree::AnswerHead head;
    head.id = view.id;
    head.zxid = state_->last_zxid();
    head.code = Code::kUnimplemented;
    head.message =
        "the cluster is at a feature level that does not have this: drover cluster status shows which node keeps it down";
    return done(tree::EncodeAnswer(head));
  }
  if (const absl::Status may_stay = MayStay(); !may_stay.ok()) {
    observer_->OnRefused(Refusal::kDiskFull);
    return done(absl::UnavailableError(absl::StrCat(may_stay.message(), "; nothing was done")));
  }
  if (tree::IsWrite(view.kind) && DiskFull()) {
    observer_->OnRefused(Refusal::kDiskFull);
    return done(absl::ResourceExhaustedError("the disk of this node is full; nothing was done"));
  }
  if (Leaderless()) return done(absl::UnavailableError(absl::StrCat(NoLeader(), "; nothing was done")));
  if (unary_calls_ >= options_.unary_calls_max || (tree::IsWrite(view.kind) && proposals_.backed_up())) {
    observer_->OnRefused(unary_calls_ >= options_.unary_calls_max ? Refusal::kUnaryCalls : Refusal::kUncommittedBytes);
    return done(absl::UnavailableError("this node is overloaded; nothing was done"));
  }
  ++unary_calls_;
  ExecuteDone counted = [this, done = std::move(done)](absl::StatusOr<base::Bytes> answer) mutable {
    --unary_calls_;
    done(std::move(answer));
  };
  if (tree::IsWrite(view.kind)) {
    tree::Asker asker{base::SessionId(), address.empty() ? tree::kNoAddress : address, identities};
    if (!KnowsAccessControl()) asker = tree::Asker();
    const bool shows = view.has_auth || view.kind == tree::RequestKind::kAuthenticate;
    const std::string without = shows ? tree::EncodeWithoutCredentials(view) : std::string();
    proposals_.AddRequest(std::move(counted), asker, 0, shows ? absl::string_view(without) : request.view());
  } else {
    want_round_calls_.push_back(UnaryRead{request, view, std::move(counted), std::string(address), std::move(identities)});
  }
  WantTurn();
}

bool Node::ReadAuth(const tree::RequestView& request, std::vector<tree::Identity>* out) const {
  if (!request.has_auth) return true;
  absl::string_view bytes;
  for (base::RepeatedBytes all = request.auth(); all.Next(&bytes);) {
    tree::AuthenticateView shown;
    if (!tree::AuthenticateView::Parse(bytes, &shown)) return false;
    std::vector<tree::Identity> proved = Verify(shown);
    if (proved.empty() || out->size() + proved.size() > options_.tree.identities_max) return false;
    std::move(proved.begin(), proved.end(), std::back_inserter(*out));
  }
  return true;
}

void Node::Stop() {
  if (stopping_) return;
  stopping_ = true;
  const absl::Status status = absl::UnavailableError("this node is stopping");
  SayFarewell();
  EndCalls(status);
  EndSaves(status);
  if (change_) EndChange(status);
  // As long as it leads it goes on as a member, so that another may lead before this one is gone.
  HandLeadershipOn();
  WantTurn();
}

void Node::EndCalls(const absl::Status& status) {
  proposals_.FailCalls(status);
  for (UnaryRead& read : std::exchange(want_round_calls_, {})) read.done(status);
  for (auto& [context, round] : rounds_) {
    for (UnaryRead& read : std::exchange(round.calls, {})) read.done(status);
  }
  for (auto& [index, round] : confirmed_rounds_) {
    for (UnaryRead& read : std::exchange(round.calls, {})) read.done(status);
  }
}

// ---- StreamHost ----

void Node::WantWork(StreamId stream) {
  Stream* s = Find(stream);
  if (s == nullptr || std::exchange(s->wants_work, true)) return;
  working_.push_back(stream);
  WantTurn();
}

void Node::WantFlush(StreamId stream) {
  Stream* s = Find(stream);
  if (s == nullptr || std::exchange(s->wants_flush, true)) return;
  flushing_.push_back(stream);
  WantTurn();
}

void Node::WantRound(StreamId stream) {
  Stream* s = Find(stream);
  if (s == nullptr || std::exchange(s->wants_round, true)) return;
  want_round_.push_back(stream);
  WantTurn();
}

// ---- the wake-up ----

void Node::WantTurn() {
  if (std::exchange(turn_posted_, true)) return;
  loop_->Post([self = std::weak_ptr<Node*>(self_)] {
    if (const auto node = self.lock()) (*node)->Turn();
  });
}

void Node::Turn() {
  turn_posted_ = false;
  if (dead_) return;
  TickRaft();
  Perform(raft_.TakeOutput());
  do {
    WorkStreams();
    StartRound();
    Perform(raft_.TakeOutput());
  } while (!working_.empty() && !dead_);
  // After the input was drained: whoever spoke up is not silent.
  if (std::exchange(tick_due_, false)) {
    leases_.Tick(loop_->Now());
    ExpireSilentSessions();
    ProposeTimeIfDue();
    ReapIfDue();
    AskAgain(false);
    GiveUpOnLeaderless();
    EndIfForeign();
    HandLeadershipOn();
    NoteCommit();
    SendClientsAway();
    neighbours_.Tick(loop_->Now());
    AskForStanding();
    TickSnapshots();
    PromoteFounders();
    TickLevels();
  }
  AdvanceChange();
  AdvanceTransfer();
  ProposeForwarded();
  HandOverGathered();
  SendTouchesIfDue();
  Perform(raft_.TakeOutput());
  FlushStreams();
  FlushLinks();
  if (stopping_ && streams_.empty() && (!Leads() || raft_.Inspect().voters == 1)) links_.Stop();
  Reap();
  ArmRaftTimer();
}

void Node::TickRaft() {
  const base::Instant now = loop_->Now();
  const base::Duration elapsed = std::min(now - raft_ticked_at_, options_.leases.tick_max);
  raft_ticked_at_ = now;
  raft_.Tick(elapsed);
}

void Node::ArmRaftTimer() {
  if (dead_) return;
  const base::Instant at = loop_->Now() + raft_.UntilNextTick();
  if (raft_timer_.armed() && raft_timer_at_ <= at) return;
  raft_timer_at_ = at;
  raft_timer_.Set(at - loop_->Now(), [this] { WantTurn(); });
}

void Node::WorkStreams() {
  for (StreamId id : std::exchange(working_, {})) {
    if (dead_) return;
    Stream* stream = Find(id);
    if (stream == nullptr) continue;
    stream->wants_work = false;
    stream->machine->Work();
    if (stream->machine->closed()) {
      ended_.push_back(id);
    } else if (stream->machine->waits_for_the_node()) {
      waiting_.insert(id);
    } else {
      waiting_.erase(id);
    }
  }
}

void Node::StartRound() {
  const bool wanted =
      !want_round_.empty() || !want_round_calls_.empty() || !want_round_contacts_.empty() || !want_round_touches_.empty();
  if (dead_ || !wanted) return;
  // No leader is known: whoever waits goes on waiting, until there is one or the patience is over.
  if (!raft_.ReadIndex(last_round_ + 1).ok()) return;
  Round& round = rounds_[++last_round_];
  observer_->OnRoundAsked(raft_, last_round_);
  round.asked = loop_->Now();
  for (StreamId id : std::exchange(want_round_, {})) {
    Stream* stream = Find(id);
    if (stream == nullptr) continue;
    stream->wants_round = false;
    round.streams.emplace_back(id, stream->machine->BeginRound());
  }
  round.calls = std::exchange(want_round_calls_, {});
  round.contacts = std::exchange(want_round_contacts_, {});
  round.touches = std::exchange(want_round_touches_, {});
}

// Rounds whose answer may have been lost, or that were asked of an earlier leader.
void Node::AskAgain(bool all) {
  for (auto& [context, round] : rounds_) {
    if (!all && (Leads() || loop_->Now() - round.asked < options_.read_retry)) continue;
    if (!raft_.ReadIndex(context).ok()) return;
    round.asked = loop_->Now();
  }
}

bool Node::Leaderless() const {
  return raft_leader_.value == 0 && loop_->Now() - leaderless_since_ >= options_.leaderless_patience;
}

// A node that is cut off says so instead of keeping its clients waiting: another one may be able to serve them.
void Node::GiveUpOnLeaderless() {
  if (raft_leader_.value != 0) {
    const bool waits =
        !Leads() && proposals_.handed_over_bytes() > 0 && loop_->Now() - handed_over_at_ >= options_.forward_patience;
    if (waits) FailHandedOver(absl::UnavailableError("the leader does not answer: the outcome is unknown here; resume"));
    return;
  }
  if (!Leaderless()) return;
  const absl::Status status = absl::UnavailableError(NoLeader());
  for (auto& [id, stream] : streams_) stream.machine->Close(status);
  EndCalls(status);
  rounds_.clear();
}

std::string Node::NoLeader() const {
  if (log_writer_.disk_full())
    return absl::StrCat("the disk of node ", options_.id.value, " is full, and no leader is known to it");
  return "no leader is known to this node: it may be cut off, or too few others can vote";
}

// A leader that stops, or whose disk is full or stands still, lets another one lead, if one can.
void Node::HandLeadershipOn() {
  const bool stalled = log_writer_.StalledFor() >= options_.raft.election_timeout;
  const bool full = log_writer_.disk_full() && OthersHaveSpace();
  if (!Leads() || !(stopping_ || stalled || full) || raft_.Inspect().transfer.value != 0) return;
  if (const base::NodeId best = Successor(); best.value != 0) static_cast<void>(raft_.TransferLeadership(best));
}

void Node::NoteCommit() {
  const raft::Index commit = raft_.commit();
  const bool waits = Leads() && raft_.log().last() > commit;
  if (waits && commit == uncommitted_behind_) return;
  uncommitted_behind_ = commit;
  uncommitted_since_ = loop_->Now();
}

void Node::Tick() {
  if (dead_) return;
  tick_timer_.Set(options_.tick, [this] { Tick(); });
  tick_due_ = true;
  for (StreamId id : waiting_) WantWork(id);  // patience may be over
  observer_->OnStatus(Status());
  WantTurn();
}

void Node::FlushStreams() {
  for (StreamId id : std::exchange(flushing_, {})) {
    if (dead_) return;
    Stream* stream = Find(id);
    if (stream == nullptr) continue;
    stream->wants_flush = false;
    stream->machine->Flush();
    // From now on time counts: if its client does not take what is queued, the stream is cut.
    if (stream->machine->closing()) waiting_.insert(id);
  }
}

void Node::Reap() {
  for (StreamId id : std::exchange(ended_, {})) {
    const auto it = streams_.find(id);
    if (it == streams_.end()) continue;
    const auto newest = stream_of_.find(it->second.machine->session());
    if (newest != stream_of_.end() && newest->second.stream == id) stream_of_.erase(newest);
    waiting_.erase(id);
    streams_.erase(it);
  }
}

// ---- effects ----

void Node::Perform(raft::Output output) {
  if (output.empty()) return;
  observer_->OnOutput(raft_, output);
  struct Step {
    PerformStep name;
    void (Node::*run)(raft::Output&);
  };
  static constexpr Step kSteps[] = {
      {PerformStep::kPersist, &Node::Persist},       {PerformStep::kSend, &Node::Send},   {PerformStep::kReadLog, &Node::ReadLog},
      {PerformStep::kInstall, &Node::Install},       {PerformStep::kApply, &Node::Apply}, {PerformStep::kServe, &Node::Serve},
      {PerformStep::kChangeRole, &Node::ChangeRole},
  };
  for (const Step& step : kSteps) {
    if (options_.before_step && !dead_ && !options_.before_step(step.name)) dead_ = true;
    if (dead_) return;
    (this->*step.run)(output);
  }
}

void Node::Persist(raft::Output& output) {
  if (output.write) log_writer_.Add(*std::move(output.write), raft_.commit());
}

void Node::Send(raft::Output& output) {
  SetPeers();
  for (raft::Message& message : output.messages) {
    // The link is to one life of a member. What is meant for another, a vote above all, is not for this one.
    if (neighbours_.IncarnationOf(message.envelope.to) != message.envelope.to_incarnation) continue;
    links_.Send(message.envelope.to, RaftItem{message.envelope.term, std::move(message.body)});
  }
}

void Node::ReadLog(raft::Output& output) {
  for (const raft::LogRead& read : output.log_reads) {
    log_writer_.Read(read.first, read.bytes, [this, peer = read.peer](std::vector<raft::Entry> entries) {
      if (dead_) return;
      raft_.OnLogRead(peer, std::move(entries));
      WantTurn();
    });
  }
}

void Node::Apply(raft::Output& output) {
  if (output.committed.empty()) return;
  observer_->BeginApply();
  for (const raft::Entry& entry : output.committed) {
    const absl::Status applied = ApplyEntry(entry);
    if (!applied.ok()) return EndOutdated(applied);
  }
  observer_->EndApply(output.committed.size());
  while (!proposed_at_.empty() && proposed_at_.front().first <= applied_) {
    observer_->OnCommitted(loop_->Now() - proposed_at_.front().second);
    proposed_at_.pop_front();
  }
  // What was held back may go on: streams that wait for their zxid, and those whose writes did not fit.
  for (StreamId id : waiting_) WantWork(id);
  ServeConfirmed();
}

absl::Status Node::ApplyEntry(const raft::Entry& entry) {
  DROVER_CHECK(entry.index == applied_.Next()) << entry.index << " after " << applied_;
  if (entry.kind == raft::EntryKind::kData || entry.kind == raft::EntryKind::kExpiry) {
    absl::Status status = state_->Apply(entry.term, entry.payload.view(), this);
    if (absl::IsUnimplemented(status)) return base::Annotate(status, absl::StrCat("entry ", entry.index.value));
    // Every replica stops at the same place of a malformed batch, so this one goes on like the others.
    if (!status.ok()) observer_->OnDamage(status);
  }
  bytes_since_snapshot_ += entry.payload.size();
  applied_ = entry.index;
  if (entry.kind != raft::EntryKind::kConfig) return absl::OkStatus();
  const raft::Configuration before = Committed();
  configuration_index_ = entry.index;
  configuration_ = entry.payload;
  if (entry.index == raft::Index(1)) founding_ = entry.payload;
  state_->SetFeatureLevel(Committed().feature_level);
  if (started_) OnConfigurationApplied(before);
  return absl::OkStatus();
}

void Node::Serve(raft::Output& output) {
  for (const raft::ReadState& read : output.reads) {
    auto found = rounds_.extract(read.context);
    if (found.empty()) continue;  // answered before, or nobody waits any more
    confirmed_rounds_.emplace(read.index, std::move(found.mapped()));
  }
  ServeConfirmed();
}

void Node::ServeConfirmed() {
  while (!confirmed_rounds_.empty() && (confirmed_rounds_.begin()->first <= applied_ || DROVER_BREAK("answer-before-apply"))) {
    auto first = confirmed_rounds_.extract(confirmed_rounds_.begin());
    ServeRound(&first.mapped());
  }
}

void Node::ServeRound(Round* round) {
  for (const auto& [id, ticket] : round->streams) {
    if (SessionStream* machine = FindMachine(id)) machine->OnRound(ticket);
  }
  for (UnaryRead& call : round->calls) {
    observer_->OnRead();
    call.done(state_->Read(call.view, call.asker()));
  }
  if (!Leads()) return;  // no longer: another leader judges who is alive
  for (const Contact& contact : round->contacts) {
    if (!leases_.MayAcknowledge(contact.session)) continue;
    leases_.Acknowledged(contact.session, options_.id);
    ConfirmLocal(contact.session, contact.stream, contact.contact);
  }
  for (const PeerTouch& touch : round->touches) {
    TouchAck ack{touch.sequence, {}};
    for (base::SessionId session : touch.sessions) {
      if (leases_.MayAcknowledge(session)) {
        leases_.Acknowledged(session, touch.node);
      } else {
        ack.denied.push_back(session);
      }
    }
    links_.Send(touch.node, std::move(ack));
  }
}

void Node::ChangeRole(raft::Output& output) {
  if (!output.role_change) return;
  const raft::RoleChange& change = *output.role_change;
  const bool leads = change.role == raft::RoleName::kLeader;
  // From one campaign to the next nobody leads: that is one time without a leader, not many.
  if (change.leader.value == 0 && raft_leader_.value != 0) leaderless_since_ = loop_->Now();
  raft_leader_ = change.leader;
  // Whatever was handed to the leader before may be lost with its reign, or not.
  FailHandedOver(absl::UnavailableError("the leader changed: the outcome is unknown here; resume"));
  proposed_at_.clear();
  if (change_) EndChange(absl::UnavailableError("the leader changed: the outcome is unknown here; ask again"));
  raising_.reset();
  wished_ = base::FeatureLevel();
  inboxes_.clear();
  want_round_touches_.clear();
  for (auto& [context, round] : rounds_) round.touches.clear();
  if (leads) {
    if (DROVER_BREAK("expire-without-term")) ProposeExpiry(raft_.term().Previous());  // of what it thought before
    std::vector<LeaseTerms> sessions;
    sessions.reserve(state_->sessions().size());
    for (const auto& [id, session] : state_->sessions().all()) sessions.push_back(TermsOf(*session));
    leases_.Lead(loop_->Now(), sessions);
    last_proposed_time_ = ClusterTime();
    for (const auto& [session, home] : stream_of_) {
      leases_.Attach(loop_->Now(), session, Place{options_.id, home.stream}, home.attach);
    }
    for (const Touches::Confirmed& c : touches_.Stop()) want_round_contacts_.push_back({c.stream, c.session, c.contact});
  } else {
    if (!DROVER_BREAK("expire-without-term")) leases_.Follow();
    touches_.Restart(Attachments());
    for (const Contact& contact : std::exchange(want_round_contacts_, {})) {
      touches_.Contact(contact.session, contact.stream, contact.contact);
    }
  }
  for (auto& [context, round] : rounds_) {
    for (const Contact& contact : std::exchange(round.contacts, {})) {
      if (leads) {
        want_round_contacts_.push_back(contact);
      } else {
        touches_.Contact(contact.session, contact.stream, contact.contact);
      }
    }
  }
  AskAgain(true);
  WantTurn();
  observer_->OnRole(change);
}

void Node::OnPersisted(const LogWriter::Written& written) {
  if (dead_) return;
  observer_->OnPersisted(written.entries, written.bytes, written.took);
  raft_.OnPersisted(written.sequence);
  WantTurn();
}

void Node::OnDiskFull(bool full) {
  if (dead_) return;
  if (full) full_since_ = raft_.log().last();
  observer_->OnDiskFull(full);
  observer_->OnStatus(Status());
  if (!full) {
    for (StreamId id : waiting_) WantWork(id);
  }
}

void Node::Fail(const absl::Status& status) {
  if (std::exchange(dead_, true)) return;
  if (on_fatal_) on_fatal_(status);
}

// ---- tree::Sink ----

void Node::OnEvents(absl::Span<const tree::Event> events) {
  history_.Append(events);
  watches_.Match(
      events,
      [this](const tree::Delivery& delivery) {
        if (SessionStream* machine = FindMachine(delivery.stream)) machine->OnEvent(delivery);
      },
      [this](StreamId stream) {
        const SessionStream* machine = FindMachine(stream);
        return machine == nullptr ? tree::Asker() : state_->Known(machine->asker());
      });
}

void Node::OnAnswer(const tree::Answered& answered) {
  const Waiter* waiting = proposals_.Peek(answered.origin);
  if (waiting == nullptr) return;                                                             // of an earlier boot
  if (std::holds_alternative<StreamOpening>(*waiting) && answered.code == Code::kOk) return;  // OnSessionOpened follows
  std::optional<Waiter> waiter = proposals_.Take(answered.origin);
  if (const auto* write = std::get_if<StreamWrite>(&*waiter)) {
    if (SessionStream* machine = FindMachine(write->stream)) machine->OnAnswer(answered.bytes.view());
  } else if (const auto* opening = std::get_if<StreamOpening>(&*waiter)) {
    if (SessionStream* machine = FindMachine(opening->stream))
      machine->OnOpenRefused(answered.code, tree::MessageOf(answered.code));
  } else {
    std::get<ExecuteDone> (*waiter)(answered.bytes);
  }
}

void Node::OnSessionOpened(const tree::Origin& origin, const tree::Session& session) {
  leases_.Open(loop_->Now(), TermsOf(session));
  if (std::optional<Waiter> waiter = proposals_.Take(origin)) {
    if (SessionStream* machine = FindMachine(std::get<StreamOpening>(*waiter).stream)) machine->OnOpened(session);
  }
  if (started_) observer_->OnSessionOpened(session);
}

void Node::OnSessionEnded(base::SessionId session, tree::SessionEnd end, base::Zxid) {
  leases_.End(session);
  const auto newest = stream_of_.find(session);
  if (newest != stream_of_.end()) {
    if (SessionStream* machine = FindMachine(newest->second.stream)) machine->OnSessionEnded(end);
    stream_of_.erase(newest);
  }
  if (started_) observer_->OnSessionEnded(session, end);
}

// ---- small things ----

NodeStatus Node::Status() const {
  const raft::State raft = raft_.Inspect();
  NodeStatus status;
  status.node = options_.id;
  status.cluster = cluster_id();
  status.role = raft.role;
  status.leader = raft.leader;
  status.term = raft.hard_state.term;
  status.commit = raft.commit;
  status.applied = applied_;
  status.last_zxid = state_->last_zxid();
  status.log_bytes = log_writer_.log_bytes();
  status.log_first = raft_.log().terms().before().Next();
  if (!snapshots_.empty()) status.snapshot = snapshots_.back();
  status.snapshot_under_way = taker_.active();
  status.snapshot_sent_bytes = sender_.sent_bytes();
  status.sessions = state_->sessions().size();
  status.nodes = state_->tree().node_count();
  status.tree_bytes = state_->tree().bytes();
  status.watches = watches_.size();
  status.streams = streams_.size();
  status.history_bytes = history_.bytes();
  status.uncommitted_bytes = raft.uncommitted_bytes;
  if (Leads() && raft_.log().last() > raft.commit && raft.commit == uncommitted_behind_)
    status.uncommitted_for = loop_->Now() - uncommitted_since_;
  status.waiting_writes = proposals_.waiting();
  status.peers = PeerStatuses();
  status.peer_items_dropped = links_.dropped();
  status.disk_busy_for = log_writer_.StalledFor();
  status.log_cache_bytes = raft_.log().held_bytes();
  status.disk_full = log_writer_.disk_full();
  status.feature_level = feature_level();
  status.feature_level_max = options_.raft.feature_level_max;
  const bool current = Leads() ? applied_ >= raft.first_of_term : raft_leader_.value != 0 && applied_ == raft.commit;
  status.serving = !dead_ && !stopping_ && current;
  return status;
}

Node::Stream* Node::Find(StreamId stream) {
  const auto it = streams_.find(stream);
  return it == streams_.end() ? nullptr : &it->second;
}

SessionStream* Node::FindMachine(StreamId stream) {
  Stream* found = Find(stream);
  return found == nullptr ? nullptr : found->machine.get();
}

}  // namespace drover::coord::server

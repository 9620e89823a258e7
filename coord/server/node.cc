#include "coord/server/node.h"

#include <utility>

#include "absl/memory/memory.h"
#include "coord/base/check.h"
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

absl::StatusOr<std::unique_ptr<Node>> Node::Open(const NodeSeams& seams, NodeOptions options) {
  DROVER_ASSIGN_OR_RETURN(Recovery recovery,
                          Recover(seams.files, seams.random, options.data_directory, options.id, options.address, options.log));
  raft::Options raft_options;
  raft_options.id = options.id;
  raft_options.incarnation = recovery.incarnation;
  raft_options.boot = base::BootNonce(seams.random->Next());
  raft_options.uncommitted_bytes_max = options.uncommitted_bytes_max;
  log::Log* log = recovery.disk.log.get();
  auto node = absl::WrapUnique(new Node(seams, std::move(options), raft_options, std::move(recovery)));
  // The log is still ours: the writer has nothing to do before Start.
  DROVER_RETURN_IF_ERROR(ReplayLog(log, [&node](const raft::Entry& entry) { node->ApplyEntry(entry); }));
  return node;
}

Node::Node(const NodeSeams& seams, NodeOptions options, const raft::Options& raft_options, Recovery recovery)
    : loop_(seams.loop),
      random_(seams.random),
      observer_(seams.observer != nullptr ? seams.observer : &silent_),
      on_fatal_(seams.on_fatal),
      options_(std::move(options)),
      raft_(raft_options, std::move(recovery.raft)),
      state_(options_.tree),
      history_(options_.history),
      leases_(options_.leases),
      proposals_(options_.id, raft_options.boot, options_.batch_bytes),
      log_writer_(seams.loop, seams.disk, std::move(recovery.disk), options_.log_writer,
                  LogWriter::Events{[this](const LogWriter::Written& written) { OnPersisted(written); },
                                    [this](bool full) { OnDiskFull(full); }, [this](const absl::Status& status) { Fail(status); }}),
      tick_timer_(seams.loop),
      self_(std::make_shared<Node*>(this)) {}

Node::~Node() {
  EndCalls(absl::UnavailableError("this node has ended"));
}

void Node::Start() {
  started_ = true;
  raft_.Tick();
  WantTurn();
  tick_timer_.Set(options_.tick, [this] { Tick(); });
}

// ---- what comes from outside ----

base::ConnectionEvents* Node::Accept(std::unique_ptr<base::Connection> connection) {
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
  stream.machine =
      std::make_unique<SessionStream>(static_cast<StreamHost*>(this), &options_.stream, last_stream_, std::move(connection));
  waiting_.insert(last_stream_);
  return stream.machine.get();
}

void Node::Execute(const base::Bytes& request, ExecuteDone done) {
  tree::RequestView view;
  if (!tree::RequestView::Parse(request.view(), &view)) return done(absl::InvalidArgumentError("malformed request"));
  if (stopping_ || dead_) return done(absl::UnavailableError("this node is stopping"));
  if (tree::IsRead(view.kind) && view.local) return done(state_.Read(view));
  if (!tree::IsRead(view.kind) && !tree::IsWrite(view.kind)) {
    tree::AnswerHead head;
    head.id = view.id;
    head.zxid = state_.last_zxid();
    head.code = tree::IsWatch(view.kind) ? Code::kInvalidArgument : Code::kUnimplemented;
    if (tree::IsWatch(view.kind)) head.message = "watches need a session";
    return done(tree::EncodeAnswer(head));
  }
  if (tree::IsWrite(view.kind) && DiskFull()) {
    observer_->OnRefused(Refusal::kDiskFull);
    return done(absl::ResourceExhaustedError("the disk of this node is full; nothing was done"));
  }
  if (unary_calls_ >= options_.unary_calls_max || (tree::IsWrite(view.kind) && !TakesWrites())) {
    observer_->OnRefused(unary_calls_ >= options_.unary_calls_max ? Refusal::kUnaryCalls : Refusal::kUncommittedBytes);
    return done(absl::UnavailableError("this node is overloaded; nothing was done"));
  }
  ++unary_calls_;
  ExecuteDone counted = [this, done = std::move(done)](absl::StatusOr<base::Bytes> answer) mutable {
    --unary_calls_;
    done(std::move(answer));
  };
  if (tree::IsWrite(view.kind)) {
    proposals_.AddRequest(loop_->WallNow(), std::move(counted), base::SessionId(), 0, request.view());
  } else {
    want_round_calls_.push_back(UnaryRead{request, view, std::move(counted)});
  }
  WantTurn();
}

void Node::Stop() {
  if (stopping_) return;
  stopping_ = true;
  const absl::Status status = absl::UnavailableError("this node is stopping");
  for (auto& [id, stream] : streams_) stream.machine->Close(status);
  FlushStreams();
  EndCalls(status);
}

void Node::EndCalls(const absl::Status& status) {
  proposals_.FailCalls(status);
  for (UnaryRead& read : std::exchange(want_round_calls_, {})) read.done(status);
  for (auto& [context, round] : rounds_) {
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

bool Node::TakesWrites() const {
  return !proposals_.backed_up() && !DiskFull();
}

void Node::Propose(StreamId stream, base::SessionId session, std::uint64_t seen, absl::string_view request) {
  proposals_.AddRequest(loop_->WallNow(), StreamWrite{stream}, session, seen, request);
  WantTurn();
}

void Node::ProposeOpen(StreamId stream, const OpenView& open) {
  const std::uint64_t bits[2] = {random_->Next(), random_->Next()};
  tree::OpenSessionView view;
  view.secret = absl::string_view(reinterpret_cast<const char*>(bits), sizeof(bits));
  view.timeout_ms = open.timeout_ms;
  view.disconnect_grace_ms = open.disconnect_grace_ms;
  view.name = open.name;
  proposals_.AddOpen(loop_->WallNow(), StreamOpening{stream}, view);
  WantTurn();
}

void Node::Attached(base::SessionId session, StreamId stream) {
  StreamId& newest = stream_of_[session];
  if (SessionStream* older = FindMachine(std::exchange(newest, stream))) older->OnReplaced();
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
  }
  ProposeGathered();
  Perform(raft_.TakeOutput());
  FlushStreams();
  Reap();
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
  if (dead_ || (want_round_.empty() && want_round_calls_.empty())) return;
  // Not the leader: whoever waits goes on waiting, until there is one or the stream ends.
  if (!raft_.ReadIndex(last_round_ + 1).ok()) return;
  Round& round = rounds_[++last_round_];
  for (StreamId id : std::exchange(want_round_, {})) {
    Stream* stream = Find(id);
    if (stream == nullptr) continue;
    stream->wants_round = false;
    round.streams.emplace_back(id, stream->machine->BeginRound());
  }
  round.calls = std::exchange(want_round_calls_, {});
}

void Node::Tick() {
  if (dead_) return;
  tick_timer_.Set(options_.tick, [this] { Tick(); });
  raft_.Tick();
  tick_due_ = true;
  for (StreamId id : waiting_) WantWork(id);  // patience may be over
  observer_->OnStatus(Status());
  WantTurn();
}

void Node::ExpireSilentSessions() {
  if (dead_ || stopping_) return;
  const std::vector<base::SessionId> silent = leases_.TakeExpired(options_.expiries_per_entry_max);
  if (silent.empty()) return;
  tree::BatchBuilder batch(loop_->WallNow());
  batch.AddExpire(raft_.Inspect().hard_state.term, silent);
  // Not bounded, and this node leads, or it would have no leases.
  const absl::StatusOr<raft::Index> index = raft_.Propose(raft::EntryKind::kExpiry, batch.Finish());
  DROVER_CHECK(index.ok()) << index.status();
  observer_->OnExpiryProposed(silent.size());
}

void Node::ProposeTimeIfDue() {
  if (dead_ || stopping_ || stream_of_.empty() || !TakesWrites()) return;
  const base::WallTime now = loop_->WallNow();
  if (now.value - last_proposed_time_.value < base::ToMillis(options_.time_entry_interval) || now <= state_.time()) return;
  last_proposed_time_ = now;
  // Refused when too much is not committed: then there are entries, with their time, under way.
  static_cast<void>(raft_.Propose(raft::EntryKind::kData, tree::BatchBuilder(now).Finish()));
}

void Node::ProposeGathered() {
  while (!dead_) {
    const ProposalQueue::Batch* batch = proposals_.Front();
    if (batch == nullptr) return;
    const absl::StatusOr<raft::Index> index = raft_.Propose(raft::EntryKind::kData, batch->payload);
    if (!index.ok()) {
      observer_->OnRefused(Refusal::kUncommittedBytes);
      return;  // again when something was committed; until then no stream hands in more
    }
    observer_->OnProposed(batch->commands, batch->payload.size());
    proposed_at_.emplace_back(*index, loop_->Now());
    last_proposed_time_ = loop_->WallNow();
    proposals_.PopFront();
  }
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
    if (newest != stream_of_.end() && newest->second == id) stream_of_.erase(newest);
    waiting_.erase(id);
    streams_.erase(it);
  }
}

// ---- effects ----

void Node::Perform(raft::Output output) {
  if (output.empty()) return;
  struct Step {
    PerformStep name;
    void (Node::*run)(raft::Output&);
  };
  static constexpr Step kSteps[] = {
      {PerformStep::kPersist, &Node::Persist},       {PerformStep::kSend, &Node::Send},
      {PerformStep::kApply, &Node::Apply},           {PerformStep::kServe, &Node::Serve},
      {PerformStep::kChangeRole, &Node::ChangeRole},
  };
  for (const Step& step : kSteps) {
    if (options_.before_step && !dead_ && !options_.before_step(step.name)) dead_ = true;
    if (dead_) return;
    (this->*step.run)(output);
  }
}

void Node::Persist(raft::Output& output) {
  if (!output.hard_state && output.entries.empty()) return;
  log_writer_.Add(output.hard_state, std::move(output.entries), raft_.Inspect().commit);
}

void Node::Send(raft::Output& output) {
  DROVER_CHECK(output.messages.empty()) << "a cluster of one voter has no peers";
}

void Node::Apply(raft::Output& output) {
  if (output.committed.empty()) return;
  observer_->BeginApply();
  for (const raft::Entry& entry : output.committed) ApplyEntry(entry);
  observer_->EndApply(output.committed.size());
  while (!proposed_at_.empty() && proposed_at_.front().first <= applied_) {
    observer_->OnCommitted(loop_->Now() - proposed_at_.front().second);
    proposed_at_.pop_front();
  }
  // What was held back may go on: streams that wait for their zxid, and those whose writes did not fit.
  for (StreamId id : waiting_) WantWork(id);
}

void Node::ApplyEntry(const raft::Entry& entry) {
  DROVER_CHECK(entry.index == applied_.Next()) << entry.index << " after " << applied_;
  if (entry.kind == raft::EntryKind::kData || entry.kind == raft::EntryKind::kExpiry) {
    // Every replica stops at the same place of a malformed batch, so this one goes on like the others.
    const absl::Status status = state_.Apply(entry.term, entry.payload.view(), this);
    if (!status.ok()) observer_->OnDamage(status);
  }
  applied_ = entry.index;
}

void Node::Serve(raft::Output& output) {
  for (const raft::ReadState& read : output.reads) {
    DROVER_CHECK(read.index <= applied_) << "what is committed in an output is applied before its reads";
    auto found = rounds_.extract(read.context);
    if (found.empty()) continue;
    Round& round = found.mapped();
    for (const auto& [id, ticket] : round.streams) {
      if (SessionStream* machine = FindMachine(id)) machine->OnRound(ticket);
    }
    for (UnaryRead& call : round.calls) {
      observer_->OnRead();
      call.done(state_.Read(call.view));
    }
  }
}

void Node::ChangeRole(raft::Output& output) {
  if (!output.role_change) return;
  if (output.role_change->role == raft::RoleName::kLeader) {
    std::vector<LeaseTerms> sessions;
    sessions.reserve(state_.sessions().size());
    for (const auto& [id, session] : state_.sessions().all()) sessions.push_back(TermsOf(*session));
    leases_.Lead(loop_->Now(), sessions);
    for (const auto& [session, stream] : stream_of_) leases_.Attach(loop_->Now(), session, stream);
  } else {
    leases_.Follow();
  }
  observer_->OnRole(*output.role_change);
}

void Node::OnPersisted(const LogWriter::Written& written) {
  if (dead_) return;
  observer_->OnPersisted(written.entries, written.bytes, written.took);
  raft_.OnDurable(written.last, written.last_term);
  WantTurn();
}

void Node::OnDiskFull(bool full) {
  if (dead_) return;
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
  watches_.Match(events, [this](const tree::Delivery& delivery) {
    if (SessionStream* machine = FindMachine(delivery.stream)) machine->OnEvent(delivery);
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
    if (SessionStream* machine = FindMachine(newest->second)) machine->OnSessionEnded(end);
    stream_of_.erase(newest);
  }
  if (started_) observer_->OnSessionEnded(session, end);
}

// ---- small things ----

NodeStatus Node::Status() const {
  const raft::State raft = raft_.Inspect();
  NodeStatus status;
  status.node = options_.id;
  status.cluster = raft_.configuration().cluster;
  status.role = raft.role;
  status.leader = raft.leader;
  status.term = raft.hard_state.term;
  status.commit = raft.commit;
  status.applied = applied_;
  status.last_zxid = state_.last_zxid();
  status.log_bytes = log_writer_.log_bytes();
  status.sessions = state_.sessions().size();
  status.nodes = state_.tree().node_count();
  status.tree_bytes = state_.tree().bytes();
  status.watches = watches_.size();
  status.streams = streams_.size();
  status.history_bytes = history_.bytes();
  status.uncommitted_bytes = raft.uncommitted_bytes;
  status.disk_full = log_writer_.disk_full();
  status.serving = !dead_ && !stopping_ && raft.role == raft::RoleName::kLeader && applied_ >= raft.first_of_term;
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

#include "coord/raft/raft.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/hooks.h"
#include "coord/raft/step_check.h"

namespace drover::coord::raft {
namespace {

bool IsReply(const Body& body) {
  return std::holds_alternative<PreVoteReply>(body) || std::holds_alternative<VoteReply>(body) ||
         std::holds_alternative<AppendReply>(body);
}

// `later`, to the same node, tells all that `earlier` does: a disk that stands still does not make answers pile up.
bool Supersedes(const Message& later, const Message& earlier) {
  const auto* now = std::get_if<AppendReply>(&later.body);
  const auto* before = std::get_if<AppendReply>(&earlier.body);
  return now != nullptr && before != nullptr && now->accepted == before->accepted && later.envelope.to == earlier.envelope.to &&
         later.envelope.to_incarnation == earlier.envelope.to_incarnation && later.envelope.term == earlier.envelope.term;
}

}  // namespace

Raft::Raft(const Options& options, Recovered recovered)
    : options_(options),
      random_(options.seed),
      configurations_(std::move(recovered.configurations)),
      hard_state_(recovered.hard_state),
      log_(std::move(recovered.terms), std::move(recovered.tail)),
      commit_(recovered.commit),
      handed_out_(recovered.commit),
      taken_last_(log_.last()),
      durable_(log_.last()) {
  DROVER_CHECK(commit_ <= log_.last() && log_.held_first() <= commit_.Next())
      << " commit " << commit_ << " last " << log_.last() << " held from " << log_.held_first();
  // Nobody is a member yet, of an empty log or by what is committed of one. Whoever leads sends the first entry, which says who is.
  if (configurations_.empty() || configurations_.begin()->first > commit_) configurations_[Index()] = Configuration();
  Follower follower;
  follower.campaign_at = RandomTimeout();
  role_ = follower;
  told_ = RoleChange{RoleName::kFollower, hard_state_.term, base::NodeId()};
}

absl::Status Raft::Step(const Message& message) {
  StepCheck check(this);
  const Envelope& envelope = message.envelope;
  const absl::string_view name = NameOf(message.body);
  if (envelope.cluster != options_.cluster) {
    return absl::FailedPreconditionError(absl::StrCat(name, " from another cluster: ", envelope.cluster.value));
  }
  const bool meant = envelope.to_incarnation == options_.incarnation || DROVER_BREAK("wiped-node-votes");
  if (envelope.to != options_.id || !meant) {
    return absl::FailedPreconditionError(absl::StrCat(name, " meant for another node or an earlier incarnation of this one"));
  }
  if (envelope.from == options_.id) return absl::InvalidArgumentError(absl::StrCat(name, " from this very node"));
  // Requests are heard from whoever belongs to the cluster by its own configuration, which may be newer than ours (a learner must
  // vote if it is a voter there). Answers count only from those that we would ask.
  if (IsReply(message.body) && !Known(envelope)) {
    DROVER_PROBE("raft: answer of an unknown incarnation");
    return absl::FailedPreconditionError(
        absl::StrCat(name, " from node ", envelope.from.value, ", whose incarnation is not a member"));
  }

  if (const auto* vote = std::get_if<PreVote>(&message.body)) return OnPreVote(envelope, *vote);
  if (const auto* vote = std::get_if<Vote>(&message.body)) return OnVote(envelope, *vote);
  if (envelope.term > hard_state_.term) AdoptTerm(envelope.term);
  if (const auto* append = std::get_if<Append>(&message.body)) return OnAppend(envelope, *append);
  if (const auto* reply = std::get_if<PreVoteReply>(&message.body)) return OnPreVoteReply(envelope, *reply);
  if (envelope.term < hard_state_.term) {
    return absl::AbortedError(absl::StrCat(name, " of term ", envelope.term.value, ", now it is ", hard_state_.term.value));
  }
  if (const auto* reply = std::get_if<VoteReply>(&message.body)) return OnVoteReply(envelope, *reply);
  if (const auto* reply = std::get_if<AppendReply>(&message.body)) return OnAppendReply(envelope, *reply);
  if (const auto* ask = std::get_if<ReadIndexAsk>(&message.body)) return OnReadIndexAsk(envelope, *ask);
  if (const auto* reply = std::get_if<ReadIndexReply>(&message.body)) return OnReadIndexReply(envelope, *reply);
  return OnTimeoutNow(envelope, std::get<TimeoutNow>(message.body));
}

void Raft::Tick(base::Duration elapsed) {
  StepCheck check(this);
  now_ += elapsed;
  if (auto* leader = std::get_if<Leader>(&role_)) {
    TickLeader(leader);
    return;
  }
  if (!MayCampaign()) {
    // It does not campaign; but a leader that is silent for so long is none to it.
    const auto* follower = std::get_if<Follower>(&role_);
    if (follower != nullptr && follower->leader.value != 0 && now_ >= follower->campaign_at) {
      DROVER_PROBE("raft: who may not campaign misses its leader");
      BecomeFollower();
    }
    return;
  }
  if (configuration().IsSoleVoter(options_.id, options_.incarnation)) {
    // Nobody to ask: it leads as soon as its own vote is durable.
    if (!std::holds_alternative<Candidate>(role_)) BecomeCandidate(false);
    return;
  }
  if (now_ >= CampaignAt()) Campaign();
}

base::Duration Raft::CampaignAt() const {
  if (const auto* candidate = std::get_if<PreCandidate>(&role_)) return candidate->campaign_at;
  if (const auto* candidate = std::get_if<Candidate>(&role_)) return candidate->campaign_at;
  return std::get<Follower>(role_).campaign_at;
}

base::Duration Raft::UntilNextTick() const {
  if (!leads() && !MayCampaign()) {
    const auto* follower = std::get_if<Follower>(&role_);
    const bool follows = follower != nullptr && follower->leader.value != 0;
    return follows ? std::max(follower->campaign_at - now_, base::Duration::zero()) : options_.election_timeout;
  }
  const bool alone = configuration().IsSoleVoter(options_.id, options_.incarnation);
  if (alone && !leads()) return std::holds_alternative<Candidate>(role_) ? options_.election_timeout : base::Duration::zero();
  const auto* leader = std::get_if<Leader>(&role_);
  const base::Duration at = leader != nullptr ? leader->heartbeat_at : CampaignAt();
  return std::max(at - now_, base::Duration::zero());
}

// ---- terms, writes, messages ----

void Raft::AdoptTerm(Term term) {
  DROVER_CHECK(term > hard_state_.term);
  // A term alone puts no campaign off, or the one that could win would wait as long as others campaign in vain. A granted vote
  // does.
  const std::optional<base::Duration> campaign_at = leads() ? std::nullopt : std::optional(CampaignAt());
  SetHardState(HardState{term, base::NodeId()});
  BecomeFollower();
  if (campaign_at) std::get<Follower>(role_).campaign_at = *campaign_at;
}

// Of nobody yet.
void Raft::BecomeFollower() {
  Follower follower;
  follower.campaign_at = now_ + RandomTimeout();
  role_ = follower;
}

Write& Raft::PendingWrite() {
  if (!output_.write) {
    output_.write.emplace();
    output_.write->sequence = ++last_sequence_;
    outstanding_.push_back({last_sequence_, Index()});
  }
  return *output_.write;
}

void Raft::SetHardState(const HardState& hard_state) {
  hard_state_ = hard_state;
  Write& write = PendingWrite();
  write.hard_state = hard_state;
  hard_state_sequence_ = write.sequence;
}

void Raft::AppendEntry(Entry entry) {
  if (entry.kind == EntryKind::kConfig) {
    absl::StatusOr<Configuration> decoded = DecodeConfiguration(entry.payload.view());
    DROVER_CHECK(decoded.ok()) << decoded.status();
    configurations_[entry.index] = *std::move(decoded);
  }
  PendingWrite().entries.push_back(entry);
  outstanding_.back().last = entry.index;
  log_.Append(std::move(entry));
}

void Raft::TruncateFrom(Index from) {
  DROVER_CHECK(from > commit_) << "truncating at " << from << " what is committed up to " << commit_;
  DROVER_PROBE("raft: conflict truncated");
  log_.TruncateFrom(from);
  configurations_.erase(configurations_.lower_bound(from), configurations_.end());
  // The rest of what was being written no longer tells anything about this log, whenever it completes.
  durable_ = std::min(durable_, from.Previous());
  for (Outstanding& write : outstanding_) {
    if (!DROVER_BREAK("stale-match-index")) write.last = std::min(write.last, from.Previous());
  }
  Write& write = PendingWrite();
  while (!write.entries.empty() && write.entries.back().index >= from) write.entries.pop_back();
  // Void what earlier writes hold, too.
  if (from <= taken_last_ && (!write.truncate_from || from < *write.truncate_from)) write.truncate_from = from;
}

void Raft::OnCompacted(Index through) {
  StepCheck check(this);
  DROVER_CHECK(through <= handed_out_) << "compacting " << through << ", handed out are " << handed_out_;
  log_.DropThrough(through);
}

absl::StatusOr<bool> Raft::Install(const SnapshotPoint& point) {
  StepCheck check(this);
  absl::StatusOr<Configuration> configuration = DecodeConfiguration(point.configuration.view());
  if (absl::IsUnimplemented(configuration.status())) return configuration.status();
  if (!configuration.ok()) return absl::InvalidArgumentError(configuration.status().message());
  const absl::Status known = base::CheckFeatureLevel("the cluster", configuration->feature_level, options_.feature_level_max);
  if (!known.ok()) return known;
  if (point.configuration_index > point.index || point.configuration_index == Index() || point.term == Term()) {
    return absl::InvalidArgumentError("a snapshot that does not say where it stands");
  }
  if (point.index <= commit_ || !std::holds_alternative<Follower>(role_)) return false;
  if (log_.TermAt(point.index) == point.term || (DROVER_BREAK("install-keeps-conflict") && log_.last() >= point.index)) {
    // Its entries are here, and that they are committed is news.
    CommitTo(point.index);
    return false;
  }
  DROVER_PROBE("raft: snapshot installed");
  if (log_.last() > point.index) DROVER_PROBE("raft: a snapshot voids a tail behind it");
  if (point.term > hard_state_.term) AdoptTerm(point.term);
  // Nothing behind what was committed is known to agree with the snapshot's history.
  durable_ = std::min(durable_, commit_);
  for (Outstanding& write : outstanding_) write.last = std::min(write.last, commit_);
  log_ = LogView(TermRuns(point.index, point.term), {});
  configurations_.clear();
  configurations_[point.configuration_index] = *std::move(configuration);
  commit_ = handed_out_ = point.index;
  Write& write = PendingWrite();
  write.entries.clear();
  write.truncate_from.reset();
  write.restart = point;
  outstanding_.back().last = point.index;
  output_.committed.clear();
  output_.installed = point;
  auto& follower = std::get<Follower>(role_);
  follower.matched = std::max(follower.matched, point.index);
  return true;
}

Envelope Raft::EnvelopeTo(base::NodeId to, base::Incarnation incarnation) const {
  return Envelope{options_.cluster, options_.id, options_.incarnation, options_.boot, to, incarnation, hard_state_.term};
}

void Raft::Send(base::NodeId to, base::Incarnation incarnation, Body body) {
  output_.messages.push_back(Message{EnvelopeTo(to, incarnation), std::move(body)});
}

void Raft::SendDurable(base::NodeId to, base::Incarnation incarnation, Body body) {
  if (persisted_ >= hard_state_sequence_) return Send(to, incarnation, std::move(body));
  Message message{EnvelopeTo(to, incarnation), std::move(body)};
  if (!held_.empty() && Supersedes(message, held_.back().message)) held_.pop_back();
  held_.push_back({hard_state_sequence_, std::move(message)});
}

void Raft::CommitTo(Index commit) {
  commit_ = std::max(commit_, commit);
  auto* leader = std::get_if<Leader>(&role_);
  while (handed_out_ < commit_) {
    handed_out_ = handed_out_.Next();
    const Entry& entry = log_.At(handed_out_);
    if (leader != nullptr && entry.kind == EntryKind::kData) leader->uncommitted_bytes -= entry.payload.size();
    output_.committed.push_back(entry);
  }
  // Configurations before the last committed one no longer matter.
  const auto newest = std::prev(configurations_.upper_bound(commit_));
  configurations_.erase(configurations_.begin(), newest);
  // What is committed by others and not on this disk yet could not be read from there for a slow follower.
  log_.Shrink(std::min(handed_out_, durable_), options_.cache_bytes);
}

bool Raft::IsVoter() const {
  const Member* self = configuration().Find(options_.id);
  return self != nullptr && self->voter && self->incarnation == options_.incarnation;
}

// A voter by its newest configuration, or by one that the newest has not replaced for good yet: while a removal is not committed,
// the removed one may be the only one whose log can win (Raft thesis 4.2.2, figure 4.6). Its own vote counts only by the newest.
bool Raft::MayCampaign() const {
  return std::any_of(configurations_.begin(), configurations_.end(), [this](const auto& configuration) {
    const Member* self = configuration.second.Find(options_.id);
    return self != nullptr && self->voter && self->incarnation == options_.incarnation;
  });
}

bool Raft::Known(const Envelope& envelope) const {
  const Member* from = configuration().Find(envelope.from);
  return from != nullptr && (from->incarnation == envelope.from_incarnation || DROVER_BREAK("wiped-node-votes"));
}

base::Duration Raft::RandomTimeout() {
  const auto range = static_cast<std::uint64_t>(options_.election_timeout.count());
  return options_.election_timeout + base::Duration(static_cast<std::int64_t>(random_.Below(range)));
}

// ---- completions ----

void Raft::OnPersisted(std::uint64_t sequence) {
  StepCheck check(this);
  if (sequence <= persisted_) return;
  persisted_ = sequence;
  while (!outstanding_.empty() && outstanding_.front().sequence <= sequence) {
    durable_ = std::max(durable_, outstanding_.front().last);
    outstanding_.pop_front();
  }
  while (!held_.empty() && held_.front().after <= sequence) {
    output_.messages.push_back(std::move(held_.front().message));
    held_.pop_front();
  }
  if (auto* candidate = std::get_if<Candidate>(&role_); candidate != nullptr && candidate->vote_write <= sequence) {
    candidate->granted.insert(options_.id);
    CountVotes();
  } else if (std::holds_alternative<Leader>(role_)) {
    AdvanceCommit();
  } else if (std::holds_alternative<Follower>(role_)) {
    AcknowledgeDurable();
  }
}

void Raft::OnLinkReset(base::NodeId peer) {
  StepCheck check(this);
  if (auto* leader = std::get_if<Leader>(&role_)) {
    const auto found = leader->peers.find(peer);
    if (found != leader->peers.end()) found->second.Probe();
    return;
  }
  auto* follower = std::get_if<Follower>(&role_);
  if (follower == nullptr || follower->leader != peer || follower->reset) return;
  DROVER_PROBE("raft: link from the leader reset");
  follower->reset = true;
  impatient_until_ = now_ + options_.election_timeout;
  const auto spread = static_cast<std::uint64_t>(options_.reset_spread.count());
  follower->campaign_at =
      std::min(follower->campaign_at, now_ + base::Duration(static_cast<std::int64_t>(random_.Below(spread + 1))));
}

Output Raft::TakeOutput() {
  FlushLeader();
  const State state = Inspect();
  const RoleChange now{state.role, state.hard_state.term, state.leader};
  if (now != told_) output_.role_change = told_ = now;
  if (output_.write) taken_last_ = log_.last();
  return std::exchange(output_, Output{});
}

State Raft::Inspect() const {
  State state;
  state.hard_state = hard_state_;
  state.last = log_.last();
  state.last_term = log_.last_term();
  state.commit = commit_;
  state.durable = durable_;
  state.held_first = log_.held_first();
  state.held_entries = log_.held_entries();
  state.voter = IsVoter();
  for (const Member& member : configuration().members) state.voters += member.voter ? 1 : 0;
  if (const auto* leader = std::get_if<Leader>(&role_)) {
    state.role = RoleName::kLeader;
    state.leader = options_.id;
    state.first_of_term = leader->noop;
    state.uncommitted_bytes = leader->uncommitted_bytes;
    state.waiting_reads = leader->reads.size();
    state.reads_wait_for_noop = commit_ < leader->noop;
    if (leader->transfer) state.transfer = leader->transfer->target;
  } else if (const auto* follower = std::get_if<Follower>(&role_)) {
    state.leader = follower->leader;
  } else {
    state.role = std::holds_alternative<Candidate>(role_) ? RoleName::kCandidate : RoleName::kPreCandidate;
  }
  return state;
}

}  // namespace drover::coord::raft

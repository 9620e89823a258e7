#include "coord/raft/raft.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/raft/invariants.h"

namespace drover::coord::raft {
namespace {

bool CountsAgainstTheBound(EntryKind kind) {
  return kind == EntryKind::kData;
}

}  // namespace

// In development builds: the invariants, at the end of each step.
class Raft::StepCheck {
 public:
#ifdef DROVER_DEV
  explicit StepCheck(const Raft* raft) : raft_(raft), before_(raft->Inspect()) {}
  ~StepCheck() {
    const State after = raft_->Inspect();
    absl::Status ok = CheckState(after);
    if (ok.ok()) ok = CheckStep(before_, after);
    DROVER_CHECK(ok.ok()) << ok.ToString();
  }

 private:
  const Raft* const raft_;
  const State before_;
#else
  explicit StepCheck(const Raft*) {}
  ~StepCheck() {}
#endif
};

Raft::Raft(const Options& options, Recovered recovered)
    : options_(options),
      configuration_(std::move(recovered.configuration)),
      hard_state_(recovered.hard_state),
      commit_(recovered.commit),
      tail_(recovered.last, recovered.last_term) {
  // Entries between commit and last would have to be read back from the disk; a sole voter has none.
  DROVER_CHECK(recovered.commit == recovered.last) << " commit " << recovered.commit << " last " << recovered.last;
}

absl::Status Raft::Step(const Message& message) {
  StepCheck check(this);
  const Envelope& envelope = message.envelope;
  const absl::string_view name = NameOf(message.body);
  if (envelope.cluster != configuration_.cluster) {
    return absl::FailedPreconditionError(absl::StrCat(name, " from another cluster: ", envelope.cluster.value));
  }
  if (envelope.to != options_.id || envelope.to_incarnation != options_.incarnation) {
    return absl::FailedPreconditionError(absl::StrCat(name, " meant for another node or an earlier incarnation of this one"));
  }
  const Member* from = configuration_.Find(envelope.from);
  if (from == nullptr || from->incarnation != envelope.from_incarnation || envelope.from == options_.id) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " from node ", envelope.from.value, ", whose incarnation is not a member"));
  }
  return absl::UnimplementedError(absl::StrCat(name, ": this version runs clusters of one voter"));
}

void Raft::Tick() {
  StepCheck check(this);
  if (std::holds_alternative<Leader>(role_)) return;
  if (configuration_.IsSoleVoter(options_.id, options_.incarnation)) BecomeLeader();
}

void Raft::BecomeLeader() {
  hard_state_ = HardState{hard_state_.term.Next(), options_.id};
  output_.hard_state = hard_state_;
  Leader leader;
  leader.durable = tail_.last();
  if (tail_.last().value == 0) AppendAsLeader(&leader, EntryKind::kConfig, EncodeConfiguration(configuration_));
  AppendAsLeader(&leader, EntryKind::kNoop, {});
  leader.noop = tail_.last();
  role_ = std::move(leader);
  output_.role_change = RoleChange{RoleName::kLeader, hard_state_.term, options_.id};
}

void Raft::AppendAsLeader(Leader* leader, EntryKind kind, base::Bytes payload) {
  if (CountsAgainstTheBound(kind)) leader->uncommitted_bytes += payload.size();
  output_.entries.push_back(tail_.Append(hard_state_.term, kind, std::move(payload)));
}

absl::StatusOr<Index> Raft::Propose(EntryKind kind, base::Bytes payload) {
  StepCheck check(this);
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return absl::FailedPreconditionError("not the leader");
  if (kind == EntryKind::kConfig) return absl::UnimplementedError("this version does not change the configuration");
  if (CountsAgainstTheBound(kind) && leader->uncommitted_bytes > 0 &&
      leader->uncommitted_bytes + payload.size() > options_.uncommitted_bytes_max) {
    return absl::ResourceExhaustedError("too many bytes are not committed yet");
  }
  AppendAsLeader(leader, kind, std::move(payload));
  return tail_.last();
}

absl::Status Raft::ReadIndex(std::uint64_t context) {
  StepCheck check(this);
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr) return absl::FailedPreconditionError("not the leader");
  if (commit_ < leader->noop) {
    leader->reads.push_back(context);
  } else {
    // The quorum of one has confirmed itself.
    output_.reads.push_back(ReadState{context, commit_});
  }
  return absl::OkStatus();
}

void Raft::OnDurable(Index index, Term term) {
  StepCheck check(this);
  Leader* leader = std::get_if<Leader>(&role_);
  if (leader == nullptr || index <= leader->durable) return;
  // A completion of an earlier reign says nothing about what stands at that index now.
  if (term != hard_state_.term || tail_.TermAt(index) != term) return;
  leader->durable = index;
  AdvanceCommit(leader);
}

void Raft::AdvanceCommit(Leader* leader) {
  // With one voter its own durable index is the quorum's. It lies at or behind the no-op, so older entries commit with it.
  if (leader->durable < leader->noop || leader->durable <= commit_) return;
  commit_ = leader->durable;
  for (Entry& entry : tail_.TakeThrough(commit_)) {
    if (CountsAgainstTheBound(entry.kind)) leader->uncommitted_bytes -= entry.payload.size();
    output_.committed.push_back(std::move(entry));
  }
  for (std::uint64_t context : leader->reads) output_.reads.push_back(ReadState{context, commit_});
  leader->reads.clear();
}

Output Raft::TakeOutput() {
  return std::exchange(output_, Output{});
}

State Raft::Inspect() const {
  State state;
  state.hard_state = hard_state_;
  state.last = tail_.last();
  state.last_term = tail_.last_term();
  state.commit = commit_;
  state.held_entries = tail_.size();
  if (const Leader* leader = std::get_if<Leader>(&role_)) {
    state.role = RoleName::kLeader;
    state.leader = options_.id;
    state.durable = leader->durable;
    state.first_of_term = leader->noop;
    state.uncommitted_bytes = leader->uncommitted_bytes;
    state.waiting_reads = leader->reads.size();
  } else {
    state.leader = std::get<Follower>(role_).leader;
  }
  return state;
}

}  // namespace drover::coord::raft

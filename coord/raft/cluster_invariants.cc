#include "coord/raft/cluster_invariants.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "coord/raft/invariants.h"

namespace drover::coord::raft {
namespace {

template <typename... Words>
absl::Status Violated(const Words&... words) {
  return absl::InternalError(absl::StrCat("cluster invariant violated: ", words...));
}

}  // namespace

// Log matching: an entry of this term at this index is the same wherever it is, and so is the one before it.
absl::Status ClusterInvariants::Learn(const Entry& entry, Term previous) {
  const auto [found, fresh] = entries_.try_emplace({entry.term, entry.index}, Content{previous, entry.kind, entry.payload});
  const Content& known = found->second;
  if (fresh || (known.previous == previous && known.kind == entry.kind && known.payload == entry.payload)) return absl::OkStatus();
  return Violated("two logs differ at or before index ", entry.index.value, ", where both have term ", entry.term.value);
}

absl::Status ClusterInvariants::Commit(const Entry& entry, Term reign) {
  const auto [found, fresh] = committed_.try_emplace(entry.index, Committed{entry, reign});
  const Entry& known = found->second.entry;
  if (known != entry) {
    return Violated("index ", entry.index.value, " is committed with term ", known.term.value, " and with term ", entry.term.value);
  }
  if (!fresh || entry.kind != EntryKind::kConfig) return absl::OkStatus();
  absl::StatusOr<Configuration> decoded = DecodeConfiguration(entry.payload.view());
  if (!decoded.ok()) return decoded.status();
  configuration_ = *std::move(decoded);
  return absl::OkStatus();
}

absl::Status ClusterInvariants::CastVote(const Machine& machine, Term term, base::NodeId vote) {
  const auto [found, fresh] = votes_.try_emplace({machine, term}, vote);
  if (fresh || found->second == vote) return absl::OkStatus();
  return Violated("node ", machine.first.value, " voted for ", found->second.value, " and for ", vote.value, " in term ",
                  term.value);
}

// Votes and acknowledgements bind their sender beyond a crash.
absl::Status ClusterInvariants::Promise(const Message& message) {
  const Envelope& envelope = message.envelope;
  const auto* vote = std::get_if<VoteReply>(&message.body);
  if (vote == nullptr && !std::holds_alternative<AppendReply>(message.body)) return absl::OkStatus();
  const Machine machine{envelope.from, envelope.from_incarnation};
  spoken_[machine] = std::max(spoken_[machine], envelope.term);
  if (vote == nullptr || !vote->granted) return absl::OkStatus();
  return CastVote(machine, envelope.term, envelope.to);
}

absl::Status ClusterInvariants::CheckLeader(const Raft& raft) {
  const Machine machine{raft.options().id, raft.options().incarnation};
  const auto [found, fresh] = leaders_.try_emplace(raft.term(), machine, raft.options().boot);
  const auto& [first, boot] = found->second;
  if (first != machine || boot != raft.options().boot) {
    return Violated("nodes ", first.first.value, " and ", machine.first.value, " lead in term ", raft.term().value,
                    first == machine ? ", the one before and the one after a restart" : "");
  }
  if (!fresh) return absl::OkStatus();
  spoken_[machine] = std::max(spoken_[machine], raft.term());
  for (const auto& [index, committed] : committed_) {
    if (index < raft.log().terms().before() || committed.reign >= raft.term()) continue;
    if (raft.log().TermAt(index) != committed.entry.term) {
      return Violated("node ", machine.first.value, " leads in term ", raft.term().value, " without the committed index ",
                      index.value);
    }
  }
  return absl::OkStatus();
}

absl::Status ClusterInvariants::Started(const Raft& raft, const std::vector<Entry>& log) {
  const Machine machine{raft.options().id, raft.options().incarnation};
  const State state = raft.Inspect();
  const auto spoken = spoken_.find(machine);
  if (spoken != spoken_.end() && state.hard_state.term < spoken->second) {
    return Violated("node ", machine.first.value, " starts in term ", state.hard_state.term.value, " and has spoken in term ",
                    spoken->second.value);
  }
  const auto vote = votes_.find({machine, state.hard_state.term});
  if (vote != votes_.end() && vote->second != state.hard_state.vote) {
    return Violated("node ", machine.first.value, " forgot its vote of term ", state.hard_state.term.value);
  }
  Term previous = raft.log().TermAt(raft.log().terms().before()).value_or(Term());
  for (const Entry& entry : log) {
    absl::Status ok = Learn(entry, previous);
    if (ok.ok() && entry.index <= state.commit) ok = Commit(entry, entry.term);
    if (!ok.ok()) return ok;
    previous = entry.term;
  }
  processes_[machine.first] = Process{raft.options().boot, state, state.commit};
  return CheckState(state);
}

void ClusterInvariants::Asked(const Raft& raft, std::uint64_t context) {
  floors_[{raft.options().id, raft.options().boot, context}] = commit();
}

absl::Status ClusterInvariants::Took(const Raft& raft, const Output& output) {
  const base::NodeId id = raft.options().id;
  const auto found = processes_.find(id);
  if (found == processes_.end() || found->second.boot != raft.options().boot)
    return Violated("node ", id.value, " was never started");
  Process& process = found->second;
  const State state = raft.Inspect();
  absl::Status ok = CheckState(state);
  if (ok.ok()) ok = CheckStep(process.state, state);
  process.state = state;

  if (output.write) {
    for (const Entry& entry : output.write->entries) {
      if (!ok.ok()) return ok;
      ok = Learn(entry, raft.log().TermAt(entry.index.Previous()).value_or(Term()));
    }
  }
  for (const Message& message : output.messages) {
    if (!ok.ok()) return ok;
    ok = Promise(message);
  }
  if (ok.ok() && state.role == RoleName::kLeader) ok = CheckLeader(raft);
  if (output.installed) {
    const auto known = committed_.find(output.installed->index);
    if (known == committed_.end() || known->second.entry.term != output.installed->term) {
      return Violated("node ", id.value, " installed a snapshot up to index ", output.installed->index.value,
                      ", which was not committed with its term");
    }
    process.applied = output.installed->index;
  }
  for (const Entry& entry : output.committed) {
    if (!ok.ok()) return ok;
    if (entry.index != process.applied.Next()) {
      return Violated("node ", id.value, " hands out index ", entry.index.value, " after ", process.applied.value);
    }
    process.applied = entry.index;
    ok = Commit(entry, state.hard_state.term);
  }
  for (const ReadState& read : output.reads) {
    const auto floor = floors_.find({id, raft.options().boot, read.context});
    if (ok.ok() && floor != floors_.end() && read.index < floor->second) {
      return Violated("node ", id.value, " serves read ", read.context, " from index ", read.index.value, ", and ",
                      floor->second.value, " was committed when it was asked");
    }
  }
  return ok;
}

absl::Status ClusterInvariants::CheckDisks(const std::vector<Disk>& disks) const {
  if (committed_.empty()) return absl::OkStatus();
  const Entry& last = committed_.rbegin()->second.entry;
  std::size_t voters = 0;
  std::size_t lacking = 0;
  for (const Member& member : configuration_.members) {
    if (!member.voter) continue;
    ++voters;
    const bool has = std::any_of(disks.begin(), disks.end(), [&](const Disk& disk) {
      return disk.id == member.id && disk.incarnation == member.incarnation && disk.terms->TermAt(last.index) == last.term;
    });
    lacking += has ? 0 : 1;
  }
  if (voters == 0 || lacking < voters / 2 + 1) return absl::OkStatus();
  return Violated("index ", last.index.value, " is committed, and ", lacking, " of ", voters,
                  " voters do not have it on their disks");
}

}  // namespace drover::coord::raft

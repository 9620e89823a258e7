// What a script does with time, clients, machines and disks.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/scenarios/script.h"

namespace drover::scenarios {
namespace {

using coord::raft::Configuration;
using coord::raft::EntryKind;
using coord::raft::Index;
using coord::raft::Member;
using coord::raft::Raft;

}  // namespace

// ---- time ----

// tick n1|* MS: one call
absl::Status Script::Tick(Words* words) {
  const std::optional<base::NodeId> id = words->NodeOrAll();
  const base::Duration elapsed = Millis(words->Number());
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return Each(id, [&](Machine* machine) {
    cluster_.Tick(machine, elapsed);
    return absl::OkStatus();
  });
}

// An election time-out passes at a node that does not lead, without its campaigning.
absl::Status Script::Lapse(Words* words) {
  const std::optional<base::NodeId> id = words->NodeOrAll();
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return Each(id, [&](Machine* machine) {
    if (machine->raft->leads()) return absl::OkStatus();
    const base::Duration left = machine->raft->UntilNextTick() - base::Duration(1);
    cluster_.Tick(machine, std::clamp(left, base::Duration::zero(), machine->options.election_timeout));
    return absl::OkStatus();
  });
}

absl::Status Script::Campaign(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  if (!ok.ok()) return ok;
  if (machine->raft->leads()) return absl::InvalidArgumentError("it leads");
  cluster_.Tick(machine, machine->raft->UntilNextTick());
  if (machine->raft->Inspect().role != coord::raft::RoleName::kFollower) return absl::OkStatus();
  return absl::FailedPreconditionError("it does not campaign");
}

absl::Status Script::Elect(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  for (auto& [other, machine] : cluster_.machines()) {
    if (!ok.ok()) return ok;
    Words lapse(absl::StrCat("n", other.value));
    if (other != id && machine.raft) ok = Lapse(&lapse);
  }
  Words campaign(absl::StrCat("n", id.value));
  ok = Campaign(&campaign);
  if (!ok.ok()) return ok;
  if (!cluster_.Settle()) return absl::DeadlineExceededError("messages without end");
  if (cluster_.Find(id)->raft->leads()) return absl::OkStatus();
  return absl::FailedPreconditionError("it was not elected");
}

absl::Status Script::RunTime(Words* words) {
  const base::Duration time = Millis(words->Number());
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return cluster_.Run(time) ? absl::OkStatus() : absl::DeadlineExceededError("messages without end");
}

// ---- clients ----

// propose n1 [COUNT [BYTES]]
absl::Status Script::ProposeKind(Words* words, EntryKind kind) {
  const base::NodeId id = words->Node();
  const std::uint64_t count = words->NumberOr(1);
  const std::size_t size = words->NumberOr(payload_bytes_);
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  for (std::uint64_t i = 0; ok.ok() && refusal_.ok() && i < count; ++i) {
    const base::Bytes payload = Payload(size, absl::StrCat("p", ++proposed_));
    cluster_.Act(machine, [&](Raft* raft) { refusal_ = raft->Propose(kind, payload).status(); });
  }
  return ok;
}

absl::Status Script::Propose(Words* words) {
  return ProposeKind(words, EntryKind::kData);
}

absl::Status Script::Expire(Words* words) {
  return ProposeKind(words, EntryKind::kExpiry);
}

// conf-change n1 add-voter n4, add-learner n4, promote n4, demote n4, remove n4; several, which must be refused, one after another
absl::Status Script::ConfChange(Words* words) {
  const base::NodeId id = words->Node();
  Machine* machine = nullptr;
  absl::Status ok = GetUp(id, &machine);
  if (!ok.ok()) return ok;
  Configuration next = machine->raft->configuration();
  do {
    const std::string change = words->Word();
    const base::NodeId of = words->Node();
    Machine* subject = nullptr;
    ok = Get(of, &subject);
    if (!ok.ok()) return ok;
    auto member = std::find_if(next.members.begin(), next.members.end(), [&](const Member& m) { return m.id >= of; });
    const bool there = member != next.members.end() && member->id == of;
    if (!there && (change == "add-voter" || change == "add-learner")) {
      next.members.insert(member, MemberOf(subject->options, change == "add-voter"));
    } else if (there && (change == "promote" || change == "demote")) {
      member->voter = change == "promote";
    } else if (there && change == "remove") {
      next.members.erase(member);
    } else {
      return absl::InvalidArgumentError(absl::StrCat("'", change, "' of n", of.value, " is no change of these members"));
    }
  } while (words->more());
  ok = words->Done();
  if (!ok.ok()) return ok;
  cluster_.Act(machine,
               [&](Raft* raft) { refusal_ = raft->Propose(EntryKind::kConfig, coord::raft::EncodeConfiguration(next)).status(); });
  return absl::OkStatus();
}

absl::Status Script::Transfer(Words* words) {
  const base::NodeId id = words->Node();
  const base::NodeId target = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  if (ok.ok()) cluster_.Act(machine, [&](Raft* raft) { refusal_ = raft->TransferLeadership(target); });
  return ok;
}

absl::Status Script::ReadIndex(Words* words) {
  const base::NodeId id = words->Node();
  const std::uint64_t context = words->Number();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  if (ok.ok()) refusal_ = cluster_.ReadIndex(machine, context);
  return ok;
}

// refused CODE ACTION ...: the machine turns the action down
absl::Status Script::Refused(Words* words) {
  const std::string code = words->Word();
  const absl::Status ok = RunVerb(words);
  if (!ok.ok()) return ok;
  const absl::Status answer = std::exchange(refusal_, absl::OkStatus());
  if (absl::StatusCodeToString(answer.code()) == code) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the answer is ", answer.ToString()));
}

// ---- machines ----

absl::Status Script::Crash(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  if (ok.ok()) cluster_.Crash(machine);
  return ok;
}

// restart n1 [COMMIT]: knowing no more than COMMIT to be committed
absl::Status Script::Restart(Words* words) {
  const base::NodeId id = words->Node();
  const Index commit(words->NumberOr(kAll));
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetDown(id, &machine);
  if (ok.ok()) cluster_.Boot(machine, commit);
  return ok;
}

absl::Status Script::Wipe(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetDown(id, &machine);
  if (ok.ok()) cluster_.Wipe(machine);
  return ok;
}

// roll-back n1 INDEX
absl::Status Script::RollBack(Words* words) {
  const base::NodeId id = words->Node();
  const Index last(words->Number());
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetDown(id, &machine);
  if (!ok.ok()) return ok;
  if (last < machine->disk.terms().before() || last == Index()) return absl::InvalidArgumentError("its log begins later");
  machine->disk.RollBack(last);
  return absl::OkStatus();
}

// Never to come back.
absl::Status Script::Scrap(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = Get(id, &machine);
  if (!ok.ok()) return ok;
  cluster_.Crash(machine);
  machine->gone = true;
  return absl::OkStatus();
}

absl::Status Script::Compact(Words* words) {
  const base::NodeId id = words->Node();
  const Index through(words->Number());
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = Get(id, &machine);
  if (!ok.ok()) return ok;
  const Index commit = machine->raft ? machine->raft->commit() : machine->disk.commit();
  if (machine->disk.pending() > 0 || through > commit || through > machine->disk.terms().last() ||
      through < machine->disk.terms().before()) {
    return absl::InvalidArgumentError("only what is durable, committed and in the log can be removed from it");
  }
  cluster_.Compact(machine, through);
  return absl::OkStatus();
}

// install n1 n2 [yes|no]: n1's snapshot comes to n2, which takes it, or does not
absl::Status Script::Install(Words* words) {
  const base::NodeId from = words->Node();
  const base::NodeId to = words->Node();
  const bool expected = !words->more() || words->Word() == "yes";
  absl::Status ok = words->Done();
  Machine* sender = nullptr;
  Machine* receiver = nullptr;
  if (ok.ok()) ok = Get(from, &sender);
  if (ok.ok()) ok = GetUp(to, &receiver);
  if (!ok.ok()) return ok;
  if (sender->disk.snapshot().index == Index()) return absl::InvalidArgumentError("it has not compacted anything");
  const absl::StatusOr<bool> installed = cluster_.Install(*sender, receiver);
  if (!installed.ok()) return installed.status();
  if (*installed == expected) return absl::OkStatus();
  return absl::FailedPreconditionError(*installed ? "it was installed" : "it was not installed");
}

absl::Status Script::Stall(Words* words) {
  const std::optional<base::NodeId> id = words->NodeOrAll();
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return Each(id, [](Machine* machine) {
    machine->stalled = true;
    return absl::OkStatus();
  });
}

absl::Status Script::Unstall(Words* words) {
  const std::optional<base::NodeId> id = words->NodeOrAll();
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return Each(id, [&](Machine* machine) {
    machine->stalled = false;
    cluster_.Persist(machine, machine->disk.pending());
    return absl::OkStatus();
  });
}

// persist n1|* [COUNT]: of a stalled disk's writes, the oldest
absl::Status Script::Persist(Words* words) {
  const std::optional<base::NodeId> id = words->NodeOrAll();
  const std::uint64_t count = words->NumberOr(kAll);
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return Each(id, [&](Machine* machine) {
    cluster_.Persist(machine, std::min<std::uint64_t>(count, machine->disk.pending()));
    return absl::OkStatus();
  });
}

// stale n1 [SEQUENCE]: a completion that was reported before is reported again
absl::Status Script::Stale(Words* words) {
  const base::NodeId id = words->Node();
  Machine* machine = nullptr;
  absl::Status ok = GetUp(id, &machine);
  if (!ok.ok()) return ok;
  const std::uint64_t sequence = words->NumberOr(machine->persisted);
  ok = words->Done();
  if (ok.ok() && sequence > machine->persisted) ok = absl::InvalidArgumentError("it was not reported yet");
  if (ok.ok()) cluster_.Act(machine, [&](Raft* raft) { raft->OnPersisted(sequence); });
  return ok;
}

absl::Status Script::Busy(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  if (ok.ok()) machine->busy = true;
  return ok;
}

absl::Status Script::Idle(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  if (!ok.ok()) return ok;
  machine->busy = false;
  cluster_.Resume(machine);
  return absl::OkStatus();
}

absl::Status Script::HoldReads(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = Get(id, &machine);
  if (ok.ok()) machine->holds_reads = true;
  return ok;
}

absl::Status Script::AnswerReads(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  if (ok.ok()) cluster_.AnswerReads(machine);
  return ok;
}

absl::Status Script::ReleaseReads(Words* words) {
  const base::NodeId id = words->Node();
  absl::Status ok = words->Done();
  Machine* machine = nullptr;
  if (ok.ok()) ok = GetUp(id, &machine);
  if (!ok.ok()) return ok;
  machine->holds_reads = false;
  cluster_.AnswerReads(machine);
  return absl::OkStatus();
}

}  // namespace drover::scenarios

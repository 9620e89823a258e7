// What a script expects.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/scenarios/script.h"

namespace drover::scenarios {
namespace {

using coord::raft::Index;
using coord::raft::Raft;
using coord::raft::RoleName;
using coord::raft::State;
using coord::raft::Term;

absl::Status Unlike(const std::string& what) {
  return absl::FailedPreconditionError(absl::StrCat("it is ", what));
}

std::string NameOf(base::NodeId id) {
  return id.value == 0 ? "none" : absl::StrCat("n", id.value);
}

std::string NameOf(RoleName role) {
  switch (role) {
    case RoleName::kFollower:
      return "follower";
    case RoleName::kPreCandidate:
      return "pre-candidate";
    case RoleName::kCandidate:
      return "candidate";
    case RoleName::kLeader:
      return "leader";
  }
  return "";
}

// The next word and nothing else.
absl::Status ExpectWord(Words* words, const std::string& actual) {
  const std::string wanted = words->Word();
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return wanted == actual ? absl::OkStatus() : Unlike(actual);
}

// As a script writes them: 1 1x5 4.
std::string Runs(const std::vector<Term>& terms) {
  std::string out;
  for (std::size_t i = 0; i < terms.size();) {
    std::size_t end = i;
    while (end < terms.size() && terms[end] == terms[i]) ++end;
    absl::StrAppend(&out, i == 0 ? "" : " ", terms[i].value);
    if (end - i > 1) absl::StrAppend(&out, "x", end - i);
    i = end;
  }
  return out.empty() ? "empty" : out;
}

}  // namespace

// expect WHAT NODE|* ..., expect sent LINK NAME ..., expect queued LINK ..., expect leaders ...
absl::Status Script::Expect(Words* words) {
  const std::string what = words->Word();
  if (what == "sent" || what == "queued") {
    const Link pattern = words->Link();
    const std::string name = what == "sent" ? words->Word() : "";
    std::size_t count = 0;
    for (const Link& link : Links(pattern)) {
      count += what == "sent" ? cluster_.network().Sent(link, name == "any" ? "" : name) : cluster_.network().Queued(link);
    }
    return words->Compare(count);
  }
  if (what == "leaders") {
    std::size_t count = 0;
    for (const auto& [id, machine] : cluster_.machines()) count += machine.raft && machine.raft->leads() ? 1 : 0;
    return words->Compare(count);
  }
  const std::optional<base::NodeId> id = words->NodeOrAll();
  const Words rest = *words;
  return Each(id, [&](Machine* machine) {
    Words own = rest;
    return ExpectOf(what, &own, *machine);
  });
}

absl::Status Script::ExpectOf(const std::string& what, Words* words, const Machine& machine) {
  const Raft& raft = *machine.raft;
  const State state = raft.Inspect();
  if (what == "role") return ExpectWord(words, NameOf(state.role));
  if (what == "leader") return ExpectWord(words, NameOf(state.leader));
  if (what == "vote") return ExpectWord(words, NameOf(state.hard_state.vote));
  if (what == "transfer") return ExpectWord(words, NameOf(state.transfer));
  if (what == "voter") return ExpectWord(words, state.voter ? "yes" : "no");
  if (what == "step") return ExpectWord(words, absl::StatusCodeToString(machine.last_step.code()));
  if (what == "term") return words->Compare(state.hard_state.term.value);
  if (what == "last") return words->Compare(state.last.value);
  if (what == "commit") return words->Compare(state.commit.value);
  if (what == "durable") return words->Compare(state.durable.value);
  if (what == "waiting") return words->Compare(state.waiting_reads);
  if (what == "uncommitted") return words->Compare(state.uncommitted_bytes);
  if (what == "held") return words->Compare(state.held_entries);
  if (what == "pending") return words->Compare(machine.disk.pending());
  if (what == "log-reads") return words->Compare(machine.log_reads_seen);
  if (what == "log") return ExpectLog(words, raft);
  if (what == "members") return ExpectMembers(words, raft);
  if (what == "read") return ExpectRead(words, machine);
  if (what == "match" || what == "next" || what == "probing") return ExpectPeer(what, words, raft);
  return absl::InvalidArgumentError(absl::StrCat("'", what, "' is nothing to expect"));
}

absl::Status Script::ExpectLog(Words* words, const Raft& raft) {
  const std::vector<Term> wanted = words->Terms();
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  std::vector<Term> terms;
  for (Index index = raft.log().terms().before().Next(); index <= raft.log().last(); index = index.Next()) {
    terms.push_back(*raft.log().TermAt(index));
  }
  return terms == wanted ? absl::OkStatus() : Unlike(Runs(terms));
}

// expect members n1 n1 n2 [learners n3 ...]
absl::Status Script::ExpectMembers(Words* words, const Raft& raft) {
  std::string wanted;
  std::string actual;
  bool voter = true;
  while (words->more()) {
    if (words->Accept("learners")) voter = false;
    absl::StrAppend(&wanted, " ", NameOf(words->Node()), voter ? "" : "(learner)");
  }
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  for (const bool voters : {true, false}) {
    for (const coord::raft::Member& member : raft.configuration().members) {
      if (member.voter == voters) absl::StrAppend(&actual, " ", NameOf(member.id), voters ? "" : "(learner)");
    }
  }
  return actual == wanted ? absl::OkStatus() : Unlike(actual.empty() ? "nobody" : actual.substr(1));
}

// expect read n1 CONTEXT INDEX|none
absl::Status Script::ExpectRead(Words* words, const Machine& machine) {
  const std::uint64_t context = words->Number();
  const auto read = std::find_if(machine.reads.rbegin(), machine.reads.rend(),
                                 [&](const coord::raft::ReadState& served) { return served.context == context; });
  if (read == machine.reads.rend()) return ExpectWord(words, "none");
  return ExpectWord(words, absl::StrCat(read->index.value));
}

// expect match|next n1 n2 INDEX, expect probing n1 n2 yes|no: what leader n1 knows of n2
absl::Status Script::ExpectPeer(const std::string& what, Words* words, const Raft& raft) {
  const base::NodeId id = words->Node();
  for (const coord::raft::PeerState& peer : raft.Peers()) {
    if (peer.id != id) continue;
    if (what == "probing") return ExpectWord(words, peer.probing ? "yes" : "no");
    return words->Compare(what == "match" ? peer.match.value : peer.next.value);
  }
  return absl::FailedPreconditionError(absl::StrCat("it does not lead n", id.value));
}

}  // namespace drover::scenarios

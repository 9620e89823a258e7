// What a script says before its nodes start.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/scenarios/script.h"

namespace drover::scenarios {
namespace {

using coord::raft::Configuration;
using coord::raft::Entry;
using coord::raft::EntryKind;
using coord::raft::Index;
using coord::raft::Term;

constexpr base::ClusterId kCluster(77);

}  // namespace

base::Bytes Script::Payload(std::size_t size, const std::string& content) const {
  std::string bytes = content;
  bytes.resize(std::max(size, content.size()), '.');
  bytes.resize(size);
  return base::Bytes::Adopt(std::move(bytes));
}

coord::raft::Options Script::OptionsOf(base::NodeId id) const {
  const auto own = options_.find(id);
  coord::raft::Options options = own == options_.end() ? defaults_ : own->second;
  options.id = id;
  options.incarnation = base::Incarnation(id.value * 1000);
  options.cluster = kCluster;
  options.seed = defaults_.seed * 100 + id.value;
  return options;
}

absl::Status Script::SetOption(const std::string& name, Words* words, coord::raft::Options* options) {
  if (name == "pre_vote" || name == "check_quorum") {
    (name == "pre_vote" ? options->pre_vote : options->check_quorum) = words->OnOff();
    return words->Done();
  }
  const std::uint64_t value = words->Number();
  if (value == 0 && (name == "heartbeat_ms" || name == "election_ms")) {
    return absl::InvalidArgumentError(absl::StrCat(name, " must be above 0"));
  }
  if (name == "seed") {
    options->seed = value;
  } else if (name == "heartbeat_ms") {
    options->heartbeat = Millis(value);
  } else if (name == "election_ms") {
    options->election_timeout = Millis(value);
  } else if (name == "window") {
    options->window.appends = value;
  } else if (name == "window_bytes") {
    options->window.bytes = value;
  } else if (name == "append_bytes") {
    options->append_bytes = value;
  } else if (name == "cache_bytes") {
    options->cache_bytes = value;
  } else if (name == "uncommitted_bytes") {
    options->uncommitted_bytes_max = value;
  } else if (name == "reads_max") {
    options->reads_max = value;
  } else {
    return absl::InvalidArgumentError(absl::StrCat("there is no option '", name, "'"));
  }
  return words->Done();
}

// option NAME VALUE, option n2 NAME VALUE
absl::Status Script::Option(Words* words) {
  std::string name = words->Word();
  if (name == "payload_bytes") {
    payload_bytes_ = words->Number();
    return words->Done();
  }
  std::uint64_t id = 0;
  if (name.size() == 2 && name[0] == 'n' && name[1] >= '1' && name[1] <= '9') id = static_cast<std::uint64_t>(name[1] - '0');
  if (id == 0) return SetOption(name, words, &defaults_);
  name = words->Word();
  return SetOption(name, words, &options_.try_emplace(base::NodeId(id), defaults_).first->second);
}

absl::Status Script::Log(Words* words) {
  const base::NodeId id = words->Node();
  std::vector<Term> terms = words->Terms();
  if (terms.empty() || !std::is_sorted(terms.begin(), terms.end()) || terms.front().value == 0) {
    return absl::InvalidArgumentError("a log is terms above 0 that do not go back");
  }
  logs_[id] = std::move(terms);
  return words->Done();
}

absl::Status Script::HardState(Words* words) {
  const base::NodeId id = words->Node();
  coord::raft::HardState state;
  state.term = Term(words->Number());
  state.vote = words->NodeOrNone().value_or(base::NodeId());
  hard_states_[id] = state;
  return words->Done();
}

absl::Status Script::Known(Words* words) {
  const base::NodeId id = words->Node();
  known_[id] = Index(words->Number());
  return words->Done();
}

// start n1 n2 n3 [learners n4 ...]
absl::Status Script::Start(Words* words) {
  Configuration configuration{kCluster, {}};
  bool voter = true;
  while (words->more()) {
    if (words->Accept("learners")) voter = false;
    const base::NodeId id = words->Node();
    configuration.members.push_back(MemberOf(OptionsOf(id), voter));
  }
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  for (std::size_t i = 0; i < configuration.members.size(); ++i) {
    if (i > 0 && configuration.members[i - 1].id >= configuration.members[i].id) {
      return absl::InvalidArgumentError("nodes start in ascending order");
    }
  }
  for (const coord::raft::Member& member : configuration.members) {
    std::vector<Term> terms = logs_.contains(member.id) ? logs_[member.id] : std::vector<Term>{Term(1)};
    std::vector<Entry> log;
    for (const Term term : terms) {
      const Index index(log.size() + 1);
      const std::string content = absl::StrCat(term.value, ".", index.value);
      log.push_back(Entry{term, index, EntryKind::kData, Payload(payload_bytes_, content)});
    }
    log.front() = FirstEntry(terms.front(), configuration);
    coord::raft::HardState state{terms.back(), base::NodeId()};
    if (hard_states_.contains(member.id)) state = hard_states_[member.id];
    const Index commit = known_.contains(member.id) ? known_[member.id] : Index(1);
    if (state.term < terms.back() || commit.value > terms.size()) {
      return absl::InvalidArgumentError(absl::StrCat("n", member.id.value, "'s term or commit does not go with its log"));
    }
    Machine& machine = cluster_.Add(OptionsOf(member.id), Disk(state, log, commit));
    cluster_.Boot(&machine, commit);
  }
  started_ = true;
  return absl::OkStatus();
}

// A new machine with an empty disk, which belongs to nobody yet.
absl::Status Script::Join(Words* words) {
  const base::NodeId id = words->Node();
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  if (cluster_.Find(id) != nullptr) return absl::InvalidArgumentError(absl::StrCat("there is a node n", id.value));
  cluster_.Boot(&cluster_.Add(OptionsOf(id), Disk()), Index());
  return absl::OkStatus();
}

absl::Status Script::NoHeal(Words* words) {
  heals_ = false;
  return words->Done();
}

}  // namespace drover::scenarios

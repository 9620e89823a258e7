// What a script does with the network.
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/scenarios/script.h"

namespace drover::scenarios {
// 0 stands for any node.
std::vector<Link> Script::Links(const Link& pattern) const {
  std::vector<Link> links;
  for (const auto& [from, sender] : cluster_.machines()) {
    for (const auto& [to, receiver] : cluster_.machines()) {
      const bool fits = (pattern.first.value == 0 || pattern.first == from) && (pattern.second.value == 0 || pattern.second == to);
      if (from != to && fits) links.emplace_back(from, to);
    }
  }
  return links;
}

// deliver LINK [COUNT]: what is under way now, not what comes of it
absl::Status Script::Deliver(Words* words) {
  const Link pattern = words->Link();
  const std::uint64_t count = words->NumberOr(kAll);
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  std::vector<std::pair<Link, std::size_t>> queued;
  for (const Link& link : Links(pattern)) queued.emplace_back(link, cluster_.network().Queued(link));
  std::size_t total = 0;
  for (const auto& [link, waiting] : queued) {
    total += waiting;
    if (count != kAll && waiting < count) return absl::FailedPreconditionError(absl::StrCat("only ", waiting, " are under way"));
    cluster_.Deliver(link, std::min<std::uint64_t>(count, waiting));
  }
  return total > 0 ? absl::OkStatus() : absl::FailedPreconditionError("nothing is under way");
}

absl::Status Script::Settle(Words* words) {
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return cluster_.Settle() ? absl::OkStatus() : absl::DeadlineExceededError("messages without end");
}

absl::Status Script::Drop(Words* words) {
  const Link pattern = words->Link();
  const std::uint64_t count = words->NumberOr(kAll);
  const absl::Status ok = words->Done();
  std::size_t total = 0;
  for (const Link& link : Links(pattern)) {
    if (!ok.ok()) break;
    total += cluster_.network().Queued(link);
    cluster_.network().Drop(link, count);
  }
  if (ok.ok() && total == 0) return absl::FailedPreconditionError("nothing is under way");
  return ok;
}

absl::Status Script::Duplicate(Words* words) {
  const Link pattern = words->Link();
  const std::uint64_t count = words->NumberOr(kAll);
  for (const Link& link : Links(pattern)) cluster_.network().Duplicate(link, count);
  return words->Done();
}

absl::Status Script::Reorder(Words* words) {
  const Link pattern = words->Link();
  for (const Link& link : Links(pattern)) cluster_.network().Reverse(link);
  return words->Done();
}

absl::Status Script::Delay(Words* words) {
  const Link pattern = words->Link();
  const std::uint64_t count = words->NumberOr(kAll);
  const absl::Status ok = words->Done();
  std::size_t total = 0;
  for (const Link& link : Links(pattern)) {
    if (!ok.ok()) break;
    total += cluster_.network().Queued(link);
    cluster_.network().Delay(link, count);
  }
  if (ok.ok() && total == 0) return absl::FailedPreconditionError("nothing is under way");
  return ok;
}

absl::Status Script::Late(Words* words) {
  const Link pattern = words->Link();
  for (const Link& link : Links(pattern)) cluster_.network().Resume(link);
  return words->Done();
}

// partition n1 n2 | n3: nothing passes between groups; the nodes that are not named are one more
absl::Status Script::Partition(Words* words) {
  std::map<base::NodeId, std::size_t> groups;
  std::size_t group = 1;
  while (words->more()) {
    if (words->Accept("|")) {
      ++group;
    } else {
      groups[words->Node()] = group;
    }
  }
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  for (const Link& link : Links({})) {
    if (groups[link.first] != groups[link.second]) cluster_.network().Cut(link);
  }
  return absl::OkStatus();
}

absl::Status Script::Cut(Words* words) {
  const Link pattern = words->Link();
  for (const Link& link : Links(pattern)) cluster_.network().Cut(link);
  return words->Done();
}

// heal, heal LINK
absl::Status Script::Heal(Words* words) {
  if (!words->more()) {
    cluster_.network().OpenAll();
    return absl::OkStatus();
  }
  const Link pattern = words->Link();
  for (const Link& link : Links(pattern)) cluster_.network().Open(link);
  return words->Done();
}

// reset n2|* n1: those see their link from n1 break
absl::Status Script::Reset(Words* words) {
  const std::optional<base::NodeId> at = words->NodeOrAll();
  const base::NodeId from = words->Node();
  const absl::Status ok = words->Done();
  if (!ok.ok()) return ok;
  return Each(at, [&](Machine* machine) {
    if (machine->options.id != from) cluster_.Act(machine, [&](coord::raft::Raft* raft) { raft->OnLinkReset(from); });
    return absl::OkStatus();
  });
}

absl::Status Script::Count(Words* words) {
  cluster_.network().ResetCounts();
  return words->Done();
}

}  // namespace drover::scenarios

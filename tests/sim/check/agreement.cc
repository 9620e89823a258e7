#include "tests/sim/check/agreement.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace drover::sim::check {
namespace {

template <typename... Words>
absl::Status Error(const Words&... words) {
  return absl::InternalError(absl::StrCat(words...));
}

}  // namespace

void Agreement::Started(base::NodeId node, std::uint64_t index) {
  applied_[node] = index;
}

absl::Status Agreement::Installed(base::NodeId node, std::uint64_t index, std::uint64_t state_digest) {
  const auto seen = first_seen_.find(index);
  if (seen == first_seen_.end()) return Error("node ", node.value, " installed index ", index, ", which nobody has applied");
  if (seen->second.state_digest != state_digest)
    return Error("node ", node.value, " installed another state of index ", index, " than node ", seen->second.node.value, " had");
  applied_[node] = index;
  return absl::OkStatus();
}

absl::Status Agreement::Applied(const AppliedEntry& entry) {
  std::uint64_t& applied = applied_[entry.node];
  if (entry.index != applied + 1) return Error("node ", entry.node.value, " applied index ", entry.index, " behind ", applied);
  applied = entry.index;
  const AppliedEntry& first = first_seen_.emplace(entry.index, entry).first->second;
  if (first.term != entry.term || first.entry_digest != entry.entry_digest)
    return Error("index ", entry.index, ": node ", entry.node.value, " applied an entry of term ", entry.term, ", node ",
                 first.node.value, " another one of term ", first.term);
  if (first.state_digest != entry.state_digest)
    return Error("index ", entry.index, ": nodes ", entry.node.value, " and ", first.node.value,
                 " applied the same entry and differ");
  return absl::OkStatus();
}

absl::Status Agreement::CheckAtRest(const std::vector<base::NodeId>& nodes) const {
  for (const base::NodeId node : nodes) {
    const auto at = applied_.find(node);
    const std::uint64_t applied = at == applied_.end() ? 0 : at->second;
    if (applied != last_index()) return Error("node ", node.value, " has applied ", applied, " of ", last_index());
  }
  return absl::OkStatus();
}

absl::Status CheckAcknowledged(const std::vector<EffectiveWrite>& log, const std::vector<EffectiveWrite>& acknowledged) {
  std::map<std::pair<base::SessionId, std::uint64_t>, base::Zxid> writes;
  base::Zxid last;
  for (const EffectiveWrite& write : log) {
    if (write.zxid <= last) return Error("the log has zxid ", write.zxid.value, " behind ", last.value);
    last = write.zxid;
    const auto [at, added] = writes.emplace(std::make_pair(write.session, write.number), write.zxid);
    if (!added)
      return Error("write ", write.number, " of session ", write.session.value, " took effect at zxid ", at->second.value,
                   " and again at ", write.zxid.value);
  }
  for (const EffectiveWrite& write : acknowledged) {
    const auto at = writes.find({write.session, write.number});
    if (at == writes.end())
      return Error("write ", write.number, " of session ", write.session.value, " was acknowledged with zxid ", write.zxid.value,
                   " and is lost");
    if (at->second != write.zxid)
      return Error("write ", write.number, " of session ", write.session.value, " was acknowledged with zxid ", write.zxid.value,
                   "; it took effect at ", at->second.value);
  }
  return absl::OkStatus();
}

}  // namespace drover::sim::check

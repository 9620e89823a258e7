// All replicas apply the same entries and come to the same state; what was committed stays; what was acknowledged is there.
#ifndef DROVER_TESTS_SIM_CHECK_AGREEMENT_H_
#define DROVER_TESTS_SIM_CHECK_AGREEMENT_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"

namespace drover::sim::check {

// What a node did at one index. Applied means committed, so the first word on an index holds for every node and every boot.
struct AppliedEntry {
  base::NodeId node;
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  std::uint64_t entry_digest = 0;  // of the entry's bytes
  std::uint64_t state_digest = 0;  // of the state machine after it
};

// Told as it happens, so that a run ends at the first disagreement. One thread. Grows by 40 bytes an index.
class Agreement {
 public:
  // A node begins, or begins again, with the state after `index` (0: empty, or the index of its snapshot).
  void Started(base::NodeId node, std::uint64_t index);
  // A snapshot replaced its state.
  [[nodiscard]] absl::Status Installed(base::NodeId node, std::uint64_t index, std::uint64_t state_digest);
  // INTERNAL: an index was left out or repeated; another entry, or another state, than was seen there before.
  [[nodiscard]] absl::Status Applied(const AppliedEntry& entry);

  // The last index that any node ever applied: what every node reaches once the system is at rest.
  [[nodiscard]] std::uint64_t last_index() const { return first_seen_.empty() ? 0 : first_seen_.rbegin()->first; }
  // INTERNAL unless each of these has applied last_index().
  [[nodiscard]] absl::Status CheckAtRest(const std::vector<base::NodeId>& nodes) const;

 private:
  std::map<std::uint64_t, AppliedEntry> first_seen_;
  std::map<base::NodeId, std::uint64_t> applied_;
};

// A numbered write that took effect.
struct EffectiveWrite {
  base::SessionId session;
  std::uint64_t number = 0;
  base::Zxid zxid;
};

// `log`: what a replica applied from the beginning, in order. INTERNAL: one zxid twice, a write twice, or an acknowledged one that
// is missing or has another zxid there.
[[nodiscard]] absl::Status CheckAcknowledged(const std::vector<EffectiveWrite>& log,
                                             const std::vector<EffectiveWrite>& acknowledged);

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_AGREEMENT_H_

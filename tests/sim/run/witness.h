// The run as the log has it: a state machine of the simulator's own that applies every entry once, when the first node hands it out
// as committed. All nodes must come to its states; what it says of events, sessions and writes is the truth for the other checks.
#ifndef DROVER_TESTS_SIM_RUN_WITNESS_H_
#define DROVER_TESTS_SIM_RUN_WITNESS_H_

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "coord/raft/types.h"
#include "coord/tree/state_machine.h"
#include "tests/sim/check/agreement.h"
#include "tests/sim/check/event_log.h"
#include "tests/sim/check/history.h"
#include "tests/sim/check/session_life.h"
#include "tests/sim/sim_world.h"

namespace drover::sim::run {

// One thread. No node has applied an entry, and no client heard of it, before the witness did.
class Witness final : private coord::tree::Sink {
 public:
  struct SessionRecord {
    base::Instant opened;
    std::optional<base::Instant> ended;
    std::optional<base::Zxid> ended_at;
    check::EndReason reason = check::EndReason::kExpired;
  };

  // Ends of sessions go to `history`.
  Witness(SimWorld* world, check::History* history, const coord::tree::Options& options)
      : world_(world), history_(history), state_(options) {}

  // A node hands out `entry` as committed.
  absl::Status Committed(base::NodeId node, const coord::raft::Entry& entry);
  // A node is about to install a snapshot up to `index`; Reached tells whether its state is right.
  absl::Status Installed(base::NodeId node, coord::raft::Index index);
  // A process begins with `log` on its disk, of which it has applied what is up to `applied`, to this state.
  absl::Status Started(base::NodeId node, const std::vector<coord::raft::Entry>& log, coord::raft::Index applied,
                       const coord::tree::StateMachine& state);
  // A node has applied everything up to `applied`.
  absl::Status Reached(base::NodeId node, coord::raft::Index applied, const coord::tree::StateMachine& state) const;

  [[nodiscard]] const coord::tree::StateMachine& state() const { return state_; }
  [[nodiscard]] coord::raft::Index last() const { return coord::raft::Index(entries_.size()); }
  // Of a committed entry; 0 for index 0.
  [[nodiscard]] coord::raft::Term TermAt(coord::raft::Index index) const {
    return coord::raft::Term(index.value == 0 ? 0 : entries_[index.value - 1].term);
  }
  [[nodiscard]] const check::Agreement& agreement() const { return agreement_; }
  [[nodiscard]] const check::EventLog& events() const { return events_; }
  [[nodiscard]] const std::vector<check::EffectiveWrite>& writes() const { return writes_; }
  [[nodiscard]] const std::map<base::SessionId, SessionRecord>& sessions() const { return sessions_; }
  [[nodiscard]] std::vector<check::SessionSpan> Spans() const;

 private:
  struct Seen {
    std::uint64_t term = 0;
    std::uint64_t entry_digest = 0;
    std::uint64_t state_digest = 0;
  };

  absl::Status Learn(base::NodeId node, const coord::raft::Entry& entry);

  void OnEvents(absl::Span<const coord::tree::Event> events) override;
  void OnAnswer(const coord::tree::Answered& answered) override;
  void OnSessionOpened(const coord::tree::Origin& origin, const coord::tree::Session& session) override;
  void OnSessionEnded(base::SessionId session, coord::tree::SessionEnd end, base::Zxid zxid) override;

  SimWorld* const world_;
  check::History* const history_;
  coord::tree::StateMachine state_;
  std::vector<Seen> entries_;  // by index - 1
  check::Agreement agreement_;
  check::EventLog events_;
  std::vector<check::EffectiveWrite> writes_;
  base::Zxid last_write_;
  std::map<base::SessionId, SessionRecord> sessions_;
  absl::Status damage_;
};

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_WITNESS_H_

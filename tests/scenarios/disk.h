// One machine's disk: writes are handed to it, complete in order, and are gone if the machine crashes before.
#ifndef DROVER_TESTS_SCENARIOS_DISK_H_
#define DROVER_TESTS_SCENARIOS_DISK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "coord/raft/configuration.h"
#include "coord/raft/output.h"
#include "coord/raft/raft.h"
#include "coord/raft/term_runs.h"
#include "coord/raft/types.h"

namespace drover::scenarios {

// A value.
class Disk {
 public:
  Disk() = default;
  // Holds `log`, all of it durable, of which everything through `commit` is known to be committed.
  Disk(coord::raft::HardState hard_state, const std::vector<coord::raft::Entry>& log, coord::raft::Index commit);

  // `commit`: what the node knows to be committed by now; noted with the write.
  void Write(const coord::raft::Write& write, coord::raft::Index commit);
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }
  // The oldest pending write becomes durable; its sequence.
  std::uint64_t Complete();
  // What is pending is lost.
  void Crash();
  // An old copy is put back: what follows `last` was never there. Only while nothing is pending.
  void RollBack(coord::raft::Index last);
  // Entries through `through` are removed from the log, now and durably; a snapshot takes their place.
  void Compact(coord::raft::Index through);
  // That snapshot: where the log begins. Index 0: nothing was compacted.
  [[nodiscard]] coord::raft::SnapshotPoint snapshot() const;

  // From what was handed to it, durable or not: it can be read back while the machine runs. None if `first` was compacted away.
  [[nodiscard]] std::vector<coord::raft::Entry> Read(coord::raft::Index first, std::size_t bytes) const;
  // What a process that starts now finds, with `commit` in place of the one noted if that is lower.
  [[nodiscard]] coord::raft::Recovered Recover(coord::raft::Index commit) const;

  [[nodiscard]] const std::vector<coord::raft::Entry>& log() const { return durable_; }
  [[nodiscard]] const coord::raft::TermRuns& terms() const { return terms_; }
  [[nodiscard]] const coord::raft::HardState& hard_state() const { return hard_state_; }
  [[nodiscard]] coord::raft::Index commit() const { return commit_; }

 private:
  struct Pending {
    coord::raft::Write write;
    coord::raft::Index commit;
  };

  static void Apply(const coord::raft::Write& write, std::vector<coord::raft::Entry>* log);
  void Restart(const coord::raft::SnapshotPoint& point);

  coord::raft::HardState hard_state_;
  coord::raft::TermRuns terms_;              // of durable_
  std::vector<coord::raft::Entry> durable_;  // behind terms_.before()
  std::vector<coord::raft::Entry> written_;  // with what is pending
  coord::raft::Index commit_;
  std::map<coord::raft::Index, coord::raft::Configuration> compacted_;  // the configurations of entries that were removed
  std::deque<Pending> pending_;
};

}  // namespace drover::scenarios

#endif  // DROVER_TESTS_SCENARIOS_DISK_H_

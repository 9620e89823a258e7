// The machines of a scenario: a Raft and a disk each, one network between them, and the onlooker that checks them all.
#ifndef DROVER_TESTS_SCENARIOS_CLUSTER_H_
#define DROVER_TESTS_SCENARIOS_CLUSTER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/cluster_invariants.h"
#include "coord/raft/configuration.h"
#include "coord/raft/output.h"
#include "coord/raft/raft.h"
#include "tests/scenarios/disk.h"
#include "tests/scenarios/network.h"

namespace drover::scenarios {

// A machine of these options as a member of a cluster.
[[nodiscard]] coord::raft::Member MemberOf(const coord::raft::Options& options, bool voter);
// The first entry of every log: who the cluster begins with.
[[nodiscard]] coord::raft::Entry FirstEntry(coord::raft::Term term, const coord::raft::Configuration& members);

// Nothing moves by itself but the disks that are not stalled: their writes complete at once.
class Cluster {
 public:
  struct Machine {
    coord::raft::Options options;
    Disk disk;
    std::unique_ptr<coord::raft::Raft> raft;  // null: down
    std::uint64_t boots = 0;
    std::uint64_t persisted = 0;  // the newest sequence that was reported
    bool stalled = false;         // writes wait for Persist
    bool busy = false;            // outputs are not taken: the process has no time
    bool holds_reads = false;     // reads of the log wait for AnswerReads
    bool gone = false;            // not to be restarted by Heal
    std::vector<coord::raft::LogRead> log_reads;
    std::size_t log_reads_seen = 0;
    std::vector<coord::raft::ReadState> reads;  // served, in order
    absl::Status last_step;                     // of the newest message that was delivered
  };

  // A new machine, down.
  Machine& Add(const coord::raft::Options& options, Disk disk);
  [[nodiscard]] Machine* Find(base::NodeId id);  // null if there is none
  [[nodiscard]] std::map<base::NodeId, Machine>& machines() { return machines_; }
  [[nodiscard]] const std::map<base::NodeId, Machine>& machines() const { return machines_; }
  [[nodiscard]] Network& network() { return network_; }

  // Starts the process with a new boot nonce and what the disk holds; `commit` is the most it remembers of what was committed.
  void Boot(Machine* machine, coord::raft::Index commit);
  void Crash(Machine* machine);
  // An empty disk and a new incarnation. The machine is down.
  void Wipe(Machine* machine);

  // Calls `event` on the machine's Raft, if it runs, then does what comes out.
  void Act(Machine* machine, const std::function<void(coord::raft::Raft*)>& event);
  void Tick(Machine* machine, base::Duration elapsed);
  absl::Status ReadIndex(Machine* machine, std::uint64_t context);
  // `count` of the messages queued on the link, oldest first.
  void Deliver(const Link& link, std::size_t count);
  // Messages, one from each link in turn, until none is under way. False: there is no end.
  bool Settle();
  // Steps of 10 ms: all tick, then Settle.
  bool Run(base::Duration time);
  void Persist(Machine* machine, std::size_t count);
  void AnswerReads(Machine* machine);
  // Entries through `through`, which must be durable, committed and in the log, give way to a snapshot.
  void Compact(Machine* machine, coord::raft::Index through);
  // The snapshot with which the log of `from` begins comes to `to`, if both run; what `to` says of it.
  absl::StatusOr<bool> Install(const Machine& from, Machine* to);
  // Takes and does what came out while the machine was busy or stalled.
  void Resume(Machine* machine) { Drain(machine); }

  // Undoes every fault and starts what is down, then runs until there is one leader and all its members have its whole log,
  // committed; DEADLINE_EXCEEDED, saying what is missing, if that takes more than `time`.
  absl::Status Converge(base::Duration time);

  // The first violation; OK while there is none.
  absl::Status Check();

 private:
  void Drain(Machine* machine);
  // Each leader's, to the members that need one.
  void SendSnapshots();
  void Perform(Machine* machine, coord::raft::Output output);
  void Note(absl::Status status);
  absl::Status Converged();

  std::map<base::NodeId, Machine> machines_;
  Network network_;
  coord::raft::ClusterInvariants invariants_;
  absl::Status health_;
};

}  // namespace drover::scenarios

#endif  // DROVER_TESTS_SCENARIOS_CLUSTER_H_

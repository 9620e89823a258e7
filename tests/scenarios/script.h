// A scenario file being run: one action or expectation a line (README.md is the language).
#ifndef DROVER_TESTS_SCENARIOS_SCRIPT_H_
#define DROVER_TESTS_SCENARIOS_SCRIPT_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/raft/configuration.h"
#include "coord/raft/raft.h"
#include "tests/scenarios/cluster.h"
#include "tests/scenarios/words.h"

namespace drover::scenarios {

// For one run.
class Script {
 public:
  // `at_line` is told of each line before it is run, and of the last line's number + 1 before the healing: whoever must tell where
  // the process ended knows it.
  explicit Script(std::function<void(int)> at_line = nullptr) : at_line_(std::move(at_line)) {}

  // Not OK: the first line that failed, as "LINE: what". INVALID_ARGUMENT if it is not of the language.
  absl::Status Run(const std::string& text);

 private:
  using Verb = absl::Status (Script::*)(Words*);
  using Machine = Cluster::Machine;

  absl::Status RunLine(const std::string& line);
  absl::Status RunVerb(Words* words);

  // setup.cc: before the start.
  absl::Status Option(Words* words);
  absl::Status Log(Words* words);
  absl::Status HardState(Words* words);
  absl::Status Known(Words* words);
  absl::Status Start(Words* words);
  absl::Status Join(Words* words);
  absl::Status NoHeal(Words* words);
  absl::Status SetOption(const std::string& name, Words* words, coord::raft::Options* options);
  [[nodiscard]] coord::raft::Options OptionsOf(base::NodeId id) const;
  [[nodiscard]] base::Bytes Payload(std::size_t size, const std::string& content) const;

  // actions.cc: time, clients, machines.
  absl::Status Tick(Words* words);
  absl::Status Lapse(Words* words);
  absl::Status Campaign(Words* words);
  absl::Status Elect(Words* words);
  absl::Status RunTime(Words* words);
  absl::Status Propose(Words* words);
  absl::Status Expire(Words* words);
  absl::Status ConfChange(Words* words);
  absl::Status Transfer(Words* words);
  absl::Status ReadIndex(Words* words);
  absl::Status Refused(Words* words);
  absl::Status Crash(Words* words);
  absl::Status Restart(Words* words);
  absl::Status Wipe(Words* words);
  absl::Status RollBack(Words* words);
  absl::Status Scrap(Words* words);
  absl::Status Compact(Words* words);
  absl::Status Install(Words* words);
  absl::Status Stall(Words* words);
  absl::Status Unstall(Words* words);
  absl::Status Persist(Words* words);
  absl::Status Stale(Words* words);
  absl::Status Busy(Words* words);
  absl::Status Idle(Words* words);
  absl::Status HoldReads(Words* words);
  absl::Status AnswerReads(Words* words);
  absl::Status ReleaseReads(Words* words);
  absl::Status ProposeKind(Words* words, coord::raft::EntryKind kind);

  // wires.cc: the network.
  absl::Status Deliver(Words* words);
  absl::Status Settle(Words* words);
  absl::Status Drop(Words* words);
  absl::Status Duplicate(Words* words);
  absl::Status Reorder(Words* words);
  absl::Status Delay(Words* words);
  absl::Status Late(Words* words);
  absl::Status Partition(Words* words);
  absl::Status Cut(Words* words);
  absl::Status Heal(Words* words);
  absl::Status Reset(Words* words);
  absl::Status Count(Words* words);
  [[nodiscard]] std::vector<Link> Links(const Link& pattern) const;

  // expectations.cc
  absl::Status Expect(Words* words);
  absl::Status ExpectOf(const std::string& what, Words* words, const Machine& machine);
  absl::Status ExpectMembers(Words* words, const coord::raft::Raft& raft);
  absl::Status ExpectLog(Words* words, const coord::raft::Raft& raft);
  absl::Status ExpectRead(Words* words, const Machine& machine);
  absl::Status ExpectPeer(const std::string& what, Words* words, const coord::raft::Raft& raft);

  // The machine of that name. Each of those below fails the line if there is none, or if it is (not) running.
  absl::Status Get(base::NodeId id, Machine** machine);
  absl::Status GetUp(base::NodeId id, Machine** machine);
  absl::Status GetDown(base::NodeId id, Machine** machine);
  // That one, or all that run.
  absl::Status Each(std::optional<base::NodeId> id, const std::function<absl::Status(Machine*)>& act);

  const std::function<void(int)> at_line_;
  Cluster cluster_;
  bool heals_ = true;
  bool started_ = false;
  coord::raft::Options defaults_;
  std::size_t payload_bytes_ = 8;
  std::map<base::NodeId, coord::raft::Options> options_;  // of nodes that have their own
  std::map<base::NodeId, std::vector<coord::raft::Term>> logs_;
  std::map<base::NodeId, coord::raft::HardState> hard_states_;
  std::map<base::NodeId, coord::raft::Index> known_;
  std::uint64_t proposed_ = 0;
  absl::Status refusal_;  // what the machine answered to the line
};

}  // namespace drover::scenarios

#endif  // DROVER_TESTS_SCENARIOS_SCRIPT_H_

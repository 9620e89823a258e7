#include "tests/bench/systems/system.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/base/status.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/systems/drover.h"
#include "tests/bench/systems/etcd.h"
#include "tests/bench/systems/zookeeper.h"
#include "tests/support/await.h"

namespace drover::bench {
namespace {

constexpr std::chrono::seconds kStartLimit{60};
constexpr std::size_t kLogTailBytes = 1'000;

std::string Tail(const std::string& log) {
  return log.size() <= kLogTailBytes ? log : absl::StrCat("...", log.substr(log.size() - kLogTailBytes));
}

}  // namespace

System::System(std::string name, std::vector<ServerSpec> servers) : name_(std::move(name)), servers_(std::move(servers)) {
  for (const ServerSpec& s : servers_) processes_.push_back(std::make_unique<testing::Process>(s.argv, s.env, s.log));
}

std::vector<std::string> System::addresses() const {
  std::vector<std::string> addresses;
  for (const ServerSpec& s : servers_) addresses.push_back(s.address);
  return addresses;
}

absl::Status System::Start() {
  for (const std::unique_ptr<testing::Process>& process : processes_) process->Start();
  const absl::StatusOr<int> leader = AwaitSettled(kStartLimit);
  if (!leader.ok()) return leader.status();
  const absl::StatusOr<NodeState> state = Ask(*leader);
  if (state.ok()) version_ = state->version;
  return absl::OkStatus();
}

absl::StatusOr<int> System::AwaitSettled(std::chrono::seconds limit) {
  absl::StatusOr<int> leader = absl::UnavailableError("not asked yet");
  testing::Await(
      [&] {
        if (Interrupted()) {
          leader = absl::CancelledError("interrupted");
          return true;
        }
        leader = Settled();
        // A server that has ended will not answer any more.
        return leader.ok() || std::any_of(processes_.begin(), processes_.end(), [](const auto& p) { return !p->running(); });
      },
      limit);
  if (leader.ok() || absl::IsCancelled(leader.status())) return leader;
  return WithLogs(absl::StrCat(name_, ": the servers are not settled: ", leader.status().message()));
}

absl::StatusOr<std::uint64_t> System::NewestTerm() {
  absl::StatusOr<std::uint64_t> newest = absl::UnavailableError("no server answers");
  for (int node = 0; node < nodes(); ++node) {
    const absl::StatusOr<NodeState> state = Ask(node);
    if (state.ok()) newest = std::max(newest.value_or(0), state->term);
  }
  return newest;
}

absl::StatusOr<int> System::Settled() {
  std::vector<NodeState> states;
  std::vector<int> leaders;
  for (int node = 0; node < nodes(); ++node) {
    const absl::StatusOr<NodeState> state = Ask(node);
    if (!state.ok()) return absl::UnavailableError(absl::StrCat("node ", node + 1, ": ", state.status().message()));
    if (state->leads) leaders.push_back(node);
    states.push_back(*state);
  }
  if (leaders.size() != 1) return absl::UnavailableError(absl::StrCat(leaders.size(), " nodes say that they lead"));
  const std::uint64_t known = states[static_cast<std::size_t>(leaders.front())].known;
  for (int node = 0; node < nodes(); ++node) {
    // Under load the leader is always ahead: what it knew a moment ago is what counts.
    const absl::StatusOr<NodeState> state = Ask(node);
    if (!state.ok()) return absl::UnavailableError(absl::StrCat("node ", node + 1, ": ", state.status().message()));
    if (state->applied < known) {
      return absl::UnavailableError(absl::StrCat("node ", node + 1, " shows ", state->applied, ", the leader knew ", known));
    }
  }
  return leaders.front();
}

absl::Status System::WithLogs(std::string message) const {
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    absl::StrAppend(&message, "\n--- log of node ", i + 1, " of ", name_, processes_[i]->running() ? "" : " (it has ended)", ":\n",
                    Tail(processes_[i]->Log()));
  }
  return absl::UnavailableError(message);
}

SystemFacts System::Facts() const {
  SystemFacts facts;
  facts.name = name_;
  facts.version = version_;
  facts.nodes = nodes();
  for (const auto& process : processes_) facts.commands.push_back(absl::StrJoin(process->argv(), " "));
  Describe(&facts);
  return facts;
}

absl::StatusOr<std::unique_ptr<System>> MakeSystem(const std::string& name, int nodes, const std::string& directory,
                                                   const std::vector<testing::StalledDisk>& disks) {
  std::filesystem::create_directories(directory);
  if (name == "etcd") return MakeEtcd(nodes, directory);
  if (name == "zookeeper") return MakeZooKeeper(nodes, directory);
  return MakeDrover(nodes, directory, disks);
}

absl::StatusOr<std::vector<std::unique_ptr<System>>> MakeSystems(const std::vector<std::string>& names, int nodes,
                                                                 const std::string& directory,
                                                                 const std::vector<testing::StalledDisk>& disks) {
  std::vector<std::unique_ptr<System>> systems;
  for (const std::string& name : names) {
    DROVER_ASSIGN_OR_RETURN(std::unique_ptr<System> system, MakeSystem(name, nodes, absl::StrCat(directory, "/", name), disks));
    systems.push_back(std::move(system));
  }
  return systems;
}

}  // namespace drover::bench

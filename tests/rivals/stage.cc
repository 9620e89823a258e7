#include "tests/rivals/stage.h"

#include <signal.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/support/await.h"

namespace drover::rivals {

testing::ClusterOptions Stage::Options() {
  testing::ClusterOptions options;
  options.coords = 3;
  options.masters = 0;
  options.workers = 0;
  options.core_proxied = true;
  return options;
}

Stage::Stage(int rivals, std::uint64_t seed) : cluster_(Options()) {
  std::vector<std::string> names;
  for (int i = 0; i < rivals; ++i) names.push_back(name(i));
  for (int i = 0; i < rivals; ++i) {
    Rival& rival = rivals_.emplace_back();
    std::vector<std::string> endpoints;
    for (int node = 0; node < cluster_.coords(); ++node) {
      rival.links.push_back(std::make_unique<testing::Proxy>(cluster_.coord_port(node)));
      endpoints.push_back(rival.links.back()->address());
    }
    const std::vector<std::string> argv = {testing::Binary("drover-rival"),
                                           "--name",
                                           name(i),
                                           "--all",
                                           absl::StrJoin(names, ","),
                                           "--coord",
                                           absl::StrJoin(endpoints, ","),
                                           "--resources",
                                           absl::StrCat(resources_.port()),
                                           "--seed",
                                           absl::StrCat(seed * 100 + static_cast<std::uint64_t>(i))};
    rival.process = std::make_unique<testing::Process>(argv, std::map<std::string, std::string>(), cluster_.path(name(i) + ".log"));
  }
}

std::vector<std::string> Stage::addresses() const {
  std::vector<std::string> addresses;
  for (int node = 0; node < cluster_.coords(); ++node) addresses.push_back(cluster_.coord_address(node));
  return addresses;
}

void Stage::Begin(const Strike& strike) {
  Rival& rival = rivals_.at(static_cast<std::size_t>(strike.rival));
  switch (strike.fault) {
    case Fault::kKillRival:
      return rival.process->Kill();
    case Fault::kPauseRival:
      return rival.process->Signal(SIGSTOP);
    case Fault::kCutLink:
      return rival.links.at(static_cast<std::size_t>(strike.node))->Cut();
    case Fault::kCutRival:
      for (const auto& link : rival.links) link->Cut();
      return;
    case Fault::kMuteRival:
      for (const auto& link : rival.links) link->CutToServer();
      return;
    case Fault::kDeafenRival:
      for (const auto& link : rival.links) link->CutToClient();
      return;
    case Fault::kKillLeader:
      killed_ = cluster_.CoordLeader().value_or(strike.node);
      return cluster_.coord(killed_).Kill();
    case Fault::kPauseNode:
      return cluster_.coord(strike.node).Signal(SIGSTOP);
    case Fault::kIsolateNode:
      return cluster_.core_network().Isolate(strike.node);
  }
}

// No rival is hit by two at once, and no two nodes: all that is cut there is this strike's.
void Stage::End(const Strike& strike) {
  Rival& rival = rivals_.at(static_cast<std::size_t>(strike.rival));
  switch (strike.fault) {
    case Fault::kKillRival:
      return rival.process->Start();
    case Fault::kPauseRival:
      return rival.process->Signal(SIGCONT);
    case Fault::kCutLink:
    case Fault::kCutRival:
    case Fault::kMuteRival:
    case Fault::kDeafenRival:
      for (const auto& link : rival.links) link->Heal();
      return;
    case Fault::kKillLeader:
      return cluster_.coord(killed_).Start();
    case Fault::kPauseNode:
      return cluster_.coord(strike.node).Signal(SIGCONT);
    case Fault::kIsolateNode:
      return cluster_.core_network().Heal();
  }
}

std::string Stage::AwaitAllHave(std::size_t first) {
  std::string waits;
  static_cast<void>(testing::Await([&] {
    waits = WhoWaits(first);
    return waits.empty();
  }));
  return waits;
}

std::string Stage::WhoWaits(std::size_t first) const {
  std::string waits;
  static_cast<void>(resources_.Ask([&](const std::vector<Record>& records) {
    for (int i = 0; i < rivals(); ++i) {
      const std::set<std::string> missing = NotHadBy(name(i), records, first);
      if (!missing.empty()) absl::StrAppend(&waits, name(i), " waits for ", absl::StrJoin(missing, ", "), "; ");
    }
    return true;
  }));
  return waits;
}

void Stage::EndRivals() {
  for (Rival& rival : rivals_) rival.process->Kill();
  static_cast<void>(testing::Await([this] { return resources_.callers() == 0; }));
}

}  // namespace drover::rivals

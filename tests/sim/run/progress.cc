#include "tests/sim/run/progress.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace drover::sim::run {

using coord::raft::Configuration;
using coord::raft::Raft;

Progress::Progress(SimWorld* world, SimNetwork* network, Journal* journal, const Machines* machines, const Witness* witness,
                   const Plan& plan)
    : world_(world),
      network_(network),
      journal_(journal),
      machines_(machines),
      witness_(witness),
      within_(kElectionTimeouts * plan.options.raft.election_timeout),
      processes_(static_cast<std::size_t>(machines->size()) + 1),
      works_(static_cast<std::size_t>(machines->size()) + 1) {}

void Progress::Sample() {
  Look();
  if (Commits()) commits_ = world_->Now();
  if (world_->Now() - commits_ < within_) return;
  const std::vector<int> majority = Majority();
  if (majority.empty()) return;
  journal_->Fail(
      absl::InternalError(absl::StrCat("nodes ", absl::StrJoin(majority, ", "), " are a majority that nothing disturbs for ",
                                       base::ToMillis(within_), " ms, and none of them leads and commits", machines_->Text())));
}

void Progress::Look() {
  const base::Instant now = world_->Now();
  const auto note = [now](bool holds, Since* since) {
    if (!holds) since->reset();
    if (holds && !*since) *since = now;
  };
  for (int a = 1; a <= machines_->size(); ++a) {
    Since& works = works_[static_cast<std::size_t>(a)];
    std::uint64_t& process = processes_[static_cast<std::size_t>(a)];
    if (std::exchange(process, machines_->process(a)) != process) works.reset();
    note(machines_->Works(a), &works);
    for (int b = 1; b < a; ++b) {
      const std::string one = Machines::Host(a);
      const std::string two = Machines::Host(b);
      note(network_->Clear(one, two) && network_->Clear(two, one), &clear_[{b, a}]);
    }
  }
}

bool Progress::Commits() {
  if (std::exchange(committed_, witness_->last()) != witness_->last()) return true;
  // Where nobody writes there is nothing to commit.
  const int leader = machines_->Leader();
  if (leader == 0 || !machines_->Works(leader)) return false;
  const Raft& raft = machines_->node(leader)->raft();
  return raft.commit() == raft.log().last();
}

std::vector<int> Progress::Majority() const {
  std::vector<int> nodes;
  for (int id = 1; id <= machines_->size(); ++id) {
    if (Long(works_[static_cast<std::size_t>(id)])) nodes.push_back(id);
  }
  for (std::uint64_t some = 1; some < std::uint64_t{1} << nodes.size(); ++some) {
    std::vector<int> chosen;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (((some >> i) & 1) != 0) chosen.push_back(nodes[i]);
    }
    bool connected = true;
    for (const int a : chosen) {
      for (const int b : chosen) connected = connected && (a >= b || Long(clear_.at({a, b})));
    }
    if (connected && CanDecide(chosen)) return chosen;
  }
  return {};
}

// By what is committed, and by the newest configuration of whoever has the most: that one, if anybody, they can elect, and with it
// they have to commit.
bool Progress::CanDecide(const std::vector<int>& nodes) const {
  if (2 * nodes.size() <= machines_->Voters().size()) return false;
  const Raft* most = nullptr;
  for (const int id : nodes) {
    const Raft& raft = machines_->node(id)->raft();
    if (most == nullptr || most->UpToDate(raft.log().last(), raft.log().last_term())) most = &raft;
  }
  const Configuration& configuration = most->configuration();
  std::size_t voters = 0;
  std::size_t named = 0;
  for (const coord::raft::Member& member : configuration.members) {
    if (!member.voter) continue;
    ++voters;
    const int id = static_cast<int>(member.id.value);
    const bool chosen = std::count(nodes.begin(), nodes.end(), id) > 0;
    named += chosen && machines_->node(id)->raft().options().incarnation == member.incarnation ? 1 : 0;
  }
  return 2 * named > voters;
}

}  // namespace drover::sim::run

#include "client/cli/core_survey.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace drover::cli {
namespace {

// A leader that has not heard a member for so long does not count on it (its election time-out).
constexpr std::uint64_t kSilentMs = 1'000;

std::vector<SurveyedNode> AskAll(const std::vector<std::string>& addresses, const AskNode& ask) {
  std::vector<SurveyedNode> nodes(addresses.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    threads.emplace_back([&ask, &node = nodes[i], &address = addresses[i]] {
      node.address = address;
      node.status = ask(address);
      if (node.status.ok()) node.id = node.status->node_id;
    });
  }
  for (std::thread& thread : threads) thread.join();
  return nodes;
}

// The same node, reached at two addresses. Numbers mean nothing across clusters; and a copy of a node's directory has its number.
bool SameNode(const SurveyedNode& a, const SurveyedNode& b) {
  return a.id != 0 && a.id == b.id && a.status.ok() && b.status.ok() && a.status->cluster_id == b.status->cluster_id &&
         a.status->boot == b.status->boot;
}

// At another address than the one that its cluster knows, which may mean nothing here. One without a leader may be none of the
// members: a copy, or the member's earlier life.
bool HasAnswered(const std::vector<SurveyedNode>& nodes, std::uint64_t id, std::uint64_t cluster) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const SurveyedNode& node) {
    return node.status.ok() && node.id == id && node.status->cluster_id == cluster && node.status->leader_id != 0;
  });
}

// Addresses of members that did not answer and were not asked. Gives those that were asked in vain the id that the others know.
std::vector<std::string> HeardOf(const std::set<std::string>& asked_before, std::vector<SurveyedNode>* nodes) {
  std::set<std::string> heard_of;
  for (std::size_t i = 0; i < nodes->size(); ++i) {
    if (!(*nodes)[i].status.ok()) continue;
    const coord::NodeStatus& status = *(*nodes)[i].status;
    for (const coord::MemberStatus& member : status.members) {
      const auto asked =
          std::find_if(nodes->begin(), nodes->end(), [&](const auto& node) { return node.address == member.address; });
      if (asked == nodes->end()) {
        const bool answered = HasAnswered(*nodes, member.node_id, status.cluster_id);
        if (!answered && !asked_before.contains(member.address)) heard_of.insert(member.address);
      } else if (!asked->status.ok()) {
        asked->id = member.node_id;
      }
    }
  }
  return {heard_of.begin(), heard_of.end()};
}

void TakeLags(std::vector<SurveyedNode>* nodes) {
  const coord::NodeStatus* const leader = LeaderOf(*nodes);
  if (leader == nullptr) return;
  for (SurveyedNode& node : *nodes) {
    if (node.status.ok() && node.status->cluster_id != leader->cluster_id) continue;
    for (const coord::MemberStatus& member : leader->members) {
      if (member.node_id == node.id) node.lag = member.lag_entries;
    }
  }
}

// "node 2", "nodes 2 and 3", "nodes 1, 2 and 3"
std::string NodesText(const std::vector<std::uint64_t>& ids) {
  const std::string last = absl::StrCat(ids.back());
  if (ids.size() == 1) return absl::StrCat("node ", last);
  return absl::StrCat("nodes ", absl::StrJoin(ids.begin(), std::prev(ids.end()), ", "), " and ", last);
}

}  // namespace

const coord::NodeStatus* LeaderOf(const std::vector<SurveyedNode>& nodes) {
  const coord::NodeStatus* leader = nullptr;
  for (const SurveyedNode& node : nodes) {
    if (!node.status.ok() || node.status->role != "leader") continue;
    if (leader == nullptr || node.status->term > leader->term) leader = &*node.status;
  }
  return leader;
}

std::optional<DiskTrouble> FindDiskTrouble(const std::vector<SurveyedNode>& nodes) {
  const coord::NodeStatus* knows = LeaderOf(nodes);  // who the voters are
  const bool led = knows != nullptr;
  for (const SurveyedNode& node : nodes) {
    if (led || !node.status.ok()) continue;
    if (knows == nullptr || node.status->commit_index > knows->commit_index) knows = &*node.status;
  }
  if (knows == nullptr) return std::nullopt;
  std::size_t voters = 0;
  std::vector<std::uint64_t> full;
  std::vector<std::uint64_t> silent;
  for (const coord::MemberStatus& member : knows->members) {
    if (member.role == "learner") continue;
    ++voters;
    const auto answer = std::find_if(nodes.begin(), nodes.end(), [&](const SurveyedNode& node) {
      return node.status.ok() && node.id == member.node_id && node.status->cluster_id == knows->cluster_id;
    });
    if (answer == nodes.end()) {
      if (!led || member.silent_ms >= kSilentMs) silent.push_back(member.node_id);
    } else if (answer->status->disk_full) {
      full.push_back(member.node_id);
    }
  }
  if (full.empty()) return std::nullopt;
  DiskTrouble trouble;
  trouble.who = absl::StrCat(full.size() == 1 ? "the disk of " : "the disks of ", NodesText(full),
                             full.size() == 1 ? " is full" : " are full");
  const std::size_t quorum = voters / 2 + 1;
  trouble.no_write = voters - full.size() - silent.size() < quorum;
  if (trouble.no_write && voters - full.size() >= quorum) {
    absl::StrAppend(&trouble.who, ", and ", NodesText(silent), silent.size() == 1 ? " does not answer" : " do not answer");
  }
  return trouble;
}

std::vector<SurveyedNode> SurveyCore(const std::vector<std::string>& addresses, const AskNode& ask) {
  std::vector<SurveyedNode> nodes;
  std::set<std::string> asked;
  for (std::vector<std::string> next = addresses; !next.empty(); next = HeardOf(asked, &nodes)) {
    asked.insert(next.begin(), next.end());
    for (SurveyedNode& node : AskAll(next, ask)) {
      const auto same = [&node](const SurveyedNode& other) { return SameNode(node, other) || node.address == other.address; };
      if (std::none_of(nodes.begin(), nodes.end(), same)) nodes.push_back(std::move(node));
    }
  }
  TakeLags(&nodes);
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const SurveyedNode& a, const SurveyedNode& b) { return a.id - 1 < b.id - 1; });  // 0, not known, is last
  return nodes;
}

}  // namespace drover::cli

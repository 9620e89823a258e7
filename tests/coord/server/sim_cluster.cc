#include "tests/coord/server/sim_cluster.h"

#include <utility>

#include "gtest/gtest.h"

namespace drover::coord::server {

SimCluster::SimCluster(int nodes, std::uint64_t seed)
    : world(seed), network(&world), seed_(seed), nodes_(static_cast<std::size_t>(nodes)) {
  options.log.segment_bytes = 64 << 10;
  options.found_after = base::Duration::zero();
  for (int id = 1; id <= nodes; ++id) {
    initial.emplace_back(base::NodeId(static_cast<std::uint64_t>(id)), Peer(id));
    nodes_[Slot(id)].files = std::make_unique<sim::SimFileSystem>(seed + static_cast<std::uint64_t>(id));
  }
}

absl::Status SimCluster::TryStart(int id, bool join) {
  One& one = nodes_[Slot(id)];
  one.refused = absl::OkStatus();
  NodeSeams seams;
  seams.observer = observer;
  seams.on_fatal = seams.on_refused = [&one](const absl::Status& s) { one.refused = s; };
  NodeOptions of_this = options;
  of_this.id = base::NodeId(static_cast<std::uint64_t>(id));
  of_this.address = moved.contains(id) ? moved[id] : Peer(id);
  of_this.data_directory = "/data";
  of_this.join = join;
  if (levels.contains(id)) of_this.raft.feature_level_max = base::FeatureLevel(levels[id]);
  const std::uint64_t seed = seed_ * 1000 + static_cast<std::uint64_t>(id) * 100 + ++one.boots;
  const absl::Status opened = one.member.Open({&world, &network, one.files.get(), Host(id), Client(id)}, seed, seams, of_this,
                                              join ? InitialMembers() : initial);
  if (opened.ok()) one.member.process->Start();
  return opened;
}

void SimCluster::Start(int id) {
  const absl::Status status = TryStart(id);
  ASSERT_TRUE(status.ok()) << status;
}

void SimCluster::StartJoining(int id) {
  const absl::Status status = TryStart(id, true);
  ASSERT_TRUE(status.ok()) << status;
}

absl::Status SimCluster::Change(MemberChange::Kind kind, int id, base::Duration limit) {
  const base::Instant end = world.Now() + limit;
  absl::Status last = absl::UnavailableError("nobody leads");
  while (world.Now() < end) {
    if (Leader() == 0) static_cast<void>(world.RunUntil([this] { return Leader() != 0; }, limit));
    Node* const leader = Leader() == 0 ? nullptr : node(Leader());
    if (leader == nullptr) break;
    // The call may outlive this one.
    const auto result = std::make_shared<std::optional<absl::Status>>();
    const bool place = kind == MemberChange::Kind::kAdd || kind == MemberChange::Kind::kReadmit;
    leader->ChangeMember({kind, base::NodeId(static_cast<std::uint64_t>(id)), place ? Peer(id) : "", {}},
                         [result](const absl::Status& status) { *result = status; });
    static_cast<void>(world.RunUntil([&] { return result->has_value(); }, limit));
    if (result->has_value()) last = **result;
    if (!result->has_value() || (!absl::IsUnavailable(last) && !absl::IsAborted(last))) break;
    world.RunFor(std::chrono::milliseconds(50));
  }
  return last;
}

std::string SimCluster::Members() {
  const Node* const leader = Leader() == 0 ? nullptr : node(Leader());
  std::string text;
  if (leader == nullptr) return text;
  for (const raft::Member& member : leader->raft().configuration().members) {
    text += (text.empty() ? "" : " ") + std::to_string(member.id.value) + (member.voter ? "" : "?");
  }
  return text;
}

void SimCluster::StartAll() {
  for (int id = 1; id <= size(); ++id) {
    if (!running(id)) Start(id);
  }
}

int SimCluster::Found(int founders) {
  initial.resize(static_cast<std::size_t>(founders));
  for (int id = 1; id <= founders; ++id) Start(id);
  return AwaitLeader();
}

void SimCluster::Crash(int id, sim::Survival survival) {
  network.Kill(Host(id));
  nodes_[Slot(id)].member.End();
  nodes_[Slot(id)].files->Crash(survival);
}

void SimCluster::Wipe(int id) {
  Insert(id, std::make_unique<sim::SimFileSystem>(seed_ + 77 + static_cast<std::uint64_t>(id)));
}

void SimCluster::Insert(int id, std::unique_ptr<sim::SimFileSystem> files) {
  ASSERT_FALSE(running(id));
  nodes_[Slot(id)].files = std::move(files);
}

int SimCluster::Leader() const {
  int leader = 0;
  raft::Term term;
  for (int id = 1; id <= size(); ++id) {
    const Node* node = nodes_[Slot(id)].member.node();
    if (node == nullptr || !node->raft().leads() || node->raft().term() < term) continue;
    leader = id;
    term = node->raft().term();
  }
  return leader;
}

int SimCluster::AwaitLeader(base::Duration limit) {
  const auto settled = [this] {
    const int leader = Leader();
    if (leader == 0) return false;
    for (int id = 1; id <= size(); ++id) {
      if (!running(id)) continue;
      Node* node = this->node(id);
      if (node == nullptr || node->Status().leader.value != static_cast<std::uint64_t>(leader) || !node->Status().serving)
        return false;
    }
    return true;
  };
  return world.RunUntil(settled, limit) ? Leader() : 0;
}

bool SimCluster::AwaitEqual(base::Duration limit) {
  return world.RunUntil(
      [this] {
        const Node* first = nullptr;
        for (int id = 1; id <= size(); ++id) {
          if (!running(id)) continue;
          const Node* node = this->node(id);
          if (node == nullptr) return false;
          if (first == nullptr) first = node;
          if (node->Status().applied != first->Status().applied || node->raft().log().last() != first->raft().log().last())
            return false;
          if (node->state().Digest() != first->state().Digest()) return false;
        }
        return first != nullptr;
      },
      limit);
}

void SimCluster::Cut(int a, int b, bool cut) {
  if (cut) {
    network.CutPair(Host(a), Host(b));
  } else {
    network.HealPair(Host(a), Host(b));
  }
}

void SimCluster::Isolate(int id, bool cut) {
  for (int other = 1; other <= size(); ++other) {
    if (other != id) Cut(id, other, cut);
  }
}

}  // namespace drover::coord::server

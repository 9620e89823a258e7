#include "tests/sim/run/faults.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace drover::sim::run {

using std::chrono::hours;
using std::chrono::milliseconds;

Faults::Faults(SimWorld* world, SimNetwork* network, Journal* journal, Machines* machines,
               std::vector<std::unique_ptr<Client>>* clients, const Plan& plan)
    : world_(world),
      network_(network),
      journal_(journal),
      machines_(machines),
      clients_(clients),
      plan_(plan),
      random_(plan.seed * 3 + 2),
      counts_(kFaults) {}

void Faults::Begin() {
  ++period_;
  active_ = true;
  machines_->Unheal();
  if (plan_.fault_gap > base::Duration::zero()) Later();
}

void Faults::Later() {
  const auto gap =
      base::Duration(static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(2 * plan_.fault_gap.count()) + 1)));
  world_->Schedule(nullptr, gap, [this, period = period_] {
    if (!active_ || period != period_) return;
    Inject(plan_.faults[random_.Below(plan_.faults.size())]);
    Later();
  });
}

void Faults::Heal() {
  Calm();
  machines_->Heal();
}

void Faults::Calm() {
  active_ = false;
  machines_->OnNextLeader(nullptr);
  network_->HealAll();
  for (int a = 1; a <= machines_->size(); ++a) {
    for (int b = 1; b <= machines_->size(); ++b) {
      if (a != b) network_->SetLatency(Machines::Host(a), Machines::Host(b), plan_.latency_min, plan_.latency_max);
    }
  }
  machines_->Restore();
  for (const auto& client : *clients_) client->Resume();
}

std::uint64_t Faults::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

base::Duration Faults::Some(std::int64_t min_ms, std::int64_t max_ms) {
  return milliseconds(min_ms + static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(max_ms - min_ms + 1))));
}

// The leader more often than its share: there is the most to break.
int Faults::SomeNode() {
  const int leader = machines_->Leader();
  if (leader != 0 && random_.Below(2) == 0) return leader;
  return 1 + static_cast<int>(random_.Below(static_cast<std::uint64_t>(machines_->size())));
}

Survival Faults::SomeSurvival() {
  return random_.Below(2) == 0 ? Survival::kNothing : Survival::kRandom;
}

// Before all members have founded the cluster it holds nothing, and the others may yet found it without this one's disk.
bool Faults::MayLose(int node) const {
  if (plan_.spares > 0) return false;  // kReadmit knows who may
  for (int id = 1; id <= machines_->size(); ++id) {
    if (!machines_->formed(id)) return false;
  }
  return !machines_->lost(node) && machines_->lost_count() + 1 <= (machines_->size() - 1) / 2;
}

void Faults::Undo(base::Duration after, base::Task task) {
  world_->Schedule(nullptr, after, [this, period = period_, task = std::move(task)]() mutable {
    if (active_ && period == period_) task();
  });
}

void Faults::CutFor(const std::string& from, const std::string& to, base::Duration duration) {
  network_->Cut(from, to);
  Undo(duration, [this, from, to] { network_->Heal(from, to); });
}

void Faults::Inject(Fault fault) {
  const int leader = machines_->Leader();
  const int node = fault == Fault::kIsolate && leader != 0 && random_.Below(2) == 0 ? leader : SomeNode();
  ++counts_[static_cast<std::size_t>(fault)];
  journal_->Note("fault: ", NameOf(fault), ", node ", node);
  if (fault == Fault::kMembers) return ChangeMembers(leader);
  if (fault == Fault::kHandOver) return HandOver(leader, node);
  if (fault == Fault::kCamps) return MakeCamps(leader);
  if (fault == Fault::kVersion) return ChangeVersions(node);
  if (fault == Fault::kReadmit && random_.Below(2) == 0) return LoseAmongFew(leader);
  if (fault == Fault::kReadmit) return static_cast<void>(machines_->LoseAndReadmit(node, Some(10, 2'000)));
  if (fault <= Fault::kPowerOff) return CrashNode(fault, node);
  if (fault <= Fault::kSlowLink) return BreakNetwork(fault, node);
  if (fault >= Fault::kKillClient) return BreakClient(fault);
  BreakDisk(fault, node);
}

void Faults::CrashNode(Fault fault, int node) {
  const base::Duration down = random_.Below(3) == 0 ? Some(1'000, 5'000) : Some(10, 500);
  switch (fault) {
    case Fault::kKill:
      return machines_->Crash(node, Survival::kEverything, down);
    case Fault::kPowerLoss:
      return machines_->Crash(node, SomeSurvival(), down);
    case Fault::kPowerLossAll:
      for (int id = 1; id <= machines_->size(); ++id) machines_->Crash(id, SomeSurvival(), Some(10, 1'000));
      return;
    case Fault::kCrashInStep:
      return machines_->CrashInStep(node, 1 + random_.Below(12), random_.Below(3) == 0 ? Survival::kEverything : SomeSurvival(),
                                    down);
    case Fault::kCrashInDisk:
      return machines_->CrashInDisk(node, 1 + random_.Below(30), random_.Below(3) == 0 ? Survival::kEverything : SomeSurvival(),
                                    down);
    default:
      return machines_->PowerOff(node, SomeSurvival(), down);
  }
}

void Faults::Isolate(int node, base::Duration duration) {
  // A leader long enough for the others to go on without it.
  if (node == machines_->Leader()) duration += Some(0, 2'000);
  for (int id = 1; id <= machines_->size(); ++id) {
    if (id == node) continue;
    CutFor(Machines::Host(node), Machines::Host(id), duration);
    CutFor(Machines::Host(id), Machines::Host(node), duration);
  }
  // What it writes alone is then often still on its way to the disk when it hears of its successor.
  if (machines_->running(node) && random_.Below(2) == 0) machines_->StallDisk(node, duration + Some(100, 3'000));
}

void Faults::Hurry(std::size_t calls) {
  for (const auto& client : *clients_) client->Hurry(calls);
}

// Alone, or with one of four others, it takes writes that nobody confirms. What it and its companion write is still on its way to
// their disks when they hear of the successor; or the leader stands still meanwhile, and wakes up as one for whom no time has
// passed.
void Faults::Depose(int leader) {
  if (leader == 0 || machines_->size() == 1) return;
  Deposed deposed;
  deposed.side.push_back(leader);
  if (machines_->size() > 3 && random_.Below(2) == 0) deposed.side.push_back(leader % machines_->size() + 1);
  deposed.until = world_->Now() + Some(3'000, 6'000);
  for (int inside : deposed.side) {
    for (int outside = 1; outside <= machines_->size(); ++outside) {
      if (std::count(deposed.side.begin(), deposed.side.end(), outside) == 0) {
        network_->CutPair(Machines::Host(inside), Machines::Host(outside));
      }
    }
  }
  if (random_.Below(3) == 0) {
    deposed.paused = machines_->loop(leader);
    deposed.paused->Pause();
  } else if (random_.Below(4) > 0) {
    for (int id : deposed.side) {
      if (machines_->running(id)) machines_->StallDisk(id, Some(1'500, 5'000));
    }
  }
  if (plan_.spares > 0) machines_->ChangeMembers(leader, &random_);
  deposed.overtaken = plan_.overtakes && random_.Below(4) > 0;
  if (!deposed.overtaken) Hurry(4);
  AwaitSuccessor(std::move(deposed));
}

void Faults::AwaitSuccessor(Deposed deposed) {
  Undo(milliseconds(20), [this, deposed = std::move(deposed)]() mutable {
    const int leader = machines_->Leader();
    const bool followed = leader != 0 && std::count(deposed.side.begin(), deposed.side.end(), leader) == 0;
    if (!followed && world_->Now() < deposed.until) {
      // Its tail is to be longer than all that the others write meanwhile, so that the snapshot that voids it ends within it.
      const bool hurries = deposed.overtaken && deposed.hurries-- > 0;
      for (const auto& client : *clients_) {
        if (hurries && client->attached_to() == deposed.side.front()) client->Hurry(5);
      }
      return AwaitSuccessor(std::move(deposed));
    }
    if (followed && deposed.overtaken) return Overtake(std::move(deposed));
    if (plan_.spares > 0) machines_->ChangeMembers(leader, &random_);
    Hurry(4);
    // For so long the old one may still believe to lead.
    Undo(Some(0, 400), [this, deposed] {
      if (deposed.paused != nullptr && machines_->loop(deposed.side.front()) == deposed.paused) deposed.paused->Resume();
      Hurry(4);
      Undo(Some(0, 800), [this, deposed] { Return(deposed); });
    });
  });
}

void Faults::Overtake(Deposed deposed) {
  const int first = deposed.side.front();
  const int leader = machines_->Leader();
  const bool leads = leader != 0 && leader != first;
  const coord::server::Node* const before = machines_->node(first);
  const bool gone =
      before == nullptr || (leads && machines_->node(leader)->raft().log().terms().before() > before->raft().commit());
  if (!gone && world_->Now() < deposed.until) {
    if (leads) machines_->WantSnapshot(leader);
    return Undo(milliseconds(5), [this, deposed = std::move(deposed)]() mutable { Overtake(std::move(deposed)); });
  }
  if (before != nullptr && leads) {
    journal_->Note("node ", first, " is overtaken", gone ? "" : " in vain", ": its log ends at ", before->raft().log().last().value,
                   ", that of node ", leader, " begins behind ", machines_->node(leader)->raft().log().terms().before().value);
  }
  if (deposed.paused != nullptr && machines_->loop(first) == deposed.paused) deposed.paused->Resume();
  Return(deposed);
}

void Faults::Return(const Deposed& deposed) {
  const bool late = random_.Below(2) == 0;  // what it says is on its way while its tail is cut off
  for (int inside : deposed.side) {
    for (int outside = 1; outside <= machines_->size(); ++outside) {
      const std::string a = Machines::Host(inside);
      const std::string b = Machines::Host(outside);
      if (inside != outside) network_->HealPair(a, b);
      if (!late || inside == outside) continue;
      network_->SetLatency(a, b, milliseconds(10), Some(20, 400));
      Undo(Some(500, 2'000), [this, a, b] { network_->SetLatency(a, b, plan_.latency_min, plan_.latency_max); });
    }
  }
  Hurry(2);
}

// Also by one that has only begun to lead, and does not know yet what is committed.
void Faults::ChangeMembers(int leader) {
  if (machines_->awaits_leader() || random_.Below(3) > 0) return machines_->ChangeMembers(leader, &random_);
  machines_->OnNextLeader([this, period = period_](int successor) {
    if (active_ && period == period_) machines_->ChangeMembers(successor, &random_);
  });
}

// The order may reach one that stands still, and that is read long after the leader has given up.
void Faults::HandOver(int leader, int to) {
  if (leader == 0 || machines_->size() == 1) return;
  if (to == leader) to = leader % machines_->size() + 1;
  machines_->AskHandOver(leader, to);
  const std::uint64_t how = random_.Below(3);
  if (how == 0 && machines_->running(to)) Pause(to, Some(800, 2'500));
  // It is elsewhere that the order waits.
  if (how == 1) CutFor(Machines::Host(leader), Machines::Host(to), Some(200, 1'500));
}

void Faults::Pause(int node, base::Duration duration) {
  SimLoop* const loop = machines_->loop(node);
  loop->Pause();
  Undo(duration, [this, node, loop] {
    if (machines_->loop(node) == loop) loop->Resume();
  });
}

void Faults::ChangeVersions(int node) {
  const auto some_level = [this] {
    const std::uint64_t levels = base::kNewestFeatureLevel.value - base::kFirstFeatureLevel.value + 1;
    return base::FeatureLevel(base::kFirstFeatureLevel.value + static_cast<std::uint32_t>(random_.Below(levels)));
  };
  if (random_.Below(3) > 0) {
    const base::FeatureLevel level = random_.Below(3) == 0 ? some_level() : base::kNewestFeatureLevel;
    const base::Duration down = Some(10, 1'000);
    machines_->ChangeVersion(node, level, SomeSurvival(), down);
    if (random_.Below(4) == 0) FillWhenUp(node, down + milliseconds(500));
    return;
  }
  // As whoever upgrades a cluster does it. Somebody's disk is full when all could promise.
  base::Duration at{};
  for (int id = 1; id <= machines_->size(); ++id) {
    if (machines_->version(id) == base::kNewestFeatureLevel) continue;
    Undo(at, [this, id] { machines_->ChangeVersion(id, base::kNewestFeatureLevel, SomeSurvival(), Some(10, 300)); });
    at += Some(50, 600);
  }
  if (random_.Below(2) == 0) Undo(at, [this] { FillWhenUp(SomeNode(), milliseconds(1'000)); });
}

void Faults::FillWhenUp(int node, base::Duration patience) {
  if (machines_->node(node) != nullptr) return machines_->FillDisk(node, random_.Below(64), Some(300, 3'000));
  if (patience <= base::Duration::zero()) return;
  Undo(milliseconds(2), [this, node, patience] { FillWhenUp(node, patience - milliseconds(2)); });
}

void Faults::MakeCamps(int leader) {
  std::vector<int> others = machines_->Voters(leader);
  if (others.size() != 4) return machines_->ChangeMembers(leader, &random_, 4);
  std::erase(others, leader);
  if (others.size() != 3 || machines_->lost_count() > 0) return;
  const auto cut = [this](int a, int b) {
    const std::string one = Machines::Host(a);
    const std::string two = Machines::Host(b);
    network_->CutPair(one, two);
    Undo(Some(4'000, 7'000), [this, one, two] { network_->HealPair(one, two); });
  };
  for (int other : others) cut(leader, other);
  const int removed = others[random_.Below(3)];
  machines_->AskRemoval(leader, removed);
  machines_->OnNextLeader([this, leader, others, removed, cut, period = period_](int successor) {
    const bool follows = std::count(others.begin(), others.end(), successor) > 0;
    if (!active_ || period != period_ || !follows) return;
    // Whom both configurations know goes over to the former one.
    int goes = 0;
    for (int other : others) {
      if (other != successor && other != removed) goes = other;
    }
    for (int other : others) {
      if (other != goes) cut(goes, other);
    }
    machines_->AskRemoval(successor, leader);
    Undo(Some(50, 500), [this, leader, goes] { network_->HealPair(Machines::Host(leader), Machines::Host(goes)); });
  });
}

void Faults::LoseAmongFew(int leader) {
  std::vector<int> few = machines_->Voters(leader);
  const std::size_t quorum = few.size() / 2 + 1;
  if (few.size() < 3 || few.size() % 2 == 0) return;
  std::erase(few, leader);
  std::swap(few.front(), few[random_.Below(few.size())]);
  const int loses = few.front();
  // With it these are a quorum.
  const std::vector<int> behind(few.end() - static_cast<std::ptrdiff_t>(quorum - 1), few.end());
  few.resize(few.size() - behind.size());
  few.push_back(leader);
  const auto part = [this](const std::vector<int>& some, const std::vector<int>& others, base::Duration duration) {
    for (int a : some) {
      for (int b : others) {
        if (a == b) continue;
        CutFor(Machines::Host(a), Machines::Host(b), duration);
        CutFor(Machines::Host(b), Machines::Host(a), duration);
      }
    }
  };
  const base::Duration alone = Some(200, 800);
  part(behind, few, alone);
  Hurry(4);
  Undo(alone, [this, part, loses, behind, few] {
    static_cast<void>(machines_->LoseAndReadmit(loses, Some(10, 100)));
    std::vector<int> rest = few;
    std::erase(rest, loses);
    std::vector<int> others = behind;
    others.push_back(loses);
    part(others, rest, Some(3'000, 6'000));
  });
}

void Faults::BreakNetwork(Fault fault, int node) {
  const base::Duration duration = random_.Below(3) == 0 ? Some(2'000, 8'000) : Some(50, 1'500);
  const int nodes = machines_->size();
  const int other = nodes == 1 ? node : 1 + (node + static_cast<int>(random_.Below(static_cast<std::uint64_t>(nodes - 1)))) % nodes;
  const std::string a = Machines::Host(node);
  const std::string b = Machines::Host(other);
  switch (fault) {
    case Fault::kReset: {
      if (other != node && random_.Below(2) == 0) return network_->Reset(a, b);
      Client& client = *(*clients_)[random_.Below(clients_->size())];
      client.NoteLinkBreak();
      return network_->Reset(client.host(), a);
    }
    case Fault::kCutOneWay:
      if (other != node) CutFor(a, b, duration);
      return;
    case Fault::kCutBothWays:
      if (other == node) return;
      CutFor(a, b, duration);
      return CutFor(b, a, duration);
    case Fault::kIsolate:
      return Isolate(node, duration);
    case Fault::kDepose:
      return Depose(machines_->Leader());
    case Fault::kSplit: {
      const std::uint64_t side = random_.Next();
      for (int x = 1; x <= nodes; ++x) {
        for (int y = 1; y <= nodes; ++y) {
          if (((side >> x) & 1) != ((side >> y) & 1)) CutFor(Machines::Host(x), Machines::Host(y), duration);
        }
      }
      return;
    }
    default:
      if (other == node) return;
      network_->SetLatency(a, b, milliseconds(10), Some(20, 800));
      return Undo(duration, [this, a, b] { network_->SetLatency(a, b, plan_.latency_min, plan_.latency_max); });
  }
}

void Faults::BreakDisk(Fault fault, int node) {
  const base::Duration duration = random_.Below(3) == 0 ? Some(1'000, 6'000) : Some(20, 1'000);
  if (fault == Fault::kWipe || fault == Fault::kFlipBit) {
    if (!MayLose(node)) return;
    machines_->Crash(node, Survival::kEverything, Some(10, 1'000));
    if (fault == Fault::kWipe) {
      machines_->Wipe(node);
    } else {
      machines_->FlipBit(node, &random_);
    }
    return;
  }
  if (!machines_->running(node)) return;
  SimLoop* const loop = machines_->loop(node);
  SimFileSystem& files = machines_->files(node);
  switch (fault) {
    case Fault::kPause:
      return Pause(node, duration);
    case Fault::kStallDisk:
      return machines_->StallDisk(node, duration);
    case Fault::kFailSync:
      return files.FailNextSync(absl::InternalError("input/output error"));
    case Fault::kFailWrite:
      return files.FailCall(1 + random_.Below(20), absl::InternalError("input/output error"));
    case Fault::kFullDisk:
      files.SetCapacity(files.bytes() + random_.Below(8U << 10));
      return Undo(duration, [this, node] { machines_->files(node).SetCapacity(UINT64_MAX); });
    case Fault::kJumpWall:
      return loop->JumpWall(random_.Below(2) == 0 ? -Some(1, 3'600'000) : Some(1, 3'600'000));
    default:
      return loop->SetRate(static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(2 * plan_.rate_ppm_max) + 1)) -
                           plan_.rate_ppm_max);
  }
}

void Faults::BreakClient(Fault fault) {
  Client& client = *(*clients_)[random_.Below(clients_->size())];
  const base::Duration duration = random_.Below(4) == 0 ? Some(1'000, 8'000) : Some(20, 800);
  switch (fault) {
    case Fault::kKillClient:
      return client.Kill(Some(10, 3'000));
    case Fault::kPauseClient:
      client.Pause();
      return Undo(duration, [&client] { client.Resume(); });
    default: {
      const std::string node = Machines::Host(SomeNode());
      if (random_.Below(2) == 0) CutFor(client.host(), node, duration);
      CutFor(node, client.host(), duration);
      return;
    }
  }
}

}  // namespace drover::sim::run

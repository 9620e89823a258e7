#include "tests/sim/run/plan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace drover::sim::run {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  bool OneIn(std::uint64_t n) { return random_.Below(n) == 0; }
  std::uint64_t Between(std::uint64_t min, std::uint64_t max) { return min + random_.Below(max - min + 1); }
  template <typename T>
  T Of(std::initializer_list<T> choices) {
    return choices.begin()[random_.Below(choices.size())];
  }

 private:
  base::SeededRandom random_;
};

}  // namespace

const char* NameOf(Fault fault) {
  static constexpr const char* kNames[] = {"kill",      "power-loss", "power-loss-all", "crash-in-step", "crash-in-disk",
                                           "power-off", "reset",      "cut-one-way",    "cut-both-ways", "isolate",
                                           "split",     "depose",     "slow-link",      "pause",         "stall-disk",
                                           "fail-sync", "fail-write", "full-disk",      "flip-bit",      "wipe",
                                           "jump-wall", "clock-rate", "kill-client",    "pause-client",  "cut-client",
                                           "hand-over", "members",    "readmit",        "camps",         "version"};
  static_assert(std::size(kNames) == kFaults);
  return kNames[static_cast<int>(fault)];
}

Plan MakePlan(std::uint64_t seed) {
  Dice dice(seed * 2 + 1);
  Plan plan;
  plan.seed = seed;
  plan.nodes = dice.Of({1, 3, 3, 3, 3, 5, 5});
  plan.clients = static_cast<int>(dice.Between(1, 5));
  plan.duration = milliseconds(dice.Between(4'000, 20'000));
  plan.latency_min = microseconds(dice.Between(20, 500));
  plan.latency_max = plan.latency_min + microseconds(dice.Of({100, 1'000, 1'000, 10'000, 40'000}));

  coord::server::NodeOptions& node = plan.options;
  node.log.segment_bytes = dice.Of({1U << 10, 1U << 10, 4U << 10, 4U << 10, 16U << 10, 64U << 10, 1U << 20});
  node.log.allocate_first_bytes = dice.Of({512U, 4U << 10, 64U << 10});
  node.log.allocate_step_bytes = 64U << 10;
  node.history.bytes_max = dice.Of({1U << 10, 4U << 10, 64U << 10, 1U << 20});
  node.raft.window.appends = dice.Of({1U, 2U, 8U, 64U});
  node.raft.window.bytes = dice.Of({1U << 10, 64U << 10, 8U << 20});
  node.raft.append_bytes = dice.Of({1U, 512U, 64U << 10, 1U << 20});
  node.raft.cache_bytes = dice.Of({0U, 1U << 10, 16U << 10, 16U << 20});
  node.raft.uncommitted_bytes_max = dice.Of({1U << 10, 16U << 10, 64U << 20});
  node.batch_bytes = dice.Of({512U, 16U << 10, 1U << 20});
  node.forward_bytes = dice.Of({512U, 64U << 10, 8U << 20});
  node.stream.credits_start = dice.Of({1U, 4U, 16U});
  node.stream.credits_max = dice.Of({4U, 16U, 256U});
  node.stream.credits_max = std::max(node.stream.credits_max, node.stream.credits_start);
  node.stream.outbound_pause_bytes = dice.Of({1U << 10, 2U << 20});
  node.log_writer.prove_after = milliseconds(dice.Of({50, 1'000}));
  if (dice.OneIn(4)) node.raft.pre_vote = false;
  node.snapshots.log_bytes = dice.Of({300U, 300U, 2U << 10, 2U << 10, 16U << 10, 64U << 20});
  node.snapshots.kept = dice.Of({1U, 1U, 2U});
  node.snapshots.retry = milliseconds(300);
  node.snapshots.take.slice_things = dice.Of({1U, 2U, 10U, 1000U});
  node.snapshots.take.slice_bytes = dice.Of({1U, 200U, 64U << 10});
  node.snapshots.take.slice_pause = microseconds(dice.Of({100, 1'000, 20'000}));
  node.snapshots.take.part_bytes = dice.Of({1U, 300U, 4U << 10, 1U << 20});
  node.snapshots.take.parts_max = dice.Of({1U, 4U});
  node.snapshots.send.chunk_bytes = dice.Of({64U, 512U, 16U << 10});
  node.snapshots.send.window_bytes = dice.Of({64U, 1U << 10, 1U << 20});

  plan.rate_ppm_max = dice.Of({0, 100, 1'000, 10'000});
  plan.fault_gap = milliseconds(dice.Of({150, 400, 400, 1'000, 1'000, 3'000}));
  if (dice.OneIn(20)) plan.fault_gap = base::Duration::zero();  // a quiet run
  // A lot of its own for each seed: what is rare among all faults is then frequent somewhere.
  const std::uint64_t share = dice.Between(2, 4);
  for (int i = 0; i <= static_cast<int>(Fault::kCutClient); ++i) {
    const auto fault = static_cast<Fault>(i);
    const std::uint64_t copies = dice.Between(1, 4);
    // Most of them depose leaders: tails that nobody confirmed are cut off in no other way, and that is rare by chance.
    const bool chosen = dice.OneIn(share) || (fault == Fault::kDepose && plan.nodes > 1 && !dice.OneIn(3));
    if (!chosen) continue;
    plan.faults.insert(plan.faults.end(), copies, fault);
  }
  if (plan.faults.empty()) plan.faults.push_back(Fault::kKill);
  // By other dice, so that the rest of a seed's plan does not depend on it.
  Dice members(seed * 2 + 1 + (std::uint64_t{1} << 32));
  if (members.OneIn(2)) {
    plan.spares = static_cast<int>(members.Between(1, 3));
    plan.faults.insert(plan.faults.end(), members.Between(3, 10), Fault::kMembers);
    plan.faults.insert(plan.faults.end(), members.Between(1, 6), Fault::kReadmit);
    plan.faults.insert(plan.faults.end(), members.Between(2, 10), Fault::kCamps);
  }

  Dice hand_overs(seed * 2 + 1 + (std::uint64_t{4} << 32));
  if (plan.nodes > 1 && hand_overs.OneIn(2)) plan.faults.insert(plan.faults.end(), hand_overs.Between(1, 6), Fault::kHandOver);

  Dice absences(seed * 2 + 1 + (std::uint64_t{5} << 32));
  if (plan.nodes > 1 && absences.OneIn(2)) plan.absences = static_cast<int>(absences.Between(1, 4));

  // By other dice again.
  Dice versions(seed * 2 + 1 + (std::uint64_t{2} << 32));
  if (versions.OneIn(2)) {
    for (int id = 1; id <= plan.nodes + plan.spares; ++id) {
      const auto level =
          static_cast<std::uint32_t>(versions.Between(base::kFirstFeatureLevel.value, base::kNewestFeatureLevel.value));
      plan.levels.push_back(versions.OneIn(3) ? base::kNewestFeatureLevel : base::FeatureLevel(level));
    }
    plan.faults.insert(plan.faults.end(), versions.Between(3, 20), Fault::kVersion);
  }

  // And again: entries of one write each, and segments that a few of them fill, so that a deposed leader's tail is longer than what
  // its successor has to write until it drops the log before.
  Dice overtakes(seed * 2 + 1 + (std::uint64_t{3} << 32));
  if (plan.nodes > 1 && overtakes.OneIn(3)) {
    plan.overtakes = true;
    plan.faults.insert(plan.faults.end(), overtakes.Between(20, 40), Fault::kDepose);
    node.batch_bytes = 1;
    node.log.segment_bytes = 512;
    node.raft.uncommitted_bytes_max = 64U << 20;
    node.stream.credits_start = node.stream.credits_max = 256;
    node.snapshots.log_bytes = 300;
    node.snapshots.kept = 1;
  }
  node.log.shrink_step_bytes = node.log.segment_bytes / 3;

  plan.think = microseconds(dice.Of({2'000, 10'000, 30'000, 100'000}));
  plan.calls_max = dice.Between(50, 300);
  plan.in_flight_max = dice.Of({1U, 2U, 6U, 20U});
  plan.registers = dice.Between(1, 6);
  plan.locks = dice.Between(1, 4);
  plan.data_bytes_max = dice.Of({8U, 8U, 100U, 3'000U});
  plan.session_timeout = milliseconds(dice.Of({1'000, 2'000, 6'000, 20'000}));
  plan.graces = dice.OneIn(3);
  plan.readers = dice.OneIn(2);
  // Many calls at once; on one node the checker would have too many orders to try.
  if (plan.overtakes) plan.registers = 6;
  return plan;
}

base::Duration Plan::DrainTime() const {
  constexpr std::size_t kEntryOverhead = 200;
  constexpr base::Duration kDisk = milliseconds(5);
  const std::size_t entry = data_bytes_max + kEntryOverhead;
  const coord::raft::Options& raft = options.raft;
  const std::size_t by_count = raft.window.appends * std::max<std::size_t>(1, raft.append_bytes / entry);
  const std::size_t in_flight = std::min(by_count, std::max<std::size_t>(1, raft.window.bytes / entry));
  const std::size_t entries = static_cast<std::size_t>(clients) * in_flight_max;
  return (2 * latency_max + kDisk) * static_cast<std::int64_t>(entries / in_flight + 1);
}

std::string Plan::Text() const {
  std::string text = absl::StrCat(nodes, " nodes, ", spares, " spares, ", clients, " clients, ", base::ToMillis(duration),
                                  " ms, a fault every ", base::ToMillis(fault_gap), " ms of");
  const Fault* last = nullptr;
  for (const Fault& fault : faults) {
    if (last == nullptr || *last != fault) absl::StrAppend(&text, " ", NameOf(fault));
    last = &fault;
  }
  if (!levels.empty()) absl::StrAppend(&text, "; levels");
  for (const base::FeatureLevel level : levels) absl::StrAppend(&text, " ", level.value);
  if (absences > 0) absl::StrAppend(&text, "; ", absences, " absences");
  if (!options.raft.pre_vote) absl::StrAppend(&text, "; no pre-votes");
  absl::StrAppend(&text, "; a snapshot every ", options.snapshots.log_bytes, " bytes");
  absl::StrAppend(&text, "; segments of ", options.log.segment_bytes, ", history of ", options.history.bytes_max, ", window of ",
                  options.raft.window.appends, ", cache of ", options.raft.cache_bytes, ", at most ",
                  options.raft.uncommitted_bytes_max, " uncommitted; ", calls_max, " calls each, ", in_flight_max,
                  " at once, data up to ", data_bytes_max, "; sessions of ", base::ToMillis(session_timeout), " ms");
  return text;
}

}  // namespace drover::sim::run

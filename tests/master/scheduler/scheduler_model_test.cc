// The scheduler against a naive one that sorts and rescans everything at every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/random.h"
#include "master/scheduler/scheduler.h"

namespace drover::master::scheduler {
namespace {

class NaiveScheduler {
 public:
  void Advance(std::int64_t now_ms) {
    for (auto& [name, queue] : queues_) {
      if (queue.running > 0) queue.share.Used(queue.running, now_ms - now_ms_);
    }
    now_ms_ = now_ms;
  }
  void PutQueue(const std::string& name, const QueueFacts& facts) {
    Queue& queue = queues_[name];
    queue.facts = facts;
    queue.share.SetWeight(facts.weight);
    queue.rate.Set(facts.starts_per_second, facts.burst, now_ms_);
  }
  void PutWorker(const WorkerFacts& facts) {
    if (reserved_ == facts.name) reserved_.clear();
    workers_[facts.name] = facts;
  }
  void RemoveWorker(const std::string& name) {
    if (reserved_ == name) reserved_.clear();
    workers_.erase(name);
  }
  void SetWaiting(TaskRef task, const TaskFacts& facts) {
    const auto known = waiting_.find(task);
    if (known != waiting_.end() && SameFacts(known->second, facts)) return;
    Forget(task);
    Wake(facts.queue);
    waiting_[task] = facts;
    ++queues_[facts.queue].waiting;
  }
  void SetHolding(TaskRef task, const std::string& worker, const TaskFacts& facts) {
    const auto known = holding_.find(task);
    if (known != holding_.end() && known->second.worker == worker && KeyOf(known->second.facts) == KeyOf(facts) &&
        known->second.facts.key == facts.key && (facts.key.empty() || known->second.facts.key_max == facts.key_max))
      return;
    Forget(task);
    Wake(facts.queue);
    Hold(task, worker, facts);
  }
  void Forget(TaskRef task) {
    Remove(task);
    CheckReservation();
  }

  std::vector<Placement> Schedule() {
    std::vector<Placement> placed;
    if (!reserved_.empty() && !queues_[reserved_for_.queue].Allows(now_ms_)) reserved_.clear();
    ReserveForStarved();
    while (PlaceOne(&placed)) CheckReservation();
    return placed;
  }

 private:
  struct Held {
    std::string worker;
    TaskFacts facts;
  };

  static ClassKey KeyOf(const TaskFacts& f) { return {f.queue, {f.labels, f.rules, f.resources}, f.alone()}; }
  static bool SameFacts(const TaskFacts& a, const TaskFacts& b) {
    return KeyOf(a) == KeyOf(b) && LineOf(a) == LineOf(b) && a.key == b.key && (a.key.empty() || a.key_max == b.key_max);
  }

  void Remove(TaskRef task) {
    if (const auto it = waiting_.find(task); it != waiting_.end()) {
      const ClassKey key = KeyOf(it->second);
      --queues_[it->second.queue].waiting;
      waiting_.erase(it);
      if (!Waits(key)) starved_.erase(key);
    }
    if (const auto it = holding_.find(task); it != holding_.end()) {
      --queues_[it->second.facts.queue].running;
      holding_.erase(it);
    }
  }
  void Hold(TaskRef task, const std::string& worker, const TaskFacts& facts) {
    holding_[task] = {worker, facts};
    ++queues_[facts.queue].running;
  }
  std::int64_t UsageOfOthers(const std::string& of) const {
    std::optional<std::int64_t> least;
    for (const auto& [name, queue] : queues_) {
      if (name == of || queue.idle() || queue.facts.paused) continue;
      least = std::min(least.value_or(queue.share.usage()), queue.share.usage());
    }
    return least.value_or(0);
  }
  void Wake(const std::string& name) {
    if (queues_[name].idle()) queues_[name].share.RaiseFromIdle(UsageOfOthers(name));
  }
  std::uint32_t Used(const std::string& worker) const {
    return static_cast<std::uint32_t>(
        std::count_if(holding_.begin(), holding_.end(), [&](const auto& h) { return h.second.worker == worker; }));
  }
  bool RunsAlone(const std::string& worker) const {
    return std::any_of(holding_.begin(), holding_.end(),
                       [&](const auto& h) { return h.second.worker == worker && h.second.facts.alone(); });
  }
  bool KeyBusy(const TaskFacts& facts) const {
    return !facts.key.empty() && std::count_if(holding_.begin(), holding_.end(), [&](const auto& h) {
                                   return h.second.facts.key == facts.key;
                                 }) >= static_cast<std::ptrdiff_t>(facts.key_max);
  }
  static bool HasInAll(const WorkerFacts& worker, const TaskFacts& facts) {
    return std::all_of(facts.resources.begin(), facts.resources.end(),
                       [&](const auto& want) { return AmountOf(worker.resources, want.first) >= want.second; });
  }
  bool Fits(const WorkerFacts& worker, const TaskFacts& facts) const {
    if (facts.alone()) return Used(worker.name) == 0 && HasInAll(worker, facts);
    if (Used(worker.name) >= worker.slots) return false;
    for (const auto& [name, amount] : facts.resources) {
      std::int64_t free = AmountOf(worker.resources, name);
      for (const auto& [task, held] : holding_) {
        if (held.worker == worker.name) free -= AmountOf(held.facts.resources, name);
      }
      if (free < amount) return false;
    }
    return true;
  }

  bool Waits(const ClassKey& key) const {
    return std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& w) { return KeyOf(w.second) == key; });
  }
  void CheckReservation() {
    if (reserved_.empty()) return;
    if (!Waits(reserved_for_)) reserved_.clear();
  }
  bool MayBeGiven(const WorkerFacts& worker, const TaskFacts& facts) const {
    return worker.takes_work && worker.slots > 0 && !RunsAlone(worker.name) && worker.name != reserved_ &&
           Meets(worker.labels, {facts.labels, facts.rules, {}});
  }
  // The order of load, then of names.
  bool Before(const WorkerFacts& a, const WorkerFacts& b) const {
    const std::uint64_t left = std::uint64_t{Used(a.name)} * b.slots, right = std::uint64_t{Used(b.name)} * a.slots;
    return left != right ? left < right : a.name < b.name;
  }
  const WorkerFacts* Pick(const TaskFacts& facts) {
    const bool pack = queues_[facts.queue].facts.pack;
    const WorkerFacts* best = nullptr;
    for (const auto& [name, worker] : workers_) {
      if (!MayBeGiven(worker, facts) || !Fits(worker, facts)) continue;
      // Among those that are empty the first, also where the queue packs.
      const bool packs = pack && !facts.alone();
      if (best == nullptr || (packs ? Before(*best, worker) : Before(worker, *best))) best = &worker;
    }
    return best;
  }
  void ReserveFor(const TaskFacts& facts) {
    const WorkerFacts* best = nullptr;
    for (const auto& [name, worker] : workers_) {
      if (!MayBeGiven(worker, facts) || !HasInAll(worker, facts)) continue;
      if (best == nullptr || Before(worker, *best)) best = &worker;
    }
    if (best == nullptr) return;
    reserved_ = best->name;
    reserved_for_ = KeyOf(facts);
  }
  void ReserveForStarved() {
    while (reserved_.empty() && !starved_.empty()) {
      auto first = std::min_element(starved_.begin(), starved_.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second, a.first) < std::pair(b.second, b.first);
      });
      if (first->second + kReserveAfterMs > now_ms_) return;
      const TaskFacts of_class{.queue = first->first.queue,
                               .labels = first->first.requirement.labels,
                               .rules = first->first.requirement.rules,
                               .resources = first->first.requirement.resources};
      if (queues_[of_class.queue].Allows(now_ms_)) ReserveFor(of_class);
      if (reserved_.empty()) {
        first->second = std::max<std::int64_t>(1, now_ms_);
      } else {
        starved_.erase(first);
      }
    }
  }

  bool PlaceOne(std::vector<Placement>* placed) {
    // What may start, queue by queue.
    std::map<std::string, std::vector<std::pair<Place, TaskRef>>> lines;
    for (const auto& [task, facts] : waiting_) {
      if (queues_[facts.queue].Allows(now_ms_) && !KeyBusy(facts)) lines[facts.queue].push_back({Place{LineOf(facts), task}, task});
    }
    std::set<ClassKey> full;
    while (!lines.empty()) {
      auto next = lines.begin();
      for (auto it = lines.begin(); it != lines.end();) {
        auto& line = it->second;
        std::sort(line.begin(), line.end());
        while (!line.empty() && full.count(KeyOf(waiting_[line.front().second])) > 0) line.erase(line.begin());
        it = line.empty() ? lines.erase(it) : std::next(it);
      }
      if (lines.empty()) return false;
      next = lines.begin();
      const auto rank = [&](const auto& it) {
        const Queue& queue = queues_[it->first];
        return std::pair(queue.share.Score(queue.running), it->second.front().first);
      };
      for (auto it = lines.begin(); it != lines.end(); ++it) {
        if (rank(it) < rank(next)) next = it;
      }
      const TaskRef task = next->second.front().second;
      const TaskFacts facts = waiting_[task];
      std::string target;
      if (!reserved_.empty() && reserved_for_ == KeyOf(facts) && Fits(workers_[reserved_], facts)) {
        target = reserved_;
        reserved_.clear();
      } else if (const WorkerFacts* best = Pick(facts)) {
        target = best->name;
      }
      if (!target.empty()) {
        Queue& queue = queues_[facts.queue];
        queue.share.RaiseToOwed(UsageOfOthers(facts.queue));
        queue.share.Started();
        queue.rate.Started(now_ms_);
        starved_.erase(KeyOf(facts));
        --queue.waiting;
        waiting_.erase(task);
        Hold(task, target, facts);
        placed->push_back({task, target});
        return true;
      }
      full.insert(KeyOf(facts));
      if (!reserved_.empty()) {
        if (!facts.alone() && !facts.resources.empty() && reserved_for_ != KeyOf(facts))
          starved_.emplace(KeyOf(facts), std::max<std::int64_t>(1, now_ms_));
      } else if (facts.alone()) {
        ReserveFor(facts);
      } else if (!facts.resources.empty()) {
        starved_.emplace(KeyOf(facts), std::max<std::int64_t>(1, now_ms_));
      }
    }
    return false;
  }

  std::int64_t now_ms_ = 0;
  std::map<std::string, WorkerFacts> workers_;
  std::map<std::string, Queue> queues_;
  std::map<TaskRef, TaskFacts> waiting_;
  std::map<TaskRef, Held> holding_;
  std::map<ClassKey, std::int64_t> starved_;
  std::string reserved_;
  ClassKey reserved_for_;
};

Labels SomeLabels(base::Random* random) {
  Labels labels;
  if (random->Below(3) == 0) labels.push_back({"gpu", random->Below(2) == 0 ? "a" : "b"});
  if (random->Below(3) == 0) labels.push_back({"zone", random->Below(2) == 0 ? "eu" : "us"});
  return labels;
}

// With keys nothing a worker would be emptied for: when a task that is held back by its key gives up such a claim is nobody's
// business.
TaskFacts SomeTask(base::Random* random, bool resources, bool keys) {
  TaskFacts f{.queue = random->Below(2) == 0   ? "q"
                       : random->Below(2) == 0 ? "r"
                                               : "s",
              .labels = SomeLabels(random),
              .priority = static_cast<std::uint8_t>(random->Below(3)),
              .order = random->Below(30),
              .losses = !keys && random->Below(6) == 0 ? kLossesAlone : 0,
              .submitted_ms = static_cast<std::int64_t>(random->Below(3) * kAgeingStepMs)};
  if (random->Below(5) == 0) f.rules = {{"zone", LabelOperator::kNotIn, {"us"}}};
  if (resources && random->Below(3) == 0) f.resources = {{"cpu", static_cast<std::int64_t>(500 * (1 + random->Below(5)))}};
  if (keys && random->Below(3) == 0) {
    f.key = random->Below(2) == 0 ? "k" : "l";
    f.key_max = 1 + static_cast<std::uint32_t>(random->Below(3));
  }
  return f;
}

QueueFacts SomeQueue(base::Random* random) {
  return {.weight = 1 + static_cast<std::uint32_t>(random->Below(5)),
          .running_max = static_cast<std::uint32_t>(random->Below(5)),
          .starts_per_second = random->Below(3) == 0 ? 0.5 * static_cast<double>(1 + random->Below(8)) : 0,
          .burst = 1 + static_cast<std::uint32_t>(random->Below(3)),
          .paused = random->Below(6) == 0,
          .pack = random->Below(3) == 0};
}

std::vector<std::string> Shown(const std::vector<Placement>& placements) {
  std::vector<std::string> shown;
  for (const Placement& p : placements) shown.push_back(std::to_string(p.task.value) + "@" + p.worker);
  return shown;
}

class SchedulerModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SchedulerModelTest, PlansAreThoseOfTheNaiveScheduler) {
  base::SeededRandom random(GetParam());
  Scheduler scheduler({.idle_classes_max = random.Below(2) == 0 ? 0U : 256U});
  NaiveScheduler naive;
  const bool keys = random.Below(2) == 0, resources = !keys && random.Below(2) == 0, queues = random.Below(3) > 0;
  std::int64_t now_ms = 0;
  for (int step = 0; step < 3000; ++step) {
    const TaskRef task(static_cast<std::uint32_t>(random.Below(40)));
    const std::string worker = "w" + std::to_string(random.Below(5));
    switch (random.Below(9)) {
      case 0: {
        const WorkerFacts w{worker, static_cast<std::uint32_t>(random.Below(4)), SomeLabels(&random), random.Below(5) != 0,
                            resources ? Resources{{"cpu", static_cast<std::int64_t>(1 + random.Below(4)) * 1000}} : Resources{}};
        scheduler.PutWorker(w);
        naive.PutWorker(w);
        break;
      }
      case 1:
        if (random.Below(2) == 0) break;
        scheduler.RemoveWorker(worker);
        naive.RemoveWorker(worker);
        break;
      case 2:
      case 3:
      case 4: {
        const TaskFacts f = SomeTask(&random, resources, keys);
        scheduler.SetWaiting(task, f);
        naive.SetWaiting(task, f);
        break;
      }
      case 5: {
        const TaskFacts f = SomeTask(&random, resources, keys);
        scheduler.SetHolding(task, worker, f);
        naive.SetHolding(task, worker, f);
        break;
      }
      case 6: {
        now_ms += static_cast<std::int64_t>(random.Below(4000));
        scheduler.Advance(now_ms);
        naive.Advance(now_ms);
        if (!queues || random.Below(3) > 0) break;
        const QueueFacts f = SomeQueue(&random);
        const std::string queue = random.Below(2) == 0 ? "q" : "r";
        scheduler.PutQueue(queue, f);
        naive.PutQueue(queue, f);
        break;
      }
      default:
        scheduler.Forget(task);
        naive.Forget(task);
        break;
    }
    if (random.Below(2) == 0) {
      ASSERT_EQ(Shown(scheduler.Schedule(1U << 20).placements), Shown(naive.Schedule()))
          << "seed " << GetParam() << " step " << step << (keys ? ", keys" : "") << (resources ? ", resources" : "")
          << (queues ? ", queues" : "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SchedulerModelTest, ::testing::Range<std::uint64_t>(1, 81));

}  // namespace
}  // namespace drover::master::scheduler

// The scheduler against a naive one that sorts and rescans everything at every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "coord/base/random.h"
#include "master/scheduler/scheduler.h"

namespace drover::master::scheduler {
namespace {

class NaiveScheduler {
 public:
  void PutWorker(const WorkerFacts& facts) {
    if (reserved_ == facts.name) reserved_.clear();
    workers_[facts.name] = facts;
  }
  void RemoveWorker(const std::string& name) {
    if (reserved_ == name) reserved_.clear();
    workers_.erase(name);
  }
  void SetWaiting(TaskRef task, const TaskFacts& facts) {
    const auto same = [&](const TaskFacts& f) {
      return KeyOf(f) == KeyOf(facts) && f.priority == facts.priority && f.order == facts.order;
    };
    if (waiting_.count(task) > 0 && same(waiting_[task])) return;
    Forget(task);
    waiting_[task] = facts;
  }
  void SetHolding(TaskRef task, const std::string& worker, bool alone) {
    Forget(task);
    holding_[task] = {worker, alone};
  }
  void Forget(TaskRef task) {
    Remove(task);
    CheckReservation();
  }

  std::vector<Placement> Schedule() {
    std::vector<Placement> placed;
    while (PlaceOne(&placed)) {
    }
    return placed;
  }

 private:
  struct Held {
    std::string worker;
    bool alone;
  };

  void Remove(TaskRef task) {
    waiting_.erase(task);
    holding_.erase(task);
  }
  static bool Alone(const TaskFacts& f) { return f.losses >= kLossesAlone; }
  std::uint32_t Used(const std::string& worker) const {
    return static_cast<std::uint32_t>(
        std::count_if(holding_.begin(), holding_.end(), [&](const auto& h) { return h.second.worker == worker; }));
  }
  bool RunsAlone(const std::string& worker) const {
    return std::any_of(holding_.begin(), holding_.end(),
                       [&](const auto& h) { return h.second.worker == worker && h.second.alone; });
  }
  static ClassKey KeyOf(const TaskFacts& f) { return {f.queue, f.labels, Alone(f)}; }

  void CheckReservation() {
    if (reserved_.empty()) return;
    const bool wanted =
        std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& w) { return KeyOf(w.second) == reserved_for_; });
    if (!wanted) reserved_.clear();
  }

  // Least loaded worker that may be given work of this kind, full ones too.
  const WorkerFacts* Best(const TaskFacts& facts) const {
    const WorkerFacts* best = nullptr;
    for (const auto& [name, worker] : workers_) {
      if (!worker.takes_work || worker.slots == 0 || RunsAlone(name) || name == reserved_ || !HasAll(worker.labels, facts.labels))
        continue;
      if (best == nullptr || std::uint64_t{Used(name)} * best->slots < std::uint64_t{Used(best->name)} * worker.slots)
        best = &worker;
    }
    return best;
  }

  bool PlaceOne(std::vector<Placement>* placed) {
    std::vector<std::pair<TaskRef, TaskFacts>> line(waiting_.begin(), waiting_.end());
    std::sort(line.begin(), line.end(), [](const auto& a, const auto& b) {
      if (a.second.priority != b.second.priority) return a.second.priority > b.second.priority;
      if (a.second.order != b.second.order) return a.second.order < b.second.order;
      return a.first < b.first;
    });
    for (const auto& [task, facts] : line) {
      std::string target;
      if (Alone(facts) && !reserved_.empty() && reserved_for_ == KeyOf(facts) && Used(reserved_) == 0) {
        target = reserved_;
        reserved_.clear();
      } else if (const WorkerFacts* best = Best(facts)) {
        if (Alone(facts) ? Used(best->name) == 0 : Used(best->name) < best->slots) target = best->name;
      }
      if (!target.empty()) {
        SetHolding(task, target, Alone(facts));
        placed->push_back({task, target});
        return true;
      }
      if (Alone(facts) && reserved_.empty()) {
        if (const WorkerFacts* best = Best(facts)) {
          reserved_ = best->name;
          reserved_for_ = KeyOf(facts);
        }
      }
    }
    return false;
  }

  std::map<std::string, WorkerFacts> workers_;
  std::map<TaskRef, TaskFacts> waiting_;
  std::map<TaskRef, Held> holding_;
  std::string reserved_;
  ClassKey reserved_for_;
};

Labels SomeLabels(base::Random* random) {
  Labels labels;
  if (random->Below(3) == 0) labels.push_back({"gpu", random->Below(2) == 0 ? "a" : "b"});
  if (random->Below(3) == 0) labels.push_back({"zone", random->Below(2) == 0 ? "eu" : "us"});
  return labels;
}

class SchedulerModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SchedulerModelTest, PlansAreThoseOfTheNaiveScheduler) {
  base::SeededRandom random(GetParam());
  Scheduler scheduler({.idle_classes_max = random.Below(2) == 0 ? 0u : 256u});
  NaiveScheduler naive;
  std::map<TaskRef, TaskFacts> facts;
  std::set<TaskRef> held;
  for (int step = 0; step < 3000; ++step) {
    const TaskRef task(static_cast<std::uint32_t>(random.Below(40)));
    const std::string worker = "w" + std::to_string(random.Below(5));
    switch (random.Below(8)) {
      case 0: {
        const WorkerFacts w{worker, static_cast<std::uint32_t>(random.Below(4)), SomeLabels(&random), random.Below(5) != 0};
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
        const TaskFacts f{random.Below(2) == 0 ? "q" : "r", SomeLabels(&random), static_cast<std::uint8_t>(random.Below(3)),
                          random.Below(30), random.Below(6) == 0 ? kLossesAlone : 0};
        scheduler.SetWaiting(task, f);
        naive.SetWaiting(task, f);
        facts[task] = f;
        break;
      }
      case 5: {
        const bool alone = random.Below(6) == 0;
        scheduler.SetHolding(task, worker, alone);
        naive.SetHolding(task, worker, alone);
        break;
      }
      default:
        scheduler.Forget(task);
        naive.Forget(task);
        break;
    }
    if (random.Below(2) == 0) {
      ASSERT_EQ(scheduler.Schedule(1u << 20).placements, naive.Schedule()) << "seed " << GetParam() << " step " << step;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SchedulerModelTest, ::testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace drover::master::scheduler

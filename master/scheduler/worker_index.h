// Internal: workers in groups of equal labels, each group ordered by load, so that the best worker for a requirement is the first
// of a few groups.
#ifndef DROVER_MASTER_SCHEDULER_WORKER_INDEX_H_
#define DROVER_MASTER_SCHEDULER_WORKER_INDEX_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "master/scheduler/requirement.h"
#include "master/scheduler/types.h"

namespace drover::master::scheduler {

struct RequirementClass;
struct WorkerGroup;

struct Worker {
  std::string name;
  std::uint32_t slots = 0;
  std::uint32_t used = 0;   // tasks it holds
  std::uint32_t alone = 0;  // of these, such as must run alone
  Resources resources;
  Resources taken;       // by the tasks it holds
  bool present = false;  // registered; a worker that is gone stays known while tasks are still held by it
  bool takes_work = false;
  bool reserved = false;         // emptied for a task that finds no place else
  WorkerGroup* group = nullptr;  // while present

  // May be given work as far as it is concerned; full ones too.
  [[nodiscard]] bool eligible() const { return present && takes_work && slots > 0 && alone == 0 && !reserved; }
  [[nodiscard]] bool has_room() const { return used < slots; }
  // A slot and these resources are free.
  [[nodiscard]] bool HasFree(const Resources& want) const { return has_room() && Covers(resources, taken, want); }
  // They would be, if it held nothing.
  [[nodiscard]] bool HasInAll(const Resources& want) const { return slots > 0 && Covers(resources, {}, want); }
};

// Less loaded first (as a fraction of the slots), then by name.
struct ByLoad {
  bool operator()(const Worker* a, const Worker* b) const {
    const std::uint64_t left = std::uint64_t{a->used} * b->slots;
    const std::uint64_t right = std::uint64_t{b->used} * a->slots;
    return left != right ? left < right : a->name < b->name;
  }
};

// Workers with exactly these labels.
struct WorkerGroup {
  Labels labels;
  std::size_t members = 0;
  absl::btree_set<Worker*, ByLoad> eligible;
  std::vector<RequirementClass*> classes;  // whose requirement they meet
};

class WorkerIndex {
 public:
  // Groups are made and dropped here; the owner links classes to a new one and unlinks them from one about to go.
  class GroupObserver {
   public:
    virtual void OnGroupMade(WorkerGroup* group) = 0;
    virtual void OnGroupGoing(WorkerGroup* group) = 0;

   protected:
    ~GroupObserver() = default;
  };

  explicit WorkerIndex(GroupObserver* observer) : observer_(observer) {}

  Worker* Put(const WorkerFacts& facts);
  void Remove(Worker* worker);
  // Null if not known.
  [[nodiscard]] Worker* Find(absl::string_view name);
  [[nodiscard]] const Worker* Find(absl::string_view name) const;
  // Known, perhaps not present.
  Worker* Intern(absl::string_view name);
  // Forgets it if it is neither present nor holds anything.
  void DropIfUnused(Worker* worker);

  // Load, eligibility and group of a worker change between these two only.
  void Detach(Worker* worker);
  void Attach(Worker* worker);

  [[nodiscard]] const std::map<Labels, WorkerGroup>& groups() const { return groups_; }
  [[nodiscard]] std::map<Labels, WorkerGroup>& groups() { return groups_; }
  [[nodiscard]] const std::map<std::string, Worker, std::less<>>& workers() const { return workers_; }

 private:
  void LeaveGroup(Worker* worker);

  GroupObserver* const observer_;
  std::map<std::string, Worker, std::less<>> workers_;
  std::map<Labels, WorkerGroup> groups_;
};

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_WORKER_INDEX_H_

#include "master/scheduler/worker_index.h"

namespace drover::master::scheduler {

Worker* WorkerIndex::Find(absl::string_view name) {
  const auto it = workers_.find(std::string(name));
  return it == workers_.end() ? nullptr : &it->second;
}

const Worker* WorkerIndex::Find(absl::string_view name) const {
  const auto it = workers_.find(std::string(name));
  return it == workers_.end() ? nullptr : &it->second;
}

Worker* WorkerIndex::Intern(absl::string_view name) {
  Worker& worker = workers_[std::string(name)];
  if (worker.name.empty()) worker.name = std::string(name);
  return &worker;
}

void WorkerIndex::DropIfUnused(Worker* worker) {
  if (worker->present || worker->used > 0) return;
  workers_.erase(workers_.find(worker->name));
}

void WorkerIndex::Detach(Worker* worker) {
  if (worker->eligible()) worker->group->eligible.erase(worker);
}

void WorkerIndex::Attach(Worker* worker) {
  if (worker->eligible()) worker->group->eligible.insert(worker);
}

Worker* WorkerIndex::Put(const WorkerFacts& facts) {
  Worker* worker = Intern(facts.name);
  Detach(worker);
  if (worker->group == nullptr || worker->group->labels != facts.labels) {
    LeaveGroup(worker);
    const auto [it, made] = groups_.try_emplace(facts.labels);
    WorkerGroup* group = &it->second;
    ++group->members;
    worker->group = group;
    if (made) {
      group->labels = facts.labels;
      observer_->OnGroupMade(group);
    }
  }
  worker->present = true;
  worker->slots = facts.slots;
  worker->resources = facts.resources;
  worker->takes_work = facts.takes_work;
  Attach(worker);
  return worker;
}

void WorkerIndex::Remove(Worker* worker) {
  Detach(worker);
  LeaveGroup(worker);
  worker->present = false;
  DropIfUnused(worker);
}

void WorkerIndex::LeaveGroup(Worker* worker) {
  WorkerGroup* group = worker->group;
  worker->group = nullptr;
  if (group == nullptr || --group->members > 0) return;
  observer_->OnGroupGoing(group);
  groups_.erase(groups_.find(group->labels));
}

}  // namespace drover::master::scheduler

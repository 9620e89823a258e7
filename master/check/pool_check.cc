#include "master/check/pool_check.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/store/names.h"
#include "drover/worker/v1/record.pb.h"
#include "master/records/amount.h"
#include "master/records/array.h"
#include "master/records/array_view.h"
#include "master/records/codec.h"
#include "master/records/dependency.h"
#include "master/records/schedule.h"
#include "master/records/spec.h"
#include "master/records/task_id.h"

namespace drover::master::check {
namespace {

using records::PathKind;

struct Assignment {
  std::string path;
  std::string worker;
  std::uint64_t fence = 0;
  worker::v1::Assignment data;
};

class Checker {
 public:
  Checker(const records::PoolPaths& paths, const std::vector<coord::Node>& nodes) : paths_(paths) {
    for (const coord::Node& node : nodes) Take(node);
  }

  PoolReport Run() {
    for (const auto& [id, record] : tasks_) CheckTask(id, record);
    for (const auto& [id, assignments] : assignments_) CheckAssignments(id, assignments);
    for (const auto& [name, info] : workers_) CheckWorker(name, info);
    for (const auto& [id, array] : arrays_) CheckArray(id, array);
    for (const std::string& process : died_) {
      Pending(paths_.Died(process), "the notice of a worker's death is still to be deleted");
    }
    std::sort(report_.findings.begin(), report_.findings.end(),
              [](const Finding& a, const Finding& b) { return std::pair(a.path, a.sentence) < std::pair(b.path, b.sentence); });
    return std::move(report_);
  }

 private:
  void Broken(std::string path, std::string sentence) {
    report_.findings.push_back({Finding::Kind::kBroken, std::move(path), std::move(sentence)});
  }
  void Pending(std::string path, std::string sentence) {
    report_.findings.push_back({Finding::Kind::kPending, std::move(path), std::move(sentence)});
  }

  // Decoded, or a finding.
  template <typename Message>
  std::optional<Message> Read(const coord::Node& node, absl::StatusOr<Message> decoded) {
    if (decoded.ok()) return *std::move(decoded);
    Broken(node.path, std::string(decoded.status().message()));
    return std::nullopt;
  }

  void Take(const coord::Node& node) {
    const records::PathParts parts = paths_.Parse(node.path);
    const std::string name(parts.name);
    switch (parts.kind) {
      case PathKind::kTask:
        ++report_.summary.tasks;
        if (auto record = Read(node, records::DecodeTaskRecord(node.data))) {
          TellArray(name, *record);
          tasks_[name] = *std::move(record);
        }
        break;
      case PathKind::kAssignment:
        ++report_.summary.assignments;
        if (auto data = Read(node, records::DecodeAssignment(node.data))) {
          assignments_[name].push_back({node.path, std::string(parts.worker), node.stat.czxid.value, *std::move(data)});
        }
        break;
      case PathKind::kWorker:
        ++report_.summary.workers;
        if (auto info = Read(node, records::DecodeWorkerInfo(node.data))) workers_[name] = *std::move(info);
        break;
      case PathKind::kDied:
        died_.push_back(name);
        break;
      case PathKind::kQueue:
        (void)Read(node, records::DecodeQueueSettings(node.data));
        break;
      case PathKind::kSchedule:
        if (const auto schedule = Read(node, records::DecodeScheduleRecord(node.data))) {
          if (absl::Status fine = records::CheckSchedule(schedule->spec()); !fine.ok() && !absl::IsFailedPrecondition(fine)) {
            Broken(node.path, std::string(fine.message()));
          }
        }
        break;
      case PathKind::kArrayChunk:
        if (auto chunk = Read(node, records::DecodeArrayChunk(node.data))) {
          arrays_[name].SetChunk(parts.chunk, {*std::move(chunk), node.stat.mzxid});
        }
        break;
      case PathKind::kDrain:
        (void)Read(node, records::DecodeDrain(node.data));
        break;
      case PathKind::kHorizon:
        (void)Read(node, records::DecodeHorizon(node.data));
        break;
      case PathKind::kStore:
        (void)Read(node, records::DecodeStoreInfo(node.data));
        break;
      case PathKind::kCandidate:
        (void)Read(node, records::DecodeCandidateInfo(node.data));
        break;
      case PathKind::kAssignees:
      case PathKind::kOther:
        break;
    }
  }

  static bool IsHeld(task::v1::State state) { return state == task::v1::ASSIGNED || state == task::v1::RUNNING; }

  void CheckTask(const std::string& id, const worker::v1::TaskRecord& record) {
    const std::string path = paths_.Task(id);
    const task::v1::State state = record.state();
    const std::string name = task::v1::State_Name(state);
    if (records::IsTerminal(state)) ++report_.summary.finished;
    if (absl::Status bounds = records::CheckBounds(record); !bounds.ok()) Broken(path, std::string(bounds.message()));
    if (!task::v1::State_IsValid(state) || state == task::v1::STATE_UNSPECIFIED)
      Broken(path, absl::StrCat("it is in no state (", state, ")"));
    if (record.program().empty() == !record.has_program_object())
      Broken(path, "it has not exactly one of a program and a reference to one");
    const std::string digest = record.has_program_object()
                                   ? records::SpecDigest(record.policy(), record.program_object())
                                   : records::SpecDigest(record.policy(), absl::string_view(record.program()));
    if (digest != record.spec_digest()) Broken(path, "its digest is that of another submission");
    const bool array = record.policy().has_array();
    if ((IsHeld(state) && !array) == record.worker().empty()) {
      Broken(path, absl::StrCat("it is ", name, record.worker().empty() ? " and names no worker" : " and names a worker"));
    }
    if ((state == task::v1::WAITING) != (record.not_before() != 0 || record.awaits()) ||
        (record.not_before() != 0 && record.awaits())) {
      Broken(path, absl::StrCat("it is ", name, ", the time it waits for is ", record.not_before(), ", and it ",
                                record.awaits() ? "waits" : "does not wait", " for other tasks"));
    }
    if (record.awaits()) CheckAwaited(path, record.policy());
    if (records::IsTerminal(state) && record.finished_at() == 0)
      Broken(path, absl::StrCat("it is ", name, " and has no time of its end"));
    if (array) return;
    if (IsHeld(state) && assignments_.count(id) == 0) Broken(path, absl::StrCat("it is ", name, " and has no assignment"));
    CheckAttempts(path, record);
  }

  // It waits for tasks: at least one has not ended.
  void CheckAwaited(const std::string& path, const task::v1::Policy& policy) {
    if (policy.dependencies().empty()) Broken(path, "it waits for other tasks and depends on none");
    bool open = false;
    for (const task::v1::Dependency& dependency : policy.dependencies()) {
      const auto task = tasks_.find(dependency.task());
      const auto state = task == tasks_.end() ? std::nullopt : std::optional(task->second.state());
      const records::DependencyVerdict verdict = records::Judge(dependency, state);
      if (verdict == records::DependencyVerdict::kNever) {
        return Pending(path, absl::StrCat(records::WhyNever(dependency, state), ": it is still to be ended"));
      }
      open = open || verdict == records::DependencyVerdict::kOpen;
    }
    if (!open) Pending(path, "all tasks that it waits for have ended: it is still to be looked at");
  }

  void TellArray(const std::string& id, const worker::v1::TaskRecord& record) {
    if (record.policy().has_array()) arrays_[id].SetRecord(record);
    const std::optional<records::Element> element = records::ParseElement(id);
    if (element.has_value()) {
      arrays_[std::string(element->array)].SetElement(element->index, record.state(), record.array_life());
    }
  }

  // Its elements add up: each has ended once, or is to be.
  void CheckArray(const std::string& id, const records::ArrayView& array) {
    if (!array.present()) {
      for (const auto& [number, chunk] : array.chunks())
        Broken(paths_.ArrayChunk(id, number), absl::StrCat("there is no array ", id));
      if (array.records() > 0)
        Broken(paths_.Task(id), absl::StrCat("it is not there, and ", array.records(), " of its elements are"));
      return;
    }
    const std::string path = paths_.Task(id);
    const worker::v1::TaskRecord& record = tasks_.at(id);
    const std::string name = task::v1::State_Name(record.state());
    const std::uint32_t chunks = array.size() == 0 ? 0 : records::ChunkOf(array.size() - 1) + 1;
    for (const auto& [number, chunk] : array.chunks()) {
      if (number >= chunks) Broken(paths_.ArrayChunk(id, number), absl::StrCat("its array has ", chunks, " chunks"));
      if (chunk.chunk.life() > array.life())
        Broken(paths_.ArrayChunk(id, number), "it is of a life that its array has not had yet");
    }
    CheckElements(id, record, array);
    const bool ended = records::IsTerminal(record.state());
    const bool handed_out = !array.live().empty() || !array.unfolded().empty();
    if (ended && handed_out) Broken(path, absl::StrCat("it is ", name, ", and some of its elements have not ended"));
    if (record.state() == task::v1::SUCCEEDED && array.Count(task::v1::SUCCEEDED) != array.size()) {
      Broken(path,
             absl::StrCat("it has SUCCEEDED, as ", array.Count(task::v1::SUCCEEDED), " of its ", array.size(), " elements did"));
    }
    if (record.state() == task::v1::FAILED && record.reason() == task::v1::ELEMENTS && array.ended() != array.size()) {
      Broken(path, absl::StrCat("it has FAILED, and only ", array.ended(), " of its ", array.size(), " elements have ended"));
    }
    if (!ended && !array.unfolded().empty())
      Pending(path, absl::StrCat(array.unfolded().size(), " ends of elements are to be counted"));
    if (!ended && array.size() > 0 && array.ended() == array.size())
      Pending(path, "all its elements have ended: it is still to be ended");
  }

  void CheckElements(const std::string& id, const worker::v1::TaskRecord& array, const records::ArrayView& view) {
    const std::string prefix = id + ":";
    std::size_t open = 0;
    for (auto it = tasks_.lower_bound(prefix); it != tasks_.end() && absl::StartsWith(it->first, prefix); ++it) {
      const auto element = records::ParseElement(it->first);
      const worker::v1::TaskRecord& record = it->second;
      const std::string path = paths_.Task(it->first);
      if (!element.has_value()) {
        Broken(path, "it is the id of no task");
        continue;
      }
      const auto position = records::PositionOf(array.policy().array(), element->index);
      if (!position.has_value()) {
        Broken(path, "its array has no such element");
        continue;
      }
      if (record.array_life() > view.life()) Broken(path, "it is of a life that its array has not had yet");
      const task::v1::State end = view.EndOf(*position);
      const bool ended = records::IsTerminal(record.state());
      open += ended ? 0 : 1;
      if (end == task::v1::STATE_UNSPECIFIED) continue;
      if (!ended) Broken(path, absl::StrCat("its array says that it has ", task::v1::State_Name(end), ", and it has not ended"));
      if (ended && record.array_life() == view.life() && record.state() != end) {
        Broken(path, absl::StrCat("its array says that it has ", task::v1::State_Name(end)));
      }
    }
    const std::uint32_t running_max = array.policy().array().running_max();
    if (running_max > 0 && open > running_max) {
      Broken(paths_.Task(id), absl::StrCat(open, " of its elements are under way, at most ", running_max));
    }
  }

  void CheckAttempts(const std::string& path, const worker::v1::TaskRecord& record) {
    const auto& attempts = record.attempts();
    const auto kept = static_cast<std::uint32_t>(attempts.size());
    if (record.attempts_total() < kept)
      Broken(path, absl::StrCat(kept, " attempts are kept, ", record.attempts_total(), " were counted"));
    if (IsHeld(record.state()) && attempts.empty()) Broken(path, "it is held by a worker and has no attempt");
    std::uint64_t last_fence = 0;
    for (const task::v1::Attempt& attempt : attempts) {
      const bool newest = &attempt == &*attempts.rbegin();
      const bool ended = records::IsTerminal(attempt.state());
      if (ended == (newest && IsHeld(record.state()))) {
        Broken(path, ended ? "it is held by a worker and its newest attempt has ended" : "an attempt that is over has not ended");
      }
      if (attempt.fence() == 0) continue;
      if (attempt.fence() <= last_fence) Broken(path, absl::StrCat("fence ", attempt.fence(), " comes after fence ", last_fence));
      last_fence = attempt.fence();
    }
    // In its one life; what was run anew began anew.
    if (!record.policy().at_most_once() || record.reruns() > 0 || attempts.empty()) return;
    const bool again = std::any_of(attempts.begin(), std::prev(attempts.end()), [](const auto& a) { return RanToAnEnd(a); });
    if (again) Broken(path, "it runs at most once, and has another attempt after one that ran");
  }

  static bool RanToAnEnd(const task::v1::Attempt& attempt) {
    return attempt.state() == task::v1::SUCCEEDED || attempt.reason() == task::v1::EXIT_CODE ||
           attempt.reason() == task::v1::SIGNAL || attempt.reason() == task::v1::TIME_LIMIT;
  }

  void CheckAssignments(const std::string& id, const std::vector<Assignment>& assignments) {
    const auto task = tasks_.find(id);
    for (const Assignment& assignment : assignments) {
      if (assignments.size() > 1) Broken(assignment.path, absl::StrCat("task ", id, " is assigned ", assignments.size(), " times"));
      if (task == tasks_.end()) {
        Broken(assignment.path, absl::StrCat("there is no task ", id));
        continue;
      }
      const worker::v1::TaskRecord& record = task->second;
      if (!IsHeld(record.state())) {
        Broken(assignment.path, absl::StrCat("task ", id, " is ", task::v1::State_Name(record.state()), " and has an assignment"));
      } else if (record.worker() != assignment.worker) {
        Broken(assignment.path, absl::StrCat("task ", id, " is held by worker ", record.worker()));
      }
      for (const task::v1::Attempt& attempt : record.attempts()) {
        const bool newest = &attempt == &*record.attempts().rbegin();
        if (!newest && attempt.fence() >= assignment.fence) Broken(assignment.path, "its fence is not above those before");
      }
      const auto worker = workers_.find(assignment.worker);
      if (worker == workers_.end() || worker->second.process_id() != assignment.data.process_id()) {
        Pending(assignment.path, "its worker is gone: it is still to be taken back");
      }
    }
  }

  void CheckWorker(const std::string& name, const worker::v1::WorkerInfo& info) {
    std::size_t held = 0;
    std::map<std::string, std::int64_t> taken;
    for (const auto& [id, assignments] : assignments_) {
      for (const Assignment& assignment : assignments) {
        if (assignment.worker != name || assignment.data.process_id() != info.process_id()) continue;
        ++held;
        const auto task = tasks_.find(id);
        if (task == tasks_.end()) continue;
        for (const auto& [resource, amount] : task->second.policy().resources()) taken[resource] += amount;
      }
    }
    if (held > info.slots())
      Broken(paths_.Worker(name), absl::StrCat("it holds ", held, " tasks and has ", info.slots(), " slots"));
    for (const auto& [resource, amount] : taken) {
      const auto has = info.resources().find(resource);
      const std::int64_t total = has == info.resources().end() ? 0 : has->second;
      if (amount > total) {
        Broken(paths_.Worker(name), absl::StrCat("its tasks take ", records::AmountText(amount), " ", resource, " and it has ",
                                                 records::AmountText(total)));
      }
    }
  }

  const records::PoolPaths& paths_;
  std::map<std::string, worker::v1::TaskRecord> tasks_;
  std::map<std::string, records::ArrayView> arrays_;
  std::map<std::string, std::vector<Assignment>> assignments_;  // by task
  std::map<std::string, worker::v1::WorkerInfo> workers_;
  std::vector<std::string> died_;
  PoolReport report_;
};

}  // namespace

PoolReport CheckPool(const records::PoolPaths& paths, const std::vector<coord::Node>& nodes) {
  return Checker(paths, nodes).Run();
}

std::vector<NeededObject> ObjectsOf(const records::PoolPaths& paths, const std::vector<coord::Node>& nodes) {
  std::vector<NeededObject> needed;
  for (const coord::Node& node : nodes) {
    const records::PathParts parts = paths.Parse(node.path);
    if (parts.kind != PathKind::kTask) continue;
    const auto record = records::DecodeTaskRecord(node.data);
    if (!record.ok()) continue;
    if (record->has_program_object())
      needed.push_back({node.path, record->program_object().key(), record->program_object().size()});
    if (!record->has_output() || record->attempts().empty()) continue;
    const std::uint64_t fence = record->attempts().rbegin()->fence();
    for (const store::Part part : store::kParts) {
      const worker::v1::OutputStream& stream = records::StreamOf(record->output(), static_cast<task::v1::Stream>(part));
      for (std::uint32_t chunk = 0; chunk < stream.chunks(); ++chunk) {
        needed.push_back({node.path, store::OutputKey(parts.name, fence, part, chunk), 0});
      }
    }
  }
  return needed;
}

}  // namespace drover::master::check

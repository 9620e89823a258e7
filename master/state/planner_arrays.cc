// Arrays: elements are handed out as tasks of their own, and folded into the array's chunks once they have ended.
//
// An element that is handed out is a task like any other: the scheduler places it, its worker ends it, with all retries and losses.
// Only so many are handed out ahead of those that run, so that a million elements cost what a thousand tasks do. Nothing of an
// element is retired before its end is folded, so each counts once.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "master/records/array.h"
#include "master/records/codec.h"
#include "master/records/record_limits.h"
#include "master/records/task_id.h"
#include "master/state/planner.h"
#include "master/state/task_facts.h"

namespace drover::master::state {
namespace {

// Elements of one array that are being cancelled at a time.
constexpr std::size_t kCancelsAtATime = 256;

std::string ChunkKey(const std::string& array, std::uint32_t number) {
  return absl::StrCat("arrays/", array, "/", number);  // no task has such an id
}

// "3 of 1000 elements did not succeed: 2 FAILED, 1 LOST"
std::string EndSentence(const ArrayView& array) {
  std::vector<std::string> parts;
  for (const task::v1::State state : {task::v1::FAILED, task::v1::LOST, task::v1::CANCELLED}) {
    if (array.Count(state) > 0) parts.push_back(absl::StrCat(array.Count(state), " ", task::v1::State_Name(state)));
  }
  return absl::StrCat(array.size() - array.Count(task::v1::SUCCEEDED), " of ", array.size(),
                      " elements did not succeed: ", absl::StrJoin(parts, ", "));
}

// How an array ends whose elements have all ended. `record`: as it stands, closed or not.
records::AttemptEnd EndOf(const worker::v1::TaskRecord& record, const ArrayView& array, std::int64_t now_ms) {
  records::AttemptEnd end{.state = task::v1::SUCCEEDED, .finished_at_ms = now_ms};
  if (array.Count(task::v1::SUCCEEDED) == array.size()) return end;
  if (record.closing() == task::v1::CANCELLED) {
    end.state = task::v1::CANCELLED;
    end.reason = record.reason();
    end.sentence = record.sentence();
    return end;
  }
  end.state = task::v1::FAILED;
  end.reason = record.closing() == task::v1::STATE_UNSPECIFIED ? task::v1::ELEMENTS : record.reason();
  end.sentence = EndSentence(array);
  return end;
}

}  // namespace

void Planner::MarkArray(const std::string& task) {
  const auto element = records::ParseElement(task);
  if (element.has_value()) {
    const auto array = handing_out_.find(element->array);
    if (array != handing_out_.end()) {
      array->second.erase(element->index);
      if (array->second.empty()) handing_out_.erase(array);
    }
  }
  if (!lead_.has_value()) return;
  std::string id = element.has_value() ? std::string(element->array) : task;
  if (view_->FindArray(id) != nullptr) arrays_due_.insert(std::move(id));
}

std::size_t Planner::HandingOut(const std::string& array) const {
  const auto it = handing_out_.find(array);
  return it == handing_out_.end() ? 0 : it->second.size();
}

void Planner::PlanArrays(Plan* plan) {
  std::size_t room = options_.turn_placements;
  for (const std::string& id : std::exchange(arrays_due_, {})) {
    if (lead_->committer->outstanding() + plan->steps.size() >= options_.in_flight_max) {
      arrays_due_.insert(id);  // an answer wakes us
      continue;
    }
    const ArrayView* array = view_->FindArray(id);
    const TaskView* task = view_->Find(id);
    if (array == nullptr || task == nullptr || !task->array) continue;
    if (task->state != task::v1::READY && task->state != task::v1::RUNNING) continue;
    auto record = task->Decode();
    if (record.ok()) PlanArray({id, task->mzxid, *std::move(record)}, *array, &room, plan);
  }
}

void Planner::PlanArray(Subject subject, const ArrayView& array, std::size_t* room, Plan* plan) {
  const task::v1::State closing = subject.record.closing();
  PlanFolds(subject.id, array, closing, plan);
  if (in_flight(subject.id)) return;  // looked at again when that is answered
  if (array.ended() == array.size() && HandingOut(subject.id) == 0) {
    const records::AttemptEnd end = EndOf(subject.record, array, loop_->WallNow().value);
    const std::string id = subject.id;
    AddStep(plan, StepKind::kEndArray, id, id, lead_->transitions.EndArray(std::move(subject), end));
    return;
  }
  if (closing == task::v1::CANCELLED) {
    CancelElements(subject, array);
  } else if (closing == task::v1::STATE_UNSPECIFIED) {
    HandOutElements(subject, array, room, plan);
    if (subject.record.state() != task::v1::READY) return;
    const std::string id = subject.id;
    AddStep(plan, StepKind::kHandOut, id, id, lead_->transitions.BeginArray(std::move(subject)));
  }
}

void Planner::PlanFolds(const std::string& id, const ArrayView& array, task::v1::State closing, Plan* plan) {
  // By chunk: how elements ended. Of an array that hands out nothing more those that are free end, too.
  std::map<std::uint32_t, std::vector<std::pair<ArrayView::Position, task::v1::State>>> ends;
  for (const auto& [position, state] : array.unfolded()) ends[records::ChunkOf(position)].emplace_back(position, state);
  if (closing != task::v1::STATE_UNSPECIFIED && array.free() > HandingOut(id)) {
    const auto handing_out = handing_out_.find(id);
    for (auto position = array.NextFree(0); position < array.size(); position = array.NextFree(position + 1)) {
      const std::uint32_t index = records::IndexAt(array.array(), position);
      const bool on_its_way = handing_out != handing_out_.end() && handing_out->second.contains(index);
      if (!on_its_way) ends[records::ChunkOf(position)].emplace_back(position, closing);
    }
  }
  for (const auto& [number, elements] : ends) {
    const std::string key = ChunkKey(id, number);
    if (in_flight(key)) continue;  // what has ended meanwhile is folded together after it
    const auto known = array.chunks().find(number);
    worker::v1::ArrayChunk chunk = known == array.chunks().end() ? worker::v1::ArrayChunk() : known->second.chunk;
    records::MoveTo(array.life(), &chunk);
    for (const auto& [position, state] : elements) records::SetStateIn(&chunk, position, state);
    AddStep(plan, StepKind::kFold, key, id,
            lead_->transitions.SetChunk(id, number, chunk, known == array.chunks().end() ? nullptr : &known->second));
  }
}

void Planner::HandOutElements(const Subject& subject, const ArrayView& array, std::size_t* room, Plan* plan) {
  const std::string& id = subject.id;
  std::set<std::uint32_t>& handing_out = handing_out_[id];
  // Looked at again when an element ends, or one on its way is answered.
  const auto may_go_on = [&] {
    const std::size_t under_way = array.live().size() + handing_out.size();
    const std::uint32_t running_max = array.array().running_max();
    return array.free() > handing_out.size() && array.ready() + handing_out.size() < options_.array_ahead &&
           under_way < options_.array_under_way_max && (running_max == 0 || under_way < running_max) &&
           lead_->committer->outstanding() + plan->steps.size() < options_.in_flight_max;
  };
  for (auto position = array.NextFree(0); position < array.size() && may_go_on(); position = array.NextFree(position + 1)) {
    const std::uint32_t index = records::IndexAt(array.array(), position);
    if (handing_out.contains(index)) continue;
    if (*room == 0) {
      arrays_due_.insert(id);
      WakeUp();
      break;
    }
    --*room;
    HandOutElement(subject, index, plan);
  }
  if (handing_out.empty()) handing_out_.erase(id);
}

void Planner::HandOutElement(const Subject& array, std::uint32_t index, Plan* plan) {
  const std::string id = records::ElementId(array.id, index);
  if (in_flight(id)) return;  // of an earlier life: it is being retired
  worker::v1::TaskRecord record = records::ElementOf(array.record);
  record.set_eligible_at(hooks_.cluster_now_ms());
  std::optional<Subject> ended;
  if (const TaskView* known = view_->Find(id)) {
    auto before = known->Decode();
    ended = Subject{id, known->mzxid, before.ok() ? *std::move(before) : worker::v1::TaskRecord()};
  }
  const TaskRef ref = view_->Pin(id);
  const std::optional<Target> target = PlaceNew(ref, record);
  handing_out_[array.id].insert(index);
  AddStep(plan, StepKind::kHandOut, id, id,
          lead_->transitions.HandOut(array.id, id, std::move(record), ended, target, loop_->WallNow().value),
          [this, generation = generation_, ref, id](const CommitResult&) {
            if (generation == generation_) Unpin(ref, id);
          });
}

void Planner::CancelElements(const Subject& array, const ArrayView& view) {
  std::size_t room = kCancelsAtATime;
  for (const auto& [position, state] : view.live()) {
    if (room == 0) return;
    const std::string id = records::ElementId(array.id, records::IndexAt(view.array(), position));
    const TaskView* task = view_->Find(id);
    if (task == nullptr || in_flight(id)) continue;
    if (state == task::v1::ASSIGNED || state == task::v1::RUNNING) {
      const auto record = task->Decode();
      const AssignmentView* assignment = record.ok() ? view_->FindAssignment(record->worker(), id) : nullptr;
      if (assignment == nullptr || assignment->data.cancel()) continue;
    }
    --room;
    if (!cancellations_.contains(id)) Cancel(id, std::string(array.record.sentence()), [](const CancelResult&) {});
  }
}

void Planner::CancelFree(const std::string& id, const records::Element& element, Plan* plan) {
  using Kind = CancelResult::Kind;
  const std::string array_id(element.array);
  const ArrayView* array = view_->FindArray(array_id);
  const auto position = array == nullptr || array->size() == 0 ? std::nullopt : records::PositionOf(array->array(), element.index);
  if (!position.has_value()) return AnswerCancellation(id, {Kind::kNotFound, "no such task"});
  const TaskView* whole = view_->Find(array_id);
  const bool ended = array->EndOf(*position) != task::v1::STATE_UNSPECIFIED || array->IsUnfolded(element.index) ||
                     whole == nullptr || records::IsTerminal(whole->state);
  if (ended) return AnswerCancellation(id, {Kind::kAlreadyTerminal, ""});
  const std::uint32_t number = records::ChunkOf(*position);
  if (in_flight(ChunkKey(array_id, number))) return;  // looked at again when that is answered
  const auto known = array->chunks().find(number);
  worker::v1::ArrayChunk chunk = known == array->chunks().end() ? worker::v1::ArrayChunk() : known->second.chunk;
  records::MoveTo(array->life(), &chunk);
  records::SetStateIn(&chunk, *position, task::v1::CANCELLED);
  in_flight_.insert(id);  // nor is it handed out before the view shows that
  AddStep(plan, StepKind::kCancel, ChunkKey(array_id, number), array_id,
          lead_->transitions.SetChunk(array_id, number, chunk, known == array->chunks().end() ? nullptr : &known->second),
          [this, id](const CommitResult& result) {
            in_flight_.erase(id);
            if (result.outcome == CommitOutcome::kDone) AnswerCancellation(id, {Kind::kDone, ""});
          });
}

}  // namespace drover::master::state

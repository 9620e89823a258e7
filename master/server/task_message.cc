#include "master/server/task_message.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "master/records/array.h"
#include "master/records/codec.h"
#include "master/records/task_id.h"

namespace drover::master::server {

namespace {

// Of an array's elements that ended without success.
constexpr std::size_t kUnsuccessfulRanges = 100;

task::v1::ArrayProgress ToProgress(const state::ArrayView& array, task::v1::State state) {
  task::v1::ArrayProgress progress;
  // What has not been folded yet has ended, though.
  std::uint64_t ended[task::v1::State_ARRAYSIZE] = {};
  for (int end = 0; end < task::v1::State_ARRAYSIZE; ++end) ended[end] = array.Count(static_cast<task::v1::State>(end));
  for (const auto& [position, end] : array.unfolded()) ++ended[end];
  progress.set_elements(array.size());
  progress.set_under_way(array.live().size());
  progress.set_succeeded(ended[task::v1::SUCCEEDED]);
  progress.set_failed(ended[task::v1::FAILED]);
  progress.set_lost(ended[task::v1::LOST]);
  // One that ended before it began took its elements with it.
  const bool over = records::IsTerminal(state);
  progress.set_waiting(over ? 0 : array.free());
  progress.set_cancelled(ended[task::v1::CANCELLED] + (over ? array.free() : 0));
  for (task::v1::Array::Range& range : array.Unsuccessful(kUnsuccessfulRanges, over))
    *progress.add_unsuccessful() = std::move(range);
  return progress;
}

}  // namespace

task::v1::Task ToTask(const state::TaskView& task, const state::View& view) {
  task::v1::Task message;
  message.set_id(task.id);
  message.set_exit_code(-1);
  const auto record = task.Decode();
  if (!record.ok()) {
    message.set_sentence("its record is damaged");
    return message;
  }
  *message.mutable_policy() = record->policy();
  message.set_state(record->state());
  message.set_reason(record->reason());
  message.set_sentence(record->sentence());
  message.set_attempt(record->attempts_total());
  message.set_worker(record->worker());
  message.set_submitted_at(record->submitted_at());
  message.set_finished_at(record->finished_at());
  message.set_not_before(record->not_before());
  message.set_reruns(record->reruns());
  if (record->awaits()) {
    for (const task::v1::Dependency& dependency : record->policy().dependencies()) {
      const std::optional<task::v1::State> state = view.StateOf(dependency.task());
      if (state.has_value() && !records::IsTerminal(*state)) message.add_waits_for(dependency.task());
    }
  }
  if (task.array) {
    if (const state::ArrayView* array = view.FindArray(task.id)) *message.mutable_array() = ToProgress(*array, task.state);
  }
  *message.mutable_attempts() = record->attempts();
  if (message.attempts_size() == 0) return message;
  task::v1::Attempt* newest = message.mutable_attempts(message.attempts_size() - 1);
  const bool stands = record->state() == task::v1::ASSIGNED || record->state() == task::v1::RUNNING;
  if (stands) {
    if (const state::AssignmentView* assignment = view.FindAssignment(record->worker(), task.id)) {
      newest->set_fence(assignment->czxid.value);
      if (assignment->data.has_progress()) *message.mutable_progress() = assignment->data.progress();
    }
  }
  message.set_fence(newest->fence());
  message.set_started_at(newest->started_at());
  if (records::IsTerminal(record->state())) {
    message.set_worker(newest->worker());
    message.set_exit_code(newest->exit_code());
    message.set_signal(newest->signal());
    const worker::v1::OutputStream& result = record->output().result();
    if (record->state() == task::v1::SUCCEEDED) {
      message.set_result_size(result.size());
      if (result.size() > 0 && result.chunks() == 0) message.set_result(result.data());
    }
  }
  return message;
}

std::optional<task::v1::Task> ToElement(absl::string_view id, const state::View& view) {
  const std::optional<records::Element> element = records::ParseElement(id);
  if (!element.has_value()) return std::nullopt;
  const state::ArrayView* array = view.FindArray(element->array);
  const state::TaskView* whole = view.Find(element->array);
  if (array == nullptr || array->size() == 0 || whole == nullptr) return std::nullopt;
  const auto position = records::PositionOf(array->array(), element->index);
  const auto record = whole->Decode();
  if (!position.has_value() || !record.ok()) return std::nullopt;
  const worker::v1::TaskRecord as_handed_out = records::ElementOf(*record);
  task::v1::Task message;
  message.set_id(std::string(id));
  message.set_exit_code(-1);
  *message.mutable_policy() = as_handed_out.policy();
  message.set_submitted_at(as_handed_out.submitted_at());
  const task::v1::State end = array->EndOf(*position);
  if (end != task::v1::STATE_UNSPECIFIED) {
    message.set_state(end);
    // Of what is cancelled before it is handed out nothing but that is written down.
    if (end == task::v1::CANCELLED) message.set_reason(task::v1::CANCELLED_BY_USER);
    message.set_sentence("only how it ended is known: its record was retired, or it was never handed out");
  } else if (records::IsTerminal(whole->state)) {
    message.set_state(task::v1::CANCELLED);
    message.set_sentence("its array ended before it was handed out");
  } else {
    message.set_state(task::v1::WAITING);
    message.set_sentence("it was not handed out yet");
  }
  return message;
}

namespace {

std::string TimeText(std::int64_t ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(ms), absl::UTCTimeZone());
}

// "; before: exit code 1"
std::string Before(const task::v1::Task& task) {
  return task.sentence().empty() ? "" : absl::StrCat("; before: ", std::string(task.sentence()));
}

// "it waits for task a, which is RUNNING, and task b, which is READY"
std::string Awaited(const task::v1::Task& task, const state::View& view) {
  std::vector<std::string> parts;
  for (const std::string& id : task.waits_for()) {
    parts.push_back(absl::StrCat("task ", id, ", which is ", task::v1::State_Name(view.StateOf(id).value_or(task::v1::WAITING))));
  }
  if (parts.empty()) return "what it waited for has ended; it is about to be looked at";
  return absl::StrCat("it waits for ", absl::StrJoin(parts, ", and for "));
}

// Of an array that has begun.
std::string HandsOut(const task::v1::Task& task) {
  const task::v1::ArrayProgress& progress = task.array();
  const std::uint32_t most = task.policy().array().running_max();
  std::string sentence = absl::StrCat("of its ", progress.elements(), " elements ", progress.waiting(),
                                      " were not handed out yet, ", progress.under_way(), " are under way");
  if (most > 0) absl::StrAppend(&sentence, " (at most ", most, " at a time)");
  if (progress.waiting() == 0) return sentence;
  return absl::StrCat(sentence, ": drover list --array ", task.id(), " shows these");
}

std::string SentenceOf(const task::v1::Task& task, const state::View& view, const scheduler::Explanation& waits) {
  const bool hands_out = task.policy().has_array() && (task.state() == task::v1::READY || task.state() == task::v1::RUNNING);
  if (hands_out) return absl::StrCat(HandsOut(task), Before(task));
  switch (task.state()) {
    case task::v1::WAITING:
      if (task.not_before() == 0) return absl::StrCat(Awaited(task, view), Before(task));
      return absl::StrCat("it does not run before ", TimeText(task.not_before()), Before(task));
    case task::v1::READY:
      return absl::StrCat(waits.sentence.empty() ? "it is about to be looked at" : waits.sentence, Before(task));
    case task::v1::ASSIGNED:
      return absl::StrCat("it was given to worker ", task.worker(), ", which has not said yet that it runs");
    case task::v1::RUNNING:
      return absl::StrCat("it runs on worker ", task.worker());
    default:
      return absl::StrCat("it has ended: ", task::v1::State_Name(task.state()), task.sentence().empty() ? "" : ", ",
                          std::string(task.sentence()));
  }
}

}  // namespace

task::v1::ExplainResponse ToExplanation(const state::TaskView& task, const state::View& view,
                                        const scheduler::Scheduler& scheduler) {
  task::v1::ExplainResponse response;
  *response.mutable_task() = ToTask(task, view);
  const bool ready = task.state == task::v1::READY && !task.array;
  const scheduler::Explanation waits = ready ? scheduler.Explain(task.ref) : scheduler::Explanation();
  std::string sentence = SentenceOf(response.task(), view, waits);
  if (task.overdue_at_ms != 0) {
    absl::StrAppend(&sentence, task.array ? "; what of it was not handed out fails at " : "; it fails at ",
                    TimeText(task.overdue_at_ms), task.array ? "" : " if it has not started");
  }
  response.set_sentence(std::move(sentence));
  response.set_ahead(waits.ahead);
  for (const scheduler::WorkerVerdict& verdict : waits.workers) {
    auto* const shown = response.add_workers();
    shown->set_worker(verdict.worker);
    shown->set_suits(verdict.suits);
    shown->set_sentence(verdict.sentence);
  }
  return response;
}

task::v1::ExplainResponse ToExplanation(task::v1::Task element, const state::View& view) {
  task::v1::ExplainResponse response;
  response.set_zxid(view.zxid().value);
  const std::string array(records::ParseElement(element.id())->array);
  const state::TaskView* whole = view.Find(array);
  if (whole != nullptr && whole->state == task::v1::WAITING) {
    response.set_sentence(absl::StrCat(element.sentence(), ", for its array waits: ", SentenceOf(ToTask(*whole, view), view, {})));
    *response.mutable_task() = std::move(element);
    return response;
  }
  response.set_sentence(records::IsTerminal(element.state())
                            ? absl::StrCat("it has ended: ", task::v1::State_Name(element.state()), ", ", element.sentence())
                            : absl::StrCat(element.sentence(), ": those before it in its array are, and so many at a time"));
  *response.mutable_task() = std::move(element);
  return response;
}

}  // namespace drover::master::server

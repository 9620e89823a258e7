#include "master/server/task_message.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "master/records/codec.h"

namespace drover::master::server {

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
  *message.mutable_attempts() = record->attempts();
  if (message.attempts_size() == 0) return message;
  task::v1::Attempt* newest = message.mutable_attempts(message.attempts_size() - 1);
  const bool stands = record->state() == task::v1::ASSIGNED || record->state() == task::v1::RUNNING;
  if (stands) {
    if (const state::AssignmentView* assignment = view.FindAssignment(record->worker(), task.id)) {
      newest->set_fence(assignment->czxid.value);
    }
  }
  message.set_fence(newest->fence());
  message.set_started_at(newest->started_at());
  if (records::IsTerminal(record->state())) {
    message.set_worker(newest->worker());
    message.set_exit_code(newest->exit_code());
    message.set_signal(newest->signal());
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

std::string SentenceOf(const task::v1::Task& task, const state::View& view, const scheduler::Explanation& waits) {
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
  const bool ready = task.state == task::v1::READY;
  const scheduler::Explanation waits = ready ? scheduler.Explain(task.ref) : scheduler::Explanation();
  std::string sentence = SentenceOf(response.task(), view, waits);
  if (task.overdue_at_ms != 0) absl::StrAppend(&sentence, "; it fails at ", TimeText(task.overdue_at_ms), " if it has not started");
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

}  // namespace drover::master::server

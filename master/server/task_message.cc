#include "master/server/task_message.h"

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

}  // namespace drover::master::server

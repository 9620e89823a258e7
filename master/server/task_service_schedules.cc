// The calls about schedules.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "master/records/schedule.h"
#include "master/server/task_service.h"

namespace drover::master::server {

task::v1::Schedule TaskService::Shown(const std::string& name, const state::ScheduleView& schedule) const {
  task::v1::Schedule shown;
  const worker::v1::ScheduleRecord& record = schedule.record;
  *shown.mutable_spec() = record.spec();
  shown.mutable_spec()->set_name(name);
  shown.set_paused(record.paused());
  shown.set_created_at(record.created_ms());
  shown.set_last_at(record.last_ms());
  shown.set_last_task(record.last_task());
  shown.set_fired(record.fired());
  shown.set_note(record.note());
  shown.set_next_at(master_->planner().schedules().NextOf(name));
  if (const std::string held = master_->planner().WhyHeldBack(name); !held.empty()) {
    shown.set_note(absl::StrCat("it is due, and held back: ", held));
  }
  if (master_->planner().schedules().Find(name) != nullptr) return shown;
  const auto table = records::TimetableOf(record.spec(), record.created_ms());
  if (!table.ok()) shown.set_note(absl::StrCat("it does not fire: ", std::string(table.status().message())));
  return shown;
}

void TaskService::SetSchedule(const task::v1::SetScheduleRequest& request, Reply<task::v1::SetScheduleResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  master_->planner().SetSchedule(request.spec(), request.replace(),
                                 [this, name = request.spec().name(), reply = std::move(reply)](absl::Status status) mutable {
                                   if (!status.ok()) return reply(std::move(status));
                                   if (!master_->serving()) return reply(NotServing());
                                   task::v1::SetScheduleResponse response;
                                   const state::ScheduleView* schedule = master_->view().FindSchedule(name);
                                   if (schedule != nullptr) *response.mutable_schedule() = Shown(name, *schedule);
                                   reply(std::move(response));
                                 });
}

void TaskService::DeleteSchedule(const task::v1::DeleteScheduleRequest& request, Reply<task::v1::DeleteScheduleResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  master_->planner().DeleteSchedule(request.name(), OnlyStatus<task::v1::DeleteScheduleResponse>(std::move(reply)));
}

void TaskService::PauseSchedule(const task::v1::PauseScheduleRequest& request, Reply<task::v1::PauseScheduleResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  master_->planner().PauseSchedule(request.name(), request.paused(), OnlyStatus<task::v1::PauseScheduleResponse>(std::move(reply)));
}

void TaskService::RunSchedule(const task::v1::RunScheduleRequest& request, Reply<task::v1::RunScheduleResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  master_->planner().RunSchedule(
      request.name(), request.run(),
      [this, reply = std::move(reply)](absl::StatusOr<std::string> id, const state::SubmitResult& result) mutable {
        using Kind = state::SubmitResult::Kind;
        if (!id.ok()) return reply(id.status());
        if (result.kind == Kind::kUnavailable) return reply(absl::UnavailableError(result.sentence));
        if (result.kind == Kind::kOverloaded) return reply(absl::ResourceExhaustedError(result.sentence));
        task::v1::RunScheduleResponse response;
        response.mutable_result()->set_id(*std::move(id));
        response.mutable_result()->set_outcome(OutcomeOf(result.kind));
        response.mutable_result()->set_sentence(result.sentence);
        if (master_->ready()) response.set_zxid(master_->view().zxid().value);
        reply(std::move(response));
      });
}

void TaskService::ListSchedules(const task::v1::ListSchedulesRequest&, Reply<task::v1::ListSchedulesResponse> reply) {
  if (!master_->serving()) return reply(NotServing());
  task::v1::ListSchedulesResponse response;
  response.set_zxid(master_->view().zxid().value);
  for (const auto& [name, schedule] : master_->view().schedules()) *response.add_schedules() = Shown(name, schedule);
  reply(std::move(response));
}

}  // namespace drover::master::server

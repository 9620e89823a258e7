// Between the public plain data and the messages of TaskService. Pure; values that a newer service sends and we do not know become
// the unspecified ones.
#ifndef DROVER_CLIENT_INTERNAL_CONVERT_H_
#define DROVER_CLIENT_INTERNAL_CONVERT_H_

#include "drover/client/task.h"
#include "drover/client/task_client.h"
#include "drover/task/v1/task.pb.h"

namespace drover::client {

[[nodiscard]] task::v1::Policy ToPolicy(const TaskSpec& spec);
[[nodiscard]] task::v1::Program ToProgram(const TaskSpec& spec);
[[nodiscard]] task::v1::State ToState(State state);
[[nodiscard]] Task FromTask(const task::v1::Task& task);
[[nodiscard]] Queue FromQueue(const task::v1::Queue& queue);
[[nodiscard]] QueueSettings FromQueueSettings(const task::v1::QueueSettings& settings);
[[nodiscard]] task::v1::SetQueueRequest ToSetQueue(const std::string& name, const QueueChange& change);
[[nodiscard]] task::v1::ScheduleSpec ToScheduleSpec(const ScheduleSpec& spec);
[[nodiscard]] Schedule FromSchedule(const task::v1::Schedule& schedule);
[[nodiscard]] Worker FromWorker(const task::v1::Worker& worker);
[[nodiscard]] Master FromMaster(const task::v1::Master& master);
[[nodiscard]] SubmitResult FromSubmitResult(const task::v1::SubmitResponse::Result& result);
[[nodiscard]] CancelResult FromCancelResult(const task::v1::CancelResponse::Result& result);
[[nodiscard]] Explanation FromExplanation(const task::v1::ExplainResponse& response);
[[nodiscard]] RetryResult FromRetryResult(const task::v1::RetryResponse::Result& result);

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_CONVERT_H_

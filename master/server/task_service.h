// The calls of drover.task.v1.TaskService that have one answer, as the elected master gives them. (Streams: watch_stream.h,
// output_stream.h, upload.h; forwarding: gateway.h.)
//
// Reads come from the view: no older than what the client has seen before, and confirmed by the core where the answer is "no such
// task" or a task's end. Threads: the loop's. Callbacks may come from inside the call.
#ifndef DROVER_MASTER_SERVER_TASK_SERVICE_H_
#define DROVER_MASTER_SERVER_TASK_SERVICE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "drover/task/v1/task.pb.h"
#include "master/pool/pool_store.h"
#include "master/server/admission.h"
#include "master/server/master.h"
#include "master/server/upload_ages.h"

namespace drover::master::server {

struct TaskServiceOptions {
  std::uint32_t list_default = 100;
  std::uint32_t list_max = 10'000;
  // Tasks looked at for one page, whatever their state: keeps the loop's slice short.
  std::size_t list_scan_max = 20'000;
  std::size_t list_decode_max = 4'000;  // the same where their records are read for it
  // Of an answer; a page ends before it.
  std::size_t answer_bytes_max = std::size_t{3} << 20;
  std::size_t ids_max = 10'000;
  UploadAges uploads;
};

template <typename T>
using Reply = absl::AnyInvocable<void(absl::StatusOr<T>)>;

class TaskService {
 public:
  TaskService(base::Loop* loop, Master* master, pool::PoolStore* store, base::Random* random, TaskServiceOptions options = {});

  void GetTicket(const task::v1::GetTicketRequest& request, Reply<task::v1::GetTicketResponse> reply);
  void Submit(const task::v1::SubmitRequest& request, std::size_t encoded_bytes, Reply<task::v1::SubmitResponse> reply);
  void Get(const task::v1::GetRequest& request, Reply<task::v1::GetResponse> reply);
  void Explain(const task::v1::ExplainRequest& request, Reply<task::v1::ExplainResponse> reply);
  void List(const task::v1::ListRequest& request, Reply<task::v1::ListResponse> reply);
  void Cancel(const task::v1::CancelRequest& request, Reply<task::v1::CancelResponse> reply);
  void Retry(const task::v1::RetryRequest& request, Reply<task::v1::RetryResponse> reply);
  void SetQueue(const task::v1::SetQueueRequest& request, Reply<task::v1::SetQueueResponse> reply);
  void DeleteQueue(const task::v1::DeleteQueueRequest& request, Reply<task::v1::DeleteQueueResponse> reply);
  void ListQueues(const task::v1::ListQueuesRequest& request, Reply<task::v1::ListQueuesResponse> reply);
  void DrainWorker(const task::v1::DrainWorkerRequest& request, Reply<task::v1::DrainWorkerResponse> reply);
  void UndrainWorker(const task::v1::UndrainWorkerRequest& request, Reply<task::v1::UndrainWorkerResponse> reply);
  void SetSchedule(const task::v1::SetScheduleRequest& request, Reply<task::v1::SetScheduleResponse> reply);
  void DeleteSchedule(const task::v1::DeleteScheduleRequest& request, Reply<task::v1::DeleteScheduleResponse> reply);
  void PauseSchedule(const task::v1::PauseScheduleRequest& request, Reply<task::v1::PauseScheduleResponse> reply);
  void RunSchedule(const task::v1::RunScheduleRequest& request, Reply<task::v1::RunScheduleResponse> reply);
  void ListSchedules(const task::v1::ListSchedulesRequest& request, Reply<task::v1::ListSchedulesResponse> reply);
  void ListWorkers(const task::v1::ListWorkersRequest& request, Reply<task::v1::ListWorkersResponse> reply);
  void ListMasters(const task::v1::ListMastersRequest& request, Reply<task::v1::ListMastersResponse> reply);

 private:
  template <typename Response>
  struct Batch;
  struct Submissions;
  // `per_id(calls, i)` answers for the id of that index.
  template <typename Request, typename Response, typename PerId>
  void ForEachId(const Request& request, Reply<Response> reply, PerId per_id);
  void SubmitOne(const std::shared_ptr<Submissions>& batch, int index, const task::v1::TaskSpec& spec);
  // Looks at the uploads that it refers to, from the last one on, then goes on with Take.
  void CheckUploads(const std::shared_ptr<Submissions>& batch, int index, const std::string& id, Admitted admitted);
  void Take(const std::shared_ptr<Submissions>& batch, int index, const std::string& id, Admitted admitted);
  void StoreProgram(const std::shared_ptr<Submissions>& batch, int index, const std::string& id, Admitted admitted);
  // It is ready to be decided; in a batch whose tasks name each other, once those before it have been.
  void Decide(const std::shared_ptr<Submissions>& batch, int index, Admitted admitted);
  void DecideNow(const std::shared_ptr<Submissions>& batch, int index, Admitted admitted);
  void Refuse(const std::shared_ptr<Submissions>& batch, int index, absl::string_view sentence);
  void Fail(const std::shared_ptr<Submissions>& batch, int index, absl::Status status);
  // This one will not be decided.
  void Pass(const std::shared_ptr<Submissions>& batch, int index);
  void DecideReady(const std::shared_ptr<Submissions>& batch);
  [[nodiscard]] task::v1::Schedule Shown(const std::string& name, const state::ScheduleView& schedule) const;
  task::v1::GetResponse Look(const task::v1::GetRequest& request, bool* to_confirm) const;
  task::v1::ListResponse Page(const task::v1::ListRequest& request) const;

  base::Loop* const loop_;
  Master* const master_;
  pool::PoolStore* const store_;
  base::Random* const random_;
  const TaskServiceOptions options_;
};

// The answer of a call that says nothing but that it is done.
template <typename Response>
absl::AnyInvocable<void(absl::Status)> OnlyStatus(Reply<Response> reply) {
  return [reply = std::move(reply)](absl::Status status) mutable {
    if (!status.ok()) return reply(std::move(status));
    reply(Response());
  };
}

[[nodiscard]] task::v1::Outcome OutcomeOf(state::SubmitResult::Kind kind);

// What a master says that cannot answer now.
[[nodiscard]] absl::Status NotServing();

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_TASK_SERVICE_H_

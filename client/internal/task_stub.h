// One master's TaskService as blocking calls. The one implementation speaks gRPC; tests have another.
#ifndef DROVER_CLIENT_INTERNAL_TASK_STUB_H_
#define DROVER_CLIENT_INTERNAL_TASK_STUB_H_

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/internal/waiter.h"
#include "drover/task/v1/task.pb.h"

namespace drover::client {

struct CallLimits {
  Deadline deadline = Deadline::max();
  std::stop_token stop;  // requested: the call ends CANCELLED
};

// Any thread. The statuses are the service's (task.proto), UNAVAILABLE when it cannot be reached, DEADLINE_EXCEEDED, CANCELLED.
class TaskStub {
 public:
  virtual ~TaskStub() = default;
  virtual absl::Status GetTicket(const task::v1::GetTicketRequest& request, task::v1::GetTicketResponse* response,
                                 const CallLimits& limits) = 0;
  virtual absl::Status Submit(const task::v1::SubmitRequest& request, task::v1::SubmitResponse* response,
                              const CallLimits& limits) = 0;
  virtual absl::Status Get(const task::v1::GetRequest& request, task::v1::GetResponse* response, const CallLimits& limits) = 0;
  virtual absl::Status Explain(const task::v1::ExplainRequest& request, task::v1::ExplainResponse* response,
                               const CallLimits& limits) = 0;
  virtual absl::Status List(const task::v1::ListRequest& request, task::v1::ListResponse* response, const CallLimits& limits) = 0;
  virtual absl::Status Cancel(const task::v1::CancelRequest& request, task::v1::CancelResponse* response,
                              const CallLimits& limits) = 0;
  virtual absl::Status Retry(const task::v1::RetryRequest& request, task::v1::RetryResponse* response,
                             const CallLimits& limits) = 0;
  virtual absl::Status SetQueue(const task::v1::SetQueueRequest& request, task::v1::SetQueueResponse* response,
                                const CallLimits& limits) = 0;
  virtual absl::Status DeleteQueue(const task::v1::DeleteQueueRequest& request, task::v1::DeleteQueueResponse* response,
                                   const CallLimits& limits) = 0;
  virtual absl::Status ListQueues(const task::v1::ListQueuesRequest& request, task::v1::ListQueuesResponse* response,
                                  const CallLimits& limits) = 0;
  virtual absl::Status SetSchedule(const task::v1::SetScheduleRequest& request, task::v1::SetScheduleResponse* response,
                                   const CallLimits& limits) = 0;
  virtual absl::Status DeleteSchedule(const task::v1::DeleteScheduleRequest& request, task::v1::DeleteScheduleResponse* response,
                                      const CallLimits& limits) = 0;
  virtual absl::Status PauseSchedule(const task::v1::PauseScheduleRequest& request, task::v1::PauseScheduleResponse* response,
                                     const CallLimits& limits) = 0;
  virtual absl::Status RunSchedule(const task::v1::RunScheduleRequest& request, task::v1::RunScheduleResponse* response,
                                   const CallLimits& limits) = 0;
  virtual absl::Status ListSchedules(const task::v1::ListSchedulesRequest& request, task::v1::ListSchedulesResponse* response,
                                     const CallLimits& limits) = 0;
  virtual absl::Status DrainWorker(const task::v1::DrainWorkerRequest& request, task::v1::DrainWorkerResponse* response,
                                   const CallLimits& limits) = 0;
  virtual absl::Status UndrainWorker(const task::v1::UndrainWorkerRequest& request, task::v1::UndrainWorkerResponse* response,
                                     const CallLimits& limits) = 0;
  virtual absl::Status ListWorkers(const task::v1::ListWorkersRequest& request, task::v1::ListWorkersResponse* response,
                                   const CallLimits& limits) = 0;
  virtual absl::Status ListMasters(const task::v1::ListMastersRequest& request, task::v1::ListMastersResponse* response,
                                   const CallLimits& limits) = 0;
  // Uploads `data` as one object.
  virtual absl::Status Upload(const std::string& task_id, absl::string_view data, task::v1::UploadResponse* response,
                              const CallLimits& limits) = 0;

  // The callback returns false to end the stream (then OK).
  virtual absl::Status Watch(const task::v1::WatchRequest& request,
                             const std::function<bool(const task::v1::WatchResponse&)>& on_message, const CallLimits& limits) = 0;
  virtual absl::Status ReadOutput(const task::v1::ReadOutputRequest& request,
                                  const std::function<bool(const task::v1::ReadOutputResponse&)>& on_message,
                                  const CallLimits& limits) = 0;
};

// Makes stubs by address. Any thread.
class TaskStubs {
 public:
  virtual ~TaskStubs() = default;
  virtual std::shared_ptr<TaskStub> For(const std::string& address) = 0;
};

// Of this pool.
std::unique_ptr<TaskStubs> NewGrpcTaskStubs(const std::string& pool);

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_TASK_STUB_H_

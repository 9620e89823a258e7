#include <map>
#include <utility>

#include "client/internal/channel.h"
#include "client/internal/task_stub.h"
#include "coord/base/mutex.h"
#include "drover/task/v1/task.grpc.pb.h"
#include "master/records/paths.h"
#include "master/records/record_limits.h"

namespace drover::client {
namespace {

using task::v1::TaskService;

// A context with its limits; cancels the call when stop is requested.
struct Call {
  Call(grpc::Channel* channel, const std::string& pool, const CallLimits& limits)
      : on_stop(limits.stop, [this] { context.TryCancel(); }) {
    LetReconnect(channel, limits.deadline);
    SetDeadline(&context, limits.deadline);
    context.AddMetadata(records::kPoolKey, pool);
  }
  grpc::ClientContext context;
  std::stop_callback<std::function<void()>> on_stop;
};

class GrpcTaskStub final : public TaskStub {
 public:
  GrpcTaskStub(const std::string& address, std::string pool)
      : pool_(std::move(pool)), channel_(NewChannel(address)), stub_(TaskService::NewStub(channel_)) {}

  absl::Status GetTicket(const task::v1::GetTicketRequest& request, task::v1::GetTicketResponse* response,
                         const CallLimits& limits) override {
    return Unary(&TaskService::Stub::GetTicket, request, response, limits);
  }
  absl::Status Submit(const task::v1::SubmitRequest& request, task::v1::SubmitResponse* response,
                      const CallLimits& limits) override {
    return Unary(&TaskService::Stub::Submit, request, response, limits);
  }
  absl::Status Get(const task::v1::GetRequest& request, task::v1::GetResponse* response, const CallLimits& limits) override {
    return Unary(&TaskService::Stub::Get, request, response, limits);
  }
  absl::Status Explain(const task::v1::ExplainRequest& request, task::v1::ExplainResponse* response,
                       const CallLimits& limits) override {
    return Unary(&TaskService::Stub::Explain, request, response, limits);
  }
  absl::Status List(const task::v1::ListRequest& request, task::v1::ListResponse* response, const CallLimits& limits) override {
    return Unary(&TaskService::Stub::List, request, response, limits);
  }
  absl::Status Cancel(const task::v1::CancelRequest& request, task::v1::CancelResponse* response,
                      const CallLimits& limits) override {
    return Unary(&TaskService::Stub::Cancel, request, response, limits);
  }
  absl::Status Retry(const task::v1::RetryRequest& request, task::v1::RetryResponse* response, const CallLimits& limits) override {
    return Unary(&TaskService::Stub::Retry, request, response, limits);
  }
  absl::Status SetQueue(const task::v1::SetQueueRequest& request, task::v1::SetQueueResponse* response,
                        const CallLimits& limits) override {
    return Unary(&TaskService::Stub::SetQueue, request, response, limits);
  }
  absl::Status DeleteQueue(const task::v1::DeleteQueueRequest& request, task::v1::DeleteQueueResponse* response,
                           const CallLimits& limits) override {
    return Unary(&TaskService::Stub::DeleteQueue, request, response, limits);
  }
  absl::Status ListQueues(const task::v1::ListQueuesRequest& request, task::v1::ListQueuesResponse* response,
                          const CallLimits& limits) override {
    return Unary(&TaskService::Stub::ListQueues, request, response, limits);
  }
  absl::Status SetSchedule(const task::v1::SetScheduleRequest& request, task::v1::SetScheduleResponse* response,
                           const CallLimits& limits) override {
    return Unary(&TaskService::Stub::SetSchedule, request, response, limits);
  }
  absl::Status DeleteSchedule(const task::v1::DeleteScheduleRequest& request, task::v1::DeleteScheduleResponse* response,
                              const CallLimits& limits) override {
    return Unary(&TaskService::Stub::DeleteSchedule, request, response, limits);
  }
  absl::Status PauseSchedule(const task::v1::PauseScheduleRequest& request, task::v1::PauseScheduleResponse* response,
                             const CallLimits& limits) override {
    return Unary(&TaskService::Stub::PauseSchedule, request, response, limits);
  }
  absl::Status RunSchedule(const task::v1::RunScheduleRequest& request, task::v1::RunScheduleResponse* response,
                           const CallLimits& limits) override {
    return Unary(&TaskService::Stub::RunSchedule, request, response, limits);
  }
  absl::Status ListSchedules(const task::v1::ListSchedulesRequest& request, task::v1::ListSchedulesResponse* response,
                             const CallLimits& limits) override {
    return Unary(&TaskService::Stub::ListSchedules, request, response, limits);
  }
  absl::Status DrainWorker(const task::v1::DrainWorkerRequest& request, task::v1::DrainWorkerResponse* response,
                           const CallLimits& limits) override {
    return Unary(&TaskService::Stub::DrainWorker, request, response, limits);
  }
  absl::Status UndrainWorker(const task::v1::UndrainWorkerRequest& request, task::v1::UndrainWorkerResponse* response,
                             const CallLimits& limits) override {
    return Unary(&TaskService::Stub::UndrainWorker, request, response, limits);
  }
  absl::Status ListWorkers(const task::v1::ListWorkersRequest& request, task::v1::ListWorkersResponse* response,
                           const CallLimits& limits) override {
    return Unary(&TaskService::Stub::ListWorkers, request, response, limits);
  }
  absl::Status ListMasters(const task::v1::ListMastersRequest& request, task::v1::ListMastersResponse* response,
                           const CallLimits& limits) override {
    return Unary(&TaskService::Stub::ListMasters, request, response, limits);
  }

  absl::Status Upload(const std::string& task_id, absl::string_view data, task::v1::UploadResponse* response,
                      const CallLimits& limits) override {
    Call call(channel_.get(), pool_, limits);
    auto writer = stub_->Upload(&call.context, response);
    task::v1::UploadRequest message;
    message.mutable_header()->set_task_id(task_id);
    message.mutable_header()->set_size(data.size());
    bool open = writer->Write(message);
    while (open && !data.empty()) {
      const absl::string_view chunk = data.substr(0, records::kUploadChunkBytesMax);
      message.set_chunk(std::string(chunk));
      open = writer->Write(message);
      data.remove_prefix(chunk.size());
    }
    if (open) writer->WritesDone();
    return FromGrpc(writer->Finish(), channel_.get());  // a stream that broke says why
  }

  absl::Status Watch(const task::v1::WatchRequest& request, const std::function<bool(const task::v1::WatchResponse&)>& on_message,
                     const CallLimits& limits) override {
    Call call(channel_.get(), pool_, limits);
    return Stream<task::v1::WatchResponse>(&call, stub_->Watch(&call.context, request), on_message);
  }
  absl::Status ReadOutput(const task::v1::ReadOutputRequest& request,
                          const std::function<bool(const task::v1::ReadOutputResponse&)>& on_message,
                          const CallLimits& limits) override {
    Call call(channel_.get(), pool_, limits);
    return Stream<task::v1::ReadOutputResponse>(&call, stub_->ReadOutput(&call.context, request), on_message);
  }

 private:
  template <typename Request, typename Response>
  absl::Status Unary(grpc::Status (TaskService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                     const Request& request, Response* response, const CallLimits& limits) {
    Call call(channel_.get(), pool_, limits);
    return FromGrpc((stub_.get()->*method)(&call.context, request, response), channel_.get());
  }

  template <typename Response, typename Reader>
  absl::Status Stream(Call* call, Reader reader, const std::function<bool(const Response&)>& on_message) {
    Response message;
    while (reader->Read(&message)) {
      if (!on_message(message)) {
        call->context.TryCancel();
        while (reader->Read(&message)) {
        }
        (void)reader->Finish();
        return absl::OkStatus();
      }
    }
    return FromGrpc(reader->Finish(), channel_.get());
  }

  const std::string pool_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<TaskService::Stub> stub_;
};

class GrpcTaskStubs final : public TaskStubs {
 public:
  explicit GrpcTaskStubs(std::string pool) : pool_(std::move(pool)) {}
  std::shared_ptr<TaskStub> For(const std::string& address) override {
    base::MutexLock lock(&mu_);
    std::shared_ptr<TaskStub>& stub = stubs_[address];
    if (stub == nullptr) stub = std::make_shared<GrpcTaskStub>(address, pool_);
    return stub;
  }

 private:
  const std::string pool_;
  base::Mutex mu_;
  std::map<std::string, std::shared_ptr<TaskStub>> stubs_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<TaskStubs> NewGrpcTaskStubs(const std::string& pool) {
  return std::make_unique<GrpcTaskStubs>(pool);
}

}  // namespace drover::client

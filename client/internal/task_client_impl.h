// TaskClient on MasterCalls, with the object store as a short cut for bytes.
#ifndef DROVER_CLIENT_INTERNAL_TASK_CLIENT_IMPL_H_
#define DROVER_CLIENT_INTERNAL_TASK_CLIENT_IMPL_H_

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/internal/directory.h"
#include "client/internal/master_calls.h"
#include "client/internal/store_access.h"
#include "client/internal/task_stub.h"
#include "client/internal/waiter.h"
#include "coord/base/random.h"
#include "drover/client/task_client.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::client {

// What the client stands on; tests bring their own.
struct ClientParts {
  std::unique_ptr<Directory> directory;  // null: nothing is looked up
  std::unique_ptr<TaskStubs> stubs;
  std::unique_ptr<Waiter> waiter;
  std::unique_ptr<base::Random> random;
};

class TaskClientImpl final : public TaskClient {
 public:
  TaskClientImpl(ClientOptions options, ClientParts parts);

  absl::StatusOr<std::string> Submit(TaskSpec spec) override;
  absl::StatusOr<std::vector<SubmitResult>> SubmitAll(std::vector<TaskSpec>* specs) override;
  absl::StatusOr<Task> Get(const std::string& id) override;
  absl::StatusOr<GetResult> GetAll(const std::vector<std::string>& ids) override;
  absl::StatusOr<Explanation> Explain(const std::string& id) override;
  absl::StatusOr<TaskPage> List(const ListOptions& options) override;
  absl::Status Watch(const std::vector<std::string>& ids, const OnTask& on_task, const OnMissing& on_missing,
                     std::optional<std::chrono::steady_clock::time_point> deadline, std::stop_token stop) override;
  absl::StatusOr<std::vector<Task>> Wait(const std::vector<std::string>& ids, std::chrono::milliseconds timeout) override;
  absl::StatusOr<std::vector<CancelResult>> Cancel(const std::vector<std::string>& ids, const std::string& reason) override;
  absl::StatusOr<std::vector<RetryResult>> Retry(const std::vector<std::string>& ids) override;
  absl::Status ReadOutput(const OutputOptions& options, const OnData& on_data) override;
  absl::StatusOr<std::vector<Queue>> ListQueues() override;
  absl::StatusOr<QueueSettings> SetQueue(const std::string& name, const QueueChange& change) override;
  absl::Status DeleteQueue(const std::string& name) override;
  absl::Status SetSchedule(const ScheduleSpec& spec, bool replace) override;
  absl::Status DeleteSchedule(const std::string& name) override;
  absl::Status PauseSchedule(const std::string& name, bool paused) override;
  absl::StatusOr<SubmitResult> RunSchedule(const std::string& name) override;
  absl::StatusOr<std::vector<Schedule>> ListSchedules() override;
  absl::Status DrainWorker(const std::string& worker, std::optional<std::chrono::milliseconds> patience,
                           const std::string& reason) override;
  absl::Status UndrainWorker(const std::string& worker) override;
  absl::StatusOr<std::vector<Worker>> ListWorkers() override;
  absl::StatusOr<std::vector<Master>> ListMasters() override;

 private:
  // One idempotent unary call, with the service's method of that name.
  template <typename Request, typename Response>
  absl::Status Call(absl::Status (TaskStub::*method)(const Request&, Response*, const CallLimits&), const Request& request,
                    Response* response);
  // Watch, of at most as many as the service takes in one.
  absl::Status WatchSome(std::set<std::string> open, const OnTask& on_task, const OnMissing& on_missing,
                         std::optional<std::chrono::steady_clock::time_point> deadline, const std::stop_token& stop);
  // Adds the program to `message`: inside, or by reference to an object put for it.
  // Submits `request`, of which the results have these indexes; what is FULL again and again, for as long as one request may take.
  // What is FULL again and again, for as long as `request_timeout`.
  absl::Status RetryBatch(task::v1::RetryRequest request, std::vector<RetryResult>* results);
  absl::Status SendBatch(task::v1::SubmitRequest request, std::vector<std::size_t> sent, std::vector<SubmitResult>* results);
  absl::Status AddProgram(const TaskSpec& spec, task::v1::TaskSpec* message);
  absl::StatusOr<task::v1::ObjectRef> PutProgram(const std::string& task_id, const std::string& encoded);
  // Output of an attempt that ended, from the tree and the store; false: not to be had that way, `on_data` was not called.
  absl::StatusOr<bool> ReadEndedOutput(const OutputOptions& options, const OnData& on_data);
  absl::Status ReadFromStore(const OutputOptions& options, const worker::v1::TaskRecord& record, const OnData& on_data);
  void Saw(std::uint64_t zxid);

  const ClientOptions options_;
  const ClientParts parts_;
  MasterCalls calls_;
  StoreAccess store_;
  // The newest zxid in any answer: no later answer may show an older state.
  std::atomic<std::uint64_t> seen_zxid_{0};
};

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_TASK_CLIENT_IMPL_H_

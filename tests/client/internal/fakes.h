// Masters, tree and time that a test scripts.
#ifndef DROVER_TESTS_CLIENT_INTERNAL_FAKES_H_
#define DROVER_TESTS_CLIENT_INTERNAL_FAKES_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/internal/task_client_impl.h"
#include "coord/base/mutex.h"

namespace drover::client {

// Time passes only by waiting, or by a test's hand.
class FakeWaiter final : public Waiter {
 public:
  [[nodiscard]] Clock::time_point Now() override { return now_; }
  bool Wait(Clock::duration duration, const std::stop_token& stop) override {
    now_ += duration;
    ++waits_;
    return !stop.stop_requested();
  }
  void Advance(Clock::duration duration) { now_ += duration; }
  [[nodiscard]] int waits() const { return waits_; }

 private:
  Clock::time_point now_{std::chrono::hours(1)};
  int waits_ = 0;
};

class FakeDirectory final : public Directory {
 public:
  absl::StatusOr<std::vector<std::string>> Masters(Deadline) override {
    return ++lookups > 1 && later.has_value() ? *later : masters;
  }
  absl::StatusOr<std::optional<StoreLocation>> Store(Deadline) override { return store; }
  absl::StatusOr<std::optional<std::string>> Record(const std::string& task, Deadline) override {
    const auto found = records.find(task);
    if (found == records.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }

  std::atomic<int> lookups = 0;
  absl::StatusOr<std::vector<std::string>> masters = std::vector<std::string>{};
  std::optional<absl::StatusOr<std::vector<std::string>>> later;  // instead of `masters`, from the second look-up on
  absl::StatusOr<std::optional<StoreLocation>> store = std::optional<StoreLocation>();
  std::map<std::string, std::string> records;
};

// A master whose calls a test scripts; what is not scripted is UNIMPLEMENTED.
class FakeMaster final : public TaskStub {
 public:
  template <typename Request, typename Response>
  using Unary = std::function<absl::Status(const Request&, Response*)>;
  template <typename Request, typename Response>
  using Stream = std::function<absl::Status(const Request&, const std::function<bool(const Response&)>&, const CallLimits&)>;

  Unary<task::v1::GetTicketRequest, task::v1::GetTicketResponse> get_ticket;
  Unary<task::v1::SubmitRequest, task::v1::SubmitResponse> submit;
  Unary<task::v1::GetRequest, task::v1::GetResponse> get;
  Unary<task::v1::ExplainRequest, task::v1::ExplainResponse> explain;
  Unary<task::v1::ListRequest, task::v1::ListResponse> list;
  Unary<task::v1::CancelRequest, task::v1::CancelResponse> cancel;
  Unary<task::v1::RetryRequest, task::v1::RetryResponse> retry;
  Unary<task::v1::SetQueueRequest, task::v1::SetQueueResponse> set_queue;
  Unary<task::v1::DeleteQueueRequest, task::v1::DeleteQueueResponse> delete_queue;
  Unary<task::v1::ListQueuesRequest, task::v1::ListQueuesResponse> list_queues;
  Unary<std::string, task::v1::UploadResponse> upload;  // gets the data
  Stream<task::v1::WatchRequest, task::v1::WatchResponse> watch;
  Stream<task::v1::ReadOutputRequest, task::v1::ReadOutputResponse> read_output;

  absl::Status GetTicket(const task::v1::GetTicketRequest& r, task::v1::GetTicketResponse* a, const CallLimits&) override {
    return Answer(get_ticket, r, a);
  }
  absl::Status Submit(const task::v1::SubmitRequest& r, task::v1::SubmitResponse* a, const CallLimits&) override {
    return Answer(submit, r, a);
  }
  absl::Status Get(const task::v1::GetRequest& r, task::v1::GetResponse* a, const CallLimits&) override {
    return Answer(get, r, a);
  }
  absl::Status Explain(const task::v1::ExplainRequest& r, task::v1::ExplainResponse* a, const CallLimits&) override {
    return Answer(explain, r, a);
  }
  absl::Status List(const task::v1::ListRequest& r, task::v1::ListResponse* a, const CallLimits&) override {
    return Answer(list, r, a);
  }
  absl::Status Cancel(const task::v1::CancelRequest& r, task::v1::CancelResponse* a, const CallLimits&) override {
    return Answer(cancel, r, a);
  }
  absl::Status Retry(const task::v1::RetryRequest& r, task::v1::RetryResponse* a, const CallLimits&) override {
    return Answer(retry, r, a);
  }
  absl::Status SetQueue(const task::v1::SetQueueRequest& r, task::v1::SetQueueResponse* a, const CallLimits&) override {
    return Answer(set_queue, r, a);
  }
  absl::Status DeleteQueue(const task::v1::DeleteQueueRequest& r, task::v1::DeleteQueueResponse* a, const CallLimits&) override {
    return Answer(delete_queue, r, a);
  }
  absl::Status ListQueues(const task::v1::ListQueuesRequest& r, task::v1::ListQueuesResponse* a, const CallLimits&) override {
    return Answer(list_queues, r, a);
  }
  absl::Status SetSchedule(const task::v1::SetScheduleRequest&, task::v1::SetScheduleResponse*, const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status DeleteSchedule(const task::v1::DeleteScheduleRequest&, task::v1::DeleteScheduleResponse*,
                              const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status PauseSchedule(const task::v1::PauseScheduleRequest&, task::v1::PauseScheduleResponse*, const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status RunSchedule(const task::v1::RunScheduleRequest&, task::v1::RunScheduleResponse*, const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status ListSchedules(const task::v1::ListSchedulesRequest&, task::v1::ListSchedulesResponse*, const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status DrainWorker(const task::v1::DrainWorkerRequest&, task::v1::DrainWorkerResponse*, const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status UndrainWorker(const task::v1::UndrainWorkerRequest&, task::v1::UndrainWorkerResponse*, const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status ListWorkers(const task::v1::ListWorkersRequest&, task::v1::ListWorkersResponse*, const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status ListMasters(const task::v1::ListMastersRequest&, task::v1::ListMastersResponse*, const CallLimits&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status Upload(const std::string&, absl::string_view data, task::v1::UploadResponse* a, const CallLimits&) override {
    return Answer(upload, std::string(data), a);
  }
  absl::Status Watch(const task::v1::WatchRequest& r, const std::function<bool(const task::v1::WatchResponse&)>& on_message,
                     const CallLimits& limits) override {
    ++calls;
    return watch ? watch(r, on_message, limits) : absl::UnimplementedError("not scripted");
  }
  absl::Status ReadOutput(const task::v1::ReadOutputRequest& r,
                          const std::function<bool(const task::v1::ReadOutputResponse&)>& on_message,
                          const CallLimits& limits) override {
    ++calls;
    return read_output ? read_output(r, on_message, limits) : absl::UnimplementedError("not scripted");
  }

  std::atomic<int> calls = 0;

 private:
  template <typename Function, typename Request, typename Response>
  absl::Status Answer(const Function& function, const Request& request, Response* response) {
    ++calls;
    return function ? function(request, response) : absl::UnimplementedError("not scripted");
  }
};

class FakeMasters final : public TaskStubs {
 public:
  std::shared_ptr<TaskStub> For(const std::string& address) override { return at(address); }
  std::shared_ptr<FakeMaster> at(const std::string& address) {
    base::MutexLock lock(&mu_);
    auto& master = masters_[address];
    if (master == nullptr) master = std::make_shared<FakeMaster>();
    return master;
  }

 private:
  base::Mutex mu_;
  std::map<std::string, std::shared_ptr<FakeMaster>> masters_ ABSL_GUARDED_BY(mu_);
};

// A client on all of these. The raw pointers live as long as the client.
struct FakeCluster {
  FakeWaiter* waiter = nullptr;
  FakeDirectory* directory = nullptr;
  FakeMasters* masters = nullptr;
  std::unique_ptr<TaskClientImpl> client;

  explicit FakeCluster(ClientOptions options = {}) {
    auto parts_waiter = std::make_unique<FakeWaiter>();
    auto parts_directory = std::make_unique<FakeDirectory>();
    auto parts_masters = std::make_unique<FakeMasters>();
    waiter = parts_waiter.get();
    directory = parts_directory.get();
    masters = parts_masters.get();
    directory->masters = std::vector<std::string>{"a:1", "b:2"};
    client = std::make_unique<TaskClientImpl>(
        std::move(options), ClientParts{std::move(parts_directory), std::move(parts_masters), std::move(parts_waiter),
                                        std::make_unique<base::SeededRandom>(1)});
  }
};

}  // namespace drover::client

#endif  // DROVER_TESTS_CLIENT_INTERNAL_FAKES_H_

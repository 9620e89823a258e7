// A TaskClient for the tests of programs that use one: GoogleMock says what it answers. Needs gmock, which the other headers do
// not.
//
//   MockTaskClient client;
//   EXPECT_CALL(client, Submit(Field(&TaskSpec::name, "report"))).WillOnce(Return("t1"));
//   EXPECT_CALL(client, Wait(ElementsAre("t1"), _)).WillOnce(Return(std::vector<Task>{MadeTask("t1", State::kSucceeded)}));
//
// What is not said to be expected answers UNIMPLEMENTED. Threads: as GoogleMock has them.
#ifndef DROVER_CLIENT_INCLUDE_DROVER_CLIENT_MOCK_TASK_CLIENT_H_
#define DROVER_CLIENT_INCLUDE_DROVER_CLIENT_MOCK_TASK_CLIENT_H_

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drover/client/task_client.h"

namespace drover::client {

class MockTaskClient : public TaskClient {
 public:
  MockTaskClient() {
    const absl::Status no = absl::UnimplementedError("MockTaskClient: nothing was said of this call");
    using ::testing::Return;
    ON_CALL(*this, Submit).WillByDefault(Return(no));
    ON_CALL(*this, SubmitAll).WillByDefault(Return(no));
    ON_CALL(*this, Get).WillByDefault(Return(no));
    ON_CALL(*this, GetAll).WillByDefault(Return(no));
    ON_CALL(*this, Explain).WillByDefault(Return(no));
    ON_CALL(*this, List).WillByDefault(Return(no));
    ON_CALL(*this, Watch).WillByDefault(Return(no));
    ON_CALL(*this, Wait).WillByDefault(Return(no));
    ON_CALL(*this, Cancel).WillByDefault(Return(no));
    ON_CALL(*this, Retry).WillByDefault(Return(no));
    ON_CALL(*this, ReadOutput).WillByDefault(Return(no));
    ON_CALL(*this, ListQueues).WillByDefault(Return(no));
    ON_CALL(*this, SetQueue).WillByDefault(Return(no));
    ON_CALL(*this, DeleteQueue).WillByDefault(Return(no));
    ON_CALL(*this, SetSchedule).WillByDefault(Return(no));
    ON_CALL(*this, DeleteSchedule).WillByDefault(Return(no));
    ON_CALL(*this, PauseSchedule).WillByDefault(Return(no));
    ON_CALL(*this, RunSchedule).WillByDefault(Return(no));
    ON_CALL(*this, ListSchedules).WillByDefault(Return(no));
    ON_CALL(*this, DrainWorker).WillByDefault(Return(no));
    ON_CALL(*this, UndrainWorker).WillByDefault(Return(no));
    ON_CALL(*this, ListWorkers).WillByDefault(Return(no));
    ON_CALL(*this, ListMasters).WillByDefault(Return(no));
  }

  MOCK_METHOD(absl::StatusOr<std::string>, Submit, (TaskSpec spec), (override));
  MOCK_METHOD(absl::StatusOr<std::vector<SubmitResult>>, SubmitAll, (std::vector<TaskSpec> * specs), (override));
  MOCK_METHOD(absl::StatusOr<Task>, Get, (const std::string& id), (override));
  MOCK_METHOD(absl::StatusOr<GetResult>, GetAll, (const std::vector<std::string>& ids), (override));
  MOCK_METHOD(absl::StatusOr<Explanation>, Explain, (const std::string& id), (override));
  MOCK_METHOD(absl::StatusOr<TaskPage>, List, (const ListOptions& options), (override));
  MOCK_METHOD(absl::Status, Watch,
              (const std::vector<std::string>& ids, const OnTask& on_task, const OnMissing& on_missing,
               std::optional<std::chrono::steady_clock::time_point> deadline, std::stop_token stop),
              (override));
  MOCK_METHOD(absl::StatusOr<std::vector<Task>>, Wait, (const std::vector<std::string>& ids, std::chrono::milliseconds timeout),
              (override));
  MOCK_METHOD(absl::StatusOr<std::vector<CancelResult>>, Cancel, (const std::vector<std::string>& ids, const std::string& reason),
              (override));
  MOCK_METHOD(absl::StatusOr<std::vector<RetryResult>>, Retry, (const std::vector<std::string>& ids), (override));
  MOCK_METHOD(absl::Status, ReadOutput, (const OutputOptions& options, const OnData& on_data), (override));
  MOCK_METHOD(absl::StatusOr<std::vector<Queue>>, ListQueues, (), (override));
  MOCK_METHOD(absl::StatusOr<QueueSettings>, SetQueue, (const std::string& name, const QueueChange& change), (override));
  MOCK_METHOD(absl::Status, DeleteQueue, (const std::string& name), (override));
  MOCK_METHOD(absl::Status, SetSchedule, (const ScheduleSpec& spec, bool replace), (override));
  MOCK_METHOD(absl::Status, DeleteSchedule, (const std::string& name), (override));
  MOCK_METHOD(absl::Status, PauseSchedule, (const std::string& name, bool paused), (override));
  MOCK_METHOD(absl::StatusOr<SubmitResult>, RunSchedule, (const std::string& name), (override));
  MOCK_METHOD(absl::StatusOr<std::vector<Schedule>>, ListSchedules, (), (override));
  MOCK_METHOD(absl::Status, DrainWorker,
              (const std::string& worker, std::optional<std::chrono::milliseconds> patience, const std::string& reason),
              (override));
  MOCK_METHOD(absl::Status, UndrainWorker, (const std::string& worker), (override));
  MOCK_METHOD(absl::StatusOr<std::vector<Worker>>, ListWorkers, (), (override));
  MOCK_METHOD(absl::StatusOr<std::vector<Master>>, ListMasters, (), (override));
};

// A task that has nothing but these.
inline Task MadeTask(std::string id, State state) {
  Task task;
  task.id = std::move(id);
  task.state = state;
  return task;
}

}  // namespace drover::client

#endif  // DROVER_CLIENT_INCLUDE_DROVER_CLIENT_MOCK_TASK_CLIENT_H_

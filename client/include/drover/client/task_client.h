// A program's way to run tasks: submit, follow, cancel, read output.
//
//   auto client = drover::client::TaskClient::Create({.coord = {"127.0.0.1:7400"}});
//   auto id = (*client)->Submit({.argv = {"echo", "hello"}});
//   auto tasks = (*client)->Wait({*id}, std::chrono::minutes(1));
//   (*client)->ReadOutput({.id = *id}, [](absl::string_view data) { std::cout << data; return true; });
//
// Calls block. Each finds a master by itself (in the tree, or those that were given) and tries again, over all of them, until it
// has an answer or `request_timeout` is over: every call is safe to repeat, Submit too, because a task's id is chosen before the
// first try. Calls that wait for tasks (Watch, Wait, ReadOutput with `follow`) last as long as the tasks do, and count
// `request_timeout` from when the masters became unreachable.
//
// Errors, besides those named at a call:
//   UNAVAILABLE         no master gave an answer in time; the message says who was asked and what came back
//   INVALID_ARGUMENT    the request can never be right
//   RESOURCE_EXHAUSTED  over a documented limit, or the queue is full
//   CANCELLED           `stop` was requested
//
// Threads: any number may call at once.
#ifndef DROVER_CLIENT_INCLUDE_DROVER_CLIENT_TASK_CLIENT_H_
#define DROVER_CLIENT_INCLUDE_DROVER_CLIENT_TASK_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "drover/client/task.h"

namespace drover::client {

struct ClientOptions {
  // The coordination nodes, host:port. Used to find masters and the pool's object store.
  std::vector<std::string> coord = {"127.0.0.1:7400"};
  // If not empty: these masters, and nothing is looked up in the tree.
  std::vector<std::string> masters;
  std::string pool = "default";
  std::chrono::milliseconds request_timeout = std::chrono::seconds(30);
  // One try of a call; after that the next master is asked.
  std::chrono::milliseconds try_timeout = std::chrono::seconds(10);
  // Read and write the pool's object store directly where this host reaches it. Else everything goes through a master.
  bool use_store = true;
};

enum class SubmitOutcome {
  kAccepted,  // the task is there: made now, or by an earlier try
  kConflict,  // another spec is known under this id
  kTooOld,    // a generated id whose task may have been retired already
  kRefused,   // the sentence says which limit or rule
  kFull,      // its queue, or the pool, took no more for as long as the request's time-out
};

struct SubmitResult {
  std::string id;
  SubmitOutcome outcome = SubmitOutcome::kAccepted;
  std::string sentence;
};

enum class CancelOutcome {
  kCancelled,        // it is, or its worker has been told to stop it
  kAlreadyTerminal,  // it had ended before
  kNotFound,
  kRefused,
};

struct CancelResult {
  std::string id;
  CancelOutcome outcome = CancelOutcome::kCancelled;
  std::string sentence;
};

enum class RetryOutcome {
  kRetried,
  kNotFound,
  kRefused,  // it has not ended, or has succeeded, or its deadline is over
  kFull,     // its queue, or the pool, takes no more for now
};

struct RetryResult {
  std::string id;
  RetryOutcome outcome = RetryOutcome::kRetried;
  std::string sentence;
};

struct GetResult {
  std::vector<Task> tasks;
  std::vector<std::string> not_found;
};

struct ListOptions {
  std::vector<State> states;  // empty: all
  std::uint32_t limit = 100;  // 1 to 10,000
  std::string after;          // the `next` of the page before
  // Those alone of this queue, name or key, or held (or, if they have ended, last held) by this worker. Empty: any.
  std::string queue;
  std::string name;
  std::string key;
  std::string worker;
  // Elements of this array alone, those that were handed out. Empty: no elements, unless `worker` asks for what a worker holds.
  std::string array;
};

struct TaskPage {
  std::vector<Task> tasks;  // newest submission first; may be empty though it is not the last page
  std::string next;         // empty: that was all
};

struct OutputOptions {
  std::string id;
  std::uint32_t attempt = 0;  // 0: the newest
  OutputStream stream = OutputStream::kStdout;
  std::uint64_t offset = 0;
  // Until the attempt has ended and all of it was read.
  bool follow = false;
  std::stop_token stop;
};

class TaskClient {
 public:
  // INVALID_ARGUMENT: no endpoint, a bad address or pool. Connects to nothing yet.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<TaskClient>> Create(ClientOptions options);
  virtual ~TaskClient() = default;

  // One task: its id, or ALREADY_EXISTS (conflict), FAILED_PRECONDITION (too old), RESOURCE_EXHAUSTED or INVALID_ARGUMENT
  // (refused).
  [[nodiscard]] virtual absl::StatusOr<std::string> Submit(TaskSpec spec) = 0;
  // Any number of tasks, in batches as large as the service takes; one result for each, in order. An error means that some may have
  // been accepted; the ids stand in `specs`, so the same call again is safe.
  [[nodiscard]] virtual absl::StatusOr<std::vector<SubmitResult>> SubmitAll(std::vector<TaskSpec>* specs) = 0;

  // NOT_FOUND if there is no such task (any more).
  [[nodiscard]] virtual absl::StatusOr<Task> Get(const std::string& id) = 0;
  [[nodiscard]] virtual absl::StatusOr<GetResult> GetAll(const std::vector<std::string>& ids) = 0;
  // NOT_FOUND if there is no such task (any more).
  [[nodiscard]] virtual absl::StatusOr<Explanation> Explain(const std::string& id) = 0;
  [[nodiscard]] virtual absl::StatusOr<TaskPage> List(const ListOptions& options) = 0;

  // Hands over each task as it stands, and again whenever it has changed (states in between may be left out), until all are
  // terminal or unknown (OK), `on_task` returns false (OK), or `deadline` is over (DEADLINE_EXCEEDED). `on_missing` (may be null)
  // gets the ids that are unknown. Both are called one at a time, not always on this thread; they must not call Watch.
  using OnTask = std::function<bool(const Task&)>;
  using OnMissing = std::function<void(const std::string& id)>;
  [[nodiscard]] virtual absl::Status Watch(const std::vector<std::string>& ids, const OnTask& on_task,
                                           const OnMissing& on_missing = nullptr,
                                           std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt,
                                           std::stop_token stop = {}) = 0;
  // The tasks in the order of `ids`, all terminal. NOT_FOUND if one is unknown; DEADLINE_EXCEEDED after `timeout` (0: none).
  [[nodiscard]] virtual absl::StatusOr<std::vector<Task>> Wait(
      const std::vector<std::string>& ids, std::chrono::milliseconds timeout = std::chrono::milliseconds(0)) = 0;

  [[nodiscard]] virtual absl::StatusOr<std::vector<CancelResult>> Cancel(const std::vector<std::string>& ids,
                                                                         const std::string& reason = "") = 0;

  // Runs tasks anew, as they were submitted, that have ended, and not SUCCEEDED.
  [[nodiscard]] virtual absl::StatusOr<std::vector<RetryResult>> Retry(const std::vector<std::string>& ids) = 0;

  // Hands over the bytes in order until all that is there was read, or `on_data` returns false (OK). NOT_FOUND: no such task or
  // attempt.
  using OnData = std::function<bool(absl::string_view data)>;
  [[nodiscard]] virtual absl::Status ReadOutput(const OutputOptions& options, const OnData& on_data) = 0;

  // Those with settings and those that tasks are in, by name.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Queue>> ListQueues() = 0;
  // Says what holds for a queue from now on, and returns all that holds. INVALID_ARGUMENT: out of range; FAILED_PRECONDITION: too
  // many queues have settings.
  [[nodiscard]] virtual absl::StatusOr<QueueSettings> SetQueue(const std::string& name, const QueueChange& change) = 0;
  // Its settings go, its tasks stay. NOT_FOUND: it has none.
  [[nodiscard]] virtual absl::Status DeleteQueue(const std::string& name) = 0;
  // A task that is submitted again and again. INVALID_ARGUMENT, RESOURCE_EXHAUSTED: it will not do; ALREADY_EXISTS: there is
  // another one of this name, and it is not to be replaced; FAILED_PRECONDITION: the masters know no such time zone, or there are
  // too many.
  [[nodiscard]] virtual absl::Status SetSchedule(const ScheduleSpec& spec, bool replace) = 0;
  // The tasks that it has submitted stay. NOT_FOUND, as of the next two: there is none of this name.
  [[nodiscard]] virtual absl::Status DeleteSchedule(const std::string& name) = 0;
  // false: it goes on; times that passed meanwhile are not made up for.
  [[nodiscard]] virtual absl::Status PauseSchedule(const std::string& name, bool paused) = 0;
  // Submits its task now, besides.
  [[nodiscard]] virtual absl::StatusOr<SubmitResult> RunSchedule(const std::string& name) = 0;
  // By name.
  [[nodiscard]] virtual absl::StatusOr<std::vector<Schedule>> ListSchedules() = 0;
  // The worker is given nothing new, also after a restart, until it is undrained; what runs may end for as long as `patience` (not
  // set: for ever), and is then stopped and run elsewhere (LOST if it runs at most once). NOT_FOUND: there is none of this name.
  [[nodiscard]] virtual absl::Status DrainWorker(const std::string& worker, std::optional<std::chrono::milliseconds> patience,
                                                 const std::string& reason) = 0;
  // NOT_FOUND: it is not drained.
  [[nodiscard]] virtual absl::Status UndrainWorker(const std::string& worker) = 0;
  [[nodiscard]] virtual absl::StatusOr<std::vector<Worker>> ListWorkers() = 0;
  [[nodiscard]] virtual absl::StatusOr<std::vector<Master>> ListMasters() = 0;
};

}  // namespace drover::client

#endif  // DROVER_CLIENT_INCLUDE_DROVER_CLIENT_TASK_CLIENT_H_

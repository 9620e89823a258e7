// What a program says and learns about tasks. Plain data; copyable; any thread.
//
// Limits (over one: refused with a sentence): an id matches [A-Za-z0-9][A-Za-z0-9._-]{0,127}; program and standard input together
// 64 MiB, one argument 128 KiB less one byte (the kernel's); 16 labels of 63 bytes each way; queue 63 bytes, name 128; priority
// 0..9. Times are milliseconds since 1970-01-01 UTC, of the cluster; 0: has not happened.
#ifndef DROVER_CLIENT_INCLUDE_DROVER_CLIENT_TASK_H_
#define DROVER_CLIENT_INCLUDE_DROVER_CLIENT_TASK_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace drover::client {

// What a worker does with a task of which it lost the core's word.
enum class OnDisconnect {
  kKeep,  // runs on; its outcome counts if the assignment still stands then
  kStop,  // is killed before another copy of it may start anywhere
};

// What becomes of a submission if there is a task of its id.
enum class IfExists {
  kSameOnly,     // the same spec: it is that task; another one: refused
  kReject,       // refused
  kUseExisting,  // it is that task, whatever its spec is
  kRerunFailed,  // one that has ended, and not succeeded, is run anew by the spec that is submitted now; else as kSameOnly
};

// A task that must have ended first.
struct Dependency {
  enum class Condition {
    kSuccess,  // SUCCEEDED
    kFailure,  // FAILED or LOST
    kEnd,      // however it ends
  };
  std::string task;
  Condition condition = Condition::kSuccess;
};

struct TaskSpec {
  // Empty: the client chooses one that sorts by time of submission. The same id and spec again is the same task.
  std::string id;
  IfExists if_exists = IfExists::kSameOnly;

  std::vector<std::string> argv;
  // Instead of a command: a function of a worker's own process (drover/worker/worker.h), of this name, with `stdin_data` as its input.
  std::string handler;
  std::map<std::string, std::string> env;
  std::string cwd;  // absolute; empty: a fresh directory, removed afterwards
  std::string stdin_data;

  std::string name;
  std::string queue;                          // empty: "default"
  int priority = 0;                           // 9 first
  std::map<std::string, std::string> labels;  // the worker must have them
  std::chrono::milliseconds time_limit{0};    // of each attempt; 0: none
  int retries = 0;                            // after failures of the program itself
  // Before the first retry; doubled before each one more, up to 60 s, and then 20 % more or less. 0: at once; at most a day.
  std::chrono::milliseconds retry_backoff{1000};
  // Only after these exit codes, 1..255 (128 + N of a program that signal N killed), is it run again; empty: after every failure.
  std::vector<int> retry_exit_codes;

  // When it first may run: so long after its submission, at most 366 days, or from this time on. Not both.
  std::chrono::milliseconds delay{0};
  std::int64_t start_at_ms = 0;
  // How long after that its first attempt may still start; over it the task is FAILED, DEADLINE. 0: no limit.
  std::chrono::milliseconds start_within{0};
  // From this time on no attempt starts: FAILED, DEADLINE. 0: none.
  std::int64_t deadline_ms = 0;
  // How long after it first may run it must have ended, with all attempts and waits: FAILED, TIME_LIMIT. 0: no limit.
  std::chrono::milliseconds total_limit{0};
  // An attempt whose program has written nothing to its progress (the file DROVER_PROGRESS) for so long is ended: FAILED,
  // HEARTBEAT. 0: it need not.
  std::chrono::milliseconds heartbeat{0};

  // Only while fewer than key_max of the pool's tasks of this key hold a worker's slot does it start, whatever queues they are of.
  // At most 63 bytes; empty: no such limit.
  std::string key;
  int key_max = 1;
  // What the worker's labels must be like besides, each as text: "zone in (eu, us)", "zone notin (eu)", "zone!=eu", "gpu", "!spot",
  // "cores>8", "cores<8". At most 16.
  std::vector<std::string> rules;
  // What it takes of its worker while it has a slot there, in thousandths: {"cpu", 500} is half a CPU. At most 8. Counted, not
  // enforced.
  std::map<std::string, std::int64_t> resources;

  // It waits for all of these, at most 32, each one that is there or stands before it in the same call. If one ends otherwise than
  // it should, this one is CANCELLED, DEPENDENCY, without having run.
  std::vector<Dependency> dependencies;

  // Not empty: a task of many elements, the indexes given as text: "0-999", "1,3,7", "0-90:10", each with "%50" behind it (at most
  // so many at a time). At most 1,000,000, none over 9,999,999. Element 7 is task <id>:7, and its program sees
  // DROVER_ARRAY_INDEX=7. The id has at most 119 bytes.
  std::string array;

  bool at_most_once = false;
  OnDisconnect on_disconnect = OnDisconnect::kKeep;
};

// What can be said of a spec without asking anybody; the service checks again. OK; INVALID_ARGUMENT: it can never be right;
// RESOURCE_EXHAUSTED: over a limit. Each as one sentence. The id may be empty.
[[nodiscard]] absl::Status CheckSpec(const TaskSpec& spec);

// Values as in drover.task.v1.State.
enum class State { kUnspecified, kWaiting, kReady, kAssigned, kRunning, kSucceeded, kFailed, kCancelled, kLost };
[[nodiscard]] absl::string_view StateName(State state);  // "SUCCEEDED"
[[nodiscard]] std::optional<State> ParseState(absl::string_view name);
// Final: nothing changes such a task any more.
[[nodiscard]] bool IsTerminal(State state);

// Values as in drover.task.v1.Reason.
enum class Reason {
  kNone,
  kExitCode,
  kSignal,
  kTimeLimit,
  kCancelledByUser,
  kWorkerLost,
  kWorkerLostLimit,
  kDisconnected,
  kCouldNotStart,
  kStoreFailed,
  kDeadline,
  kDependency,
  kElements,
  kHeartbeat,
};
[[nodiscard]] absl::string_view ReasonName(Reason reason);  // "TIME_LIMIT"

struct Attempt {
  std::uint64_t fence = 0;  // grows from attempt to attempt, for ever: the program sees it as DROVER_FENCE
  std::string worker;
  std::int64_t assigned_at_ms = 0;
  std::int64_t started_at_ms = 0;
  std::int64_t finished_at_ms = 0;
  State state = State::kUnspecified;
  Reason reason = Reason::kNone;
  int exit_code = -1;
  int signal = 0;
};

// How many of an array's elements are where.
struct ArrayProgress {
  std::string array;  // as it was submitted: "0-999%50"
  std::uint64_t elements = 0;
  std::uint64_t waiting = 0;    // not handed out yet
  std::uint64_t under_way = 0;  // handed out, and not ended
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t lost = 0;
  // The indexes of those that ended without success, the first 100 ranges of them: "3", "17-19".
  std::vector<std::string> unsuccessful;
};

// What a program says of itself.
struct TaskProgress {
  std::optional<double> percent;
  std::string text;
  std::int64_t at_ms = 0;
};

struct Task {
  std::string id;
  std::string name;
  std::string queue;
  int priority = 0;
  State state = State::kUnspecified;
  Reason reason = Reason::kNone;
  std::string sentence;       // why, for people
  std::uint32_t attempt = 0;  // number of the newest, from 1; 0: none yet
  std::uint64_t fence = 0;
  std::string worker;
  int exit_code = -1;  // -1: there is none
  int signal = 0;      // 0: there is none
  std::int64_t submitted_at_ms = 0;
  std::int64_t started_at_ms = 0;
  std::int64_t finished_at_ms = 0;
  std::int64_t not_before_ms = 0;  // while kWaiting for a time: when it may run again
  std::uint32_t reruns = 0;        // how often it was run anew after its end
  std::vector<Attempt> attempts;   // the last 5, oldest first
  std::vector<Dependency> dependencies;
  std::vector<std::string> waits_for;  // while kWaiting for tasks: those that have not ended
  std::optional<ArrayProgress> array;  // of an array
  // What the running program said of itself last.
  std::optional<TaskProgress> progress;
  // How large its result is, 0: it left none; and the result, unless it is in the store (TaskClient::ReadOutput).
  std::uint64_t result_bytes = 0;
  std::optional<std::string> result;
};

// kResult: what it left as its result, once it has SUCCEEDED.
enum class OutputStream { kStdout, kStderr, kResult };

// What one worker has to do with a task that waits.
struct WorkerVerdict {
  std::string worker;
  bool suits = false;  // it could run the task, if not now
  std::string sentence;
};

// Why a task is where it is.
struct Explanation {
  Task task;
  std::string sentence;
  // While kReady: how many that can run in the same places come before it, counted up to 10,000; and each worker, by name.
  std::uint64_t ahead = 0;
  std::vector<WorkerVerdict> workers;
};

struct Worker {
  std::string id;
  std::string address;
  std::uint32_t slots = 0;
  std::uint32_t running = 0;
  std::map<std::string, std::string> labels;
  // READY; DRAINING: it is drained or stopping, and something runs; DRAINED: nothing does. One that is drained is listed also while
  // it is not there: without an address.
  std::string state;
  // In thousandths: what it has, and what its tasks take of that.
  std::map<std::string, std::int64_t> resources;
  std::map<std::string, std::int64_t> resources_taken;
  // Of one that is drained: why, since when, and (0: no such time) when it returns what runs.
  std::string drain_reason;
  std::int64_t drained_since_ms = 0;
  std::int64_t drain_deadline_ms = 0;
};

enum class Placement {
  kSpread,  // on the least loaded worker that has room
  kPack,    // on the fullest
};

// What holds for a queue; a queue without settings has these.
struct QueueSettings {
  std::uint32_t weight = 1;       // 1..1000: its share of the slots that other queues want, too
  std::uint32_t running_max = 0;  // of its tasks so many may hold a slot; 0: any number
  double starts_per_second = 0;   // 0.001..100,000; 0: any number
  std::uint32_t burst = 1;        // so many at once after a pause, 1..10,000
  bool paused = false;            // nothing of it starts
  Placement placement = Placement::kSpread;
  std::uint32_t waiting_max = 0;  // so many of its tasks may wait, delayed ones too; 0: as many as the pool takes
};

// What is set changes, the rest stays.
struct QueueChange {
  std::optional<std::uint32_t> weight;
  std::optional<std::uint32_t> running_max;
  std::optional<double> starts_per_second;
  std::optional<std::uint32_t> burst;
  std::optional<bool> paused;
  std::optional<Placement> placement;
  std::optional<std::uint32_t> waiting_max;
};

struct Queue {
  std::string name;
  bool has_settings = false;
  QueueSettings settings;
  std::uint64_t waiting = 0;  // that could run
  std::uint64_t delayed = 0;
  std::uint64_t running = 0;  // assigned or running
};

// What becomes of the times of a schedule at which no master could submit its task.
enum class MissedRuns {
  kOne,   // the last one is made up for
  kSkip,  // none is, a minute later
  kAll,   // the last 100
};

struct ScheduleSpec {
  std::string name;  // what it submits at a time is task <name>.<that time, like 20260131T120000Z>
  // Either as crontab(5) has them ("30 2 * * mon-fri", "@daily"), by the clocks of a time zone ("Europe/Berlin"; empty: UTC); what
  // falls into an hour that the clocks leave out runs at its end, into one that comes twice, in the first ...
  std::string cron;
  std::string time_zone;
  // ... or every so often from now on, 1 s to 366 days.
  std::chrono::milliseconds every{0};
  MissedRuns missed = MissedRuns::kOne;
  bool no_overlap = false;  // a time at which the task of the time before has not ended is left out
  // Without id, dependencies, start and deadline; program and policy encoded together at most 2,168 bytes.
  TaskSpec task;
};

struct Schedule {
  std::string name;
  std::string cron;
  std::string time_zone;
  std::chrono::milliseconds every{0};
  MissedRuns missed = MissedRuns::kOne;
  bool no_overlap = false;
  std::string queue;
  std::vector<std::string> argv;
  bool paused = false;
  std::int64_t created_at_ms = 0;
  std::int64_t last_at_ms = 0;  // the last time that was seen to
  std::string last_task;        // submitted then, or before
  std::uint64_t fired = 0;      // tasks that it has submitted
  std::string note;             // why nothing was submitted at that time, or is submitted though it is due
  std::int64_t next_at_ms = 0;  // 0: it is paused, or never fires again
};

struct Master {
  std::string id;
  std::string address;
  bool leader = false;
  std::uint64_t epoch = 0;
};

}  // namespace drover::client

#endif  // DROVER_CLIENT_INCLUDE_DROVER_CLIENT_TASK_H_

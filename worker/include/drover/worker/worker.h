// A C++ program as a worker: it runs tasks that name one of its handlers, in its own process.
//
//   #include "drover/worker/worker.h"
//   int main(int argc, char** argv) {
//     drover::worker::Worker worker(argc, argv);  // first thing in main: see below
//     worker.Handle("shout", [](drover::worker::Task& task) -> absl::StatusOr<std::string> {
//       return absl::AsciiStrToUpper(task.input());  // the task's result
//     });
//     const absl::Status status = worker.Run({.coord = {"127.0.0.1:7400"}});  // until SIGTERM
//     return status.ok() ? 0 : 1;
//   }
//
//   $ drover submit --handler shout --input hello
//
// What is promised of a task's program (client/GUARANTEES.md) is promised of a handler: the agent is that of drover-worker. A
// handler that returns has succeeded, and what it returns is the result; an error fails the attempt, with the status's code as its
// exit code, so that retries, --retry-on, fences, at-most-once, output and progress are as for programs. An exception is an
// INTERNAL error.
//
// No thread can be killed alone. Who is to stop (cancelled, over its time limit, the worker drains, the lease of an
// `--on-disconnect stop` task ends) is told by its stop token; if it has not returned after the grace, or by the lease's end, *the
// whole program is killed*, by its reaper: a helper process that outlives it and says which tasks died with it, so that they run
// elsewhere. (The end of the one that hangs is its own, TIME_LIMIT, HEARTBEAT or CANCELLED: it is committed half a second before,
// if the core answers within that.) That is why Worker is constructed before main does anything else: as the reaper this program
// runs again, with a hidden argument, and then the constructor does not return. A constructor of a global that starts a thread
// would harm it.
//
// Threads: Handle before Run; Run blocks; handlers run on threads of the Worker's own, as many at a time as it has slots; Stop from
// any thread.
#ifndef DROVER_WORKER_INCLUDE_DROVER_WORKER_WORKER_H_
#define DROVER_WORKER_INCLUDE_DROVER_WORKER_WORKER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace drover::worker {

// What a handler is given. Used by its thread alone, but for the stop token.
class Task {
 public:
  virtual ~Task() = default;
  [[nodiscard]] virtual const std::string& input() const = 0;
  [[nodiscard]] virtual const std::string& id() const = 0;
  [[nodiscard]] virtual std::uint32_t attempt() const = 0;
  // Grows from attempt to attempt, for ever: to be passed along to whatever must refuse an older one.
  [[nodiscard]] virtual std::uint64_t fence() const = 0;
  // Of an array's element.
  [[nodiscard]] virtual std::optional<std::uint32_t> array_index() const = 0;
  // Of the submission's --env.
  [[nodiscard]] virtual const std::map<std::string, std::string>& env() const = 0;

  // Requested: return soon, or the program is killed.
  [[nodiscard]] virtual std::stop_token stop() const = 0;
  // How far it is, 0 to 100 (less than 0: nothing is known of that), and words; also a sign of life for --heartbeat.
  virtual void SetProgress(double percent, absl::string_view text) = 0;
  // Appends to its output. Waits while more than can be taken is under way.
  virtual void Write(absl::string_view data) = 0;
};

using Handler = std::function<absl::StatusOr<std::string>(Task&)>;

struct WorkerOptions {
  std::vector<std::string> coord = {"127.0.0.1:7400"};  // nodes of the coordination core, host:port
  std::string pool = "default";
  std::string store;        // as --store of drover-worker; empty: the pool's
  std::string name;         // its own in the pool; empty: made of the host's name and its port
  std::uint32_t slots = 0;  // tasks at a time, at most 4,096; 0: as many as there are processors
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> resources;  // as --resource of drover-worker: {"gpu", "2"}
  // Runs programs, too, as drover-worker does. Else only tasks with a handler come here.
  bool programs = false;
  std::string work_dir;  // where the directories of programs are made; empty: TMPDIR or /tmp
  std::chrono::milliseconds session_timeout = std::chrono::seconds(6);
  std::chrono::milliseconds drain_timeout = std::chrono::minutes(10);  // how long Run, told to stop, waits for what runs
  std::chrono::milliseconds grace = std::chrono::seconds(10);          // from the stop token until the program is killed
  std::string http;                                                    // host:port of /metrics, /readyz ...; empty: none
  bool signals = true;  // SIGTERM and SIGINT stop it, a second one kills it; false: only Stop does
};

class Worker {
 public:
  // First thing in main, with its arguments. As the reaper, does not return.
  Worker(int argc, char** argv);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // A name is [A-Za-z0-9][A-Za-z0-9._-]{0,54}, used once; at most 64 of them. A bad one is what Run answers.
  void Handle(std::string name, Handler handler);

  // The same for protobuf messages (or whatever else has ParseFromString and SerializeAsString): `handler` is
  // absl::StatusOr<Response>(const Request&, Task&). Input that is no Request is INVALID_ARGUMENT.
  template <typename Request, typename Response, typename F>
  void HandleProto(std::string name, F handler) {
    Handle(std::move(name), [handler = std::move(handler)](Task& task) -> absl::StatusOr<std::string> {
      Request request;
      if (!request.ParseFromString(task.input())) return absl::InvalidArgumentError("the input is no message of the handler's");
      absl::StatusOr<Response> response = handler(request, task);
      if (!response.ok()) return response.status();
      return response->SerializeAsString();
    });
  }

  // Works until it is stopped: OK once what ran has ended, or was returned to run elsewhere. INVALID_ARGUMENT: an option or a
  // handler will not do; otherwise why it cannot work (its name is taken, another store). Once.
  [[nodiscard]] absl::Status Run(const WorkerOptions& options);
  // Takes nothing new, and lets Run return when what runs has ended, at the latest after the drain time-out.
  void Stop();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::worker

#endif  // DROVER_WORKER_INCLUDE_DROVER_WORKER_WORKER_H_

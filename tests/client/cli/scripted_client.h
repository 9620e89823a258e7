// A TaskClient that a test scripts: tasks that change as they are watched, and output by attempt.
#ifndef DROVER_TESTS_CLIENT_CLI_SCRIPTED_CLIENT_H_
#define DROVER_TESTS_CLIENT_CLI_SCRIPTED_CLIENT_H_

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "drover/client/task_client.h"

namespace drover::cli {

class ScriptedClient : public client::TaskClient {
 public:
  // What Watch hands over, in order; an id that is not in it is missing.
  std::vector<client::Task> changes;
  // What Watch returns when `changes` does not end all; CANCELLED: once it is stopped.
  absl::Status watch_status = absl::DeadlineExceededError("over");
  // Output by "attempt/stdout" or "attempt/stderr"; absent: NOT_FOUND.
  std::map<std::string, std::string> output;
  // Lines of this first argument are refused.
  std::set<std::string> refused;
  std::size_t fail_submit_after = SIZE_MAX;  // batches
  std::vector<std::vector<client::TaskSpec>> batches;

  static client::Task Make(const std::string& id, client::State state, std::uint32_t attempt = 1) {
    client::Task task;
    task.id = id;
    task.state = state;
    task.attempt = attempt;
    return task;
  }

  absl::StatusOr<std::string> Submit(client::TaskSpec spec) override { return spec.id; }
  absl::StatusOr<std::vector<client::SubmitResult>> SubmitAll(std::vector<client::TaskSpec>* specs) override {
    if (batches.size() >= fail_submit_after) return absl::UnavailableError("no master");
    std::vector<client::SubmitResult> results;
    for (client::TaskSpec& spec : *specs) {
      if (spec.id.empty()) spec.id = absl::StrCat("t", ++ids_);
      const bool refuse = refused.contains(spec.argv.back());
      results.push_back({spec.id, refuse ? client::SubmitOutcome::kRefused : client::SubmitOutcome::kAccepted, refuse ? "no" : ""});
    }
    batches.push_back(*specs);
    return results;
  }
  absl::StatusOr<client::Task> Get(const std::string&) override { return absl::UnimplementedError("not scripted"); }
  absl::StatusOr<client::GetResult> GetAll(const std::vector<std::string>&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::StatusOr<client::Explanation> Explain(const std::string&) override { return absl::UnimplementedError("not scripted"); }
  absl::StatusOr<client::TaskPage> List(const client::ListOptions&) override { return absl::UnimplementedError("not scripted"); }
  absl::Status Watch(const std::vector<std::string>& ids, const OnTask& on_task, const OnMissing& on_missing,
                     std::optional<std::chrono::steady_clock::time_point>, std::stop_token stop) override {
    std::set<std::string> open(ids.begin(), ids.end());
    std::set<std::string> known;
    for (const client::Task& task : changes) known.insert(task.id);
    for (const std::string& id : ids) {
      if (!known.contains(id) && open.erase(id) > 0 && on_missing) on_missing(id);
    }
    for (const client::Task& task : changes) {
      if (!open.contains(task.id)) continue;
      if (client::IsTerminal(task.state)) open.erase(task.id);
      if (!on_task(task)) return absl::OkStatus();
    }
    if (absl::IsCancelled(watch_status)) {  // nothing more happens until the caller has enough
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any().wait(lock, stop, [] { return false; });
    }
    return open.empty() ? absl::OkStatus() : watch_status;
  }
  absl::StatusOr<std::vector<client::Task>> Wait(const std::vector<std::string>&, std::chrono::milliseconds) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::StatusOr<std::vector<client::CancelResult>> Cancel(const std::vector<std::string>&, const std::string&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::StatusOr<std::vector<client::RetryResult>> Retry(const std::vector<std::string>&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status ReadOutput(const client::OutputOptions& options, const OnData& on_data) override {
    const auto found =
        output.find(absl::StrCat(options.attempt, options.stream == client::OutputStream::kStderr ? "/stderr" : "/stdout"));
    if (found == output.end()) return absl::NotFoundError("no such attempt");
    on_data(found->second);
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<client::Queue>> ListQueues() override { return absl::UnimplementedError("not scripted"); }
  absl::StatusOr<client::QueueSettings> SetQueue(const std::string&, const client::QueueChange&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status DeleteQueue(const std::string&) override { return absl::UnimplementedError("not scripted"); }
  absl::Status SetSchedule(const client::ScheduleSpec&, bool) override { return absl::UnimplementedError("not scripted"); }
  absl::Status DeleteSchedule(const std::string&) override { return absl::UnimplementedError("not scripted"); }
  absl::Status PauseSchedule(const std::string&, bool) override { return absl::UnimplementedError("not scripted"); }
  absl::StatusOr<client::SubmitResult> RunSchedule(const std::string&) override { return absl::UnimplementedError("not scripted"); }
  absl::StatusOr<std::vector<client::Schedule>> ListSchedules() override { return absl::UnimplementedError("not scripted"); }
  absl::Status DrainWorker(const std::string&, std::optional<std::chrono::milliseconds>, const std::string&) override {
    return absl::UnimplementedError("not scripted");
  }
  absl::Status UndrainWorker(const std::string&) override { return absl::UnimplementedError("not scripted"); }
  absl::StatusOr<std::vector<client::Worker>> ListWorkers() override { return absl::UnimplementedError("not scripted"); }
  absl::StatusOr<std::vector<client::Master>> ListMasters() override { return absl::UnimplementedError("not scripted"); }

 private:
  int ids_ = 0;
};

}  // namespace drover::cli

#endif  // DROVER_TESTS_CLIENT_CLI_SCRIPTED_CLIENT_H_

#include <map>
#include <set>
#include <thread>
#include <tuple>
#include <utility>

#include "client/internal/convert.h"
#include "client/internal/task_client_impl.h"
#include "coord/base/mutex.h"
#include "master/records/task_id.h"

namespace drover::client {
namespace {

// A stream to a master that hangs looks like one on which nothing happens, so each is left after a while and opened anew; it begins
// with every task as it stands, which is the sign of life. The more tasks, the rarer.
Clock::duration StreamLifetime(std::size_t tasks) {
  return std::chrono::seconds(15) + std::chrono::milliseconds(5) * tasks;
}

// The service takes so many ids in one watch.
constexpr std::size_t kIdsPerWatch = 10'000;

// What several watches side by side have come to.
struct Joint {
  base::Mutex mu;
  absl::Status status ABSL_GUARDED_BY(mu);    // the first failure
  bool unwanted ABSL_GUARDED_BY(mu) = false;  // the caller has had enough
  std::stop_source stop;
};

}  // namespace

absl::Status TaskClientImpl::Watch(const std::vector<std::string>& ids, const OnTask& on_task, const OnMissing& on_missing,
                                   std::optional<std::chrono::steady_clock::time_point> deadline, std::stop_token stop) {
  std::set<std::string> open(ids.begin(), ids.end());
  if (open.size() <= kIdsPerWatch) return WatchSome(std::move(open), on_task, on_missing, deadline, stop);

  // Side by side, not one after the other: what ended long ago may be retired before a later watch looks at it.
  Joint joint;
  const std::stop_callback on_stop(stop, [&joint] { joint.stop.request_stop(); });
  std::vector<std::jthread> threads;
  while (!open.empty()) {
    std::set<std::string> some;
    while (!open.empty() && some.size() < kIdsPerWatch) some.insert(open.extract(open.begin()));
    threads.emplace_back([this, &joint, &on_task, &on_missing, deadline, some = std::move(some)]() mutable {
      const absl::Status status = WatchSome(
          std::move(some),
          [&](const Task& task) {
            base::MutexLock lock(&joint.mu);
            if (!joint.unwanted && !on_task(task)) {
              joint.unwanted = true;
              joint.stop.request_stop();
            }
            return !joint.unwanted;
          },
          [&](const std::string& id) {
            base::MutexLock lock(&joint.mu);
            if (!joint.unwanted && on_missing) on_missing(id);
          },
          deadline, joint.stop.get_token());
      base::MutexLock lock(&joint.mu);
      if (status.ok() || joint.unwanted) return;
      joint.status.Update(status);
      joint.stop.request_stop();
    });
  }
  threads.clear();  // joins
  base::MutexLock lock(&joint.mu);
  return joint.unwanted ? absl::OkStatus() : joint.status;
}

absl::Status TaskClientImpl::WatchSome(std::set<std::string> open, const OnTask& on_task, const OnMissing& on_missing,
                                       std::optional<std::chrono::steady_clock::time_point> deadline, const std::stop_token& stop) {
  // What was handed over last, so that a stream opened anew repeats nothing.
  std::map<std::string, std::tuple<State, std::uint32_t, std::uint64_t, std::int64_t>> known;
  bool wanted = true;
  if (open.empty()) return absl::OkStatus();

  return calls_.RunStream(StreamLifetime(open.size()), deadline.value_or(Deadline::max()), stop,
                          [&](TaskStub* stub, const CallLimits& limits, MasterCalls::News* news) -> absl::Status {
                            task::v1::WatchRequest request;
                            for (const std::string& id : open) request.add_ids(id);
                            request.set_seen_zxid(seen_zxid_.load());
                            const absl::Status status = stub->Watch(
                                request,
                                [&](const task::v1::WatchResponse& response) {
                                  *news = MasterCalls::News::kProgress;
                                  Saw(response.zxid());
                                  for (const task::v1::Task& message : response.tasks()) {
                                    const Task task = FromTask(message);
                                    if (!open.contains(task.id)) continue;
                                    const auto now = std::make_tuple(task.state, task.attempt, task.fence, task.started_at_ms);
                                    auto [before, fresh] = known.try_emplace(task.id, now);
                                    if (IsTerminal(task.state)) open.erase(task.id);
                                    if (!fresh && before->second == now) continue;
                                    before->second = now;
                                    if (!on_task(task)) return wanted = false;
                                  }
                                  for (const std::string& id : response.not_found()) {
                                    if (open.erase(id) > 0 && on_missing) on_missing(id);
                                  }
                                  return !open.empty();
                                },
                                limits);
                            if (!wanted || open.empty()) return absl::OkStatus();
                            // The master ended the stream before everything was said: it is stopping.
                            return status.ok() ? absl::UnavailableError("the stream ended early") : status;
                          });
}

absl::StatusOr<std::vector<Task>> TaskClientImpl::Wait(const std::vector<std::string>& ids, std::chrono::milliseconds timeout) {
  std::map<std::string, Task> tasks;
  std::string missing;
  std::optional<Deadline> deadline;
  if (timeout.count() > 0) deadline = parts_.waiter->Now() + timeout;
  absl::Status status = Watch(
      ids,
      [&tasks](const Task& task) {
        if (IsTerminal(task.state)) tasks[task.id] = task;
        return true;
      },
      [&missing](const std::string& id) { missing = id; }, deadline, {});
  if (!status.ok()) return status;
  if (!missing.empty()) return records::NoTaskError(missing);
  std::vector<Task> result;
  for (const std::string& id : ids) result.push_back(tasks[id]);
  return result;
}

}  // namespace drover::client

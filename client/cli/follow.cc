#include "client/cli/follow.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "master/records/task_id.h"

namespace drover::cli {

Follower::Follower(client::TaskClient* tasks, FollowOptions options)
    : tasks_(tasks), options_(std::move(options)), streams_open_(options_.streams.size()) {}

absl::StatusOr<client::Task> Follower::Run() {
  const auto stop_all = [this] {
    stop_reading_.request_stop();
    stop_watching_.request_stop();
  };
  const std::stop_callback on_stop(options_.stop, stop_all);
  std::vector<std::jthread> threads;
  for (const FollowedStream& stream : options_.streams) threads.emplace_back([this, &stream] { Stream(stream); });

  bool missing = false;
  const absl::Status watched = tasks_->Watch(
      {options_.id},
      [this](const client::Task& task) {
        base::MutexLock lock(&mu_);
        task_ = task;
        changed_.NotifyAll();
        return true;
      },
      [&missing](const std::string&) { missing = true; }, std::nullopt, stop_watching_.get_token());
  {
    base::MutexLock lock(&mu_);
    over_ = true;
    changed_.NotifyAll();
    // A watch that was stopped because all is read is no error.
    const bool read = streams_open_ == 0 && task_.has_value();
    if (missing) {
      status_.Update(records::NoTaskError(options_.id));
    } else if (!watched.ok() && !(absl::IsCancelled(watched) && read)) {
      status_.Update(watched);
    }
    if (!status_.ok()) stop_reading_.request_stop();
  }
  threads.clear();  // joins

  base::MutexLock lock(&mu_);
  if (!status_.ok()) return status_;
  return *task_;
}

void Follower::Stream(const FollowedStream& stream) {
  const absl::Status status = StreamAttempts(stream);
  base::MutexLock lock(&mu_);
  --streams_open_;
  if (!status.ok() && !absl::IsCancelled(status)) {
    status_.Update(status);
    stop_reading_.request_stop();
    stop_watching_.request_stop();
  }
  if (options_.one_attempt && streams_open_ == 0 && task_.has_value()) stop_watching_.request_stop();
}

absl::Status Follower::StreamAttempts(const FollowedStream& stream) {
  // An attempt that was asked for and will never be is asked for all the same: the service says which there are.
  for (std::uint32_t number = options_.first_attempt; AwaitAttempt(number) || options_.one_attempt; ++number) {
    client::OutputOptions output;
    output.id = options_.id;
    output.attempt = number;
    output.stream = stream.stream;
    output.follow = true;
    output.stop = stop_reading_.get_token();
    bool wanted = true;
    const absl::Status status = tasks_->ReadOutput(output, [&](absl::string_view data) { return wanted = stream.write(data); });
    if (!wanted) return absl::OkStatus();
    if (absl::IsNotFound(status) && !options_.one_attempt) {
      if (options_.note) options_.note(absl::StrCat("the output of attempt ", number, " is not kept"));
    } else if (!status.ok()) {
      return status;
    }
    if (options_.one_attempt) break;
  }
  return absl::OkStatus();
}

bool Follower::AwaitAttempt(std::uint32_t number) {
  base::MutexLock lock(&mu_);
  while (true) {
    if (task_.has_value() && task_->attempt >= number) return true;
    if (over_ || (task_.has_value() && client::IsTerminal(task_->state))) return false;
    changed_.Wait(&mu_);
  }
}

}  // namespace drover::cli

// Follows a task's output over all its attempts until it has ended.
//
// An attempt that is lost or fails may be followed by another; each attempt's output is read to its end, then the next one's.
#ifndef DROVER_CLIENT_CLI_FOLLOW_H_
#define DROVER_CLIENT_CLI_FOLLOW_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/mutex.h"
#include "drover/client/task_client.h"

namespace drover::cli {

struct FollowedStream {
  client::OutputStream stream = client::OutputStream::kStdout;
  // On a thread of its own for each stream. False: nobody reads it any more.
  std::function<bool(absl::string_view data)> write;
};

struct FollowOptions {
  std::string id;
  std::uint32_t first_attempt = 1;
  // Not the attempts after it.
  bool one_attempt = false;
  std::vector<FollowedStream> streams;
  // What happened to an attempt, for people; any thread.
  std::function<void(const std::string&)> note;
  std::stop_token stop;
};

// One following; Run once.
class Follower {
 public:
  Follower(client::TaskClient* tasks, FollowOptions options);

  // The task as it ended (or stood when its one attempt had ended), after all its output was written. NOT_FOUND: no such task,
  // or not the one attempt.
  [[nodiscard]] absl::StatusOr<client::Task> Run();

 private:
  void Stream(const FollowedStream& stream);
  absl::Status StreamAttempts(const FollowedStream& stream);
  // Blocks until attempt `number` exists; false if it never will.
  bool AwaitAttempt(std::uint32_t number);

  client::TaskClient* const tasks_;
  const FollowOptions options_;
  std::stop_source stop_reading_;   // requested: an error, or the caller's stop
  std::stop_source stop_watching_;  // requested: that, or the one attempt has been read

  base::Mutex mu_;
  base::CondVar changed_;
  std::optional<client::Task> task_ ABSL_GUARDED_BY(mu_);
  absl::Status status_ ABSL_GUARDED_BY(mu_);
  std::size_t streams_open_ ABSL_GUARDED_BY(mu_);
  bool over_ ABSL_GUARDED_BY(mu_) = false;  // nothing more will be seen of the task
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_FOLLOW_H_

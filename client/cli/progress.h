// How far many tasks have come: a bar that is drawn anew on a terminal, a line a second elsewhere.
//
//   [########............]  8 of 20 ended: 7 SUCCEEDED, 1 FAILED; 4 RUNNING, 8 READY
//
// Threads: one.
#ifndef DROVER_CLIENT_CLI_PROGRESS_H_
#define DROVER_CLIENT_CLI_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "drover/client/task.h"

namespace drover::cli {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  struct Options {
    std::size_t total = 0;
    bool terminal = false;
    std::function<void(absl::string_view)> write;
    std::function<Clock::time_point()> now = Clock::now;
  };
  explicit Progress(Options options) : options_(std::move(options)) {}

  // What became of a task; nothing was known of it before, or this. An array stands for its elements.
  void OnTask(const std::optional<client::Task>& before, const client::Task& now);
  // Makes room for other lines; the bar comes back with the next change.
  void Hide();
  // The last word.
  void Finish();

  [[nodiscard]] std::string Text() const;

 private:
  void Count(const client::Task& task, int sign);
  void Show();

  const Options options_;
  std::size_t total_ = options_.total;
  std::map<client::State, std::size_t> counts_;
  Clock::time_point shown_at_;
  bool shown_ = false;  // the bar stands on the terminal's last line
  bool stale_ = true;   // something changed since it was shown
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_PROGRESS_H_

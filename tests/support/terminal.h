// A program on a terminal of its own, as a user sits at it: what it shows, and what is typed. One thread.
#ifndef DROVER_TESTS_SUPPORT_TERMINAL_H_
#define DROVER_TESTS_SUPPORT_TERMINAL_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/await.h"

namespace drover::testing {

class Terminal {
 public:
  // Starts it. `env` is added to this process's own; TERM is xterm.
  Terminal(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env);
  // Kills it, if it still runs.
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void Type(const std::string& text);
  // Waits until it has shown `text` behind all that earlier calls have waited for. False: the deadline passed, or it has ended.
  bool AwaitText(const std::string& text, std::chrono::milliseconds deadline = kDeadline);
  // Waits for its end: its exit code, or 128 + signal.
  int Wait();
  // All that it has shown, control characters and all.
  [[nodiscard]] const std::string& shown() const { return shown_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  // What there is to read now.
  void Drain();
  [[nodiscard]] bool Reap();

  int fd_ = -1;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  std::string shown_;
  std::size_t seen_ = 0;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_TERMINAL_H_

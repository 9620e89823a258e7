// Ctrl-C and SIGTERM for commands that block: taken by a thread of its own, which calls back.
#ifndef DROVER_CLIENT_CLI_INTERRUPTS_H_
#define DROVER_CLIENT_CLI_INTERRUPTS_H_

#include <cstdint>
#include <functional>
#include <thread>

namespace drover::cli {

// From construction on, SIGINT and SIGTERM do not end the process. Construct it before any other thread is started (they inherit
// the blocked signals); one at a time.
class Interrupts {
 public:
  // `on_signal` runs on the thread of this object: `count` is 1 for the first signal, 2 for the second ...
  explicit Interrupts(std::function<void(int count, int signal)> on_signal);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  int signals_ = -1;
  int stop_ = -1;
  std::thread thread_;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_INTERRUPTS_H_

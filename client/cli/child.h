// A direct child process of `drover dev`. It gets SIGTERM when this process dies, however it dies.
//
// Threads: the one that calls Start must live as long as the child is wanted (the kernel watches that thread): the main thread.
#ifndef DROVER_CLIENT_CLI_CHILD_H_
#define DROVER_CLIENT_CLI_CHILD_H_

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace drover::cli {

struct ChildSpec {
  std::string id;
  std::vector<std::string> argv;  // argv[0]: a path, or a name looked up in PATH
  std::map<std::string, std::string> environment;
  // Output is appended here, input is /dev/null, and it is a process group of its own, so that a terminal's Ctrl-C does not reach
  // it. Empty: it shares this process's terminal, group and streams.
  std::string log;
};

class Child {
 public:
  explicit Child(ChildSpec spec) : spec_(std::move(spec)) {}

  [[nodiscard]] const ChildSpec& spec() const { return spec_; }
  [[nodiscard]] pid_t pid() const { return pid_; }  // of the last start
  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] int wait_status() const { return wait_status_; }  // of the last end, as of waitpid(2)

  // NOT_FOUND, PERMISSION_DENIED or INTERNAL if the program could not be started.
  absl::Status Start();
  // True once, when the child has ended since the last call.
  bool Reap();
  void Signal(int signal) const;

 private:
  const ChildSpec spec_;
  pid_t pid_ = -1;
  bool running_ = false;
  int wait_status_ = 0;
};

// "exit code 3", "signal 9".
[[nodiscard]] std::string DescribeEnd(int wait_status);
// As a shell shows it: the code, or 128 + signal.
[[nodiscard]] int ShellCode(int wait_status);
// This process's environment.
[[nodiscard]] std::map<std::string, std::string> CurrentEnvironment();

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_CHILD_H_

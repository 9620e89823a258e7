// A real process under test: started, watched, signalled and reaped by its id alone.
#ifndef DROVER_TESTS_SUPPORT_PROCESS_H_
#define DROVER_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drover::testing {

struct CommandResult {
  int exit_code = -1;  // 128 + signal if a signal ended it
  std::string out;
  std::string err;
};

struct CommandOptions {
  std::map<std::string, std::string> env;  // added to this process's own
  std::string input;                       // its standard input
  // The command is killed and the exit code is 124 when it has not ended by then.
  int deadline_seconds = 120;
};

// Runs a program to its end and collects what it printed, byte for byte.
CommandResult RunCommand(const std::vector<std::string>& argv, const CommandOptions& options = {});

// A program in the background. One thread. The destructor kills it with SIGKILL; the kernel does so if this process dies first.
class Process {
 public:
  // Standard output and error go to `log_path`, appended.
  Process(std::vector<std::string> argv, std::map<std::string, std::string> env, std::string log_path);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Start();  // not running
  void Signal(int signal);
  // SIGKILL, and waits until it is gone.
  void Kill();
  // SIGTERM, and waits for its end; kills it at the deadline. Returns what Wait returns.
  int Terminate();
  // Its exit code, or 128 + signal; waits for it.
  int Wait();
  // Reaps it if it has ended.
  bool running();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::string& log_path() const { return log_path_; }
  [[nodiscard]] std::string Log() const;
  std::vector<std::string>& argv() { return argv_; }
  // From its next start on.
  void SetEnvironment(const std::string& variable, const std::string& value) { env_[variable] = value; }

 private:
  std::vector<std::string> argv_;
  std::map<std::string, std::string> env_;
  const std::string log_path_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

// A free loopback port, reserved against every other test process on this machine until this one ends.
int FreePort();

// Whether a process of this id exists and is not a zombie.
bool Alive(pid_t pid);
// The ids of all processes that there are.
std::vector<pid_t> Processes();
// A process's command line; empty if it is gone or a zombie.
std::vector<std::string> ArgumentsOf(pid_t pid);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& text);

// A directory of its own below `parent` (empty: the system's temporary one), removed with all it holds when its owner goes.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& parent = "");
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_PROCESS_H_

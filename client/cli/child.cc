#include "client/cli/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace drover::cli {
namespace {

absl::Status Failed(const std::string& program, int error) {
  const std::string message = absl::StrCat("cannot run ", program, ": ", std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(message);
  if (error == EACCES) return absl::PermissionDeniedError(message);
  return absl::InternalError(message);
}

// The program's path, looked up here: nothing that may allocate runs between fork and exec.
std::string Resolve(const std::string& program, const std::map<std::string, std::string>& environment) {
  if (absl::StrContains(program, '/')) return program;
  const auto path = environment.find("PATH");
  if (path == environment.end()) return program;
  for (const absl::string_view directory : absl::StrSplit(path->second, ':')) {
    const std::string candidate = absl::StrCat(directory.empty() ? "." : directory, "/", program);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return program;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Between fork and exec: only what is safe after a fork of a process with threads. Returns the error.
int BecomeProgram(const char* path, char* const* argv, char* const* env, int log, pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) return ECHILD;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) ::signal(signal, SIG_DFL);
  if (log >= 0) {
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || setpgid(0, 0) != 0) return errno;
    if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0) return errno;
  }
  execve(path, argv, env);
  return errno;
}

}  // namespace

absl::Status Child::Start() {
  const std::string path = Resolve(spec_.argv[0], spec_.environment);
  std::vector<std::string> arguments = spec_.argv;
  std::vector<std::string> variables;
  for (const auto& [key, value] : spec_.environment) variables.push_back(absl::StrCat(key, "=", value));
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> env = Pointers(variables);
  int log = -1;
  if (!spec_.log.empty()) {
    log = open(spec_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) return Failed(spec_.log, errno);
  }
  int told[2];  // closed by a successful exec; otherwise the error comes through
  if (pipe2(told, O_CLOEXEC) != 0) {
    const int error = errno;
    if (log >= 0) close(log);
    return Failed(path, error);
  }
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    const int error = BecomeProgram(path.c_str(), argv.data(), env.data(), log, parent);
    (void)!write(told[1], &error, sizeof error);
    _exit(127);
  }
  const int fork_error = errno;
  if (log >= 0) close(log);
  close(told[1]);
  int error = 0;
  ssize_t n = 0;
  if (pid > 0) {
    do {
      n = read(told[0], &error, sizeof error);
    } while (n < 0 && errno == EINTR);
  }
  close(told[0]);
  if (pid < 0) return Failed(path, fork_error);
  if (n == static_cast<ssize_t>(sizeof error)) {
    waitpid(pid, nullptr, 0);
    return Failed(spec_.argv[0], error);
  }
  pid_ = pid;
  running_ = true;
  return absl::OkStatus();
}

bool Child::Reap() {
  if (!running_ || waitpid(pid_, &wait_status_, WNOHANG) != pid_) return false;
  running_ = false;
  return true;
}

void Child::Signal(int signal) const {
  if (running_) kill(pid_, signal);
}

std::string DescribeEnd(int wait_status) {
  if (WIFSIGNALED(wait_status)) return absl::StrCat("signal ", WTERMSIG(wait_status));
  return absl::StrCat("exit code ", WEXITSTATUS(wait_status));
}

int ShellCode(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

std::map<std::string, std::string> CurrentEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(*entry, absl::MaxSplits('=', 1));
    environment.insert(pair);
  }
  return environment;
}

}  // namespace drover::cli

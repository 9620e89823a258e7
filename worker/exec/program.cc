#include "worker/exec/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace drover::worker::exec {
namespace {

constexpr int kFailureFd = 3;

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Returns errno. A text file without an interpreter line is run by sh, as every shell does it.
int Execute(const std::string& path, const std::vector<std::string>& argv, const std::vector<std::string>& env) {
  ::execve(path.c_str(), Pointers(argv).data(), Pointers(env).data());
  if (errno != ENOEXEC) return errno;
  std::vector<std::string> script = {"sh", path};
  script.insert(script.end(), argv.begin() + 1, argv.end());
  ::execve("/bin/sh", Pointers(script).data(), Pointers(env).data());
  return errno;
}

int SearchAndExecute(const std::vector<std::string>& argv, const std::vector<std::string>& env) {
  if (absl::StrContains(argv[0], '/')) return Execute(argv[0], argv, env);
  if (argv[0].empty()) return ENOENT;
  int result = ENOENT;
  for (const std::string& entry : env) {
    if (!absl::StartsWith(entry, "PATH=")) continue;
    for (const std::string& directory : std::vector<std::string>(absl::StrSplit(entry.substr(5), ':'))) {
      const int error = Execute((directory.empty() ? "." : directory) + "/" + argv[0], argv, env);
      if (error == EACCES) {
        result = EACCES;  // remembered, but a later directory may have one that runs
      } else if (error != ENOENT && error != ENOTDIR) {
        return error;
      }
    }
  }
  return result;
}

[[noreturn]] void Fail(Stage stage, int error) {
  const LaunchFailure failure{stage, error};
  ssize_t n = 0;
  do {
    n = ::write(kFailureFd, &failure, sizeof failure);
  } while (n < 0 && errno == EINTR);
  ::_exit(127);
}

// By the system call itself: the C library refuses to touch the two signals it keeps for itself, and posix_spawn leaves them
// ignored.
void DefaultSignals() {
  const struct {
    void* handler;
    unsigned long flags;
    void* restorer;
    unsigned long mask;
  } standard{};
  for (int signal = 1; signal <= 64; ++signal) ::syscall(SYS_rt_sigaction, signal, &standard, nullptr, sizeof(unsigned long));
}

[[noreturn]] void Become(const ProgramSpec& spec, const Scratch& scratch, pid_t parent, int in, int out, int err, int failure) {
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (failure == kFailureFd) {
    ::fcntl(kFailureFd, F_SETFD, FD_CLOEXEC);
  } else {
    ::dup3(failure, kFailureFd, O_CLOEXEC);
  }
  ::closefrom(kFailureFd + 1);

  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  DefaultSignals();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  const std::string& cwd = spec.cwd.empty() ? scratch.work : spec.cwd;
  if (::chdir(cwd.c_str()) != 0) Fail(Stage::kCwd, errno);
  std::vector<std::string> env = spec.env;
  const auto add = [&](const std::string& name, const std::string& value) {
    const std::string prefix = name + "=";
    const bool given =
        std::any_of(env.begin(), env.end(), [&](const std::string& entry) { return absl::StartsWith(entry, prefix); });
    if (!given) env.push_back(prefix + value);
  };
  add("TMPDIR", scratch.tmp);
  // These are where it is heard, whatever was given.
  env.erase(std::remove_if(env.begin(), env.end(),
                           [](const std::string& entry) {
                             return absl::StartsWith(entry, "DROVER_PROGRESS=") || absl::StartsWith(entry, "DROVER_RESULT=");
                           }),
            env.end());
  add("DROVER_PROGRESS", scratch.progress);
  add("DROVER_RESULT", scratch.result);
  Fail(Stage::kExec, SearchAndExecute(spec.argv, env));
}

}  // namespace

Launched Launch(const ProgramSpec& spec, const Scratch& scratch, int in, int out, int err) {
  Launched launched;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    launched.error = errno;
    return launched;
  }
  launched.failure = Fd(ends[0]);
  const Fd write_end(ends[1]);
  const pid_t parent = ::getpid();
  launched.pid = ::fork();
  if (launched.pid == 0) Become(spec, scratch, parent, in, out, err, write_end.get());
  if (launched.pid < 0) launched.error = errno;
  return launched;
}

}  // namespace drover::worker::exec

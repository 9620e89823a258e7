#include "worker/exec/shim.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/exec/process_tree.h"
#include "worker/exec/program.h"
#include "worker/exec/scratch.h"
#include "worker/exec/wire.h"

namespace drover::worker::exec {
namespace {

constexpr std::int64_t kProgressPauseNanos = 100'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

class Shim {
 public:
  explicit Shim(ShimSetup setup) : setup_(std::move(setup)) { exit_.run = setup_.run; }

  void Run() {
    Prepare();
    if (Start()) {
      while (!ended_ && !kill_now_) Wait();
      KillDescendants(nullptr, [this] { return Reap(); });
      // If the end came before the loop saw it: was it the program's own or the failure to become it?
      if (failure_.open()) ReadFailure();
      // What it said last was said before it ended.
      ReadProgress();
    }
    const Fd result = OpenResult();
    if (const int error = RemoveTree(scratch_.path); error != 0) {
      ::dprintf(STDERR_FILENO, "drover-shim: cannot remove %s: errno %d\n", scratch_.path.c_str(), error);
    }
    // A reaper's death makes every outcome "lost", and the worker learns it from end-of-file.
    if (!orphaned_) {
      progress_due_at_ = 0;
      SayProgress();
      Flush(true);
      SendMessage(setup_.control, Pack(MessageType::kExit, exit_),
                  result.open() ? std::vector<int>{result.get()} : std::vector<int>(), true);
    }
  }

 private:
  void Prepare() {
    ::prctl(PR_SET_NAME, "drover-shim");
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    // All of them: a child between fork and exec keeps what comes for the program to be, and nothing stray ends the shim.
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGUSR1);  // beside end-of-file on `orders`
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGCHLD);
    ::sigaddset(&signals, SIGUSR1);
    signals_ = Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    timer_ = Fd(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  }

  bool Start() {
    const auto bytes = ReadAllOf(setup_.spec.get());
    auto spec = bytes ? DecodeSpec(*bytes) : std::nullopt;
    if (!spec) return NotStarted(Stage::kSpec, EIO);
    spec_ = std::move(*spec);
    if (LeaseEnded()) {
      exit_.killed_by = KilledBy::kLease;
      return NotStarted(Stage::kLease, 0);
    }
    if (const int error = MakeScratch(setup_.directory, std::to_string(setup_.run), &scratch_); error != 0) {
      return NotStarted(Stage::kDirectory, error);
    }
    // For writing, too: else it would be at its end whenever nobody has it open.
    progress_ = Fd(::open(scratch_.progress.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
    if (!progress_.open()) return NotStarted(Stage::kDirectory, errno);
    Launched launched = Launch(spec_, scratch_, setup_.in.get(), setup_.out.get(), setup_.err.get());
    if (launched.pid < 0) return NotStarted(Stage::kFork, launched.error);
    program_ = launched.pid;
    failure_ = std::move(launched.failure);
    if (spec_.time_limit_ns > 0) time_limit_at_ = BootNanos() + spec_.time_limit_ns;
    // Held open here they would keep a pipe alive that the task has closed.
    setup_.spec.Close();
    setup_.in.Close();
    setup_.out.Close();
    setup_.err.Close();
    return true;
  }

  bool NotStarted(Stage stage, int error) {
    exit_.kind = Exit::Kind::kNotStarted;
    exit_.stage = stage;
    exit_.error = error;
    return false;
  }

  [[nodiscard]] bool LeaseEnded() const { return spec_.needs_lease && BootNanos() >= setup_.lease->deadline(); }

  void Wait() {
    const std::int64_t lease = spec_.needs_lease ? setup_.lease->deadline() : kNever;
    SetTimer(std::min({time_limit_at_, kill_at_, lease, line_.has_value() && pending_.empty() ? progress_due_at_ : kNever}));
    // A negative descriptor is skipped by poll.
    pollfd fds[] = {{setup_.orders.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0},
                    {timer_.get(), POLLIN, 0},        {failure_.get(), POLLIN, 0},
                    {progress_.get(), POLLIN, 0},     {pending_.empty() ? -1 : setup_.control, POLLOUT, 0}};
    if (::poll(fds, std::size(fds), -1) < 0) return;
    if (fds[3].revents != 0) ReadFailure();
    if (fds[1].revents != 0) ReadSignals();
    // What comes too late is not to blame, and the pid is anybody's now.
    if (ended_) return;
    if (fds[0].revents != 0) ReadOrders();
    if (fds[4].revents != 0) ReadProgress();
    if (fds[5].revents != 0) Flush(false);
    SayProgress();
    CheckDeadlines();
  }

  void SetTimer(std::int64_t at) {
    itimerspec spec{};
    if (at != kNever) {
      at = std::max<std::int64_t>(at, 1);  // 0 would disarm it
      spec.it_value = {.tv_sec = at / 1'000'000'000, .tv_nsec = at % 1'000'000'000};
    }
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  }

  void CheckDeadlines() {
    const std::int64_t now = BootNanos();
    if (LeaseEnded()) {
      Blame(KilledBy::kLease);
      kill_now_ = true;
    }
    if (now >= time_limit_at_) {
      time_limit_at_ = kNever;
      Terminate(KilledBy::kTimeLimit, spec_.grace_ns);
    }
    if (now >= kill_at_) kill_now_ = true;
  }

  void Blame(KilledBy reason) {
    if (exit_.killed_by == KilledBy::kNobody) exit_.killed_by = reason;
  }

  void Terminate(KilledBy reason, std::int64_t grace_ns) {
    Blame(reason);
    if (grace_ns <= 0) {
      kill_now_ = true;
      return;
    }
    kill_at_ = std::min(kill_at_, BootNanos() + grace_ns);
    // To its process group, as a terminal would; before its setsid it has none. A stopped program could not act on it.
    for (const int signal : {SIGTERM, SIGCONT}) {
      if (::kill(-program_, signal) != 0) ::kill(program_, signal);
    }
  }

  void ReadOrders() {
    KillMessage order;
    ssize_t n = 0;
    do {
      n = ::read(setup_.orders.get(), &order, sizeof order);  // pipe writes of this size are atomic
    } while (n < 0 && errno == EINTR);
    if (n == sizeof order) {
      Terminate(order.reason, order.grace_ns);
    } else {
      orphaned_ = kill_now_ = true;
    }
  }

  void ReadSignals() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGUSR1) orphaned_ = kill_now_ = true;
    }
    Reap();
  }

  // False once there is no child left.
  bool Reap() {
    for (;;) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid < 0 && errno == EINTR) continue;
      if (pid < 0) return false;
      if (pid == 0) return true;
      if (pid == program_) Ended(status);
    }
  }

  void Ended(int status) {
    if (failure_.open()) ReadFailure();
    ended_ = true;
    if (exit_.kind == Exit::Kind::kNotStarted) return;
    exit_.kind = WIFEXITED(status) ? Exit::Kind::kExited : Exit::Kind::kSignalled;
    exit_.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    exit_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

  // Called when there is something to read, or the child has ended: it does not block for long.
  void ReadFailure() {
    LaunchFailure failure;
    ssize_t n = 0;
    do {
      n = ::read(failure_.get(), &failure, sizeof failure);
    } while (n < 0 && errno == EINTR);
    failure_.Close();
    if (n == sizeof failure) {
      NotStarted(failure.stage, failure.error);
    } else {
      pending_ = Pack(MessageType::kStarted, StartedMessage{setup_.run});
      Flush(false);
    }
  }

  // Lines that come faster than they are passed on make place for newer ones.
  void ReadProgress() {
    if (!progress_.open()) return;
    char buffer[4096];
    // A program that writes without end is not waited for.
    for (int reads = 0; reads < 16; ++reads) {
      const ssize_t n = ::read(progress_.get(), buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      for (const char c : std::string_view(buffer, static_cast<std::size_t>(n))) {
        if (c == '\n') {
          // One that only says that it lives leaves what is still to be passed on.
          if (!line_.has_value() || !partial_.empty()) line_ = partial_;
          partial_.clear();
        } else if (partial_.size() < kProgressLineBytesMax) {
          partial_ += c;
        }
      }
    }
  }

  void SayProgress() {
    if (!line_.has_value() || !pending_.empty() || failure_.open() || BootNanos() < progress_due_at_) return;
    pending_ = Pack(MessageType::kProgress, ProgressMessage{setup_.run}, *line_);
    line_.reset();
    progress_due_at_ = BootNanos() + kProgressPauseNanos;
    Flush(false);
  }

  // Everything that could write it is dead.
  Fd OpenResult() {
    const bool succeeded = exit_.kind == Exit::Kind::kExited && exit_.code == 0 && exit_.killed_by == KilledBy::kNobody;
    if (!succeeded || scratch_.result.empty()) return Fd();
    Fd result(::open(scratch_.result.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat is {};
    if (!result.open() || ::fstat(result.get(), &is) != 0 || !S_ISREG(is.st_mode)) return Fd();
    return result;
  }

  void Flush(bool wait) {
    if (pending_.empty()) return;
    if (SendMessage(setup_.control, pending_, {}, wait) != EAGAIN) pending_.clear();
  }

  ShimSetup setup_;
  ProgramSpec spec_;
  Scratch scratch_;
  Fd signals_, timer_, failure_, progress_;
  pid_t program_ = -1;
  std::string pending_;              // a message, if the socket was full
  std::string partial_;              // of its progress: a line that has not ended
  std::optional<std::string> line_;  // the newest that did, not passed on yet
  std::int64_t progress_due_at_ = 0;
  ExitMessage exit_;
  std::int64_t time_limit_at_ = kNever;
  std::int64_t kill_at_ = kNever;
  bool ended_ = false;
  bool kill_now_ = false;
  bool orphaned_ = false;
};

}  // namespace

void RunShim(ShimSetup setup) {
  Shim(std::move(setup)).Run();
  ::_exit(0);
}

}  // namespace drover::worker::exec

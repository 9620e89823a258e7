#include "worker/exec/reaper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "worker/exec/lease.h"
#include "worker/exec/process_tree.h"
#include "worker/exec/reaper_process.h"
#include "worker/exec/scratch.h"
#include "worker/exec/shim.h"
#include "worker/exec/wire.h"

namespace drover::worker::exec {
namespace {

constexpr int kWatchMs = 20;

class Reaper {
 public:
  Reaper(std::string directory, std::unique_ptr<LeasePage> lease) : lease_(std::move(lease)), directory_(std::move(directory)) {}

  // Returns the will once the worker is gone and everything is dead.
  std::string Run() {
    Prepare();
    SendMessage(kControlFd, Pack(MessageType::kHello, HelloMessage{}), {}, true);
    while (worker_lives_) {
      pollfd fds[] = {{kControlFd, POLLIN, 0}, {signals_.get(), POLLIN, 0}};
      const int ready = ::poll(fds, std::size(fds), watched_ > 0 ? kWatchMs : -1);
      LookAtPage();
      if (ready < 0) continue;
      if (fds[1].revents != 0) Collect();
      if (fds[0].revents != 0) Read((fds[0].revents & POLLHUP) == 0);
    }
    // End of file on its orders makes a shim kill its tree.
    for (auto& [pid, shim] : shims_) shim.orders.Close();
    while (!shims_.empty() || !removers_.empty()) {
      pollfd wait{signals_.get(), POLLIN, 0};
      ::poll(&wait, 1, -1);
      Collect();
    }
    RemoveTree(directory_);
    return will_;
  }

 private:
  struct Shim {
    std::uint64_t run = 0;
    Fd orders;
  };

  void Prepare() {
    ::prctl(PR_SET_NAME, "drover-reaper");
    // Only for the tree of a shim that was killed itself.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    // What ends the worker (a terminal's Ctrl-C, a service manager's SIGTERM to the group) must not end who cleans up after it.
    ::setsid();
    [[maybe_unused]] const int moved = ::chdir("/");
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    signals_ = Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  // What a worker said before it died is heard, but nothing new is started for it.
  void Read(bool may_start) {
    Received received = ReceiveMessage(kControlFd, false);
    if (received.error == EAGAIN) return;
    if (received.error != 0 || received.message.empty()) {
      worker_lives_ = false;
      return;
    }
    const absl::string_view message = received.message;
    switch (TypeOf(message)) {
      case MessageType::kStart:
        if (const auto start = Unpack<StartMessage>(message); start && may_start) Start(start->run, std::move(received.fds));
        break;
      case MessageType::kKill:
        if (const auto kill = Unpack<KillMessage>(message)) Kill(*kill);
        break;
      case MessageType::kWill:
        will_ = std::string(message.substr(1 + sizeof(WillMessage)));
        break;
      case MessageType::kWatch:
        if (const auto watch = Unpack<WatchMessage>(message)) watched_ = watch->worker;
        break;
      case MessageType::kGoodbye:
        will_.clear();
        break;
      default:
        break;
    }
  }

  // A handler that had to return has not: nothing less than its process can be ended. The rest is as after any death of it.
  void LookAtPage() {
    if (watched_ <= 0 || ::getppid() != watched_) return;
    const std::int64_t now = BootNanos(), doom = lease_->doom();
    const bool lease_over = lease_->doomed_with_lease() && now >= lease_->deadline();
    if (lease_over || (doom != 0 && now >= doom)) ::kill(watched_, SIGKILL);
  }

  void Start(std::uint64_t run, std::vector<Fd> fds) {
    int ends[2];
    if (fds.size() != kStartFds) return NotStarted(run, EMFILE);  // the kernel drops what does not fit into the table
    if (::pipe2(ends, O_CLOEXEC) != 0) return NotStarted(run, errno);
    ShimSetup setup{.run = run, .control = kControlFd, .orders = Fd(ends[0])};
    Fd orders(ends[1]);
    setup.spec = std::move(fds[0]);
    setup.in = std::move(fds[1]);
    setup.out = std::move(fds[2]);
    setup.err = std::move(fds[3]);
    setup.lease = lease_.get();
    setup.directory = directory_;
    const pid_t pid = ::fork();
    if (pid == 0) {
      // Another shim's orders held open here would hide the reaper's death from it.
      orders.Close();
      shims_.clear();
      signals_.Close();
      RunShim(std::move(setup));
    }
    if (pid < 0) return NotStarted(run, errno);
    shims_.emplace(pid, Shim{run, std::move(orders)});
  }

  static void NotStarted(std::uint64_t run, int error) {
    Report({.run = run, .kind = Exit::Kind::kNotStarted, .stage = Stage::kFork, .error = error});
  }
  static void Report(const ExitMessage& exit) { SendMessage(kControlFd, Pack(MessageType::kExit, exit), {}, true); }

  void Kill(const KillMessage& kill) {
    const auto it = std::find_if(shims_.begin(), shims_.end(), [&](const auto& shim) { return shim.second.run == kill.run; });
    if (it == shims_.end()) return;
    [[maybe_unused]] const ssize_t n = ::write(it->second.orders.get(), &kill, sizeof kill);  // fails: it is ending already
  }

  void Collect() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    }
    Reap();
    while (!killed_.empty()) {
      // Someone killed a shim. Its tree has come to this process.
      const std::vector<std::uint64_t> lost = std::exchange(killed_, {});
      KillDescendants([this](pid_t pid) { return shims_.count(pid) != 0 || removers_.count(pid) != 0; }, [this] { return Reap(); });
      for (const std::uint64_t run : lost) Remove(run);
    }
  }

  // What the shim would have done. In a process of its own: a directory may be large, and others' ends must not wait for it.
  void Remove(std::uint64_t run) {
    const pid_t pid = ::fork();
    if (pid > 0) {
      removers_.emplace(pid, run);
      return;
    }
    if (pid == 0) {
      for (auto& [shim, its] : shims_) its.orders.Close();  // held open here they would hide the reaper's death
      signals_.Close();
    }
    const std::string directory = directory_ + "/" + std::to_string(run);
    if (const int error = RemoveTree(directory); error != 0) {
      ::dprintf(STDERR_FILENO, "drover-reaper: cannot remove %s: errno %d\n", directory.c_str(), error);
    }
    if (pid == 0) ::_exit(0);
    Lost(run);  // no process could be made
  }

  void Lost(std::uint64_t run) {
    if (worker_lives_) Report({.run = run, .kind = Exit::Kind::kLost});
  }

  // False once there is no child left.
  bool Reap() {
    for (;;) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid < 0 && errno == EINTR) continue;
      if (pid < 0) return false;
      if (pid == 0) return true;
      if (const auto remover = removers_.find(pid); remover != removers_.end()) {
        Lost(remover->second);
        removers_.erase(remover);
        continue;
      }
      const auto it = shims_.find(pid);
      if (it == shims_.end()) continue;
      if (!WIFEXITED(status)) killed_.push_back(it->second.run);  // else it has reported
      shims_.erase(it);
    }
  }

  const std::unique_ptr<LeasePage> lease_;
  const std::string directory_;
  Fd signals_;
  std::map<pid_t, Shim> shims_;
  std::map<pid_t, std::uint64_t> removers_;  // of directories, by process: runs whose shims were killed
  std::vector<std::uint64_t> killed_;        // runs of shims that were killed
  std::string will_;
  bool worker_lives_ = true;
  pid_t watched_ = -1;  // the worker, if it runs handlers
};

}  // namespace

std::optional<int> RunIfReaper(int argc, char** argv, const LastWord& last_word) {
  if (argc != 3 || std::strcmp(argv[1], kReaperArgument) != 0) return std::nullopt;
  ::closefrom(kLeaseFd + 1);
  ::fcntl(kControlFd, F_SETFD, FD_CLOEXEC);
  if (::fcntl(STDERR_FILENO, F_GETFD) < 0) ::open("/dev/null", O_WRONLY);  // or a task's descriptor would get its number
  auto lease = LeasePage::Map(kLeaseFd);
  if (lease == nullptr) return 1;
  ::close(kLeaseFd);
  const std::string will = Reaper(argv[2], std::move(lease)).Run();
  ::close(kControlFd);
  if (!will.empty() && last_word) last_word(will);
  return 0;
}

}  // namespace drover::worker::exec

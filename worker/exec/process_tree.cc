#include "worker/exec/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "worker/exec/fd.h"

namespace drover::worker::exec {
namespace {

// How long one look waits for the killed to be gone before it looks again.
constexpr int kLookMs = 20;
// Descriptors held while waiting: enough to be woken by the last of them.
constexpr std::size_t kWaitedFor = 64;
// A fork bomb is caught up with in a few rounds; beyond these the kill itself thins it out.
constexpr int kFreezeRounds = 32;

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  std::uint64_t start = 0;  // in clock ticks since boot: with the pid it names one process
};

std::optional<Process> Look(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char line[1024];
  const ssize_t size = fd.open() ? ::read(fd.get(), line, sizeof line - 1) : -1;
  if (size <= 0) return std::nullopt;
  line[size] = '\0';
  // pid (any name at all) state ppid ... the 20th after the name is the start time: proc(5).
  const char* at = std::strrchr(line, ')');
  if (at == nullptr || at[1] == '\0') return std::nullopt;
  Process process{.pid = pid};
  at += 3;  // ") S"
  for (int field = 4; field <= 22; ++field) {
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(at, &end, 10);
    if (end == at) return std::nullopt;
    at = end;
    if (field == 4) process.parent = static_cast<pid_t>(value);
    if (field == 22) process.start = value;
  }
  return process;
}

std::vector<Process> LookAtAll() {
  std::vector<Process> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  if (proc == nullptr) return all;
  while (const dirent* entry = ::readdir(proc.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    if (auto process = Look(static_cast<pid_t>(std::atoi(entry->d_name)))) all.push_back(*process);
  }
  return all;
}

std::vector<Process> DescendantsOf(pid_t root, const std::function<bool(pid_t)>& spared) {
  std::multimap<pid_t, Process> by_parent;
  for (const Process& process : LookAtAll()) by_parent.emplace(process.parent, process);
  std::vector<Process> found;
  std::vector<pid_t> parents = {root};
  while (!parents.empty()) {
    const pid_t parent = parents.back();
    parents.pop_back();
    const auto [first, last] = by_parent.equal_range(parent);
    for (auto it = first; it != last; ++it) {
      if (spared != nullptr && spared(it->second.pid)) continue;
      found.push_back(it->second);
      parents.push_back(it->second.pid);
    }
  }
  return found;
}

// Through a pidfd that was checked after it was opened: a pid that came back to a stranger in between is not hit.
Fd Signal(const Process& process, int signal) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!fd.open()) return fd;
  const auto now = Look(process.pid);
  if (!now || now->start != process.start) return Fd();
  ::syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0);
  return fd;
}

}  // namespace

std::vector<pid_t> Descendants(pid_t root) {
  std::vector<pid_t> pids;
  for (const Process& process : DescendantsOf(root, nullptr)) pids.push_back(process.pid);
  return pids;
}

void KillDescendants(const std::function<bool(pid_t)>& spared, const std::function<bool()>& reap) {
  // A parent that dies while /proc is read may hide its children from that one look.
  int looks_without_any = 0;
  while (reap() && looks_without_any < 2) {
    std::map<pid_t, Process> frozen;
    for (int round = 0; round < kFreezeRounds; ++round) {
      bool grew = false;
      for (const Process& process : DescendantsOf(::getpid(), spared)) {
        Process& known = frozen[process.pid];
        if (known.start == process.start && known.pid != 0) continue;
        known = process;
        grew = true;
        Signal(process, SIGSTOP);
      }
      if (!grew) break;
    }
    looks_without_any = frozen.empty() ? looks_without_any + 1 : 0;
    std::vector<Fd> fds;
    for (const auto& [pid, process] : frozen) {
      Fd fd = Signal(process, SIGKILL);
      if (fd.open() && fds.size() < kWaitedFor) fds.push_back(std::move(fd));
    }
    // Wait until the last of them has ended (a pidfd is readable then), or a moment.
    if (!fds.empty()) {
      pollfd wait{fds.back().get(), POLLIN, 0};
      ::poll(&wait, 1, kLookMs);
    }
  }
}

}  // namespace drover::worker::exec

#include "client/cli/dev_cluster.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "client/cli/exit_code.h"
#include "drover/coord/blocking.h"

namespace drover::cli {
namespace {

using std::chrono::steady_clock;

constexpr auto kSlice = std::chrono::milliseconds(50);
constexpr auto kAskTimeout = std::chrono::milliseconds(1000);
constexpr auto kRestartAfter = std::chrono::seconds(1);
constexpr std::size_t kLogTailBytes = 600;

sigset_t WatchedSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&set, signal);
  // The terminal was closed. Not under nohup, which ignores that.
  struct sigaction hangup = {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  return set;
}

bool IsTermination(int signal) {
  return signal == SIGTERM || signal == SIGHUP;
}

bool Ends(int signal) {
  return signal == SIGINT || IsTermination(signal);
}

std::string KindName(DevServer::Kind kind) {
  switch (kind) {
    case DevServer::Kind::kCoord:
      return "coordination node";
    case DevServer::Kind::kMaster:
      return "masters";
    case DevServer::Kind::kWorker:
      return "workers";
  }
  return "";
}

std::string LogTail(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (text.size() > kLogTailBytes) text = "..." + text.substr(text.size() - kLogTailBytes);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

DevCluster::DevCluster(DevPlan plan, std::string pool, bool restart, Output* output)
    : plan_(std::move(plan)), pool_(std::move(pool)), restart_(restart), output_(output) {
  const sigset_t set = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  for (const DevServer& server : plan_.servers) servers_.push_back(Server{server.kind, server.address, Child(server.child), {}});
}

DevCluster::~DevCluster() {
  Stop(std::chrono::seconds(0));
}

int DevCluster::NextSignal(std::chrono::milliseconds timeout) {
  const sigset_t set = WatchedSignals();
  const timespec wait = {timeout.count() / 1000, timeout.count() % 1000 * 1'000'000};
  return std::max(0, sigtimedwait(&set, nullptr, &wait));
}

absl::Status DevCluster::Start(std::chrono::seconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  client::ClientOptions options;
  options.coord = absl::StrSplit(plan_.coord, ',');
  options.pool = pool_;
  options.request_timeout = kAskTimeout;
  options.try_timeout = kAskTimeout;
  auto tasks = client::TaskClient::Create(std::move(options));
  if (!tasks.ok()) return tasks.status();
  tasks_ = *std::move(tasks);

  // The core first; masters and workers find it and each other by themselves.
  if (absl::Status s = StartKind(DevServer::Kind::kCoord); !s.ok()) return s;
  if (absl::Status s = AwaitReady(DevServer::Kind::kCoord, deadline); !s.ok()) return s;
  for (DevServer::Kind kind : {DevServer::Kind::kMaster, DevServer::Kind::kWorker}) {
    if (absl::Status s = StartKind(kind); !s.ok()) return s;
  }
  for (DevServer::Kind kind : {DevServer::Kind::kMaster, DevServer::Kind::kWorker}) {
    if (absl::Status s = AwaitReady(kind, deadline); !s.ok()) return s;
  }
  for (const Server& server : servers_) Announce(server);
  // An idle link whose end nobody polls would keep a stopping server waiting for it.
  tasks_.reset();
  return absl::OkStatus();
}

absl::Status DevCluster::StartKind(DevServer::Kind kind) {
  for (Server& server : servers_) {
    if (server.kind != kind) continue;
    if (absl::Status s = server.child.Start(); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status DevCluster::AwaitReady(DevServer::Kind kind, steady_clock::time_point deadline) {
  while (!IsReady(kind)) {
    const int signal = NextSignal(kSlice);
    if (Ends(signal)) return absl::CancelledError("interrupted while starting");
    if (absl::Status s = FirstDead(); !s.ok()) return s;
    if (steady_clock::now() >= deadline) {
      for (const Server& server : servers_) {
        if (server.kind == kind) {
          return absl::UnavailableError(absl::StrCat("the ", KindName(kind), " did not get ready in time; the log of ",
                                                     server.child.spec().id, " (", server.child.spec().log,
                                                     ") ends: ", LogTail(server.child.spec().log)));
        }
      }
    }
  }
  return absl::OkStatus();
}

bool DevCluster::IsReady(DevServer::Kind kind) {
  const auto wanted =
      static_cast<std::size_t>(std::count_if(servers_.begin(), servers_.end(), [kind](const Server& s) { return s.kind == kind; }));
  switch (kind) {
    case DevServer::Kind::kCoord: {
      const std::vector<std::string> nodes = absl::StrSplit(plan_.coord, ',');
      return std::all_of(nodes.begin(), nodes.end(), [](const std::string& address) {
        auto status = coord::FetchNodeStatus(address, kAskTimeout);
        return status.ok() && status->leader_id != 0;
      });
    }
    case DevServer::Kind::kMaster: {
      if (wanted == 0) return true;
      auto masters = tasks_->ListMasters();
      return masters.ok() && masters->size() >= wanted &&
             std::any_of(masters->begin(), masters->end(), [](const client::Master& m) { return m.leader; });
    }
    case DevServer::Kind::kWorker: {
      if (wanted == 0) return true;
      auto workers = tasks_->ListWorkers();
      return workers.ok() && workers->size() >= wanted;
    }
  }
  return false;
}

absl::Status DevCluster::FirstDead() {
  for (Server& server : servers_) {
    if (!server.child.Reap()) continue;
    const ChildSpec& spec = server.child.spec();
    return absl::UnavailableError(absl::StrCat(spec.id, " ended with ", DescribeEnd(server.child.wait_status()),
                                               " while starting; its log ", spec.log, " ends: ", LogTail(spec.log)));
  }
  return absl::OkStatus();
}

void DevCluster::Announce(const Server& server) {
  const std::string& id = server.child.spec().id;
  Item item;
  item.id = id;
  item.json = {{"id", id}, {"pid", server.child.pid()}, {"address", server.address}, {"log", server.child.spec().log}};
  output_->Line(absl::StrFormat("%-10s %-8d %-21s %s", id, server.child.pid(), server.address, server.child.spec().log), item);
}

bool DevCluster::Tend() {
  bool alive = false;
  for (Server& server : servers_) {
    if (server.child.Reap()) {
      output_->Note(absl::StrCat(server.child.spec().id, " (pid ", server.child.pid(),
                                 ") died: ", DescribeEnd(server.child.wait_status()),
                                 restart_ ? "; it is started again" : "; it stays dead (--restart would start it again)"));
      server.restart_at = steady_clock::now() + kRestartAfter;
    }
    if (!server.child.running() && restart_ && steady_clock::now() >= server.restart_at) {
      if (absl::Status s = server.child.Start(); s.ok()) {
        Announce(server);
      } else {
        output_->Note(s.message());
        server.restart_at = steady_clock::now() + kRestartAfter;
      }
    }
    alive = alive || server.child.running() || restart_;
  }
  return alive;
}

int DevCluster::Run(Child* command) {
  while (true) {
    const int signal = NextSignal(kSlice);
    if (command != nullptr) {
      if (IsTermination(signal)) command->Signal(SIGTERM);
      if (command->Reap()) return ShellCode(command->wait_status());
    } else if (Ends(signal)) {
      return kOk;
    }
    if (!Tend() && command == nullptr) {
      output_->Note("nothing runs any more");
      return kOther;
    }
  }
}

void DevCluster::Stop(std::chrono::seconds grace) {
  bool hurry = false;
  for (DevServer::Kind kind : {DevServer::Kind::kWorker, DevServer::Kind::kMaster, DevServer::Kind::kCoord}) {
    const auto give_up = steady_clock::now() + grace;
    auto any_running = [&] {
      bool running = false;
      for (Server& server : servers_) {
        if (server.kind != kind) continue;
        server.child.Reap();
        running = running || server.child.running();
      }
      return running;
    };
    auto signal_all = [&](int signal) {
      for (Server& server : servers_) {
        if (server.kind == kind) server.child.Signal(signal);
      }
    };
    if (!any_running()) continue;
    signal_all(SIGTERM);
    while (any_running()) {
      if (hurry || steady_clock::now() >= give_up) signal_all(SIGKILL);
      const int signal = NextSignal(kSlice);
      hurry = hurry || Ends(signal);
    }
  }
}

}  // namespace drover::cli

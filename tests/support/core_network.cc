#include "tests/support/core_network.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <utility>

#include "tests/support/process.h"

namespace drover::testing {
namespace {

constexpr int kNobody = -1;

// Of the kernel's table, the inode of the connection between these loopback ports; empty if there is none.
std::string InodeOf(int client_port, int server_port) {
  char local[16];
  char remote[16];
  std::snprintf(local, sizeof local, "0100007F:%04X", static_cast<unsigned>(client_port));
  std::snprintf(remote, sizeof remote, "0100007F:%04X", static_cast<unsigned>(server_port));
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::istringstream lines(ReadFile(table));
    for (std::string line; std::getline(lines, line);) {
      std::istringstream fields(line);
      std::vector<std::string> field;
      for (std::string one; fields >> one;) field.push_back(one);
      const auto ends_with = [](const std::string& text, const std::string& end) {
        return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
      };
      // Sockets of the other family show the same address behind a prefix.
      if (field.size() > 9 && ends_with(field[1], local) && ends_with(field[2], remote)) return field[9];
    }
  }
  return "";
}

}  // namespace

pid_t OwnerOfConnection(int client_port, int server_port, const std::function<bool(pid_t)>& asked) {
  const std::string inode = InodeOf(client_port, server_port);
  if (inode.empty()) return 0;
  const std::string socket = "socket:[" + inode + "]";
  for (const pid_t pid : Processes()) {
    if (!asked(pid)) continue;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", ignored)) {
      if (std::filesystem::read_symlink(entry.path(), ignored) == socket) return pid;
    }
  }
  return 0;
}

CoreNetwork::CoreNetwork(const std::vector<int>& ports, std::vector<std::string> data) : data_(std::move(data)) {
  for (const int port : ports) {
    // The proxy's own port is known once it exists, and nobody knows it before that.
    const auto own = std::make_shared<std::atomic<int>>(0);
    proxies_.push_back(std::make_unique<Proxy>(port, [this, own](int client_port) { return NodeOf(client_port, *own); }));
    *own = proxies_.back()->port();
  }
}

int CoreNetwork::NodeOf(int client_port, int proxy_port) const {
  const auto node_of_process = [this](pid_t pid) {
    const std::vector<std::string> argv = ArgumentsOf(pid);
    for (std::size_t i = 0; i < data_.size(); ++i) {
      if (std::find(argv.begin(), argv.end(), data_[i]) != argv.end()) return static_cast<int>(i);
    }
    return kNobody;
  };
  const pid_t owner = OwnerOfConnection(client_port, proxy_port, [&](pid_t pid) { return node_of_process(pid) != kNobody; });
  return owner == 0 ? kNobody : node_of_process(owner);
}

void CoreNetwork::Silence(int from, int to) {
  // Each node dials the other, and the bytes of either link that come from `from` are held back.
  proxies_.at(static_cast<std::size_t>(to))->CutToServer(from);
  proxies_.at(static_cast<std::size_t>(from))->CutToClient(to);
}

void CoreNetwork::Cut(int a, int b) {
  Silence(a, b);
  Silence(b, a);
}

void CoreNetwork::Isolate(int node) {
  for (int other = 0; other < static_cast<int>(proxies_.size()); ++other) {
    if (other != node) Cut(node, other);
  }
}

void CoreNetwork::Heal() {
  for (const auto& proxy : proxies_) proxy->Heal();
}

}  // namespace drover::testing

#include "tests/support/core_network.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "tests/support/process.h"

namespace drover::testing {
namespace {

constexpr int kNobody = -1;

in6_addr Loopback() {
  in6_addr address{};
  const in_addr_t loopback = htonl(INADDR_LOOPBACK);
  std::memcpy(&address, &loopback, sizeof loopback);
  return address;
}

// The inode of the socket with this port of the loopback, connected to that one; 0: there is none. The kernel looks that one up
// (sock_diag(7)): to read its table of all connections takes longer than a node waits for its link, once there are thousands.
std::uint32_t InodeOf(int port, int remote_port) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (fd < 0) throw std::runtime_error("the kernel's table of connections cannot be asked");
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = AF_INET;
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = ~0U;
  inet_diag_sockid& id = question.request.id;
  id.idiag_sport = htons(static_cast<std::uint16_t>(port));
  id.idiag_dport = htons(static_cast<std::uint16_t>(remote_port));
  const in6_addr loopback = Loopback();
  std::memcpy(id.idiag_src, &loopback, sizeof loopback);
  std::memcpy(id.idiag_dst, &loopback, sizeof loopback);
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  struct {
    nlmsghdr header;
    inet_diag_msg socket;
    char attributes[4096];
  } answer{};
  const bool asked = send(fd, &question, sizeof question, 0) == static_cast<ssize_t>(sizeof question);
  const ssize_t length = asked ? recv(fd, &answer, sizeof answer, 0) : -1;
  close(fd);
  const bool found = length >= static_cast<ssize_t>(sizeof answer.header + sizeof answer.socket) &&
                     answer.header.nlmsg_type == SOCK_DIAG_BY_FAMILY;
  return found ? answer.socket.idiag_inode : 0;
}

}  // namespace

pid_t OwnerOfConnection(int client_port, int server_port, const std::function<bool(pid_t)>& asked) {
  const std::uint32_t inode = InodeOf(client_port, server_port);
  if (inode == 0) return 0;
  const std::string socket = "socket:[" + std::to_string(inode) + "]";
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

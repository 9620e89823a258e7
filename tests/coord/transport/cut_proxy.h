// A TCP relay for one link, which a test can cut as a dying process or its kernel would.
#ifndef DROVER_TESTS_COORD_TRANSPORT_CUT_PROXY_H_
#define DROVER_TESTS_COORD_TRANSPORT_CUT_PROXY_H_

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace drover::transport {

enum class CutKind { kFin, kReset };

class CutProxy {
 public:
  explicit CutProxy(const std::string& server) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in here = Loopback(0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof(here)), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    socklen_t size = sizeof(here);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size);
    address_ = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    EXPECT_EQ(pipe(wake_), 0);
    const int port = std::atoi(server.substr(server.rfind(':') + 1).c_str());
    thread_ = std::thread([this, port] { Relay(port); });
  }
  ~CutProxy() {
    if (thread_.joinable()) Cut(CutKind::kFin);
    close(listener_);
    close(wake_[0]);
    close(wake_[1]);
  }
  [[nodiscard]] const std::string& address() const { return address_; }

  // Both ends see the link end.
  void Cut(CutKind how) {
    how_ = how;
    EXPECT_EQ(write(wake_[1], "x", 1), 1);
    thread_.join();
  }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
  }

  static bool Pass(int from, int to) {
    char buffer[65536];
    const ssize_t n = recv(from, buffer, sizeof(buffer), 0);
    return n > 0 && send(to, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL) == n;
  }

  void Relay(int port) {
    pollfd waiting[2] = {{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    poll(waiting, 2, -1);
    if (waiting[0].revents != 0) return;
    const int client = accept(listener_, nullptr, nullptr);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in to = Loopback(port);
    EXPECT_EQ(connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    pollfd ends[3] = {{wake_[0], POLLIN, 0}, {client, POLLIN, 0}, {server, POLLIN, 0}};
    while (true) {
      poll(ends, 3, -1);
      if (ends[0].revents != 0) break;
      if (ends[1].revents != 0 && !Pass(client, server)) break;
      if (ends[2].revents != 0 && !Pass(server, client)) break;
    }
    if (how_ == CutKind::kReset) {
      const linger reset{1, 0};
      setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
      setsockopt(server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    close(client);
    close(server);
  }

  int listener_ = -1;
  int wake_[2] = {-1, -1};
  std::string address_;
  std::atomic<CutKind> how_{CutKind::kFin};
  std::thread thread_;
};

}  // namespace drover::transport

#endif  // DROVER_TESTS_COORD_TRANSPORT_CUT_PROXY_H_

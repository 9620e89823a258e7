#include "tests/support/proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "tests/support/process.h"

namespace drover::testing {
namespace {

using Clock = std::chrono::steady_clock;

// What one direction of a link may hold before its reader is paused: the sender then feels back-pressure, as on a real network.
constexpr std::size_t kHeldBytesMax = 4 << 20;

void CloseWithReset(int fd) {
  const linger hard{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(fd);
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

void NoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

struct Proxy::Chunk {
  Clock::time_point due;
  std::string bytes;
};

// One direction of a link.
struct Proxy::Pipe {
  std::deque<Chunk> chunks;
  std::size_t held = 0;
  bool from_ended = false;  // FIN read
  bool ended = false;       // FIN passed on
};

struct Proxy::Link {
  int client;
  int server;
  int caller;
  Pipe to_server;
  Pipe to_client;
};

Proxy::Proxy(int target_port, CallerOf caller_of) : target_port_(target_port), caller_of_(std::move(caller_of)), port_(FreePort()) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Loopback(port_);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener_, 128) != 0 ||
      pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw std::runtime_error("proxy: cannot listen on port " + std::to_string(port_));
  }
  thread_ = std::thread([this] { Run(); });
}

Proxy::~Proxy() {
  stop_ = true;
  Wake();
  thread_.join();
  for (const Link& link : links_) {
    close(link.client);
    close(link.server);
  }
  close(listener_);
  close(wake_[0]);
  close(wake_[1]);
}

void Proxy::Wake() {
  const char byte = 0;
  [[maybe_unused]] const ssize_t n = write(wake_[1], &byte, 1);  // a full pipe wakes it as well
}

void Proxy::CutToServer() {
  const std::lock_guard lock(mu_);
  cut_to_server_ = true;
}

void Proxy::CutToClient() {
  const std::lock_guard lock(mu_);
  cut_to_client_ = true;
}

void Proxy::Cut() {
  const std::lock_guard lock(mu_);
  cut_to_server_ = cut_to_client_ = true;
}

void Proxy::CutToServer(int caller) {
  const std::lock_guard lock(mu_);
  callers_cut_to_server_.insert(caller);
}

void Proxy::CutToClient(int caller) {
  const std::lock_guard lock(mu_);
  callers_cut_to_client_.insert(caller);
}

void Proxy::Heal() {
  {
    const std::lock_guard lock(mu_);
    cut_to_server_ = cut_to_client_ = refuse_ = false;
    callers_cut_to_server_.clear();
    callers_cut_to_client_.clear();
  }
  Wake();
}

void Proxy::Delay(std::chrono::milliseconds delay) {
  {
    const std::lock_guard lock(mu_);
    delay_ = delay;
  }
  Wake();
}

void Proxy::Reset(bool refuse) {
  {
    const std::lock_guard lock(mu_);
    refuse_ = refuse;
    for (const Link& link : links_) {
      CloseWithReset(link.client);
      CloseWithReset(link.server);
    }
    links_.clear();
  }
  Wake();
}

void Proxy::Run() {
  std::vector<pollfd> polls;
  // Under the lock.
  const auto to_server_is_cut = [this](const Link& link) { return cut_to_server_ || callers_cut_to_server_.contains(link.caller); };
  const auto to_client_is_cut = [this](const Link& link) { return cut_to_client_ || callers_cut_to_client_.contains(link.caller); };
  while (!stop_) {
    polls.clear();
    polls.push_back({wake_[0], POLLIN, 0});
    polls.push_back({listener_, POLLIN, 0});
    int timeout_ms = -1;
    {
      const std::lock_guard lock(mu_);
      const Clock::time_point now = Clock::now();
      for (const Link& link : links_) {
        auto interest = [&](const Pipe& in, const Pipe& out, bool out_cut) {
          short events = 0;
          if (!in.from_ended && in.held < kHeldBytesMax) events |= POLLIN;
          if (!out_cut && !out.chunks.empty()) {
            const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(out.chunks.front().due - now).count();
            if (wait <= 0) {
              events |= POLLOUT;
            } else if (timeout_ms < 0 || wait < timeout_ms) {
              timeout_ms = static_cast<int>(wait) + 1;
            }
          }
          return events;
        };
        polls.push_back({link.client, interest(link.to_server, link.to_client, to_client_is_cut(link)), 0});
        polls.push_back({link.server, interest(link.to_client, link.to_server, to_server_is_cut(link)), 0});
      }
    }
    poll(polls.data(), polls.size(), timeout_ms);
    if (polls[0].revents != 0) {
      char bytes[64];
      while (read(wake_[0], bytes, sizeof bytes) > 0) {
      }
    }

    const std::lock_guard lock(mu_);
    const Clock::time_point now = Clock::now();
    // Reads what came; false: the link is broken.
    auto receive = [&](int from, Pipe& pipe) {
      while (!pipe.from_ended && pipe.held < kHeldBytesMax) {
        char buffer[65536];
        const ssize_t n = recv(from, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n > 0) {
          pipe.chunks.push_back({now + delay_, std::string(buffer, static_cast<std::size_t>(n))});
          pipe.held += static_cast<std::size_t>(n);
        } else if (n == 0) {
          pipe.from_ended = true;
        } else {
          return errno == EAGAIN || errno == EINTR;
        }
      }
      return true;
    };
    auto send_due = [&](int to, Pipe& pipe, bool cut) {
      while (!cut && !pipe.chunks.empty() && pipe.chunks.front().due <= now) {
        std::string& bytes = pipe.chunks.front().bytes;
        const ssize_t n = send(to, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        pipe.held -= static_cast<std::size_t>(n);
        bytes.erase(0, static_cast<std::size_t>(n));
        if (bytes.empty()) pipe.chunks.pop_front();
      }
      if (!cut && pipe.from_ended && pipe.chunks.empty() && !pipe.ended) {
        shutdown(to, SHUT_WR);
        pipe.ended = true;
      }
      return true;
    };
    for (auto it = links_.begin(); it != links_.end();) {
      Link& link = *it;
      const bool whole = receive(link.client, link.to_server) && receive(link.server, link.to_client) &&
                         send_due(link.server, link.to_server, to_server_is_cut(link)) &&
                         send_due(link.client, link.to_client, to_client_is_cut(link));
      if (!whole) {
        CloseWithReset(link.client);
        CloseWithReset(link.server);
        it = links_.erase(it);
      } else if (link.to_server.ended && link.to_client.ended) {
        close(link.client);
        close(link.server);
        it = links_.erase(it);
      } else {
        ++it;
      }
    }
    for (;;) {
      sockaddr_in from{};
      socklen_t from_size = sizeof from;
      const int client = accept4(listener_, reinterpret_cast<sockaddr*>(&from), &from_size, SOCK_CLOEXEC);
      if (client < 0) break;
      ++connections_;
      const int server = refuse_ ? -1 : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in target = Loopback(target_port_);
      if (server < 0 || connect(server, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
        CloseWithReset(client);
        if (server >= 0) close(server);
        continue;
      }
      NoDelay(client);
      NoDelay(server);
      links_.push_back({client, server, caller_of_ ? caller_of_(ntohs(from.sin_port)) : 0, {}, {}});
    }
  }
}

}  // namespace drover::testing

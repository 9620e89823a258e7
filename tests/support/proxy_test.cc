#include "tests/support/proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/await.h"
#include "tests/support/process.h"

namespace drover::testing {
namespace {

sockaddr_in Address(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

bool Readable(int fd, int timeout_ms) {
  pollfd p{fd, POLLIN, 0};
  return poll(&p, 1, timeout_ms) == 1;
}

// A server socket, a proxy before it, and one connection through both.
class ProxyTest : public ::testing::Test {
 protected:
  ProxyTest() : server_port_(FreePort()) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Address(server_port_);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    proxy_ = std::make_unique<Proxy>(server_port_);
    client_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in proxied = Address(proxy_->port());
    EXPECT_EQ(connect(client_, reinterpret_cast<const sockaddr*>(&proxied), sizeof proxied), 0);
    server_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  }
  ~ProxyTest() override {
    close(client_);
    close(server_);
    close(listener_);
  }
  static std::string Receive(int fd) {
    char buffer[64];
    const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : "";
  }

  int server_port_;
  int listener_ = -1;
  int client_ = -1;
  int server_ = -1;
  std::unique_ptr<Proxy> proxy_;
};

TEST_F(ProxyTest, RelaysBothWaysAndPassesOnTheEnd) {
  send(client_, "ping", 4, 0);
  EXPECT_EQ(Receive(server_), "ping");
  send(server_, "pong", 4, 0);
  EXPECT_EQ(Receive(client_), "pong");
  shutdown(client_, SHUT_WR);
  EXPECT_EQ(Receive(server_), "");
}

TEST_F(ProxyTest, ACutOneWayHoldsThatDirectionAloneUntilHealed) {
  proxy_->CutToServer();
  send(client_, "held", 4, 0);
  send(server_, "free", 4, 0);
  EXPECT_EQ(Receive(client_), "free");
  EXPECT_FALSE(Readable(server_, 50));
  proxy_->Heal();
  EXPECT_EQ(Receive(server_), "held");
}

TEST_F(ProxyTest, OneCallerIsCutAlone) {
  // The caller's number is its port.
  Proxy proxy(server_port_, [](int client_port) { return client_port; });
  int clients[2];
  int servers[2];
  int ports[2];
  for (int i = 0; i < 2; ++i) {
    clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Address(proxy.port());
    ASSERT_EQ(connect(clients[i], reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    servers[i] = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    socklen_t size = sizeof address;
    ASSERT_EQ(getsockname(clients[i], reinterpret_cast<sockaddr*>(&address), &size), 0);
    ports[i] = ntohs(address.sin_port);
  }
  proxy.CutToServer(ports[0]);
  proxy.CutToClient(ports[1]);
  for (int i = 0; i < 2; ++i) {
    send(clients[i], "ask", 3, 0);
    send(servers[i], "answer", 6, 0);
  }
  EXPECT_EQ(Receive(clients[0]), "answer");
  EXPECT_EQ(Receive(servers[1]), "ask");
  EXPECT_FALSE(Readable(servers[0], 50));
  EXPECT_FALSE(Readable(clients[1], 0));
  proxy.Heal();
  EXPECT_EQ(Receive(servers[0]), "ask");
  EXPECT_EQ(Receive(clients[1]), "answer");
  for (int i = 0; i < 2; ++i) {
    close(clients[i]);
    close(servers[i]);
  }
}

TEST_F(ProxyTest, AResetBreaksTheConnection) {
  proxy_->Reset();
  ASSERT_TRUE(Readable(client_, 10'000));
  char byte;
  EXPECT_EQ(recv(client_, &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST_F(ProxyTest, ADelayedByteArrivesNoEarlier) {
  proxy_->Delay(std::chrono::milliseconds(100));
  const auto sent = std::chrono::steady_clock::now();
  send(client_, "late", 4, 0);
  EXPECT_EQ(Receive(server_), "late");
  EXPECT_GE(std::chrono::steady_clock::now() - sent, std::chrono::milliseconds(99));
}

}  // namespace
}  // namespace drover::testing

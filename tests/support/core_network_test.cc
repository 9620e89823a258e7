#include "tests/support/core_network.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/process.h"

namespace drover::testing {
namespace {

// This process stands for node 0, which has dialled node 1: a bare socket.
class CoreNetworkTest : public ::testing::Test {
 protected:
  CoreNetworkTest() {
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = Address(port_);
    EXPECT_EQ(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    const std::string proxy = network_.address(1);
    const sockaddr_in proxied = Address(std::stoi(proxy.substr(proxy.find(':') + 1)));
    EXPECT_EQ(connect(node0_, reinterpret_cast<const sockaddr*>(&proxied), sizeof proxied), 0);
    node1_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  }
  ~CoreNetworkTest() override {
    for (const int fd : {node0_, node1_, listener_}) close(fd);
  }
  static sockaddr_in Address(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }
  static bool Readable(int fd, int timeout_ms) {
    pollfd p{fd, POLLIN, 0};
    return poll(&p, 1, timeout_ms) == 1;
  }
  void SendBoth() const {
    send(node0_, "a", 1, 0);
    send(node1_, "b", 1, 0);
  }

  const int port_ = FreePort();
  CoreNetwork network_{{FreePort(), port_}, {ArgumentsOf(getpid()).at(0), "no such process"}};
  const int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int node0_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int node1_ = -1;
};

TEST_F(CoreNetworkTest, TheWordsOfOneNodeToAnotherAreCutAlone) {
  network_.Silence(0, 1);
  SendBoth();
  EXPECT_TRUE(Readable(node0_, 10'000));
  EXPECT_FALSE(Readable(node1_, 50));
  network_.Heal();
  EXPECT_TRUE(Readable(node1_, 10'000));
}

TEST_F(CoreNetworkTest, TheOtherWayTheAnswersAreHeldBack) {
  network_.Silence(1, 0);
  SendBoth();
  EXPECT_TRUE(Readable(node1_, 10'000));
  EXPECT_FALSE(Readable(node0_, 50));
}

TEST_F(CoreNetworkTest, AnIsolatedNodeNeitherSpeaksNorHears) {
  network_.Isolate(1);
  SendBoth();
  EXPECT_FALSE(Readable(node0_, 50));
  EXPECT_FALSE(Readable(node1_, 0));
}

}  // namespace
}  // namespace drover::testing

#include "coord/transport/peer_address.h"

#include <gtest/gtest.h>

#include "coord/base/ip_address.h"

namespace drover::transport {
namespace {

TEST(PeerAddress, IsReadFromHowGrpcSpellsIt) {
  const auto text = [](const char* peer) { return base::FormatIpAddress(PeerAddress(peer)); };
  EXPECT_EQ(text("ipv4:10.1.2.3:41234"), "10.1.2.3");
  EXPECT_EQ(text("ipv6:%5B::1%5D:41234"), "::1");
  EXPECT_EQ(text("ipv6:[2001:db8::7]:41234"), "2001:db8::7");
  EXPECT_EQ(text("ipv6:%5Bfe80::1%25eth0%5D:41234"), "fe80::1");
  EXPECT_EQ(text("ipv6:%5B::ffff:10.1.2.3%5D:41234"), "10.1.2.3");
  for (const char* peer : {"", "unix:/run/x", "unix:", "ipv4:", "ipv6:%5B%5D:1"}) {
    EXPECT_EQ(PeerAddress(peer), "") << peer;
  }
}

}  // namespace
}  // namespace drover::transport

#include "coord/base/ip_address.h"

#include <gtest/gtest.h>

#include <string>

namespace drover::base {
namespace {

TEST(IpAddress, IsItsBytes) {
  EXPECT_EQ(ParseIpAddress("10.1.2.255"), std::string("\x0a\x01\x02\xff", 4));
  EXPECT_EQ(ParseIpAddress("::1"), std::string(15, '\0') + '\x01');
  EXPECT_EQ(ParseIpAddress("::ffff:10.1.2.255"), ParseIpAddress("10.1.2.255")) << "one host, spelled twice";
  for (const char* text :
       {"", "10.1.2", "10.1.2.256", "localhost", "10.1.2.3:80", "[::1]", "fe80::1%eth0", "10.1.2.3/8", " 10.1.2.3"}) {
    EXPECT_FALSE(ParseIpAddress(text)) << text;
  }
  EXPECT_FALSE(ParseIpAddress(std::string("10.1.2.3\0x", 10)));
}

TEST(IpAddress, IsShownAsItIsWritten) {
  for (const char* text : {"10.1.2.255", "0.0.0.0", "::1", "2001:db8::5"}) EXPECT_EQ(FormatIpAddress(*ParseIpAddress(text)), text);
  EXPECT_EQ(FormatIpAddress(""), "");
  EXPECT_EQ(FormatIpAddress("-"), "");
}

bool Contains(const char* network, const char* address) {
  return IpNetwork::Parse(network)->Contains(*ParseIpAddress(address));
}

TEST(IpNetwork, ContainsWhatBeginsWithTheSameBits) {
  EXPECT_TRUE(Contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(Contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(Contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(Contains("10.1.2.3", "10.1.2.2"));
  EXPECT_TRUE(Contains("192.168.4.0/23", "192.168.5.9"));
  EXPECT_FALSE(Contains("192.168.4.0/23", "192.168.6.9"));
  EXPECT_TRUE(Contains("192.168.5.77/23", "192.168.4.1")) << "bits behind the prefix do not count";
  EXPECT_TRUE(Contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_TRUE(Contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Contains("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(IpNetwork, OfOneFamilyDoesNotContainTheOther) {
  EXPECT_FALSE(Contains("0.0.0.0/0", "::1"));
  EXPECT_FALSE(Contains("::/0", "1.2.3.4"));
  EXPECT_TRUE(Contains("::ffff:10.0.0.0/104", "10.3.4.5"));
  EXPECT_FALSE(IpNetwork::Parse("10.0.0.0/8")->Contains(""));
  EXPECT_FALSE(IpNetwork::Parse("0.0.0.0/0")->Contains("-")) << "that is no address";
}

TEST(IpNetwork, ThatIsNone) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/ 8", "10.0.0.0/8/8", "::/129", "x/8"}) {
    EXPECT_FALSE(IpNetwork::Parse(text)) << text;
  }
}

}  // namespace
}  // namespace drover::base

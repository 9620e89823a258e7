#include "coord/base/host_port.h"

#include <gtest/gtest.h>

namespace drover::base {
namespace {

TEST(ParseHostPortTest, ReadsNamesAndBothKindsOfAddress) {
  const struct {
    const char* text;
    const char* host;
    int port;
  } table[] = {{"127.0.0.1:7400", "127.0.0.1", 7400},
               {"localhost:0", "localhost", 0},
               {"[::1]:7400", "::1", 7400},
               {"node-1.example_org:65535", "node-1.example_org", 65535}};
  for (const auto& row : table) {
    const auto parsed = ParseHostPort(row.text);
    ASSERT_TRUE(parsed.ok()) << row.text;
    EXPECT_EQ(parsed->host, row.host);
    EXPECT_EQ(parsed->port, row.port);
    EXPECT_EQ(parsed->ToString(), row.text);
  }
}

TEST(ParseHostPortTest, RefusesTheRest) {
  for (const char* text :
       {"", "7400", ":7400", "host", "host:", "host:-1", "host:65536", "host:x", "::1:7400", "[x]:1", "a b:1", "h: 1"}) {
    EXPECT_FALSE(ParseHostPort(text).ok()) << text;
  }
}

}  // namespace
}  // namespace drover::base

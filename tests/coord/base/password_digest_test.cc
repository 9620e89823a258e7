#include "coord/base/password_digest.h"

#include <gtest/gtest.h>

namespace drover::base {
namespace {

// As org.apache.zookeeper.server.auth.DigestAuthenticationProvider prints them.
TEST(PasswordDigest, IsWhatZooKeeperMakesOfIt) {
  EXPECT_EQ(PasswordDigest("super:test"), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
  EXPECT_EQ(PasswordDigest("user1:12345"), "user1:+owfoSBn/am19roBPzR1/MfCblE=");
}

TEST(PasswordDigest, APasswordMayHoldColonsAndBeEmpty) {
  EXPECT_EQ(PasswordDigest("a:b:c")->substr(0, 2), "a:");
  EXPECT_NE(PasswordDigest("a:b:c"), PasswordDigest("a:b"));
  EXPECT_TRUE(PasswordDigest("a:"));
}

TEST(PasswordDigest, NeedsAUser) {
  EXPECT_FALSE(PasswordDigest(""));
  EXPECT_FALSE(PasswordDigest("password"));
  EXPECT_FALSE(PasswordDigest(":password"));
}

}  // namespace
}  // namespace drover::base

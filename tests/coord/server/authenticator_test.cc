#include "coord/server/authenticator.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "coord/base/password_digest.h"

namespace drover::coord::server {
namespace {

using tree::Identity;

TEST(Authenticator, ADigestIsProvedByUserAndPassword) {
  const Authenticator authenticator("");
  EXPECT_EQ(authenticator.Verify({"digest", "ann:secret"}),
            (std::vector<Identity>{{"digest", *base::PasswordDigest("ann:secret")}}));
  for (const char* wrong : {"", "ann", ":secret"}) EXPECT_TRUE(authenticator.Verify({"digest", wrong}).empty()) << wrong;
  EXPECT_TRUE(authenticator.Verify({"digest", "ann:" + std::string(1024, 'x')}).empty()) << "too long";
  EXPECT_TRUE(authenticator.Verify({"digest", "a\xff:secret"}).empty()) << "no list could name it";
}

TEST(Authenticator, OtherSchemesProveNothing) {
  const Authenticator authenticator(*base::PasswordDigest("root:toor"));
  for (const char* scheme : {"", "world", "ip", "auth", "super", "sasl"}) {
    EXPECT_TRUE(authenticator.Verify({scheme, "root:toor"}).empty()) << scheme;
  }
}

TEST(Authenticator, TheSuperDigestMayDoEverything) {
  const Authenticator authenticator(*base::PasswordDigest("root:toor"));
  const std::vector<Identity> root = authenticator.Verify({"digest", "root:toor"});
  ASSERT_EQ(root.size(), 2u);
  EXPECT_EQ(root[1], (Identity{"super", ""}));
  EXPECT_EQ(authenticator.Verify({"digest", "root:other"}).size(), 1u);
  EXPECT_EQ(Authenticator("").Verify({"digest", "root:toor"}).size(), 1u);
}

}  // namespace
}  // namespace drover::coord::server

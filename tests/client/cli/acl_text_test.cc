#include "client/cli/acl_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"

namespace drover::cli {
namespace {

using coord::AclEntry;
using coord::Permission;
using ::testing::ElementsAre;

TEST(AclText, IsReadAndWritten) {
  const auto acl = ParseAcl("world:anyone:r,digest:ann:aGFzaA==:cdrwa,ip:10.0.0.0/8:rw,auth::a,ip:2001:db8::/32:");
  ASSERT_TRUE(acl.ok()) << acl.status();
  EXPECT_THAT(*acl, ElementsAre(AclEntry::World(Permission::kRead), AclEntry::Digest("ann:aGFzaA=="),
                                AclEntry::Ip("10.0.0.0/8", Permission::kRead | Permission::kWrite),
                                AclEntry::Auth(Permission::kAdmin), AclEntry::Ip("2001:db8::/32", 0)));
  EXPECT_EQ(AclEntryText((*acl)[1]), "digest:ann:aGFzaA==:cdrwa");
  EXPECT_EQ(AclEntryText((*acl)[2]), "ip:10.0.0.0/8:rw");
  EXPECT_EQ(AclJson({(*acl)[0]}).dump(), R"([{"scheme":"world","id":"anyone","permissions":"r"}])");
}

TEST(AclText, ThatIsNoneSaysHowToWriteIt) {
  for (const char* wrong : {"", "world", "world:anyone", "world:anyone:r,", ",world:anyone:r"}) {
    const auto acl = ParseAcl(wrong);
    ASSERT_FALSE(acl.ok()) << wrong;
    EXPECT_TRUE(absl::StrContains(acl.status().message(), "SCHEME:ID:PERMISSIONS")) << acl.status();
  }
  EXPECT_TRUE(absl::StrContains(ParseAcl("world:anyone:rx").status().message(), "c (create)"));
}

TEST(CredentialText, IsASchemeAndASecretAndNeverRepeated) {
  const auto credentials = ParseCredentials({"digest:ann:se:cret", "digest:bob:x"});
  ASSERT_TRUE(credentials.ok());
  ASSERT_EQ(credentials->size(), 2u);
  EXPECT_EQ(credentials->front().scheme, "digest");
  EXPECT_EQ(credentials->front().secret, "ann:se:cret");
  for (const char* wrong : {"", "hunter2", ":hunter2", "digest:"}) {
    const auto none = ParseCredentials({"digest:ann:x", wrong});
    ASSERT_FALSE(none.ok()) << wrong;
    EXPECT_FALSE(absl::StrContains(none.status().message(), "hunter2")) << none.status();
  }
}

TEST(QuotaItem, ShowsWhatIsThereOfWhatMayBe) {
  const coord::QuotaUsage usage{"/a", {100, 0}, 12, 3'400, {}};
  EXPECT_EQ(QuotaItem(usage).json.dump(), R"({"path":"/a","nodes":12,"nodes_max":100,"bytes":3400,"bytes_max":null})");
  EXPECT_THAT(QuotaItem(usage).cells, ElementsAre("/a", "12", "100", "3400", "-"));
}

}  // namespace
}  // namespace drover::cli

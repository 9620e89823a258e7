// Quotas of subtrees: what counts, what is refused, and that they go with their nodes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/tree/snapshot_loader.h"
#include "coord/tree/snapshot_walk.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class QuotaTest : public testing::Test {
 protected:
  DecodedAnswer SetQuota(absl::string_view path, std::uint64_t nodes, std::uint64_t bytes) {
    return machine_.Unary(EncodeSetQuota({}, {path, nodes, bytes}));
  }
  std::vector<std::string> Quotas(absl::string_view path, std::uint32_t limit = 0, base::Zxid after_czxid = {},
                                  absl::string_view after = {}) {
    std::vector<std::string> text;
    for (const DecodedQuota& q : machine_.Read(EncodeQuotas({}, {{}, path, after_czxid, after, limit})).quotas) {
      text.push_back(absl::StrCat(q.path, " ", q.nodes, "/", q.quota.nodes_max, " ", q.bytes, "/", q.quota.bytes_max));
    }
    return text;
  }

  Machine machine_;
};

TEST_F(QuotaTest, OfNodesCountsTheNodeAndAllBelow) {
  machine_.Create("/a");
  machine_.Create("/a/b");
  EXPECT_EQ(SetQuota("/a", 3, 0).code, Code::kOk);
  EXPECT_EQ(machine_.Create("/a/b/c").code, Code::kOk);
  const DecodedAnswer refused = machine_.Create("/a/b/d");
  EXPECT_EQ(refused.code, Code::kQuotaExceeded);
  EXPECT_EQ(refused.message, "the quota of /a is reached: at most 3 nodes");
  EXPECT_EQ(machine_.Create("/elsewhere").code, Code::kOk);
  EXPECT_EQ(machine_.Set("/a", std::string(1000, 'x')).code, Code::kOk) << "it bounds no bytes";
  machine_.Delete("/a/b/c");
  EXPECT_EQ(machine_.Create("/a/d").code, Code::kOk);
}

TEST_F(QuotaTest, OfBytesCountsData) {
  machine_.Create("/a", "12345");
  EXPECT_EQ(SetQuota("/a", 0, 10).code, Code::kOk);
  EXPECT_EQ(machine_.Create("/a/b", "123456").code, Code::kQuotaExceeded);
  EXPECT_EQ(machine_.Create("/a/b", "12345").code, Code::kOk);
  EXPECT_EQ(machine_.Create("/a/c").code, Code::kOk) << "without data";
  const DecodedAnswer refused = machine_.Set("/a/c", "x");
  EXPECT_EQ(refused.code, Code::kQuotaExceeded);
  EXPECT_EQ(refused.message, "the quota of /a is reached: at most 10 bytes of data");
  EXPECT_EQ(machine_.Set("/a/b", "1234").code, Code::kOk);
  EXPECT_EQ(machine_.Set("/a/c", "x").code, Code::kOk);
  EXPECT_THAT(Quotas("/a"), ElementsAre("/a 3/0 10/10"));
}

TEST_F(QuotaTest, EveryOneAboveCounts) {
  machine_.Create("/a");
  machine_.Create("/a/b");
  SetQuota("/a", 3, 0);
  SetQuota("/a/b", 10, 0);
  EXPECT_EQ(machine_.Create("/a/b/c").code, Code::kOk);
  EXPECT_EQ(machine_.Create("/a/b/d").code, Code::kQuotaExceeded);
  CreateView create{"/a/x/y"};
  create.parents = true;
  SetQuota("/a", 4, 0);
  EXPECT_EQ(machine_.Unary(EncodeCreate({}, create)).code, Code::kQuotaExceeded) << "those made on the way count";
  SetQuota("/a", 5, 0);
  EXPECT_EQ(machine_.Unary(EncodeCreate({}, create)).code, Code::kOk);
}

TEST_F(QuotaTest, WhatIsOverItMayStayAndShrink) {
  machine_.Create("/a", "12345");
  machine_.Create("/a/b", "12345");
  EXPECT_EQ(SetQuota("/a", 1, 3).code, Code::kOk);
  EXPECT_EQ(machine_.Set("/a", "1234").code, Code::kOk);
  EXPECT_EQ(machine_.Set("/a", "12345").code, Code::kQuotaExceeded);
  EXPECT_EQ(machine_.Delete("/a/b").code, Code::kOk);
}

TEST_F(QuotaTest, GoesWithItsNodeAndWithoutBounds) {
  machine_.Create("/a");
  machine_.Create("/b");
  SetQuota("/a", 1, 0);
  SetQuota("/b", 1, 0);
  machine_.Delete("/a");
  EXPECT_EQ(SetQuota("/b", 0, 0).code, Code::kOk);
  EXPECT_TRUE(machine_->tree().quotas().empty());
  machine_.Create("/a");
  EXPECT_EQ(machine_.Create("/a/b").code, Code::kOk);
  EXPECT_EQ(SetQuota("/missing", 1, 1).code, Code::kNoNode);
}

TEST_F(QuotaTest, AreSoManyAtMost) {
  Options options;
  options.quotas_max = 2;
  Machine machine(options);
  for (const char* path : {"/a", "/b", "/c"}) machine.Create(path);
  const auto set = [&](absl::string_view path, std::uint64_t nodes) {
    return machine.Unary(EncodeSetQuota({}, {path, nodes, 0})).code;
  };
  EXPECT_EQ(set("/a", 1), Code::kOk);
  EXPECT_EQ(set("/b", 1), Code::kOk);
  EXPECT_EQ(set("/c", 1), Code::kResourceExhausted);
  EXPECT_EQ(set("/c", 0), Code::kOk) << "it has none, and gets none";
  EXPECT_EQ(set("/b", 2), Code::kOk) << "one that it has";
  EXPECT_EQ(set("/b", 0), Code::kOk);
  EXPECT_EQ(set("/c", 1), Code::kOk);
}

TEST_F(QuotaTest, ComesBackWithARefusedTransaction) {
  machine_.Create("/a");
  machine_.Create("/a/b", "data");
  SetQuota("/a/b", 7, 70);
  const std::uint64_t digest = machine_->Digest();
  TransactionBuilder builder;
  builder.Then(SetView{"/a/b", "longer data"}).ThenDeleteSubtree({"/a"}).Then(CreateView{"/missing/x"});
  EXPECT_EQ(machine_.Unary(builder.Encode({})).code, Code::kNoNode);
  EXPECT_EQ(machine_->Digest(), digest);
  EXPECT_THAT(Quotas("/a/b"), ElementsAre("/a/b 1/7 4/70"));
}

TEST_F(QuotaTest, AreListedInTheOrderOfTheirNodes) {
  for (const char* path : {"/z", "/z/a", "/b", "/b/c"}) machine_.Create(path, "x");
  for (const char* path : {"/b/c", "/b", "/z/a"}) SetQuota(path, 9, 0);
  EXPECT_THAT(Quotas("/"), ElementsAre("/ 5/0 4/0", "/z/a 1/9 1/0", "/b 2/9 2/0", "/b/c 1/9 1/0"));
  EXPECT_THAT(Quotas("/b"), ElementsAre("/b 2/9 2/0", "/b/c 1/9 1/0"));
  EXPECT_THAT(Quotas("/", 1), ElementsAre("/ 5/0 4/0", "/z/a 1/9 1/0"));
  EXPECT_THAT(Quotas("/", 1, machine_.StatOf("/z/a").czxid, "/z/a"), ElementsAre("/b 2/9 2/0"));
  EXPECT_THAT(Quotas("/missing"), IsEmpty());
}

TEST_F(QuotaTest, ASnapshotTellsThem) {
  machine_.Create("/a", "12345");
  SetQuota("/a", 3, 30);
  SetQuota("/", 0, 1000);
  SnapshotWalk walk(&*machine_);
  while (walk.Step(1000, 1'000'000)) {
  }
  SnapshotLoader loader{Options()};
  ASSERT_TRUE(loader.Add(walk.TakePart()).ok());
  const auto loaded = loader.Finish();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->Digest(), machine_->Digest());
}

}  // namespace
}  // namespace drover::coord::tree

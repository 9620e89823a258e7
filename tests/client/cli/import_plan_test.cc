#include "client/cli/import_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using coord::Operation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

SubtreeNode InFile(const std::string& path, const std::string& data = "", coord::Acl acl = {}) {
  return {path, data, std::move(acl), false, base::Duration(0)};
}

SubtreeFile File(std::vector<SubtreeNode> nodes) {
  SubtreeFile file;
  file.nodes = std::move(nodes);
  return file;
}

SubtreeReading Present(const std::vector<std::pair<std::string, std::string>>& nodes) {
  SubtreeReading present;
  for (const auto& [path, data] : nodes) {
    coord::Node node;
    node.path = path;
    node.data = data;
    node.stat.czxid = coord::Zxid(3);
    node.stat.version = 7;
    node.stat.aversion = 2;
    present.nodes.push_back(node);
    present.acls.emplace_back();
  }
  return present;
}

// Each operation as "create /a", in brackets by transaction.
std::string Text(const ImportPlan& plan) {
  std::string text;
  for (const ImportBatch& batch : plan.batches) {
    text += "[";
    for (const Operation& operation : batch.transaction.then) {
      static constexpr const char* kNames[] = {"create ", "delete ", "set ", "check ", "delete-subtree ", "acl "};
      if (text.back() != '[') text += ", ";
      text += kNames[static_cast<int>(operation.kind)] + operation.path;
    }
    text += "]";
  }
  return text;
}

const coord::Acl kReadOnly = {coord::AclEntry::World(coord::Permission::kRead)};

TEST(ImportPlanTest, ANewSubtreeIsMadeParentsFirst) {
  const auto plan = PlanImport(File({InFile("", "x"), InFile("b"), InFile("b/c")}), {.path = "/a"}, {});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(*plan), "[create /a, create /a/b, create /a/b/c]");
  EXPECT_EQ(plan->counts.created, 3u);
  EXPECT_EQ(plan->batches[0].transaction.then[0].data, "x");
}

TEST(ImportPlanTest, MissingParentsAreMadeOpen) {
  const auto plan = PlanImport(File({InFile("", "", kReadOnly)}), {.path = "/a/b/c", .parents = true}, {});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(*plan), "[create /a, create /a/b, create /a/b/c]");
  EXPECT_TRUE(plan->batches[0].transaction.then[0].create.if_absent);
  EXPECT_TRUE(plan->batches[0].transaction.then[0].create.acl.empty());
  EXPECT_FALSE(plan->batches[0].transaction.then[2].create.if_absent);
}

TEST(ImportPlanTest, ATransactionHasABound) {
  const SubtreeFile file =
      File({InFile(""), InFile("b", std::string(1'000, 'x')), InFile("c", std::string(1'000, 'x')), InFile("d")});
  EXPECT_EQ(Text(*PlanImport(file, {.path = "/a", .operations_max = 3}, {})), "[create /a, create /a/b, create /a/c][create /a/d]");
  const auto plan = PlanImport(file, {.path = "/a", .bytes_max = 1'500}, {});
  EXPECT_EQ(Text(*plan), "[create /a, create /a/b][create /a/c, create /a/d]");
  EXPECT_EQ(plan->batches[0].last, "/a/b");
  EXPECT_EQ(plan->batches[0].counts.created, 2u);
}

TEST(ImportPlanTest, WhatIsThereIsRefusedMergedOrReplaced) {
  const SubtreeFile file = File({InFile("", "new"), InFile("b", "same"), InFile("c", "more")});
  const SubtreeReading present = Present({{"/a", "old"}, {"/a/b", "same"}, {"/a/z", "stays"}});
  const absl::Status refused = PlanImport(file, {.path = "/a"}, present).status();
  EXPECT_TRUE(absl::IsAlreadyExists(refused));
  EXPECT_THAT(refused.message(), HasSubstr("--merge"));

  const auto merge = PlanImport(file, {.path = "/a", .mode = ImportMode::kMerge}, present);
  ASSERT_TRUE(merge.ok()) << merge.status();
  EXPECT_EQ(Text(*merge), "[set /a, create /a/c]");
  EXPECT_EQ(merge->batches[0].transaction.then[0].version, 7u) << "as long as nobody else has set it";
  EXPECT_EQ(merge->counts.unchanged, 1u);

  const auto replace = PlanImport(file, {.path = "/a", .mode = ImportMode::kReplace}, present);
  ASSERT_TRUE(replace.ok()) << replace.status();
  EXPECT_EQ(Text(*replace), "[delete-subtree /a, create /a, create /a/b, create /a/c]");
  EXPECT_THAT(replace->batches[0].transaction.compares, ElementsAre(coord::Compare::Czxid("/a", coord::Zxid(3))));
  EXPECT_EQ(replace->counts.deleted, 3u);
  EXPECT_FALSE(PlanImport(file, {.path = "/", .mode = ImportMode::kReplace}, Present({{"/", ""}})).ok());
}

TEST(ImportPlanTest, MoreThanATransactionDeletesIsNotReplaced) {
  std::vector<std::pair<std::string, std::string>> many = {{"/a", ""}};
  for (int i = 0; i < 10'000; ++i) many.emplace_back("/a/" + std::to_string(i), "");
  const absl::Status status = PlanImport(File({InFile("")}), {.path = "/a", .mode = ImportMode::kReplace}, Present(many)).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(status.message(), HasSubstr("10000 nodes, and there are 10001"));
}

TEST(ImportPlanTest, AMergeThatFindsAllAsItIsDoesNothing) {
  const auto plan = PlanImport(File({InFile("", "x")}), {.path = "/a", .mode = ImportMode::kMerge}, Present({{"/a", "x"}}));
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE(plan->batches.empty());
  EXPECT_EQ(plan->counts.unchanged, 1u);
}

TEST(ImportPlanTest, KindsThatNoWriteChangesAreRefused) {
  SubtreeReading present = Present({{"/a", "x"}});
  present.nodes[0].stat.container = true;
  const ImportOptions merge = {.path = "/a", .mode = ImportMode::kMerge};
  EXPECT_THAT(PlanImport(File({InFile("", "x")}), merge, present).status().message(),
              HasSubstr("/a: it is container there, and persistent in the file"));
  present.nodes[0].stat = {};
  present.nodes[0].stat.ephemeral_owner = coord::SessionId(1);
  EXPECT_THAT(PlanImport(File({InFile("", "x")}), merge, present).status().message(), HasSubstr("is ephemeral"));
}

TEST(ImportPlanTest, AListThatShutsOutIsSetWhenTheChildrenAreThere) {
  const SubtreeFile file = File({InFile(""), InFile("b", "", kReadOnly), InFile("b/c", "", kReadOnly), InFile("d")});
  const absl::Status refused = PlanImport(file, {.path = "/a"}, {}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(refused.message(), HasSubstr("/a/b: its access control list may not let you"));

  const auto plan = PlanImport(file, {.path = "/a", .authenticated = true}, {});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(*plan), "[create /a, create /a/b, create /a/b/c, acl /a/b, create /a/d]");
  EXPECT_EQ(plan->batches[0].transaction.then[1].create.acl, coord::Acl{coord::AclEntry::Auth()}) << "until then of nobody else";
  EXPECT_EQ(plan->batches[0].transaction.then[2].create.acl, kReadOnly);
  EXPECT_EQ(plan->batches[0].transaction.then[3].create.acl, kReadOnly);
  EXPECT_EQ(plan->counts.acls_set, 1u);
}

TEST(ImportPlanTest, AMergeSetsListsToo) {
  SubtreeReading present = Present({{"/a", "x"}});
  present.acls[0] = kReadOnly;
  const auto plan = PlanImport(File({InFile("", "x"), InFile("b")}), {.path = "/a", .mode = ImportMode::kMerge}, present);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Text(*plan), "[create /a/b, acl /a]");
  EXPECT_EQ(plan->batches[0].transaction.then[1].create.acl, coord::Acl{coord::AclEntry::World()});
  EXPECT_EQ(plan->batches[0].transaction.then[1].version, 2u);
}

}  // namespace
}  // namespace drover::cli

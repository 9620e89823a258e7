#include "client/cli/subtree_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace drover::cli {
namespace {

using ::testing::HasSubstr;

SubtreeFile Sample() {
  SubtreeFile file;
  file.path = "/app";
  file.zxid = coord::Zxid(17);
  file.ephemerals_left_out = 2;
  file.nodes = {{"", "text \"quoted\"\n", {}, false, base::Duration(0)},
                {"b", "", {coord::AclEntry::World(coord::Permission::kRead)}, true, base::Duration(0)},
                {"b/c", std::string("\xff\0", 2), {}, false, std::chrono::minutes(1)}};
  return file;
}

TEST(SubtreeFileTest, WhatIsWrittenIsReadBack) {
  const SubtreeFile file = Sample();
  const std::string text = EncodeSubtree(file);
  const auto read = DecodeSubtree(text);
  ASSERT_TRUE(read.ok()) << read.status() << text;
  EXPECT_EQ(read->nodes, file.nodes);
  EXPECT_EQ(read->path, "/app");
  EXPECT_EQ(read->zxid, coord::Zxid(17));
  EXPECT_EQ(read->ephemerals_left_out, 2u);
  EXPECT_TRUE(read->one_state);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4) << "a node a line";
}

TEST(SubtreeFileTest, AFileThatWillNotDoIsRefusedWithTheNodeToBlame) {
  const std::string head = "{\"format\":\"drover-subtree\",\"version\":1,\"nodes\":[";
  const std::pair<std::string, std::string> table[] = {
      {"", "parse error"},
      {"[]", "no file of drover tree export"},
      {"{\"format\":\"drover-subtree\",\"version\":2}", "version 2"},
      {"{\"format\":\"drover-subtree\",\"version\":1}", "nodes"},
      {head + "]}", "no nodes in it"},
      {head + "{}]}", "node 1"},
      {head + "{\"path\":\"a\"}]}", "the first node is the root"},
      {head + "{\"path\":\"\"},{\"path\":\"\"}]}", "the root is there twice"},
      {head + "{\"path\":\"\"},{\"path\":\"a/b\"}]}", "node \"a/b\": its parent is not before it"},
      {head + "{\"path\":\"\"},{\"path\":\"a\"},{\"path\":\"a\"}]}", "node \"a\": it is there twice"},
      {head + "{\"path\":\"\"},{\"path\":\"/a\"}]}", "without empty names"},
      {head + "{\"path\":\"\"},{\"path\":\"..\"}]}", "no names"},
      {head + "{\"path\":\"\",\"data\":7}]}", "\"data\" is no text"},
      {head + "{\"path\":\"\",\"data\":\"x\",\"data_base64\":\"/w==\"}]}", "there is \"data\" and \"data_base64\""},
      {head + "{\"path\":\"\",\"data_base64\":\"?\"}]}", "no base64"},
      {head + "{\"path\":\"\",\"ttl_ms\":-1}]}", "ttl_ms"},
      {head + "{\"path\":\"\",\"ttl_ms\":1,\"container\":true}]}", "not both"},
      {head + "{\"path\":\"\",\"acl\":[]}]}", "at least one entry"},
      {head + "{\"path\":\"\",\"acl\":[{\"scheme\":\"world\",\"id\":\"anyone\",\"permissions\":\"x\"}]}]}", "c (create)"},
      {head + "{\"path\":\"\",\"owner\":1}]}", "there is no field \"owner\""},
      {head + "{\"path\":\"\",\"data\":\"" + std::string((1 << 20) + 1, 'x') + "\"}]}", "1 MiB"},
  };
  for (const auto& [text, words] : table) {
    const absl::Status status = DecodeSubtree(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text.substr(0, 200);
    EXPECT_THAT(status.message(), HasSubstr(words)) << text.substr(0, 200);
  }
}

TEST(SubtreeFileTest, EverybodyMayDoEverythingIsSaidInOneWay) {
  const auto read = DecodeSubtree(
      "{\"format\":\"drover-subtree\",\"version\":1,\"nodes\":[{\"path\":\"\",\"acl\":[{\"scheme\":\"world\",\"id\":\"anyone\","
      "\"permissions\":\"cdrwa\"}]}]}");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(read->nodes[0].acl.empty());
}

TEST(SubtreeFileTest, PathsAreRelativeToTheRoot) {
  EXPECT_EQ(PathBelow("/a", ""), "/a");
  EXPECT_EQ(PathBelow("/a", "b/c"), "/a/b/c");
  EXPECT_EQ(PathBelow("/", "b"), "/b");
  EXPECT_EQ(PathBelow("/", ""), "/");
  EXPECT_EQ(RelativePath("/a", "/a/b/c"), "b/c");
  EXPECT_EQ(RelativePath("/", "/b"), "b");
  EXPECT_EQ(RelativePath("/a", "/a"), "");
  EXPECT_EQ(RelativePath("/", "/"), "");
}

}  // namespace
}  // namespace drover::cli

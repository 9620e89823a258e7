#include "client/cli/transaction_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using coord::Compare;
using coord::Operation;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<TransactionLines> Parse(absl::string_view text) {
  return ParseTransaction(text, [](const std::string& typed) { return typed; });
}

TEST(TransactionTextTest, EachLineIsACompareOrAnOperation) {
  const auto lines = Parse(
      "# takes the place\n"
      "if absent /lock\n"
      "if /config version != 3\n"
      "\n"
      "create /lock 'it is mine' --ttl 1m --parents\n"
      "then set /config a=1 --version 4\n"
      "then check /x\n"
      "else delete /request -r\n"
      "else acl /x world:anyone:r --version 2\n");
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT(lines->transaction.compares,
              ElementsAre(Compare::Absent("/lock"), Compare{"/config", Compare::Field::kVersion, Compare::Relation::kNotEqual, 3}));
  EXPECT_THAT(lines->then, ElementsAre(5, 6, 7));
  EXPECT_THAT(lines->otherwise, ElementsAre(8, 9));
  const Operation& create = lines->transaction.then[0];
  EXPECT_EQ(create.kind, Operation::Kind::kCreate);
  EXPECT_EQ(create.data, "it is mine");
  EXPECT_EQ(create.create.ttl, std::chrono::minutes(1));
  EXPECT_TRUE(create.create.parents);
  EXPECT_EQ(lines->transaction.then[1].version, 4u);
  EXPECT_EQ(lines->transaction.then[2].version, std::nullopt);
  EXPECT_EQ(lines->transaction.otherwise[0].kind, Operation::Kind::kDeleteSubtree);
  EXPECT_EQ(lines->transaction.otherwise[1].create.acl, coord::Acl{coord::AclEntry::World(coord::Permission::kRead)});
  EXPECT_FALSE(lines->ephemeral);
  EXPECT_TRUE(Parse("create /a -e")->ephemeral);
}

TEST(TransactionTextTest, DataMayBeginWithADash) {
  EXPECT_EQ(Parse("set /a -- -5")->transaction.then[0].data, "-5");
  EXPECT_EQ(Parse("set /a -- -")->transaction.then[0].data, "-");
  EXPECT_FALSE(Parse("set /a -- a b").ok());
  EXPECT_FALSE(Parse("set /a x -- y").ok());
}

TEST(TransactionTextTest, PathsAreTakenAsTheyAreMeant) {
  const auto lines =
      ParseTransaction("if exists b\nif c version = 1\nset b x", [](const std::string& typed) { return "/a/" + typed; });
  ASSERT_TRUE(lines.ok());
  EXPECT_EQ(lines->transaction.compares[0].path, "/a/b");
  EXPECT_EQ(lines->transaction.compares[1].path, "/a/c");
  EXPECT_EQ(lines->transaction.then[0].path, "/a/b");
}

TEST(TransactionTextTest, WhatIsWrongIsNamedWithItsLine) {
  const std::pair<std::string, std::string> table[] = {
      {"", "no line with a compare or an operation"},
      {"# nothing\n", "no line with"},
      {"set /a x\nfrob /a", "line 2: no command frob; there are: create, set, delete, check, acl"},
      {"then", "line 1: an operation is to follow then"},
      {"if", "line 1: a compare is: if exists PATH"},
      {"if /a version 3", "a compare is:"},
      {"if /a size = 3", "there is no field size; there are: czxid"},
      {"if /a version ~ 3", "~ is none of = != < >"},
      {"if /a version = three", "\"three\" is not a number"},
      {"set /a 'x", "line 1: a ' is not closed"},
      {"set", "PATH is missing"},
      {"set /a x --version many", "version"},
      {"set /a x --frob", "do not know --frob"},
      {"set /a x --help", "--help is no option here"},
      {"set /a -", "- is no data in a transaction"},
      {"create /a x --acl world", "SCHEME:ID:PERMISSIONS"},
      {"acl /a world", "SCHEME:ID:PERMISSIONS"},
  };
  for (const auto& [text, words] : table) {
    const absl::Status status = Parse(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(status.message(), HasSubstr(words)) << text;
  }
}

TEST(TransactionTextTest, TheOutcomeIsOfTheBranchThatWasTaken) {
  const auto lines = Parse("if exists /a\nthen set /a x\nelse create /b/n- y -s\nelse delete /c -r");
  ASSERT_TRUE(lines.ok());
  coord::TransactionResult result;
  result.zxid = coord::Zxid(7);
  result.results.resize(2);
  result.results[0].path = "/b/n-0000000001";
  result.results[1].count = 3;
  const std::vector<Item> items = OutcomeItems(*lines, result);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_THAT(items[0].cells, ElementsAre("3", "create", "/b/n-0000000001", "made"));
  EXPECT_THAT(items[1].cells, ElementsAre("4", "delete -r", "/c", "3 deleted"));
  const Item whole = OutcomeItem(*lines, result);
  EXPECT_EQ(whole.json["succeeded"], false);
  EXPECT_EQ(whole.json["results"][1]["count"], 3);
}

TEST(TransactionTextTest, ARefusalNamesTheLineToBlame) {
  const auto lines = Parse("if exists /a\nset /a x\nset /b y\nelse set /c z");
  ASSERT_TRUE(lines.ok());
  const auto words = [&](std::size_t operation) {
    return std::string(
        RefusedAtLine(*lines, coord::RefusedError(coord::Code::kNoNode, "no such node", coord::Zxid(3), operation)).message());
  };
  EXPECT_THAT(words(1), HasSubstr("line 3: set /b: "));
  EXPECT_THAT(words(0), HasSubstr("line 2: set /a, or line 4: set /c: "));
  EXPECT_THAT(words(0), HasSubstr("nothing was done"));
  EXPECT_EQ(RefusedAtLine(*lines, absl::UnavailableError("x")), absl::UnavailableError("x"));
}

}  // namespace
}  // namespace drover::cli

#include "client/cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> CommandsBelow(const std::vector<std::string>& words) {
  if (words.empty()) return {"get", "set", "stat", "acl"};
  if (words.front() == "acl" && words.size() == 1) return {"get", "set"};
  return {};
}

Wanted At(absl::string_view line) {
  return WantedAt(line, "/app", CommandsBelow);
}

TEST(CompletionTest, FirstComesACommandThenPaths) {
  EXPECT_EQ(At("").kind, Wanted::Kind::kCommand);
  EXPECT_EQ(At("s").kind, Wanted::Kind::kCommand);
  EXPECT_EQ(At("acl ").kind, Wanted::Kind::kCommand);
  EXPECT_EQ(At("acl g").name, "g");
  const Wanted wanted = At("acl get b/c");
  EXPECT_EQ(wanted.kind, Wanted::Kind::kPath);
  EXPECT_EQ(wanted.parent, "/app/b");
  EXPECT_EQ(wanted.name, "c");
  EXPECT_EQ(wanted.word_begin, 8u);
  EXPECT_EQ(At("get /x/y/").parent, "/x/y");
  EXPECT_EQ(At("get /x").parent, "/");
  EXPECT_EQ(At("get ").parent, "/app");
  EXPECT_EQ(At("get ../").parent, "/");
  EXPECT_EQ(At("get --ver").kind, Wanted::Kind::kNothing);
  EXPECT_EQ(At("get # x").kind, Wanted::Kind::kNothing);
}

TEST(CompletionTest, AWordIsMadeAsLongAsAllChoicesAgree) {
  EXPECT_EQ(Complete(At("g"), At("g").commands).word, "get ");
  const Completion several = Complete(At("s"), At("s").commands);
  EXPECT_EQ(several.word, "");
  EXPECT_THAT(several.shown, ElementsAre("set", "stat"));
  EXPECT_EQ(Complete(At("get /x/n"), {"node-1", "node-2", "other"}).word, "/x/node-");
  EXPECT_THAT(Complete(At("get /x/node-"), {"node-1", "node-2"}).shown, ElementsAre("node-1", "node-2"));
  EXPECT_EQ(Complete(At("get no"), {"node-1"}).word, "node-1");
  EXPECT_EQ(Complete(At("get ../no"), {"node-1"}).word, "../node-1");
}

TEST(CompletionTest, WhereNothingFitsNothingHappens) {
  const Completion none = Complete(At("get x"), {"a", "b"});
  EXPECT_EQ(none.word, "");
  EXPECT_THAT(none.shown, IsEmpty());
  EXPECT_EQ(Complete(At("get --x"), {"--xyz"}).word, "");
}

TEST(CompletionTest, NamesWithBlanksAreQuoted) {
  EXPECT_EQ(Complete(At("get t"), {"two words"}).word, "\"two words");
  EXPECT_EQ(Complete(At("get \"two w"), {"two words"}).word, "\"two words");
}

TEST(CompletionTest, NoHalfOfACharacterIsAdded) {
  EXPECT_EQ(Complete(At("get g"), {"gr\xc3\xbc"
                                   "n",
                                   "gr\xc3\xa4"
                                   "n"})
                .word,
            "gr");
}

}  // namespace
}  // namespace drover::cli

#include "client/cli/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(WordsTest, BlanksSeparateAndQuotesKeepTogether) {
  EXPECT_THAT(*SplitWords("  set /a\t'two words' \"a\\tb\\x41\\\"\" c\\ d "),
              ElementsAre("set", "/a", "two words", "a\tbA\"", "c d"));
  EXPECT_THAT(*SplitWords("a'b'\"c\"d ''"), ElementsAre("abcd", ""));
  EXPECT_THAT(*SplitWords("'\\n'"), ElementsAre("\\n")) << "verbatim";
  EXPECT_THAT(*SplitWords("\"\\xff\\x00\""), ElementsAre(std::string("\xff\0", 2)));
  EXPECT_THAT(*SplitWords(""), IsEmpty());
}

TEST(WordsTest, ACommentBeginsAWord) {
  EXPECT_THAT(*SplitWords("a # b 'c"), ElementsAre("a"));
  EXPECT_THAT(*SplitWords("a#b '#' \\#"), ElementsAre("a#b", "#", "#"));
}

TEST(WordsTest, WhatIsNotFinishedIsNamed) {
  EXPECT_THAT(SplitWords("a 'b").status().message(), HasSubstr("a ' is not closed"));
  EXPECT_THAT(SplitWords("a \"b").status().message(), HasSubstr("a \" is not closed"));
  EXPECT_THAT(SplitWords("a \\").status().message(), HasSubstr("behind the last \\"));
  EXPECT_THAT(SplitWords("\"\\q\"").status().message(), HasSubstr("\\q means nothing"));
  EXPECT_THAT(SplitWords("\"\\x4\"").status().message(), HasSubstr("hexadecimal"));
}

TEST(WordsTest, TheEndOfALineIsKnown) {
  Lexed lexed = Lex("get /a");
  EXPECT_TRUE(lexed.in_word);
  EXPECT_EQ(lexed.word_begin, 4u);
  lexed = Lex("get ");
  EXPECT_FALSE(lexed.in_word);
  EXPECT_EQ(lexed.word_begin, 4u);
  lexed = Lex("get \"/a b");
  EXPECT_EQ(lexed.quote, '"');
  EXPECT_EQ(lexed.words.back(), "/a b");
  EXPECT_EQ(lexed.word_begin, 4u);
  EXPECT_TRUE(Lex("get #x").comment);
}

TEST(WordsTest, WhatIsQuotedIsReadBack) {
  EXPECT_EQ(Quoted("/a/b"), "/a/b");
  EXPECT_EQ(Quoted("/a b", /*open=*/true), "\"/a b");
  for (const std::string& word : {std::string(), std::string("#a"), std::string("a b"), std::string("'\"\\\n\t\x01\x7f"),
                                  std::string("\0x", 2), std::string("gr\xc3\xbc\xc3\x9f")}) {
    EXPECT_THAT(*SplitWords(Quoted(word)), ElementsAre(word)) << Quoted(word);
  }
}

}  // namespace
}  // namespace drover::cli

#include "coord/process/config_file.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ParseConfigTest, ReadsEachFormOfValue) {
  const struct {
    const char* line;
    std::vector<std::string> values;
  } table[] = {
      {"k = 4", {"4"}},
      {"k=true", {"true"}},
      {"  k\t=  127.0.0.1:7400  # why", {"127.0.0.1:7400"}},
      {"k = \"a # b = [c]\" # d", {"a # b = [c]"}},
      {"k = \"q\\\"b\\\\n\\nt\\t\"", {"q\"b\\n\nt\t"}},
      {"k = 'as it \\ stands'", {"as it \\ stands"}},
      {"k = \"\"", {""}},
      {"k = []", {}},
      {"k = [ 'a', \"b,c\" , d ]", {"a", "b,c", "d"}},
      {"k = [a,]", {"a"}},
      {"k = v\r", {"v"}},
  };
  for (const auto& row : table) {
    const auto lines = ParseConfig(row.line);
    ASSERT_TRUE(lines.ok()) << row.line << ": " << lines.status();
    ASSERT_EQ(lines->size(), 1u) << row.line;
    EXPECT_EQ(lines->front().key, "k");
    EXPECT_EQ(lines->front().values, row.values) << row.line;
  }
}

TEST(ParseConfigTest, CommentsAndEmptyLinesAreSkippedAndCounted) {
  const auto lines = ParseConfig("# one\n\n  \na-b = 1\nc = 2\n");
  ASSERT_TRUE(lines.ok());
  ASSERT_EQ(lines->size(), 2u);
  EXPECT_EQ(lines->front().line, 4);
  EXPECT_EQ(lines->front().key, "a-b");
  EXPECT_EQ(lines->back().line, 5);
  EXPECT_THAT(*ParseConfig(""), IsEmpty());
}

TEST(ParseConfigTest, WhatIsWrongNamesItsLine) {
  for (const char* line : {"k", "k =", "= v", "k v", "k = \"open", "k = 'open", "k = [a", "k = [a b]", "k = a b", "k = \"a\" b",
                           "[section]", "k = \"\\x\"", "k = \"\\", "k = é"}) {
    const auto lines = ParseConfig(std::string("a = 1\n") + line);
    ASSERT_FALSE(lines.ok()) << line;
    EXPECT_THAT(std::string(lines.status().message()), HasSubstr("line 2")) << line;
  }
}

TEST(ReadConfigFileTest, AMissingFileIsNamed) {
  const auto lines = ReadConfigFile("/nowhere/drover.toml");
  EXPECT_THAT(std::string(lines.status().message()), HasSubstr("/nowhere/drover.toml"));
}

TEST(ReadConfigFileTest, ADirectoryIsRefused) {
  EXPECT_FALSE(ReadConfigFile("/tmp").ok());
}

}  // namespace
}  // namespace drover::process

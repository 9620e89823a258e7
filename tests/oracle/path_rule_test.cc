#include "tests/oracle/path_rule.h"

#include <gtest/gtest.h>

#include <string>

namespace drover::oracle {
namespace {

using std::string_literals::operator""s;

TEST(PathRuleTest, WhatAServerTakesIsAPath) {
  for (const std::string& path : {"/"s, "/a"s, "/a/b"s, "/..."s, "/.a"s, "/a."s, "/..a"s, "/a../b"s, "/ "s, "/\xc2\xa0"s,
                                  "/\xed\x9f\xbf"s, "/\xef\xa4\x80"s, "/\xef\xbf\xaf"s}) {
    EXPECT_TRUE(IsPath(path)) << path;
  }
}

TEST(PathRuleTest, WhatAServerRefusesIsNone) {
  for (const std::string& path : {""s,
                                  "a"s,
                                  "a/b"s,
                                  "//"s,
                                  "/a/"s,
                                  "/a//b"s,
                                  "/."s,
                                  "/.."s,
                                  "/a/./b"s,
                                  "/a/../b"s,
                                  "/a/.."s,
                                  "/\0"s,
                                  "/a\x1f"s,
                                  "/\x7f"s,
                                  "/\xc2\x80"s,
                                  "/\xc2\x9f"s,
                                  "/\xee\x80\x80"s,
                                  "/\xef\xa3\xbf"s,
                                  "/\xef\xbf\xb0"s,
                                  "/\xf0\x9f\x98\x80"s}) {
    EXPECT_FALSE(IsPath(path)) << path;
  }
}

TEST(PathRuleTest, BytesThatAreNoUtf8AreNone) {
  for (const std::string& path : {"/\xff"s, "/\x80"s, "/\xc0\x80"s, "/\xc1\xbf"s, "/\xe0\x80\xaf"s, "/\xe2\x82"s, "/\xed\xa0\x80"s,
                                  "/\xf4\x90\x80\x80"s, "/\xf8\x88\x80\x80\x80"s}) {
    EXPECT_FALSE(IsPath(path)) << path;
  }
}

TEST(PathRuleTest, ASequentialOneIsJudgedWithItsNumber) {
  for (const std::string& path : {"/"s, "/a/"s, "/."s, "/a/.."s}) {
    EXPECT_TRUE(IsPathToCreate(path, true)) << path;
    EXPECT_EQ(IsPathToCreate(path, false), path == "/") << path;
  }
  EXPECT_FALSE(IsPathToCreate("", true));
  EXPECT_FALSE(IsPathToCreate("/a//", true));
}

}  // namespace
}  // namespace drover::oracle

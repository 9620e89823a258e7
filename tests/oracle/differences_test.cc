#include "tests/oracle/differences.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace drover::oracle {
namespace {

std::map<std::string, std::uint64_t> Applied(const Operation& o, const Answer& zookeeper, Answer* expected) {
  std::map<std::string, std::uint64_t> applied;
  *expected = Expected(o, zookeeper, &applied);
  return applied;
}

TEST(DifferencesTest, WhatIsNotInTheTableStaysAsZooKeeperSaidIt) {
  Answer expected;
  const Answer said = {.code = Code::kOk, .zxid = 5, .path = "/a", .stat = Stat{.czxid = 5}};
  EXPECT_TRUE(Applied({.kind = Kind::kCreate, .path = "/a"}, said, &expected).empty());
  EXPECT_EQ(expected, said);
}

TEST(DifferencesTest, APathThatIsNoneIsRefusedWhateverTheTreeHolds) {
  Answer expected;
  EXPECT_EQ(Applied({.kind = Kind::kCreate, .path = "/a/./b"}, {.code = Code::kNoNode}, &expected).count("path-first"), 1u);
  EXPECT_EQ(expected.code, Code::kBadArguments);
  Applied({.kind = Kind::kExists, .path = ""}, {.stat = Stat()}, &expected);
  EXPECT_EQ(expected.code, Code::kBadArguments);
  EXPECT_FALSE(expected.stat.has_value());
}

TEST(DifferencesTest, AStatShowsTheLifetimeThatWasAskedFor) {
  Answer expected;
  Answer said = {.path = "/a", .stat = Stat{.lifetime_told = false}};
  EXPECT_EQ(Applied({.kind = Kind::kCreate, .path = "/a", .ttl_ms = 5}, said, &expected).count("lifetime-in-stat"), 1u);
  EXPECT_EQ(expected.stat->ttl_ms, 5);
  EXPECT_TRUE(expected.stat->lifetime_told);
  EXPECT_TRUE(Applied({.kind = Kind::kCreate, .path = "/a"}, said, &expected).empty());
  EXPECT_TRUE(expected.stat->lifetime_told) << "none: that is compared, too";
  EXPECT_TRUE(Applied({.kind = Kind::kExists, .path = "/a"}, said, &expected).empty());
  EXPECT_FALSE(expected.stat->lifetime_told);
  const Operation multi = {.kind = Kind::kMulti, .parts = {{.kind = Kind::kCreate, .path = "/a", .container = true}}};
  Applied(multi, {.parts = {said}}, &expected);
  EXPECT_TRUE(expected.parts[0].stat->container);
}

TEST(DifferencesTest, APathOverTheLimitIsRefusedAsSuch) {
  Answer expected;
  const std::string at = absl::StrCat("/", std::string(4'095, 'l'));
  Applied({.kind = Kind::kGet, .path = at}, {.code = Code::kNoNode}, &expected);
  EXPECT_EQ(expected.code, Code::kNoNode);
  Applied({.kind = Kind::kGet, .path = at + "l"}, {.code = Code::kNoNode}, &expected);
  EXPECT_EQ(expected.code, Code::kTooLarge);
  Applied({.kind = Kind::kCreate, .path = at, .sequential = true}, {.code = Code::kNoNode}, &expected);
  EXPECT_EQ(expected.code, Code::kTooLarge);
  Applied({.kind = Kind::kWatch, .path = at + "l"}, {}, &expected);
  EXPECT_EQ(expected.code, Code::kTooLarge);
}

TEST(DifferencesTest, AWriteThatTookEffectIsNotTalkedAway) {
  Answer expected;
  Applied({.kind = Kind::kCreate, .path = "/a/"}, {.path = "/a/"}, &expected);
  EXPECT_EQ(expected.code, Code::kOk);
}

TEST(DifferencesTest, TheRootHasNoSystemChild) {
  Answer expected;
  Applied({.kind = Kind::kGet, .path = "/"}, {.stat = Stat{.cversion = 4, .num_children = 2}, .data = ""}, &expected);
  EXPECT_EQ(expected.stat->cversion, 5);
  EXPECT_EQ(expected.stat->num_children, 1);
  Applied({.kind = Kind::kChildren, .path = "/"}, {.names = {"a", "zookeeper"}}, &expected);
  EXPECT_EQ(expected.names, std::vector<std::string>{"a"});
  Applied({.kind = Kind::kGet, .path = "/a"}, {.stat = Stat{.cversion = 4, .num_children = 2}, .data = ""}, &expected);
  EXPECT_EQ(expected.stat->num_children, 2);
}

TEST(DifferencesTest, APathThatIsNoneIsRefusedAsSuchInAMulti) {
  const Operation multi = {.kind = Kind::kMulti,
                           .parts = {{.kind = Kind::kCheck, .path = "a"}, {.kind = Kind::kDelete, .path = "/b"}}};
  Answer expected;
  Applied(multi, {.code = Code::kNoNode, .parts = {{.code = Code::kNoNode}, {.code = Code::kNotTried}}}, &expected);
  EXPECT_EQ(expected.code, Code::kBadArguments);
  ASSERT_EQ(expected.parts.size(), 2u);
  EXPECT_EQ(expected.parts[0].code, Code::kBadArguments);
  EXPECT_EQ(expected.parts[1].code, Code::kNotTried);
}

TEST(DifferencesTest, NullDataReadAsEmpty) {
  Answer expected;
  EXPECT_EQ(Applied({.kind = Kind::kGet, .path = "/a"}, {.stat = Stat()}, &expected).count("no-null-data"), 1u);
  EXPECT_EQ(expected.data, "");
}

}  // namespace
}  // namespace drover::oracle

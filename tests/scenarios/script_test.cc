// The driver itself: a script that claims what is not so must fail, at the line that claims it.
#include "tests/scenarios/script.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::scenarios {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Fails(const std::string& text) {
  const absl::Status status = Script().Run(text);
  EXPECT_FALSE(status.ok()) << text;
  return std::string(status.message());
}

TEST(ScriptTest, WhatHoldsPasses) {
  EXPECT_TRUE(Script().Run("start n1 n2 n3\nelect n1\npropose n1 2\nsettle\nexpect commit n1 4  # no-op and two\n").ok());
}

TEST(ScriptTest, TheFailingLineIsNamed) {
  EXPECT_EQ(Fails("# comment\nstart n1 n2 n3\nelect n1\nexpect role n2 leader\n"), "4: `expect role n2 leader`: it is follower");
  EXPECT_EQ(Fails("start n1 n2 n3\nelect n1\nexpect commit n1 > 5\n"), "3: `expect commit n1 > 5`: it is 2");
  EXPECT_EQ(Fails("start n1 n2 n3\nelect n1\nexpect log * 1 1 2\n"), "3: `expect log * 1 1 2`: n1: it is 1 2");
  EXPECT_THAT(Fails("start n1 n2 n3\npropose n1\n"), StartsWith("2: `propose n1`: not the leader"));
  EXPECT_THAT(Fails("start n1 n2 n3\nelect n1\nrefused UNAVAILABLE propose n1\n"), HasSubstr("the answer is OK"));
}

TEST(ScriptTest, WhatIsNoLanguageIsRefused) {
  EXPECT_THAT(Fails("start n1\nelct n1\n"), StartsWith("2: `elct n1`: 'elct' is no action"));
  EXPECT_THAT(Fails("start n1\ntick n1\n"), HasSubstr("a word is missing"));
  EXPECT_THAT(Fails("start n1\ntick n1 10 20\n"), HasSubstr("'20' is too much"));
  EXPECT_THAT(Fails("start n1\nexpect term n2 1\n"), HasSubstr("there is no node n2"));
  EXPECT_THAT(Fails("tick n1 10\n"), HasSubstr("must stand after the start"));
  EXPECT_THAT(Fails("option heartbeat_ms 0\n"), HasSubstr("must be above 0"));
  EXPECT_THAT(Fails("option nothing 1\n"), HasSubstr("there is no option"));
  EXPECT_THAT(Fails("start n1 n2\ndeliver n1>n2\n"), HasSubstr("nothing is under way"));
  EXPECT_THAT(Fails("# nothing\n"), HasSubstr("nothing was started"));
}

TEST(ScriptTest, WhatDoesNotHealFailsUnlessItSaysSo) {
  const std::string two_of_three_gone = "start n1 n2 n3\nelect n1\nscrap n1\nscrap n2\n";
  EXPECT_THAT(Fails(two_of_three_gone), HasSubstr("while all heals: no node leads"));
  EXPECT_TRUE(Script().Run(two_of_three_gone + "no-heal\n").ok());
}

TEST(ScriptTest, ABrokenPromiseIsSeen) {
  // What two of three acknowledged is gone with their disks.
  EXPECT_THAT(Fails("start n1 n2 n3\nelect n1\npropose n1\nsettle\ncrash n1\nwipe n1\ncrash n2\nwipe n2\n"),
              HasSubstr("8: `wipe n2`: cluster invariant violated"));
}

}  // namespace
}  // namespace drover::scenarios

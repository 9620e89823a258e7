// The judge itself: what is untrue is found.
#include "tests/coord/recipes/holding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace drover::recipes {
namespace {

using coord::Event;
using ::testing::HasSubstr;

base::Zxid Z(std::uint64_t value) {
  return base::Zxid(value);
}

class HoldingTest : public ::testing::Test {
 protected:
  void Made(std::uint64_t zxid, const std::string& path) {
    Event event;
    event.zxid = Z(zxid);
    event.path = path;
    event.stat.czxid = Z(zxid);
    events_.push_back(event);
  }
  void Gone(std::uint64_t zxid, const std::string& path) {
    Event event;
    event.zxid = Z(zxid);
    event.type = Event::Type::kDeleted;
    event.path = path;
    events_.push_back(event);
  }
  std::string Check(Rule rule, const std::string& path, std::uint64_t token, std::uint64_t at, std::size_t permits = 1) {
    return std::string(CheckClaims(events_, {{rule, path, Z(token), Z(at), permits, "p"}}).message());
  }

  // The item is done, with the token of a claim.
  void Done(std::uint64_t zxid, const std::string& item, const std::string& token) {
    Made(zxid, "/done/" + item);
    events_.back().data = token;
  }
  std::string CheckDone(const std::set<std::string>& put) {
    return std::string(CheckItems(events_, "/q", "/done", put).status().message());
  }

  std::vector<Event> events_;
};

TEST_F(HoldingTest, TheFirstOfALineHoldsFromWhenNobodyIsBeforeIt) {
  Made(1, "/l/m-0000000001");
  Made(2, "/l/m-0000000002");
  Gone(3, "/l/m-0000000001");
  EXPECT_EQ(Check(Rule::kFirst, "/l/m-0000000001", 1, 2), "");
  EXPECT_THAT(Check(Rule::kFirst, "/l/m-0000000001", 1, 3), HasSubstr("not there"));
  EXPECT_THAT(Check(Rule::kFirst, "/l/m-0000000002", 2, 2), HasSubstr("1 stood before it, such as m-0000000001"));
  EXPECT_EQ(Check(Rule::kFirst, "/l/m-0000000002", 2, 3), "");
  EXPECT_THAT(Check(Rule::kFirst, "/l/m-0000000002", 7, 3), HasSubstr("another one's"));
}

TEST_F(HoldingTest, ReadersStandInNoReadersWay) {
  Made(1, "/l/r-0000000001");
  Made(2, "/l/r-0000000002");
  Made(3, "/l/w-0000000003");
  Made(4, "/l/r-0000000004");
  EXPECT_EQ(Check(Rule::kReadWrite, "/l/r-0000000002", 2, 4), "");
  EXPECT_NE(Check(Rule::kReadWrite, "/l/w-0000000003", 3, 4), "");
  EXPECT_NE(Check(Rule::kReadWrite, "/l/r-0000000004", 4, 4), "");
}

TEST_F(HoldingTest, SoManyHoldASemaphore) {
  for (std::uint64_t i = 1; i <= 3; ++i) Made(i, "/l/s-000000000" + std::to_string(i));
  EXPECT_EQ(Check(Rule::kPermits, "/l/s-0000000002", 2, 3, 2), "");
  EXPECT_NE(Check(Rule::kPermits, "/l/s-0000000003", 3, 3, 2), "");
  EXPECT_EQ(Check(Rule::kAlone, "/l/s-0000000003", 3, 3), "");
}

TEST_F(HoldingTest, ABarrierOpensWhenEnoughWereTogetherInOneRound) {
  Made(1, "/b/in/p");
  Made(2, "/b/in/q");
  Gone(3, "/b/in/q");
  Made(4, "/b/in/r");
  EXPECT_THAT(Check(Rule::kTogether, "/b/in/p", 1, 1, 2), HasSubstr("no more than 1"));
  EXPECT_EQ(Check(Rule::kTogether, "/b/in/p", 1, 2, 2), "");
  EXPECT_EQ(Check(Rule::kTogether, "/b/in/p", 1, 3, 2), "") << "they were";
  EXPECT_EQ(Check(Rule::kTogether, "/b/in/r", 4, 4, 2), "") << "who comes later";
  EXPECT_THAT(Check(Rule::kTogether, "/b/in/p", 1, 4, 3), HasSubstr("no more than 2")) << "three, one after the other";
  EXPECT_THAT(Check(Rule::kTogether, "/b/in/q", 2, 3, 2), HasSubstr("not there"));
  Gone(5, "/b/in/p");
  Gone(6, "/b/in/r");
  Made(7, "/b/in/p");
  EXPECT_THAT(Check(Rule::kTogether, "/b/in/p", 7, 7, 2), HasSubstr("no more than 1")) << "of another round";
}

TEST_F(HoldingTest, ABarrierIsLeftOnceNobodyHasBeenInside) {
  Made(1, "/b/in/p");
  Made(2, "/b/in/q");
  Made(2, "/b/out/z");
  Gone(3, "/b/in/p");
  EXPECT_THAT(Check(Rule::kAllLeft, "/b/in/p", 1, 2), HasSubstr("was there"));
  EXPECT_THAT(Check(Rule::kAllLeft, "/b/in/p", 1, 3), HasSubstr("1 were there"));
  Made(4, "/b/in/r");
  Gone(5, "/b/in/q");
  EXPECT_THAT(Check(Rule::kAllLeft, "/b/in/p", 1, 5), HasSubstr("1 were there")) << "who came later";
  Gone(6, "/b/in/r");
  EXPECT_EQ(Check(Rule::kAllLeft, "/b/in/p", 1, 6), "");
  EXPECT_EQ(Check(Rule::kAllLeft, "/b/in/r", 4, 6), "");
  Made(7, "/b/in/q");
  EXPECT_EQ(Check(Rule::kAllLeft, "/b/in/p", 1, 7), "") << "another round has begun";
  EXPECT_THAT(Check(Rule::kAllLeft, "/b/in/p", 2, 7), HasSubstr("not the last one"));
  Gone(8, "/b/in/q");
  EXPECT_EQ(Check(Rule::kAllLeft, "/b/in/q", 7, 8), "");
  EXPECT_THAT(Check(Rule::kAllLeft, "/b/in/s", 7, 8), HasSubstr("not the last one"));
}

TEST_F(HoldingTest, EveryItemIsDoneOnceByWhoHasItInHand) {
  Made(3, "/q/items/a/claim");
  Done(5, "a", "3");
  const auto claims = CheckItems(events_, "/q", "/done", {"a"});
  ASSERT_TRUE(claims.ok()) << claims.status();
  EXPECT_EQ(CheckClaims(events_, *claims), absl::OkStatus());
  EXPECT_EQ(CheckDone({}), "") << "one whose Put had no answer";
  EXPECT_THAT(CheckDone({"a", "b"}), HasSubstr("b was lost"));
  Done(6, "b", "?");
  EXPECT_THAT(CheckDone({"a", "b"}), HasSubstr("b was done with no token"));
  events_.pop_back();
  Done(7, "a", "3");
  EXPECT_THAT(CheckDone({"a"}), HasSubstr("a was done twice"));
}

}  // namespace
}  // namespace drover::recipes

#include "coord/server/copies.h"

#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr base::NodeId kNode{3};
constexpr base::BootNonce kFirst{11};
constexpr base::BootNonce kSecond{22};

class CopiesTest : public ::testing::Test {
 protected:
  static base::Instant At(base::Duration since) { return base::Instant(since); }
  Copies copies_{Copies::Options{seconds(1)}};
};

TEST_F(CopiesTest, WhoAsksWhileTheOtherGoesOnAnsweringIsASecondProcess) {
  copies_.OnAnswer(At(seconds(10)), kNode, kFirst);
  EXPECT_FALSE(copies_.OnAsked(At(seconds(10)), kNode, kSecond));
  copies_.OnAnswer(At(milliseconds(10'900)), kNode, kFirst);
  EXPECT_FALSE(copies_.OnAsked(At(seconds(11)), kNode, kSecond)) << "that may have been under way";
  copies_.OnAnswer(At(seconds(11)), kNode, kFirst);
  EXPECT_TRUE(copies_.OnAsked(At(seconds(11)), kNode, kSecond));
  EXPECT_FALSE(copies_.OnAsked(At(seconds(11)), base::NodeId(2), kSecond)) << "another node";
}

TEST_F(CopiesTest, ANodeThatWasStartedAgainIsNone) {
  copies_.OnAnswer(At(seconds(10)), kNode, kFirst);
  for (int second = 11; second < 30; ++second) EXPECT_FALSE(copies_.OnAsked(At(seconds(second)), kNode, kSecond));
  copies_.OnAnswer(At(seconds(30)), kNode, kSecond);
  EXPECT_FALSE(copies_.OnAsked(At(seconds(40)), kNode, kSecond)) << "it answers itself";
}

TEST_F(CopiesTest, ItIsSeenForAWhile) {
  copies_.OnAnswer(At(seconds(10)), kNode, kFirst);
  EXPECT_FALSE(copies_.OnAsked(At(seconds(10)), kNode, kSecond, "a:1"));
  EXPECT_TRUE(copies_.Seen(At(seconds(10))).empty());
  copies_.OnAnswer(At(seconds(12)), kNode, kFirst);
  EXPECT_TRUE(copies_.OnAsked(At(seconds(12)), kNode, kSecond, "a:2"));
  EXPECT_EQ(copies_.Seen(At(seconds(20))), (std::vector<Copy>{{kNode, "a:2"}}));
  EXPECT_TRUE(copies_.Seen(At(seconds(22))).empty()) << "it asks no more";
}

TEST_F(CopiesTest, WhomNobodyHasAnsweredForIsNone) {
  EXPECT_FALSE(copies_.OnAsked(At(seconds(1)), kNode, kSecond));
  EXPECT_FALSE(copies_.OnAsked(At(seconds(60)), kNode, kSecond));
}

}  // namespace
}  // namespace drover::coord::server

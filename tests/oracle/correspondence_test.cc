#include "tests/oracle/correspondence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::oracle {
namespace {

using ::testing::HasSubstr;

TEST(CorrespondenceTest, ZooKeepersZxidsMayHaveGapsAndOursMayNot) {
  Correspondence c;
  EXPECT_EQ(c.Transaction(10, 1), "");
  EXPECT_EQ(c.Transaction(14, 2), "");
  EXPECT_THAT(c.Transaction(15, 4), HasSubstr("our zxid is 4, the next one is 3"));
}

TEST(CorrespondenceTest, TheOrderIsKept) {
  Correspondence c;
  EXPECT_EQ(c.Transaction(10, 1), "");
  EXPECT_THAT(c.Transaction(10, 2), HasSubstr("does not follow"));
}

TEST(CorrespondenceTest, AnOpeningTakesOneOfOurs) {
  Correspondence c;
  EXPECT_EQ(c.Opening(1), "");
  EXPECT_EQ(c.Transaction(10, 2), "");
  EXPECT_THAT(c.Opening(2), HasSubstr("the next one is 3"));
}

TEST(CorrespondenceTest, AReadIsAtTheNewestTransaction) {
  Correspondence c;
  EXPECT_EQ(c.State(3, 0), "");
  EXPECT_EQ(c.Transaction(10, 1), "");
  EXPECT_EQ(c.State(12, 1), "");
  EXPECT_THAT(c.State(9, 1), HasSubstr("before its newest transaction"));
  EXPECT_THAT(c.State(12, 0), HasSubstr("we answer at zxid 0"));
}

TEST(CorrespondenceTest, BothNameTheSameTransaction) {
  Correspondence c;
  EXPECT_EQ(c.Transaction(10, 1), "");
  EXPECT_EQ(c.Transaction(14, 2), "");
  EXPECT_EQ(c.Zxid("czxid", 0, 0), "");
  EXPECT_EQ(c.Zxid("czxid", 14, 2), "");
  EXPECT_THAT(c.Zxid("czxid", 14, 1), HasSubstr("czxid: ZooKeeper names 14, which is our 2; we name 1"));
  EXPECT_THAT(c.Zxid("czxid", 12, 2), HasSubstr("no transaction"));
}

TEST(CorrespondenceTest, ATransactionHasOneTimeInEach) {
  Correspondence c;
  EXPECT_EQ(c.Transaction(10, 1), "");
  EXPECT_EQ(c.Transaction(11, 2), "");
  EXPECT_EQ(c.Time("ctime", 10, 500, 700), "");
  EXPECT_EQ(c.Time("mtime", 10, 500, 700), "");
  EXPECT_THAT(c.Time("mtime", 10, 500, 701), HasSubstr("of the same transaction"));
  EXPECT_THAT(c.Time("mtime", 10, 501, 700), HasSubstr("of the same transaction"));
  EXPECT_THAT(c.Time("mtime", 11, 501, 699), HasSubstr("older transaction"));
}

TEST(CorrespondenceTest, OursNeverGoesBackWhicheverIsSeenFirst) {
  Correspondence c;
  EXPECT_EQ(c.Transaction(10, 1), "");
  EXPECT_EQ(c.Transaction(11, 2), "");
  EXPECT_EQ(c.Time("ctime", 11, 500, 700), "");
  EXPECT_THAT(c.Time("ctime", 10, 500, 701), HasSubstr("newer transaction"));
}

TEST(CorrespondenceTest, AnOwnerIsTheSessionThatBothOpened) {
  Correspondence c;
  c.Session(900, 3);
  EXPECT_EQ(c.Owner(0, 0), "");
  EXPECT_EQ(c.Owner(900, 3), "");
  EXPECT_NE(c.Owner(900, 4), "");
  EXPECT_NE(c.Owner(900, 0), "");
  EXPECT_NE(c.Owner(0, 3), "");
  EXPECT_NE(c.Owner(901, 3), "");
}

TEST(CorrespondenceTest, OpeningsAreNoTransactionsOfNodes) {
  Correspondence c;
  EXPECT_EQ(c.Opening(1), "");
  EXPECT_EQ(c.Transaction(10, 2), "");
  EXPECT_FALSE(c.IsTransactionOfOurs(1));
  EXPECT_TRUE(c.IsTransactionOfOurs(2));
  EXPECT_EQ(c.transactions(), 1u);
}

}  // namespace
}  // namespace drover::oracle

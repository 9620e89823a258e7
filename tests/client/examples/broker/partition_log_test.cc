#include "client/examples/broker/partition_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/process.h"

namespace drover::examples::broker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PartitionLogTest : public ::testing::Test {
 protected:
  // As another process would.
  std::unique_ptr<PartitionLog> Open() { return PartitionLog::Open(path_).value(); }

  testing::TemporaryDirectory dir_;
  const std::string path_ = dir_ / "t-0.log";
};

TEST_F(PartitionLogTest, WhoeverOpensItKnowsWhatIsThere) {
  ASSERT_TRUE(Open()->Append(5, "p", 1, "one two").ok());
  ASSERT_TRUE(Open()->Append(6, "q", 7, "").ok());
  const auto log = Open();
  EXPECT_THAT(log->Read(0, 10).value(), ElementsAre("p 1 one two", "q 7 "));
  EXPECT_THAT(log->Read(1, 1).value(), ElementsAre("q 7 "));
  EXPECT_THAT(log->Read(2, 10).value(), IsEmpty());
  EXPECT_THAT(log->Read(9, 10).value(), IsEmpty());
  EXPECT_EQ(log->Summarize("p")->end, 2u);
  EXPECT_EQ(log->Summarize("q")->last, 7u);
  EXPECT_EQ(log->Summarize("r")->last, 0u);
}

TEST_F(PartitionLogTest, ALowerTokenIsRefusedOnceAHigherOneHasWritten) {
  const auto before = Open();
  const auto after = Open();
  ASSERT_TRUE(before->Append(5, "p", 1, "one").ok());
  ASSERT_TRUE(after->Append(6, "p", 2, "two").ok());
  const absl::Status refused = before->Append(5, "p", 3, "three");
  EXPECT_TRUE(absl::IsAborted(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("token 5"));
  EXPECT_THAT(Open()->Read(0, 10).value(), ElementsAre("p 1 one", "p 2 two"));
}

TEST_F(PartitionLogTest, AMessageThatIsSentAgainIsNotStoredTwiceWhoeverStoredIt) {
  const auto before = Open();
  const auto after = Open();
  ASSERT_TRUE(before->Append(5, "p", 1, "one").ok());
  EXPECT_TRUE(before->Append(5, "p", 1, "one").ok());
  EXPECT_TRUE(after->Append(6, "p", 1, "one").ok());
  EXPECT_TRUE(after->Append(6, "p", 4, "four").ok());
  EXPECT_TRUE(after->Append(6, "p", 2, "two").ok());
  EXPECT_THAT(Open()->Read(0, 10).value(), ElementsAre("p 1 one", "p 4 four"));
}

TEST_F(PartitionLogTest, TheTornLineOfOneWhoWasKilledIsNotReadAndIsCut) {
  ASSERT_TRUE(Open()->Append(5, "p", 1, "one").ok());
  testing::WriteFile(path_, testing::ReadFile(path_) + "5 p 2 tw");
  const auto log = Open();
  EXPECT_EQ(log->Summarize("p")->end, 1u);
  EXPECT_EQ(log->Summarize("p")->last, 1u);
  ASSERT_TRUE(log->Append(6, "p", 2, "two").ok());
  EXPECT_EQ(testing::ReadFile(path_), "5 p 1 one\n6 p 2 two\n");
}

TEST_F(PartitionLogTest, WhatIsNoRecordIsSaid) {
  testing::WriteFile(path_, "5 p 1 one\nhello\n");
  EXPECT_TRUE(absl::IsDataLoss(Open()->Summarize("p").status()));
  EXPECT_TRUE(absl::IsDataLoss(Open()->Append(5, "p", 2, "two")));
}

}  // namespace
}  // namespace drover::examples::broker

#include "tests/sim/check/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace drover::sim::check {
namespace {

using ::testing::HasSubstr;

AppliedEntry Entry(std::uint64_t node, std::uint64_t index, std::uint64_t term, std::uint64_t entry, std::uint64_t state) {
  return {base::NodeId(node), index, term, entry, state};
}
std::string Text(const absl::Status& status) {
  return std::string(status.message());
}

TEST(Agreement, NodesThatDoTheSameAgree) {
  Agreement agreement;
  for (std::uint64_t node = 1; node <= 3; ++node) {
    for (std::uint64_t index = 1; index <= 5; ++index) EXPECT_TRUE(agreement.Applied(Entry(node, index, 1, index, index * 7)).ok());
  }
  EXPECT_EQ(agreement.last_index(), 5U);
  EXPECT_TRUE(agreement.CheckAtRest({base::NodeId(1), base::NodeId(2), base::NodeId(3)}).ok());
  EXPECT_THAT(Text(agreement.CheckAtRest({base::NodeId(4)})), HasSubstr("node 4 has applied 0 of 5"));
}
TEST(Agreement, AnotherEntryIsFound) {
  Agreement agreement;
  EXPECT_TRUE(agreement.Applied(Entry(1, 1, 1, 10, 100)).ok());
  EXPECT_THAT(Text(agreement.Applied(Entry(2, 1, 2, 10, 100))), HasSubstr("index 1: node 2 applied an entry of term 2"));
  Agreement again;
  EXPECT_TRUE(again.Applied(Entry(1, 1, 1, 10, 100)).ok());
  EXPECT_THAT(Text(again.Applied(Entry(2, 1, 1, 11, 100))), HasSubstr("another one of term 1"));
}
TEST(Agreement, AnotherStateIsFound) {
  Agreement agreement;
  EXPECT_TRUE(agreement.Applied(Entry(1, 1, 1, 10, 100)).ok());
  EXPECT_THAT(Text(agreement.Applied(Entry(2, 1, 1, 10, 101))), HasSubstr("nodes 2 and 1 applied the same entry and differ"));
}
TEST(Agreement, ACommittedEntryThatChangesAfterARestartIsFound) {
  Agreement agreement;
  EXPECT_TRUE(agreement.Applied(Entry(1, 1, 1, 10, 100)).ok());
  agreement.Started(base::NodeId(1), 0);
  EXPECT_TRUE(agreement.Applied(Entry(1, 1, 1, 10, 100)).ok());
  agreement.Started(base::NodeId(1), 0);
  EXPECT_FALSE(agreement.Applied(Entry(1, 1, 3, 12, 100)).ok());
}
TEST(Agreement, AnIndexLeftOutOrRepeatedIsFound) {
  Agreement agreement;
  EXPECT_THAT(Text(agreement.Applied(Entry(1, 2, 1, 10, 100))), HasSubstr("applied index 2 behind 0"));
  agreement.Started(base::NodeId(1), 4);
  EXPECT_TRUE(agreement.Applied(Entry(1, 5, 1, 10, 100)).ok());
  EXPECT_FALSE(agreement.Applied(Entry(1, 5, 1, 10, 100)).ok());
}
TEST(Agreement, ASnapshotIsTheStateOfItsIndex) {
  Agreement agreement;
  EXPECT_TRUE(agreement.Applied(Entry(1, 1, 1, 10, 100)).ok());
  EXPECT_FALSE(agreement.Installed(base::NodeId(2), 1, 99).ok());
  EXPECT_THAT(Text(agreement.Installed(base::NodeId(2), 7, 99)), HasSubstr("nobody has applied"));
  EXPECT_TRUE(agreement.Installed(base::NodeId(2), 1, 100).ok());
  EXPECT_TRUE(agreement.Applied(Entry(2, 2, 1, 11, 101)).ok());
}

EffectiveWrite Write(std::uint64_t session, std::uint64_t number, std::uint64_t zxid) {
  return {base::SessionId(session), number, base::Zxid(zxid)};
}

TEST(Acknowledged, WhatIsInTheLogPasses) {
  EXPECT_TRUE(CheckAcknowledged({Write(1, 1, 5), Write(2, 1, 6), Write(1, 2, 7)}, {Write(1, 2, 7), Write(1, 1, 5)}).ok());
}
TEST(Acknowledged, ALostWriteIsFound) {
  EXPECT_THAT(Text(CheckAcknowledged({Write(1, 1, 5)}, {Write(1, 2, 7)})), HasSubstr("write 2 of session 1"));
}
TEST(Acknowledged, AnotherZxidIsFound) {
  EXPECT_THAT(Text(CheckAcknowledged({Write(1, 1, 5)}, {Write(1, 1, 4)})), HasSubstr("it took effect at 5"));
}
TEST(Acknowledged, AWriteThatTookEffectTwiceIsFound) {
  EXPECT_THAT(Text(CheckAcknowledged({Write(1, 1, 5), Write(1, 1, 6)}, {})), HasSubstr("and again at 6"));
  EXPECT_THAT(Text(CheckAcknowledged({Write(1, 1, 5), Write(2, 1, 5)}, {})), HasSubstr("zxid 5 behind 5"));
}

}  // namespace
}  // namespace drover::sim::check

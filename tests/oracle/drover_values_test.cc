#include "tests/oracle/drover_values.h"

#include <gtest/gtest.h>

#include <limits>

#include "drover/coord/status.h"

namespace drover::oracle {
namespace {

TEST(DroverValuesTest, ChecksAreComparesAndWritesTheBranch) {
  const Operation multi = {.kind = Kind::kMulti,
                           .parts = {{.kind = Kind::kCheck, .path = "/a", .version = 3},
                                     {.kind = Kind::kCheck, .path = "/b"},
                                     {.kind = Kind::kCreate, .path = "/c", .data = std::nullopt, .ephemeral = true},
                                     {.kind = Kind::kDelete, .path = "/d", .version = -2}}};
  const coord::Transaction transaction = TransactionOf(multi);
  const std::vector<coord::Compare> compares = {coord::Compare::Version("/a", 3), coord::Compare::Exists("/b")};
  EXPECT_EQ(transaction.compares, compares);
  ASSERT_EQ(transaction.then.size(), 2u);
  EXPECT_TRUE(transaction.then[0].create.ephemeral);
  EXPECT_EQ(transaction.then[0].data, "");
  EXPECT_EQ(transaction.then[1].version, std::numeric_limits<std::uint32_t>::max() - 1);
  EXPECT_TRUE(transaction.otherwise.empty());
}

TEST(DroverValuesTest, ARefusedBranchTellsOfEachOfItsParts) {
  const std::vector<coord::Operation> writes = {coord::Operation::Set("/a", ""), coord::Operation::Delete("/b"),
                                                coord::Operation::Set("/c", "")};
  const Answer answer = MultiAnswer(writes, coord::RefusedError(coord::Code::kNoNode, "", coord::Zxid(7), 1));
  EXPECT_EQ(answer.code, Code::kNoNode);
  EXPECT_EQ(answer.zxid, 7u);
  ASSERT_EQ(answer.parts.size(), 3u);
  EXPECT_EQ(answer.parts[0].code, Code::kUndone);
  EXPECT_EQ(answer.parts[1].code, Code::kNoNode);
  EXPECT_EQ(answer.parts[2].code, Code::kNotTried);
}

TEST(DroverValuesTest, ComparesThatDoNotHoldHaveNoParts) {
  const Answer answer =
      MultiAnswer({coord::Operation::Set("/a", "")}, coord::TransactionResult{.succeeded = false, .zxid = coord::Zxid(8)});
  EXPECT_EQ(answer.code, Code::kCompareFailed);
  EXPECT_EQ(answer.zxid, 8u);
  EXPECT_TRUE(answer.parts.empty());
}

}  // namespace
}  // namespace drover::oracle

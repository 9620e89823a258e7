#include "tests/oracle/drover_values.h"

#include <gtest/gtest.h>

#include <limits>

#include "drover/coord/status.h"

namespace drover::oracle {
namespace {

TEST(DroverValuesTest, PartsOfAMultiAreTheBranch) {
  const Operation multi = {.kind = Kind::kMulti,
                           .parts = {{.kind = Kind::kCheck, .path = "/a", .version = 3},
                                     {.kind = Kind::kCheck, .path = "/b"},
                                     {.kind = Kind::kCreate, .path = "/c", .data = std::nullopt, .ephemeral = true},
                                     {.kind = Kind::kDelete, .path = "/d", .version = -2}}};
  const coord::Transaction transaction = TransactionOf(multi);
  EXPECT_TRUE(transaction.compares.empty());
  ASSERT_EQ(transaction.then.size(), 4u);
  EXPECT_EQ(transaction.then[0].kind, coord::Operation::Kind::kCheck);
  EXPECT_EQ(transaction.then[0].version, 3u);
  EXPECT_EQ(transaction.then[1].version, std::nullopt);
  EXPECT_TRUE(transaction.then[2].create.ephemeral);
  EXPECT_EQ(transaction.then[2].data, "");
  EXPECT_EQ(transaction.then[3].version, std::numeric_limits<std::uint32_t>::max() - 1);
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

}  // namespace
}  // namespace drover::oracle

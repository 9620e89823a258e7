#include "coord/raft/tail.h"

#include <optional>
#include <vector>

#include "gtest/gtest.h"

namespace drover::coord::raft {
namespace {

TEST(TailTest, AppendsContiguousIndexes) {
  Tail tail(Index(7), Term(2));
  EXPECT_EQ(tail.last(), Index(7));
  EXPECT_EQ(tail.last_term(), Term(2));
  EXPECT_EQ(tail.Append(Term(2), EntryKind::kData, base::Bytes::Copy("x")).index, Index(8));
  EXPECT_EQ(tail.Append(Term(3), EntryKind::kNoop, {}).index, Index(9));
  EXPECT_EQ(tail.last_term(), Term(3));
}

TEST(TailTest, KnowsTermsOnlyOfWhatItHoldsAndTheOneBefore) {
  Tail tail(Index(7), Term(2));
  tail.Append(Term(4), EntryKind::kNoop, {});
  EXPECT_EQ(tail.TermAt(Index(6)), std::nullopt);
  EXPECT_EQ(tail.TermAt(Index(7)), Term(2));
  EXPECT_EQ(tail.TermAt(Index(8)), Term(4));
  EXPECT_EQ(tail.TermAt(Index(9)), std::nullopt);
}

TEST(TailTest, TakenEntriesLeaveFromTheFront) {
  Tail tail(Index(0), Term(0));
  for (int i = 0; i < 4; ++i) tail.Append(Term(1), EntryKind::kData, base::Bytes::Copy(std::to_string(i)));
  const std::vector<Entry> taken = tail.TakeThrough(Index(3));
  ASSERT_EQ(taken.size(), 3U);
  EXPECT_EQ(taken.front().payload.view(), "0");
  EXPECT_EQ(tail.before(), Index(3));
  EXPECT_EQ(tail.size(), 1U);
  EXPECT_TRUE(tail.TakeThrough(Index(3)).empty());
}

TEST(TailDeathTest, TermsNeverDecrease) {
  Tail tail(Index(1), Term(5));
  EXPECT_DEATH(tail.Append(Term(4), EntryKind::kNoop, {}), "last_term");
}

}  // namespace
}  // namespace drover::coord::raft

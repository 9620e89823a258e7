#include "drover/coord/status.h"

#include <gtest/gtest.h>

namespace drover::coord {
namespace {

TEST(StatusTest, DoneRefusedAndUnknownAreThreeThings) {
  const absl::Status done;
  EXPECT_FALSE(RefusalOf(done).has_value());
  EXPECT_FALSE(IsOutcomeUnknown(done));

  const absl::Status refused = RefusedError(Code::kNoNode, "no /a", base::Zxid(12));
  EXPECT_TRUE(IsNoNode(refused));
  EXPECT_FALSE(IsNodeExists(refused));
  EXPECT_EQ(RefusalZxid(refused), base::Zxid(12));
  EXPECT_FALSE(RefusedOperation(refused).has_value());
  EXPECT_FALSE(IsOutcomeUnknown(refused));
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(refused.message(), "NO_NODE: no /a");

  for (const UnknownCause cause : {UnknownCause::kSessionLost, UnknownCause::kLinkLost, UnknownCause::kDeadline}) {
    const absl::Status unknown = UnknownOutcomeError(cause, "the link broke");
    EXPECT_TRUE(IsOutcomeUnknown(unknown));
    EXPECT_FALSE(RefusalOf(unknown).has_value());
  }
}

TEST(StatusTest, AnOutcomeIsNotReadFromTheCodeAlone) {
  EXPECT_FALSE(IsOutcomeUnknown(absl::UnknownError("something else")));
  EXPECT_FALSE(IsNoNode(absl::NotFoundError("a file")));
  EXPECT_EQ(RefusalZxid(absl::NotFoundError("a file")), base::Zxid(0));
}

TEST(StatusTest, ARefusedTransactionNamesItsOperation) {
  const absl::Status refused = RefusedError(Code::kNodeExists, "", base::Zxid(12), 0);
  EXPECT_TRUE(IsNodeExists(refused));
  EXPECT_EQ(RefusedOperation(refused), std::size_t{0});
}

}  // namespace
}  // namespace drover::coord

#include "coord/base/status.h"

#include <memory>

#include "gtest/gtest.h"

namespace drover::base {
namespace {

absl::Status Pass(const absl::Status& status, bool* reached) {
  DROVER_RETURN_IF_ERROR(status);
  *reached = true;
  return absl::OkStatus();
}

absl::StatusOr<int> Twice(absl::StatusOr<std::unique_ptr<int>> number) {
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<int> owned, std::move(number));
  int again = 0;
  DROVER_ASSIGN_OR_RETURN(again, absl::StatusOr<int>(*owned));
  return *owned + again;
}

TEST(StatusMacros, ReturnOnlyErrors) {
  bool reached = false;
  EXPECT_EQ(Pass(absl::NotFoundError("x"), &reached), absl::NotFoundError("x"));
  EXPECT_FALSE(reached);
  EXPECT_TRUE(Pass(absl::OkStatus(), &reached).ok());
  EXPECT_TRUE(reached);
}

TEST(StatusMacros, AssignMovesTheValue) {
  EXPECT_EQ(Twice(std::make_unique<int>(21)).value(), 42);
  EXPECT_EQ(Twice(absl::InternalError("x")).status(), absl::InternalError("x"));
}

TEST(Annotate, KeepsTheCodeAndPutsTheContextFirst) {
  EXPECT_EQ(Annotate(absl::NotFoundError("no b"), "reading a"), absl::NotFoundError("reading a: no b"));
  EXPECT_TRUE(Annotate(absl::OkStatus(), "reading a").ok());
}

}  // namespace
}  // namespace drover::base

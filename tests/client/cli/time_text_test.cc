#include "client/cli/time_text.h"

#include <gtest/gtest.h>

namespace drover::cli {
namespace {

TEST(TimeTextTest, Rfc3339InUtc) {
  EXPECT_EQ(Rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(Rfc3339(1'769'860'800'123), "2026-01-31T12:00:00.123Z");
}

TEST(TimeTextTest, Rfc3339IsRead) {
  EXPECT_EQ(ParseRfc3339("2026-01-31T12:00:00.123Z").value(), 1'769'860'800'123);
  EXPECT_EQ(ParseRfc3339("2026-01-31T12:00:00-05:30").value(), 1'769'860'800'000 + 19'800'000);
  for (const char* wrong :
       {"", "now", "2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "1969-12-31T23:59:59Z", "infinite-past"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseRfc3339(wrong).status())) << wrong;
  }
}

TEST(TimeTextTest, ShortDurations) {
  EXPECT_EQ(ShortDuration(0), "0ms");
  EXPECT_EQ(ShortDuration(999), "999ms");
  EXPECT_EQ(ShortDuration(3'499), "3.4s");
  EXPECT_EQ(ShortDuration(125'000), "2m05s");
  EXPECT_EQ(ShortDuration(3'720'000), "1h02m");
}

}  // namespace
}  // namespace drover::cli

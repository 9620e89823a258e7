#include "master/records/amount.h"

#include <gtest/gtest.h>

namespace drover::records {
namespace {

TEST(AmountTest, AmountsAsTheyAreWrittenAndShown) {
  struct Row {
    const char* text;
    std::int64_t amount;
    const char* shown;
  };
  for (const Row& row : {Row{"1", 1'000, "1"}, Row{"0.5", 500, "0.5"}, Row{"0.001", 1, "0.001"}, Row{"2.250", 2'250, "2.25"},
                         Row{"16Gi", (std::int64_t{16} << 30) * 1'000, "16Gi"},
                         Row{"512Mi", (std::int64_t{512} << 20) * 1'000, "512Mi"}, Row{"1.5Ki", 1'536'000, "1536"},
                         Row{"3K", 3'000'000, "3K"}, Row{"2G", 2'000'000'000'000, "2G"}, Row{"1T", 1'000'000'000'000'000, "1T"}}) {
    const auto amount = ParseAmount(row.text);
    ASSERT_TRUE(amount.ok()) << amount.status();
    EXPECT_EQ(*amount, row.amount) << row.text;
    EXPECT_EQ(AmountText(*amount), row.shown);
  }
  for (const char* text :
       {"", "0", "-1", "+1", "1.2345", ".5", "1.", "x", "1e3", "Ki", "1KiB", "0.0", "2 G", "99999999999999999999", "2000000Ti"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseAmount(text).status())) << text;
  }
}

}  // namespace
}  // namespace drover::records

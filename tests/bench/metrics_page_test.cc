#include "tests/bench/metrics_page.h"

#include <gtest/gtest.h>

namespace drover::bench {
namespace {

TEST(MetricsPageTest, ASeriesIsFoundByItsWholeName) {
  const char page[] = "# TYPE drover_x gauge\ndrover_x_total 7\ndrover_x 2.5\ndrover_y{a=\"b\"} 3\n";
  EXPECT_EQ(*MetricOf(page, "drover_x"), 2.5);
  EXPECT_EQ(*MetricOf(page, "drover_x_total"), 7);
}

TEST(MetricsPageTest, OneThatIsNotThereIsTold) {
  EXPECT_TRUE(absl::IsNotFound(MetricOf("drover_xy 1\n", "drover_x").status()));
  EXPECT_TRUE(absl::IsNotFound(MetricOf("", "drover_x").status()));
}

}  // namespace
}  // namespace drover::bench

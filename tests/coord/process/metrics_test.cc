#include "coord/process/metrics.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, WrittenAsText) {
  Metrics metrics;
  metrics.Counter("drover_test_events_total", "Events", {{"kind", "a"}}).Increment(3);
  metrics.Gauge("drover_test_depth", "Depth").Set(4);
  metrics.Histogram("drover_test_seconds", "Time", {0.1, 1}).Observe(0.5);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("drover_test_events_total{kind=\"a\"} 3"));
  EXPECT_THAT(text, HasSubstr("# TYPE drover_test_depth gauge"));
  EXPECT_THAT(text, HasSubstr("drover_test_depth 4"));
  EXPECT_THAT(text, HasSubstr("drover_test_seconds_bucket{le=\"1\"} 1"));
  EXPECT_THAT(text, HasSubstr("drover_build_info{"));
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
}

TEST(MetricsTest, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  EXPECT_EQ(&metrics.Counter("drover_test_total", "T"), &metrics.Counter("drover_test_total", "T"));
  EXPECT_NE(&metrics.Counter("drover_test_total", "T"), &metrics.Counter("drover_test_total", "T", {{"a", "b"}}));
}

TEST(MetricsTest, WhatIsRemovedIsOnThePageNoLongerAndMayComeBack) {
  Metrics metrics;
  metrics.Gauge("drover_test_depth", "Depth", {{"of", "a"}}).Set(1);
  metrics.Remove("drover_test_depth", &metrics.Gauge("drover_test_depth", "Depth", {{"of", "b"}}));
  EXPECT_THAT(metrics.Text(), HasSubstr("drover_test_depth{of=\"a\"} 1"));
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("of=\"b\"")));
  metrics.Gauge("drover_test_depth", "Depth", {{"of", "b"}}).Set(2);
  EXPECT_THAT(metrics.Text(), HasSubstr("drover_test_depth{of=\"b\"} 2"));
}

TEST(MetricsTest, LatencyBoundsRise) {
  const auto bounds = LatencyBounds();
  EXPECT_TRUE(std::is_sorted(bounds.begin(), bounds.end()));
  EXPECT_EQ(std::adjacent_find(bounds.begin(), bounds.end()), bounds.end());
}

}  // namespace
}  // namespace drover::process

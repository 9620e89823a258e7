#include "tests/bench/statistics.h"

#include <gtest/gtest.h>

namespace drover::bench {
namespace {

TEST(StatisticsTest, TheMedianOfAnOddNumberIsTheOneInTheMiddle) {
  EXPECT_EQ(Summarize({5, 1, 9}), (Summary{5, 1, 9}));
  EXPECT_EQ(Summarize({7}), (Summary{7, 7, 7}));
}

TEST(StatisticsTest, TheMedianOfAnEvenNumberIsTheMeanOfTheTwoInTheMiddle) {
  EXPECT_EQ(Summarize({4, 1, 2, 9}), (Summary{3, 1, 9}));
}

TEST(StatisticsTest, NothingRepeatedIsAllZero) {
  EXPECT_EQ(Summarize({}), Summary());
}

TEST(StatisticsTest, APercentileIsASampleThatWasTaken) {
  std::vector<float> samples;
  for (int i = 100; i >= 1; --i) samples.push_back(static_cast<float>(i));
  EXPECT_EQ(Percentile(&samples, 0.5), 50);
  EXPECT_EQ(Percentile(&samples, 0.99), 99);
  EXPECT_EQ(Percentile(&samples, 0.991), 100);
  EXPECT_EQ(Percentile(&samples, 1), 100);
  EXPECT_EQ(Percentile(&samples, 0.0001), 1);
}

TEST(StatisticsTest, FewSamplesHaveTheWorstAsTheirNinetyNinth) {
  std::vector<float> samples = {3, 1, 2};
  EXPECT_EQ(Percentile(&samples, 0.99), 3);
  EXPECT_EQ(Percentile(&samples, 0.5), 2);
  samples.clear();
  EXPECT_EQ(Percentile(&samples, 0.5), 0);
}

}  // namespace
}  // namespace drover::bench

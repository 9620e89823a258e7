#include "coord/process/nearest.h"

#include <gtest/gtest.h>

namespace drover::process {
namespace {

TEST(NearestTest, OneSlipOfTheFingerIsForgiven) {
  const std::vector<std::string> words = {"label", "priority", "time-limit", "retries", "retry-backoff"};
  EXPECT_EQ(NearestOf("prioritty", words), "priority");
  EXPECT_EQ(NearestOf("priorty", words), "priority");
  EXPECT_EQ(NearestOf("lable", words), "label");
  EXPECT_EQ(NearestOf("timelimit", words), "time-limit");
  EXPECT_EQ(NearestOf("retry", words), "") << "half of it is missing";
  EXPECT_EQ(NearestOf("retrys", words), "retries");
}

TEST(NearestTest, WhatIsNearNothingIsNoSlip) {
  EXPECT_EQ(NearestOf("bogus", {"label", "priority"}), "");
  EXPECT_EQ(NearestOf("ab", {"cd"}), "");
  EXPECT_EQ(NearestOf("", {"a"}), "");
  EXPECT_EQ(NearestOf(std::string(100'000, 'x'), {std::string(100'000, 'x')}), "");
  EXPECT_EQ(NearestOf("x", {}), "");
}

TEST(NearestTest, OfEqualsItIsTheFirst) {
  EXPECT_EQ(NearestOf("pool", {"poll", "tool"}), "poll");
}

}  // namespace
}  // namespace drover::process

#include "coord/base/feature_level.h"

#include <gmock/gmock.h>

#include <string>

#include "gtest/gtest.h"

namespace drover::base {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(FeatureLevelTest, WhatIsKnownIsFine) {
  EXPECT_TRUE(CheckFeatureLevel("it", kFirstFeatureLevel, kFirstFeatureLevel).ok());
  EXPECT_TRUE(CheckFeatureLevel("it", kFirstFeatureLevel, kNewestFeatureLevel).ok());
  EXPECT_TRUE(CheckFeatureLevel("it", kNewestFeatureLevel, kNewestFeatureLevel).ok());
}

TEST(FeatureLevelTest, ANewerLevelIsRefusedInWordsThatSayWhatToDo) {
  const absl::Status refused = CheckFeatureLevel("data directory /x", FeatureLevel(7), FeatureLevel(3));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr("data directory /x is at feature level 7"),
                                                    HasSubstr("knows levels up to 3"), HasSubstr("start a newer drover-coord")));
}

}  // namespace
}  // namespace drover::base

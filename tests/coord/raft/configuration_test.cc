#include "coord/raft/configuration.h"

#include <string>

#include "gtest/gtest.h"

namespace drover::coord::raft {
namespace {

Configuration Three() {
  return Configuration{
      base::ClusterId(77),
      {Member{base::NodeId(1), base::Incarnation(11), "a:1", true}, Member{base::NodeId(2), base::Incarnation(12), "", true},
       Member{base::NodeId(9), base::Incarnation(13), "c.example:7400", false}}};
}

TEST(ConfigurationTest, ComesBackAsItWasEncoded) {
  const auto decoded = DecodeConfiguration(EncodeConfiguration(Three()).view());
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, Three());
}

TEST(ConfigurationTest, EncodingIsADiskFormat) {
  const Configuration one{base::ClusterId(0x0102), {Member{base::NodeId(3), base::Incarnation(4), "h:5", true}}};
  const std::string expected(
      "\x01"
      "\x02\x01\0\0\0\0\0\0"
      "\x01\0\0\0"
      "\x03\0\0\0\0\0\0\0"
      "\x04\0\0\0\0\0\0\0"
      "\x01"
      "\x03\0\0\0h:5",
      37);
  EXPECT_EQ(EncodeConfiguration(one).view(), expected);
}

TEST(ConfigurationTest, FromTheSecondLevelOnTheLevelIsThereAndTheVersionIsAnother) {
  Configuration one{base::ClusterId(0x0102), {Member{base::NodeId(3), base::Incarnation(4), "h:5", true}}};
  one.feature_level = base::FeatureLevel(2);
  const std::string expected(
      "\x02"
      "\x02\x01\0\0\0\0\0\0"
      "\x02\0\0\0"
      "\x01\0\0\0"
      "\x03\0\0\0\0\0\0\0"
      "\x04\0\0\0\0\0\0\0"
      "\x01"
      "\x03\0\0\0h:5",
      41);
  EXPECT_EQ(EncodeConfiguration(one).view(), expected);
  EXPECT_EQ(*DecodeConfiguration(expected), one);
  one.feature_level = base::FeatureLevel(9);
  EXPECT_EQ(*DecodeConfiguration(EncodeConfiguration(one).view()), one) << "which level is too high is the caller's to say";
}

TEST(ConfigurationTest, ALevelThatNeedsNoFieldIsNotWrittenAsOne) {
  Configuration one = Three();
  one.feature_level = base::FeatureLevel(2);
  std::string bytes = EncodeConfiguration(one).ToString();
  bytes[9] = 1;
  EXPECT_EQ(DecodeConfiguration(bytes).status().code(), absl::StatusCode::kDataLoss);
}

TEST(ConfigurationTest, ALaterVersionIsNamedWithItsLevel) {
  Configuration one = Three();
  one.feature_level = base::FeatureLevel(5);
  std::string bytes = EncodeConfiguration(one).ToString();
  bytes[0] = 3;
  bytes += "something new";
  const absl::Status refused = DecodeConfiguration(bytes).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnimplemented);
  EXPECT_NE(refused.message().find("of version 3 and feature level 5"), absl::string_view::npos) << refused;
}

TEST(ConfigurationTest, EveryCutIsRefused) {
  const std::string whole = EncodeConfiguration(Three()).ToString();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(DecodeConfiguration(absl::string_view(whole).substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_FALSE(DecodeConfiguration(whole + "x").ok());
}

TEST(ConfigurationTest, MembersOutOfOrderAreRefused) {
  Configuration swapped = Three();
  std::swap(swapped.members[0], swapped.members[1]);
  EXPECT_FALSE(DecodeConfiguration(EncodeConfiguration(swapped).view()).ok());
}

TEST(ConfigurationTest, SoleVoterIsOfOneIncarnation) {
  Configuration c{base::ClusterId(1), {Member{base::NodeId(1), base::Incarnation(5), "", true}}};
  EXPECT_TRUE(c.IsSoleVoter(base::NodeId(1), base::Incarnation(5)));
  EXPECT_FALSE(c.IsSoleVoter(base::NodeId(1), base::Incarnation(6)));
  EXPECT_FALSE(c.IsSoleVoter(base::NodeId(2), base::Incarnation(5)));
  c.members.push_back(Member{base::NodeId(2), base::Incarnation(7), "", false});
  EXPECT_TRUE(c.IsSoleVoter(base::NodeId(1), base::Incarnation(5))) << "a learner is not asked";
  c.members.back().voter = true;
  EXPECT_FALSE(c.IsSoleVoter(base::NodeId(1), base::Incarnation(5)));
  EXPECT_FALSE(Configuration{}.IsSoleVoter(base::NodeId(1), base::Incarnation(5)));
}

}  // namespace
}  // namespace drover::coord::raft

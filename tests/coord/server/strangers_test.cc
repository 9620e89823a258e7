#include "coord/server/strangers.h"

#include <gtest/gtest.h>

namespace drover::coord::server {
namespace {

using std::chrono::minutes;

class StrangersTest : public ::testing::Test {
 protected:
  std::optional<std::uint64_t> News(std::uint64_t id, const std::string& address) {
    return strangers_.OnNews(now_, base::NodeId(id), address);
  }

  base::Instant now_ = base::Instant() + minutes(1);
  Strangers strangers_{Strangers::Options{.window = minutes(10), .strangers_max = 2}};
};

TEST_F(StrangersTest, EachIsToldOnceAWindowWithTheCountOfWhatWasNot) {
  EXPECT_EQ(News(2, "ipv4:10.0.0.7:1"), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(News(2, "ipv4:10.0.0.7:1"), std::nullopt);
  now_ += minutes(10);
  EXPECT_EQ(News(2, "ipv4:10.0.0.7:1"), 5u);
  EXPECT_EQ(News(2, "ipv4:10.0.0.7:1"), std::nullopt);
}

TEST_F(StrangersTest, OneThatDialsAgainIsTheSame) {
  EXPECT_EQ(News(2, "ipv6:[::1]:1000"), 0u);
  EXPECT_EQ(News(2, "ipv6:[::1]:1001"), std::nullopt);
}

TEST_F(StrangersTest, OthersAreToldApartByIdAndHost) {
  EXPECT_EQ(News(2, "ipv4:10.0.0.7:1"), 0u);
  EXPECT_EQ(News(3, "ipv4:10.0.0.7:1"), 0u);
}

TEST_F(StrangersTest, MoreThanAreRememberedAreNotTold) {
  EXPECT_EQ(News(2, "a:1"), 0u);
  now_ += minutes(5);
  EXPECT_EQ(News(2, "b:1"), 0u);
  EXPECT_EQ(News(2, "c:1"), std::nullopt);
  now_ += minutes(5);
  EXPECT_EQ(News(2, "c:1"), 0u) << "the window of the first is over";
  EXPECT_EQ(News(2, "d:1"), std::nullopt);
}

}  // namespace
}  // namespace drover::coord::server

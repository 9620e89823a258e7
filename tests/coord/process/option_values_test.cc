#include <chrono>
#include <string>

#include "coord/process/options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseDurationTest, ReadsWhatItSays) {
  const struct {
    const char* text;
    base::Duration duration;
  } table[] = {
      {"0", base::Duration(0)}, {"250ms", milliseconds(250)},
      {"6s", seconds(6)},       {"1.5s", milliseconds(1500)},
      {"2m", minutes(2)},       {"1h", hours(1)},
      {"1h30m", minutes(90)},   {"20us", std::chrono::microseconds(20)},
  };
  for (const auto& row : table) {
    const auto parsed = ParseDuration(row.text);
    ASSERT_TRUE(parsed.ok()) << row.text;
    EXPECT_EQ(*parsed, row.duration) << row.text;
    EXPECT_EQ(*ParseDuration(FormatDuration(*parsed)), row.duration) << row.text;
  }
}

TEST(ParseDurationTest, RefusesTheRestAndSaysHowToWriteIt) {
  for (const char* text : {"", "6", "s", "-1s", "inf", "6 s", "1x", "100000000h", "6s,"}) {
    const auto parsed = ParseDuration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("250ms"));
  }
}

TEST(ParseAddressListTest, TakesOneOrMoreAndNoEmptyOnes) {
  EXPECT_THAT(*ParseAddressList("a:1"), ElementsAre("a:1"));
  EXPECT_THAT(*ParseAddressList("a:1,b:2"), ElementsAre("a:1", "b:2"));
  EXPECT_FALSE(ParseAddressList("").ok());
  EXPECT_FALSE(ParseAddressList("a:1,").ok());
  EXPECT_FALSE(ParseAddressList("a:1,,b:2").ok());
}

TEST(ParseKeyValueTest, SplitsAtTheFirstEqualsSign) {
  EXPECT_EQ(*ParseKeyValue("a=b=c"), (std::pair<std::string, std::string>("a", "b=c")));
  EXPECT_EQ(*ParseKeyValue("a="), (std::pair<std::string, std::string>("a", "")));
  EXPECT_FALSE(ParseKeyValue("a").ok());
  EXPECT_FALSE(ParseKeyValue("=b").ok());
}

TEST(RequireLoopbackTest, OnlyLoopbackUnlessInsecure) {
  for (const char* address : {"127.0.0.1:1", "127.8.9.1:1", "localhost:1", "[::1]:1"}) {
    EXPECT_TRUE(RequireLoopback(address, false).ok()) << address;
  }
  for (const char* address : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "example.org:1"}) {
    const absl::Status refused = RequireLoopback(address, false);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << address;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("--insecure"));
    EXPECT_TRUE(RequireLoopback(address, true).ok()) << address;
  }
}

}  // namespace
}  // namespace drover::process

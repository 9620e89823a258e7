#include <sstream>

#include "coord/process/options.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

absl::Status Check(const std::vector<std::string>& args) {
  OptionSet options("drover-test", "A program for tests.");
  ServerFlags flags;
  flags.AddTo(&options, "127.0.0.1:7400");
  std::ostringstream out;
  bool done = false;
  EXPECT_TRUE(options
                  .ParseFrom(
                      args, [](const std::string&) { return std::nullopt; }, out, &done)
                  .ok());
  return flags.Check();
}

TEST(ServerFlagsTest, LoopbackIsFine) {
  EXPECT_TRUE(Check({}).ok());
  EXPECT_TRUE(Check({"--listen", "localhost:0", "--http", "127.0.0.1:0"}).ok());
}

TEST(ServerFlagsTest, AnotherAddressNeedsInsecure) {
  EXPECT_THAT(std::string(Check({"--listen", "0.0.0.0:7400"}).message()), ::testing::HasSubstr("--listen"));
  EXPECT_THAT(std::string(Check({"--http", "0.0.0.0:80"}).message()), ::testing::HasSubstr("--http"));
  EXPECT_TRUE(Check({"--listen", "0.0.0.0:7400", "--http", "0.0.0.0:80", "--insecure"}).ok());
}

}  // namespace
}  // namespace drover::process

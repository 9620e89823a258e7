#include "coord/process/version.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace drover::process {
namespace {

TEST(VersionTest, TheLineNamesProgramVersionCommitBuildAndFormats) {
  EXPECT_THAT(VersionLine("drover-coord"),
              ::testing::MatchesRegex("drover-coord [0-9.]+ \\(commit [0-9a-z]+, [A-Za-z]+, wire [0-9]+, disk [0-9]+\\)"));
}

}  // namespace
}  // namespace drover::process

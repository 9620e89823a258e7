#include "tests/support/stalled_disk.h"

#include <gtest/gtest.h>

#include "tests/support/await.h"
#include "tests/support/process.h"

namespace drover::testing {
namespace {

TEST(StalledDiskTest, ASyncWaitsUntilTheDiskGoesOn) {
  const TemporaryDirectory directory;
  StalledDisk disk(directory / "stalled");
  disk.Stall();
  const std::string script = "echo begun > " + directory / "begun" + "; sync -d " + directory / "begun" + " && echo synced";
  Process process({"/bin/sh", "-c", script}, disk.environment(), directory / "log");
  process.Start();
  ASSERT_TRUE(Await([&] { return ReadFile(directory / "begun") == "begun\n"; }));
  EXPECT_TRUE(process.running());
  EXPECT_EQ(process.Log(), "");
  disk.GoOn();
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_EQ(process.Log(), "synced\n");
}

TEST(StalledDiskTest, NothingWaitsOnADiskThatDoesNotStall) {
  const TemporaryDirectory directory;
  const StalledDisk disk(directory / "stalled");
  CommandOptions options;
  options.env = disk.environment();
  EXPECT_EQ(RunCommand({"/bin/sh", "-c", "sync -d ."}, options).exit_code, 0);
}

}  // namespace
}  // namespace drover::testing

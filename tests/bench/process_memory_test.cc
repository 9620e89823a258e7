#include "tests/bench/process_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace drover::bench {
namespace {

TEST(ProcessMemoryTest, TheKernelsLinesAreRead) {
  const auto memory =
      ParseProcessStatus("Name:\tdrover-coord\nVmPeak:\t  900 kB\nVmHWM:\t  300 kB\nVmRSS:\t  200 kB\nRssAnon:\t 150 kB\n");
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ(*memory, (ProcessMemory{200 << 10, 150 << 10, 300 << 10}));
}

TEST(ProcessMemoryTest, AProcessWithoutMemoryIsToldApart) {
  EXPECT_TRUE(absl::IsDataLoss(ParseProcessStatus("Name:\tsh\nState:\tZ (zombie)\n").status()));
  EXPECT_TRUE(absl::IsNotFound(ReadProcessMemory(0).status()));
}

TEST(ProcessMemoryTest, ThePeakOfThisProcessIsForgotten) {
  {
    std::string large(64 << 20, '\0');
    for (std::size_t i = 0; i < large.size(); i += 4096) large[i] = 'x';
  }
  ASSERT_TRUE(ForgetPeak(getpid()).ok());
  const auto memory = ReadProcessMemory(getpid());
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_GT(memory->anonymous_bytes, 0u);
  EXPECT_LT(memory->anonymous_bytes, memory->resident_bytes);
  EXPECT_LT(memory->peak_bytes, memory->resident_bytes + (32 << 20));
}

}  // namespace
}  // namespace drover::bench

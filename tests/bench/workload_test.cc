#include "tests/bench/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace drover::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(WorkloadTest, NamesAreReadAsTheyArePrinted) {
  for (const Workload workload : {Workload::kSet, Workload::kGet, Workload::kLocalGet, Workload::kMixed}) {
    const auto parsed = ParseWorkloads(WorkloadName(workload));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_THAT(*parsed, ElementsAre(workload));
  }
  const auto two = ParseWorkloads("mixed,set");
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_THAT(*two, ElementsAre(Workload::kMixed, Workload::kSet));
}

TEST(WorkloadTest, AWorkloadThatIsNoneOrStandsTwiceIsRefusedByName) {
  for (const char* text : {"put", "set,put", "set,,get", "", "set,set"}) EXPECT_FALSE(ParseWorkloads(text).ok()) << text;
  EXPECT_THAT(std::string(ParseWorkloads("set,put").status().message()), HasSubstr("\"put\""));
}

TEST(WorkloadTest, ALoadIsClientsTimesWindow) {
  const auto loads = ParseLoads("1x1,4x64");
  ASSERT_TRUE(loads.ok()) << loads.status();
  EXPECT_THAT(*loads, ElementsAre(Load{1, 1}, Load{4, 64}));
  for (const char* text : {"", "4", "4x", "x4", "0x1", "1x0", "-1x1", "1x1x1", "4x64,", "1001x1", "1x10001"}) {
    EXPECT_FALSE(ParseLoads(text).ok()) << text;
  }
}

TEST(WorkloadTest, SizesAreBoundedByWhatAllSystemsTake) {
  const auto sizes = ParseSizes("0,100,1048576");
  ASSERT_TRUE(sizes.ok()) << sizes.status();
  EXPECT_THAT(*sizes, ElementsAre(0u, 100u, 1048576u));
  for (const char* text : {"", "1k", "-1", "1048577"}) EXPECT_FALSE(ParseSizes(text).ok()) << text;
}

TEST(WorkloadTest, AMixHasAsManySetsAsAskedFor) {
  int sets = 0;
  for (std::uint64_t bits = 0; bits < 1000; ++bits) sets += ChooseOperation(Workload::kMixed, 10, bits) == Operation::kSet ? 1 : 0;
  EXPECT_EQ(sets, 100);
  EXPECT_EQ(ChooseOperation(Workload::kMixed, 0, 0), Operation::kGet);
  EXPECT_EQ(ChooseOperation(Workload::kMixed, 100, 99), Operation::kSet);
  EXPECT_EQ(ChooseOperation(Workload::kSet, 0, 99), Operation::kSet);
  EXPECT_EQ(ChooseOperation(Workload::kLocalGet, 100, 0), Operation::kLocalGet);
}

TEST(WorkloadTest, KeysAreBelowTheirRootAndDiffer) {
  EXPECT_THAT(KeyNames(2), ElementsAre("/bench/k00000", "/bench/k00001"));
}

TEST(WorkloadTest, DeepKeysHaveNamesOfTwentyBytesAndAThousandShareADirectory) {
  EXPECT_EQ(DeepKeyName(0), "/bench/dir-0000000000000000/znode-00000000000000");
  EXPECT_EQ(DeepKeyName(1'234'567), DirectoryName(1'234) + "/znode-00000001234567");
  EXPECT_EQ(DirectoryName(1'234), "/bench/dir-0000000000001234");
}

TEST(WorkloadTest, RandomTextIsTheSameForTheSameSeed) {
  EXPECT_EQ(RandomText(1, 100), RandomText(1, 100));
  EXPECT_NE(RandomText(1, 100), RandomText(2, 100));
  EXPECT_EQ(RandomText(1, 0), "");
  std::string all = RandomText(3, 10'000);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()) - all.begin(), 64);
}

}  // namespace
}  // namespace drover::bench

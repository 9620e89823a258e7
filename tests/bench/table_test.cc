#include "tests/bench/table.h"

#include <gtest/gtest.h>

namespace drover::bench {
namespace {

TEST(TableTest, NamesAreAlignedLeftAndNumbersRight) {
  EXPECT_EQ(Table({"SYSTEM", "OPS/S"}, {{"etcd", "9"}, {"zookeeper", "123456"}}, 1),
            "SYSTEM      OPS/S\n"
            "etcd            9\n"
            "zookeeper  123456\n");
}

TEST(TableTest, AShortRowEndsWithoutBlanks) {
  EXPECT_EQ(Table({"A", "B"}, {{"x"}}, 2), "A  B\nx\n");
}

TEST(TableTest, AHeaderStandsAlone) {
  EXPECT_EQ(Table({"A", "B"}, {}, 1), "A  B\n");
}

}  // namespace
}  // namespace drover::bench

// All coordination nodes are killed at once, under load, and come back on their data.
//
// DROVER_TEST_OUTAGES says how many times (tests/run --all: 100).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/e2e/e2e.h"
#include "tests/support/ledger.h"

namespace drover::testing {
namespace {

using ::testing::IsEmpty;

int Outages() {
  const char* asked = std::getenv("DROVER_TEST_OUTAGES");
  return asked == nullptr ? 4 : std::atoi(asked);
}

TEST(CoordOutageTest, NothingAcknowledgedIsMissingThoughAllNodesAreKilledAtOnce) {
  Cluster cluster(CoreAlone());
  Ledger ledger(cluster.coord_addresses(), 4);
  const int outages = Outages();
  ASSERT_GT(outages, 0);
  for (int outage = 0; outage < outages; ++outage) {
    ASSERT_TRUE(ledger.AwaitMore(100)) << "after " << outage << " outages";
    for (int i = 0; i < cluster.coords(); ++i) cluster.coord(i).Kill();
    // In another order each time: whoever comes first finds nobody.
    for (int i = 0; i < cluster.coords(); ++i) cluster.coord((i + outage) % cluster.coords()).Start();
  }
  ASSERT_TRUE(ledger.AwaitMore(100));
  ledger.Stop();
  std::cout << outages << " outages, " << ledger.acknowledged() << " writes acknowledged, " << ledger.unknown() << " unknown\n";
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  cluster.AwaitCoordsServing();
}

}  // namespace
}  // namespace drover::testing

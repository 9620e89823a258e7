// Three coordination nodes that take snapshots all the while: one that was away too long for the log comes back, and all of them
// start from snapshots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/e2e.h"
#include "tests/support/ledger.h"

namespace drover::testing {
namespace {

using ::testing::IsEmpty;

ClusterOptions SmallSnapshots() {
  ClusterOptions options = CoreAlone();
  options.coord_flags = {"--snapshot-bytes", "65536", "--segment-bytes", "65536"};
  return options;
}

std::size_t SnapshotsIn(const std::string& directory) {
  std::size_t count = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) count += file.path().extension() == ".snap" ? 1 : 0;
  return count;
}

TEST(CoordSnapshotTest, ANodeThatWasAwayTooLongForTheLogComesBackUnderLoad) {
  Cluster cluster(SmallSnapshots());
  Ledger ledger(cluster.coord_addresses(), 4);
  ASSERT_TRUE(ledger.AwaitMore(50));
  const int leader = cluster.AwaitCoordLeader();
  const int away = (leader + 1) % 3;
  cluster.coord(away).Kill();
  const double last = cluster.CoordMetric(leader, "drover_coord_commit_index");
  ASSERT_TRUE(Await([&] { return cluster.CoordMetric(leader, "drover_coord_log_first_index") > last + 100; }));
  cluster.coord(away).Start();
  cluster.AwaitCoordsServing();
  ASSERT_TRUE(Await([&] { return cluster.CoordMetric(away, "drover_coord_snapshots_installed_total") >= 1; }));
  ASSERT_TRUE(ledger.AwaitMore(200));
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  EXPECT_EQ(ledger.unknown(), 0u);
  EXPECT_GT(cluster.CoordMetric(leader, "drover_coord_snapshot_sent_bytes"), 0);
}

TEST(CoordSnapshotTest, AllStartFromTheirSnapshotsAndNothingAcknowledgedIsMissing) {
  Cluster cluster(SmallSnapshots());
  Ledger ledger(cluster.coord_addresses(), 4);
  ASSERT_TRUE(Await([&] { return cluster.CoordMetric(0, "drover_coord_log_first_index") > 100; }));
  for (int i = 0; i < 3; ++i) cluster.coord(i).Kill();
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(SnapshotsIn(cluster.coord_data(i)), 3u) << "two, and one that was just finished";
    const CommandResult verified = RunCommand({Binary("drover-coord"), "log", "verify", cluster.coord_data(i)});
    EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
    cluster.coord(i).Start();
  }
  cluster.AwaitCoordsServing();
  ASSERT_TRUE(ledger.AwaitMore(100));
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
}

}  // namespace
}  // namespace drover::testing

// One node's files are damaged: it refuses to start, or is a node like any other; what was acknowledged is there either way.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::seconds;

constexpr int kWrites = 60;

class ClusterDamageTest : public ClusterFixture {
 protected:
  void SetUp() override {
    cluster_.options.log.segment_bytes = 4'096;
    const int leader = Begin();
    auto client = Connect("client", leader, 60'000);
    for (int i = 0; i < kWrites; ++i) {
      const std::uint64_t create = client->Create("/d" + std::to_string(i), std::string(100, 'd'));
      client->Flush();
      ASSERT_EQ(client->AwaitWrite(create).code(), v1::OK);
    }
    ASSERT_TRUE(cluster_.AwaitEqual());
  }

  // What is acknowledged is there on every node that leads.
  void ExpectAll(int leader) {
    ASSERT_NE(leader, 0) << "nobody leads";
    for (int i = 0; i < kWrites; ++i) {
      ASSERT_NE(cluster_.node(leader)->state().tree().Find("/d" + std::to_string(i)), nullptr) << "lost: " << i;
    }
  }

  // The victim, which is down, starts with what `damage` left of `path`, and the leader dies at the same moment: the victim, if it
  // starts, and the third node elect between them. Afterwards the victim is down again, and whole.
  template <typename Damage>
  void Judge(int victim, const std::string& path, const std::string& what, const Damage& damage) {
    SCOPED_TRACE(path + " " + what);
    sim::SimFileSystem& files = cluster_.files(victim);
    std::map<std::string, std::string> before;
    for (const std::string& p : files.Paths()) before[p] = files.Read(p);
    damage(&files);
    const int leader = cluster_.Leader();
    ASSERT_NE(leader, 0);
    const absl::Status started = cluster_.TryStart(victim);
    cluster_.Crash(leader, sim::Survival::kNothing);
    if (started.ok()) {
      ++started_;
      ExpectAll(cluster_.AwaitLeader());
      cluster_.Start(leader);
      ExpectAll(cluster_.AwaitLeader());
      ASSERT_TRUE(cluster_.AwaitEqual());
      cluster_.Crash(victim);
    } else {
      ++refused_;
      EXPECT_TRUE(absl::IsDataLoss(started)) << started;
      cluster_.world.RunFor(seconds(3));
      EXPECT_EQ(cluster_.Leader(), 0) << "one node of three leads";
      cluster_.Start(leader);
      for (const std::string& p : files.Paths()) files.Delete(p);
      for (const auto& [p, contents] : before) files.Write(p, contents);
    }
    ExpectAll(cluster_.AwaitLeader());
  }

  [[nodiscard]] std::vector<std::string> FilesOf(int victim) { return cluster_.files(victim).Paths(); }

  std::size_t started_ = 0;
  std::size_t refused_ = 0;
};

TEST_F(ClusterDamageTest, AFlippedBitAnywhereLosesNothingAndWinsNoElection) {
  const int victim = Other(cluster_.Leader());
  cluster_.Crash(victim);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  base::SeededRandom random(1);
  for (const std::string& path : FilesOf(victim)) {
    const std::size_t size = cluster_.files(victim).Read(path).size();
    for (int i = 0; i < 12 && size > 0; ++i) {
      const std::uint64_t offset = random.Below(size);
      const int bit = static_cast<int>(random.Below(8));
      if (!cluster_.files(victim).Exists(path) || cluster_.files(victim).Read(path).size() <= offset) continue;
      Judge(victim, path, "bit " + std::to_string(bit) + " at " + std::to_string(offset),
            [&](sim::SimFileSystem* files) { files->FlipBit(path, offset, bit); });
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(refused_, 20U);
}

TEST_F(ClusterDamageTest, AFileThatIsCutOrGoneLosesNothingAndWinsNoElection) {
  const int victim = Other(cluster_.Leader());
  cluster_.Crash(victim);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  for (const std::string& path : FilesOf(victim)) {
    for (const std::size_t part : {0, 1, 2, 3, 4}) {
      if (!cluster_.files(victim).Exists(path)) continue;
      const std::string whole = cluster_.files(victim).Read(path);
      Judge(victim, path, "cut to " + std::to_string(part) + " fifths",
            [&](sim::SimFileSystem* files) { files->Write(path, whole.substr(0, whole.size() * part / 5)); });
      if (HasFailure()) return;
    }
    if (!cluster_.files(victim).Exists(path)) continue;
    Judge(victim, path, "deleted", [&](sim::SimFileSystem* files) { files->Delete(path); });
    if (HasFailure()) return;
  }
  EXPECT_GT(refused_, 10U);
}

}  // namespace
}  // namespace drover::coord::server

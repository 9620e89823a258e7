// What a restore puts into a directory, and what it refuses to.
#include "coord/backup/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coord/base/random.h"
#include "coord/log/data_directory.h"
#include "coord/server/recovery.h"
#include "coord/server/seed.h"
#include "tests/coord/backup/backup_fixture.h"

namespace drover::coord::backup {
namespace {

using ::testing::HasSubstr;

const server::InitialMembers kMembers = {{base::NodeId(2), "b:1"}, {base::NodeId(3), "c:1"}};

class RestoreTest : public testing::Test {
 protected:
  absl::StatusOr<Restored> Run(std::uint64_t id = 2, const server::InitialMembers& members = kMembers) {
    return Restore(&fs_, &random_, state_.get(), kTaken, base::WallTime(), "data", base::NodeId(id), members);
  }

  sim::SimFileSystem fs_{1};
  base::SeededRandom random_{7};
  std::unique_ptr<tree::StateMachine> state_ = MakeState();
};

TEST_F(RestoreTest, TheDirectoryIsTheNodesAndHoldsTheStateOfANewCluster) {
  const auto restored = Run();
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_NE(restored->cluster, kOld);
  EXPECT_NE(restored->cluster.value, 0u);
  EXPECT_EQ(restored->left.sessions, 1u);
  EXPECT_EQ(restored->left.ephemerals, 1u);
  EXPECT_EQ(restored->zxid.value, 3 + tree::kZxidLeap + 1);
  const auto directory = log::DataDirectory::Open(&fs_, "data");
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ((*directory)->identity()->node, base::NodeId(2));
  EXPECT_EQ((*directory)->identity()->cluster, base::ClusterId()) << "nothing is founded yet";
  const auto seed = server::FindSeed(&fs_, "data");
  ASSERT_TRUE(seed.ok() && seed->has_value()) << seed.status();
  EXPECT_EQ((*seed)->cluster, restored->cluster);
  EXPECT_EQ((*seed)->members, kMembers);
  const auto backup = ReadBackup(&fs_, "data/founding.snap");
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ(backup->sessions, 0u);
  EXPECT_EQ(backup->nodes, 2u);
  EXPECT_EQ(backup->taken, kTaken);
  EXPECT_EQ(backup->state->Digest(), state_->Digest());
}

TEST_F(RestoreTest, TwoRestoresAreTwoClusters) {
  const auto first = Run();
  state_ = MakeState();
  const auto second = Restore(&fs_, &random_, state_.get(), kTaken, base::WallTime(), "elsewhere", base::NodeId(2), kMembers);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->cluster, second->cluster);
}

TEST_F(RestoreTest, OnlyTheLowestIdIsRestored) {
  EXPECT_THAT(std::string(Run(3).status().message()), HasSubstr("start node 3 with an empty directory"));
  EXPECT_EQ(Run(4).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(fs_.Exists("data/LOCK")) << "nothing was touched";
}

TEST_F(RestoreTest, ADirectoryWithAnythingInItIsRefused) {
  ASSERT_TRUE(fs_.MakeDirectory("data").ok());
  fs_.Write("data/identity", "anything");
  const auto refused = Run();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("data is not empty (identity is there)"));
  EXPECT_EQ(fs_.Read("data/identity"), "anything");
}

TEST_F(RestoreTest, WhatAnInterruptedOneLeftIsReplacedAndNothingElse) {
  ASSERT_TRUE(server::MarkRestore(&fs_, "data").ok());
  ASSERT_TRUE(log::DataDirectory::Open(&fs_, "data").value()->CreateIdentity(base::NodeId(1), base::Incarnation(5)).ok());
  fs_.Write("data/founding.snap", "another one");
  fs_.Write("data/founding.snap.tmp", "half");
  fs_.Write("data/photos", "of somebody");
  EXPECT_THAT(std::string(Run().status().message()), HasSubstr("data is not empty (photos is there)"));
  EXPECT_EQ(fs_.Read("data/founding.snap"), "another one");
  fs_.Delete("data/photos");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(fs_.Paths(), (std::vector<std::string>{"data/founding.snap", "data/identity"}));
  EXPECT_EQ(log::DataDirectory::Open(&fs_, "data").value()->identity()->node, base::NodeId(2));
  EXPECT_THAT(std::string(Run().status().message()), HasSubstr("data is not empty")) << "one that has ended is not replaced";
}

TEST_F(RestoreTest, WhereAnotherOneIsAtWorkNothingIsReplaced) {
  ASSERT_TRUE(server::MarkRestore(&fs_, "data").ok());
  const auto other = log::DataDirectory::Open(&fs_, "data");
  ASSERT_TRUE(other.ok());
  fs_.Write("data/founding.snap", "the other one's");
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(fs_.Read("data/founding.snap"), "the other one's");
  EXPECT_FALSE(server::CheckRestoreEnded(&fs_, "data").ok());
}

TEST_F(RestoreTest, AZxidThatWouldGrowTooLargeIsRefused) {
  state_->RaiseZxid(base::Zxid(tree::kZxidEnd - 5));
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_FALSE(fs_.Exists("data/founding.snap"));
}

// At every file operation: the process is killed or power is lost, and the directory holds all of it, or is refused, or is not
// there at all. The next restore makes it whole.
TEST_F(RestoreTest, InterruptedAnywhereNoNodeFoundsAnEmptyClusterFromIt) {
  const auto whole = fs_.Copy(1);
  const std::uint64_t before = whole->calls();
  ASSERT_TRUE(Restore(whole.get(), &random_, state_.get(), kTaken, base::WallTime(), "data", base::NodeId(2), kMembers).ok());
  const std::uint64_t calls = whole->calls() - before;
  ASSERT_GT(calls, 10u);
  for (std::uint64_t n = 1; n <= calls; ++n) {
    for (const auto survival : {sim::Survival::kNothing, sim::Survival::kEverything, sim::Survival::kRandom}) {
      const auto disk = fs_.Copy(n);
      disk->StopAtCall(n);
      const auto state = MakeState();
      EXPECT_FALSE(Restore(disk.get(), &random_, state.get(), kTaken, base::WallTime(), "data", base::NodeId(2), kMembers).ok())
          << n;
      disk->Crash(survival);
      const auto names = disk->List("data");
      const auto seed = server::FindSeed(disk.get(), "data");
      const bool refused = absl::IsFailedPrecondition(seed.status());
      const bool has_state = seed.ok() && seed->has_value();
      const bool is_there = !absl::IsNotFound(names.status());
      EXPECT_TRUE(refused || has_state || !is_there) << "call " << n << " of " << calls;
      if (refused) {
        const auto started = server::OpenDirectory(disk.get(), &random_, "data", base::NodeId(2));
        EXPECT_EQ(started.status(), seed.status());
      }
      if (has_state) continue;
      const auto again = MakeState();
      ASSERT_TRUE(Restore(disk.get(), &random_, again.get(), kTaken, base::WallTime(), "data", base::NodeId(2), kMembers).ok())
          << n;
      EXPECT_TRUE(server::FindSeed(disk.get(), "data")->has_value());
      EXPECT_TRUE(server::VerifySeed(disk.get(), "data").ok());
      EXPECT_TRUE(server::OpenDirectory(disk.get(), &random_, "data", base::NodeId(2)).ok());
    }
  }
}

TEST_F(RestoreTest, AFullDiskLeavesTheDirectoryFreeForAnotherTry) {
  fs_.SetCapacity(100);
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kResourceExhausted);
  fs_.SetCapacity(1 << 30);
  state_ = MakeState();
  const auto again = Run();
  EXPECT_TRUE(again.ok()) << again.status();
}

}  // namespace
}  // namespace drover::coord::backup

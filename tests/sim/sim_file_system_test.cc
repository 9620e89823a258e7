#include "tests/sim/sim_file_system.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace drover::sim {
namespace {

using base::OpenMode;

class SimFileSystemTest : public ::testing::Test {
 protected:
  SimFileSystemTest() : fs_(1) { EXPECT_TRUE(fs_.MakeDirectory("d").ok()); }
  std::unique_ptr<base::File> Create(const std::string& path) { return fs_.Open(path, OpenMode::kCreate).value(); }
  std::unique_ptr<base::File> CreateDurably(const std::string& path) {
    auto file = Create(path);
    EXPECT_TRUE(fs_.SyncDirectory("d").ok());
    return file;
  }
  SimFileSystem fs_;
};

TEST_F(SimFileSystemTest, ACrashLosesBytesThatWereNotSynced) {
  auto file = CreateDurably("d/a");
  ASSERT_TRUE(file->WriteAt(0, "synced").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->WriteAt(6, " not").ok());
  EXPECT_EQ(fs_.Read("d/a"), "synced not");
  fs_.Crash(Survival::kNothing);
  EXPECT_EQ(fs_.Read("d/a"), "synced");
  EXPECT_FALSE(file->ReadAt(0, 1).ok());
}

TEST_F(SimFileSystemTest, WhatWasCutOffStaysSo) {
  auto file = *fs_.Open("d/f", OpenMode::kCreate);
  ASSERT_TRUE(file->WriteAt(0, std::string(2'000, 'a')).ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(fs_.SyncDirectory("d").ok());
  ASSERT_TRUE(file->WriteAt(1'500, std::string(1'000, 'b')).ok());
  ASSERT_TRUE(file->Truncate(1'000).ok());
  EXPECT_EQ(file->Size().value(), 1'000u);
  fs_.Crash(Survival::kEverything);
  EXPECT_EQ(fs_.Read("d/f"), std::string(1'000, 'a'));
}

TEST_F(SimFileSystemTest, ACrashLosesDirectoryEntriesThatWereNotSynced) {
  ASSERT_TRUE(CreateDurably("d/kept")->Sync().ok());
  ASSERT_TRUE(CreateDurably("d/old")->Sync().ok());
  ASSERT_TRUE(Create("d/lost")->Sync().ok());
  ASSERT_TRUE(fs_.Remove("d/kept").ok());
  ASSERT_TRUE(fs_.Rename("d/old", "d/new").ok());
  EXPECT_EQ(fs_.Paths(), (std::vector<std::string>{"d/lost", "d/new"}));
  fs_.Crash(Survival::kNothing);
  EXPECT_EQ(fs_.Paths(), (std::vector<std::string>{"d/kept", "d/old"}));
}

TEST_F(SimFileSystemTest, ADirectoryIsRenamedAtOnceWithAllThatIsInIt) {
  ASSERT_TRUE(CreateDurably("d/kept")->Sync().ok());
  ASSERT_TRUE(Create("d/lost")->Sync().ok());
  ASSERT_TRUE(fs_.MakeDirectory("other").ok());
  EXPECT_FALSE(fs_.Rename("d", "other").ok());
  ASSERT_TRUE(fs_.Rename("d", "e").ok());
  EXPECT_EQ(fs_.Paths(), (std::vector<std::string>{"e/kept", "e/lost"}));
  EXPECT_TRUE(absl::IsNotFound(fs_.List("d").status()));
  fs_.Crash(Survival::kNothing);
  EXPECT_EQ(fs_.Paths(), (std::vector<std::string>{"e/kept"}));
  fs_.DeleteDirectory("e");
  EXPECT_FALSE(fs_.HasDirectory("e"));
  EXPECT_EQ(fs_.Paths(), std::vector<std::string>());
}

TEST_F(SimFileSystemTest, AKilledProcessLosesNothingButNothingIsMoreDurable) {
  auto file = CreateDurably("d/a");
  ASSERT_TRUE(file->WriteAt(0, "x").ok());
  Create("d/b");
  fs_.Crash(Survival::kEverything);
  EXPECT_FALSE(file->Size().ok());
  EXPECT_EQ(fs_.Read("d/a"), "x");
  EXPECT_TRUE(fs_.Exists("d/b"));
  fs_.Crash(Survival::kNothing);
  EXPECT_EQ(fs_.Read("d/a"), "");
  EXPECT_FALSE(fs_.Exists("d/b"));
}

TEST_F(SimFileSystemTest, ARandomCrashTearsWritesAtSectors) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string path = "d/a" + std::to_string(i);
    auto file = CreateDurably(path);
    ASSERT_TRUE(file->WriteAt(0, std::string(1024, '.')).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(file->WriteAt(500, std::string(100, 'x')).ok());
    fs_.Crash(Survival::kRandom);
    seen.insert(fs_.Read(path));
  }
  EXPECT_EQ(seen.size(), 4u);  // each of two sectors old or new
}

TEST_F(SimFileSystemTest, AFailedSyncLosesThePagesAndTheNextOneLies) {
  auto file = CreateDurably("d/a");
  ASSERT_TRUE(file->WriteAt(0, "old").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(file->WriteAt(0, "new").ok());
  fs_.FailNextSync(absl::InternalError("EIO"));
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_TRUE(file->Sync().ok());
  EXPECT_EQ(fs_.Read("d/a"), "new");
  fs_.Crash(Survival::kNothing);
  EXPECT_EQ(fs_.Read("d/a"), "old");
}

TEST_F(SimFileSystemTest, TheNthCallFailsOnceOrForEver) {
  auto file = Create("d/a");
  fs_.FailCall(2, absl::InternalError("fault"));
  EXPECT_TRUE(file->Size().ok());
  EXPECT_FALSE(fs_.fault_reached());
  EXPECT_FALSE(file->Size().ok());
  EXPECT_TRUE(fs_.fault_reached());
  EXPECT_TRUE(file->Size().ok());
  fs_.FailCall(1, absl::InternalError("fault"), true);
  EXPECT_FALSE(fs_.List("d").ok());
  EXPECT_FALSE(fs_.Remove("d/a").ok());
  fs_.ClearFaults();
  EXPECT_TRUE(fs_.Remove("d/a").ok());
}

TEST_F(SimFileSystemTest, ADiskIsFullAtItsCapacity) {
  fs_.SetCapacity(1000);
  auto file = Create("d/a");
  ASSERT_TRUE(file->Allocate(900).ok());
  EXPECT_EQ(file->WriteAt(900, std::string(101, 'x')).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(file->WriteAt(0, std::string(900, 'y')).ok());
  fs_.SetCapacity(2000);
  EXPECT_TRUE(file->WriteAt(900, std::string(101, 'x')).ok());
}

TEST_F(SimFileSystemTest, ALockIsFreeAfterACrash) {
  auto lock = fs_.Lock("d/LOCK");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(fs_.Lock("d/LOCK").status().code(), absl::StatusCode::kFailedPrecondition);
  fs_.Crash(Survival::kNothing);
  auto again = fs_.Lock("d/LOCK");
  ASSERT_TRUE(again.ok());
  lock->reset();  // the dead process's object takes nothing from the new one
  EXPECT_EQ(fs_.Lock("d/LOCK").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SimFileSystemTest, ListsOneDirectory) {
  Create("d/b");
  Create("d/a");
  fs_.Write("other/c", "");
  EXPECT_EQ(fs_.List("d").value(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fs_.List("gone").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace drover::sim

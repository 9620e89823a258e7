// One node's directory becomes a cluster of its own: what is kept, what is told, and that nothing is destroyed.
#include "coord/backup/force_single.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "coord/base/random.h"
#include "coord/log/log.h"
#include "coord/server/recovery.h"
#include "coord/server/seed.h"
#include "tests/coord/backup/backup_fixture.h"

namespace drover::coord::backup {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// On the real disk: whole directories are renamed.
class ForceSingleTest : public testing::Test {
 protected:
  ForceSingleTest() : root_(testing::TempDir() + "/force_single." + std::to_string(getpid())), data_(root_ + "/data") {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  ~ForceSingleTest() override { std::filesystem::remove_all(root_); }

  // Node 2 of three, whose log has the founding, /one and /two; only what `committed` says is known to be committed.
  void MakeNode(std::uint64_t committed) {
    const auto directory = log::DataDirectory::Open(files_.get(), data_);
    ASSERT_TRUE(directory.ok()) << directory.status();
    ASSERT_TRUE((*directory)->CreateIdentity(base::NodeId(2), base::Incarnation(102)).ok());
    const auto log = server::OpenLog(directory->get(), kOld, {});
    ASSERT_TRUE(log.ok()) << log.status();
    ASSERT_TRUE(server::FoundLog(directory->get(), log->get(), OldMembers()).ok());
    log::AppendRequest request;
    request.hard_state = raft::HardState{raft::Term(4), base::NodeId(3)};
    request.entries = {{raft::Term(3), raft::Index(2), raft::EntryKind::kData, CreateBatch("/one", "1")},
                       {raft::Term(4), raft::Index(3), raft::EntryKind::kData, CreateBatch("/two", "2")}};
    request.commit = raft::Index(committed);
    ASSERT_TRUE((*log)->Append(request).ok());
  }
  absl::StatusOr<Forced> Force(const std::string& address = "") {
    return ForceSingle(files_.get(), &random_, {data_, address, ".kept"});
  }
  [[nodiscard]] bool Exists(const std::string& path) const { return std::filesystem::exists(root_ + "/" + path); }

  const std::string root_;
  const std::string data_;
  const std::unique_ptr<base::FileSystem> files_ = base::NewRealFileSystem();
  base::SeededRandom random_{3};
};

TEST_F(ForceSingleTest, TheWholeLogIsKeptAndWhatWasNotKnownToBeCommittedIsTold) {
  MakeNode(1);
  const auto forced = Force();
  ASSERT_TRUE(forced.ok()) << forced.status();
  EXPECT_EQ(forced->node, base::NodeId(2));
  EXPECT_EQ(forced->old_cluster, kOld);
  EXPECT_EQ(forced->old_members, server::MembersOf(OldMembers()));
  EXPECT_EQ(forced->address, "old-2:7400");
  EXPECT_EQ(forced->snapshot, raft::Index(0));
  EXPECT_EQ(forced->committed, raft::Index(1));
  EXPECT_EQ(forced->last, raft::Index(3));
  EXPECT_EQ(forced->nodes, 3u);
  EXPECT_EQ(forced->restored.left.zxid, base::Zxid(2));
  const auto seed = server::FindSeed(files_.get(), data_);
  ASSERT_TRUE(seed.ok() && seed->has_value()) << seed.status();
  EXPECT_EQ((*seed)->members, (server::InitialMembers{{base::NodeId(2), "old-2:7400"}}));
  const auto state = ReadBackup(files_.get(), data_ + "/founding.snap");
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->state->tree().Find("/two")->data(), "2");
  EXPECT_EQ(state->state->last_zxid(), base::Zxid(2 + tree::kZxidLeap));
}

TEST_F(ForceSingleTest, TheOldDirectoryIsKeptAndTheNewOneIsAnotherIncarnation) {
  MakeNode(3);
  ASSERT_TRUE(Force("new:1").ok());
  EXPECT_FALSE(Exists("data.recovering"));
  const auto kept = log::DataDirectory::Open(files_.get(), data_ + ".kept");
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ((*kept)->identity()->incarnation, base::Incarnation(102));
  EXPECT_EQ((*kept)->identity()->cluster, kOld);
  const auto now = log::DataDirectory::Open(files_.get(), data_);
  ASSERT_TRUE(now.ok()) << now.status();
  EXPECT_EQ((*now)->identity()->node, base::NodeId(2));
  EXPECT_NE((*now)->identity()->incarnation, base::Incarnation(102));
  EXPECT_EQ(server::FindSeed(files_.get(), data_)->value().members.front().second, "new:1");
}

TEST_F(ForceSingleTest, TheLogGoesOnBehindTheSnapshot) {
  MakeNode(2);
  tree::StateMachine state;
  Apply(CreateBatch("/one", "1"), &state);
  WriteBackup(files_.get(), data_, &state, raft::Index(2));
  const auto forced = Force();
  ASSERT_TRUE(forced.ok()) << forced.status();
  EXPECT_EQ(forced->snapshot, raft::Index(2));
  EXPECT_EQ(forced->last, raft::Index(3));
  EXPECT_EQ(forced->nodes, 3u);
}

TEST_F(ForceSingleTest, ANodeThatRunsIsRefused) {
  MakeNode(3);
  const auto running = log::DataDirectory::Open(files_.get(), data_);
  ASSERT_TRUE(running.ok());
  const auto refused = Force();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("another process holds it"));
  EXPECT_FALSE(Exists("data.recovering"));
}

TEST_F(ForceSingleTest, WhatIsNoNodesDirectoryIsLeftAlone) {
  EXPECT_EQ(Force().status().code(), absl::StatusCode::kNotFound) << "and what it may not look into is not called none";
  EXPECT_FALSE(Exists("data")) << "nothing was made";
  std::filesystem::create_directory(data_);
  EXPECT_THAT(std::string(Force().status().message()), HasSubstr("holds no file named identity"));
  EXPECT_TRUE(std::filesystem::is_empty(data_));
}

TEST_F(ForceSingleTest, OneThatWasForcedAndNotStartedYetIsRefused) {
  MakeNode(3);
  ASSERT_TRUE(Force().ok());
  const auto again = ForceSingle(files_.get(), &random_, {data_, "", ".again"});
  EXPECT_THAT(std::string(again.status().message()), HasSubstr("holds a new cluster already: start its node"));
}

TEST_F(ForceSingleTest, WhatAnEarlierRecoveryLeftIsNeverReplaced) {
  MakeNode(3);
  std::filesystem::create_directory(data_ + ".kept");
  EXPECT_THAT(std::string(Force().status().message()), HasSubstr("data.kept is in the way"));
  std::filesystem::remove(data_ + ".kept");
  std::filesystem::create_directory(data_ + ".recovering");
  std::ofstream(data_ + ".recovering/photos") << "of somebody";
  EXPECT_THAT(std::string(Force().status().message()), HasSubstr("data.recovering is in the way, and holds photos"));
  EXPECT_TRUE(Exists("data/identity"));
}

TEST_F(ForceSingleTest, WhatAnAttemptLeftThatDidNotEndIsMadeAnew) {
  MakeNode(3);
  std::filesystem::create_directory(data_ + ".recovering");
  for (const char* const name : {"LOCK", "founding.snap", "founding.snap.tmp", "identity"}) {
    std::ofstream(data_ + ".recovering/" + name) << "half";
  }
  const auto forced = Force();
  ASSERT_TRUE(forced.ok()) << forced.status();
  EXPECT_FALSE(Exists("data.recovering"));
  EXPECT_TRUE(server::FindSeed(files_.get(), data_)->has_value());
}

// Killed between its two renames: nothing may begin anew in the place.
TEST_F(ForceSingleTest, WhatWasNotPutInItsPlaceIsToldToWhoeverStartsTheNode) {
  MakeNode(3);
  ASSERT_TRUE(Force().ok());
  std::filesystem::rename(data_, data_ + ".recovering");
  for (const bool made : {false, true}) {
    if (made) std::filesystem::create_directory(data_);  // by a service manager
    const auto started = server::OpenDirectory(files_.get(), &random_, data_ + "/", base::NodeId(2));
    EXPECT_EQ(started.status().code(), absl::StatusCode::kFailedPrecondition) << started.status();
    EXPECT_THAT(std::string(started.status().message()), AllOf(HasSubstr("mv -T"), HasSubstr("data.recovering")));
    EXPECT_THAT(std::string(Force().status().message()), HasSubstr("mv -T"));
    EXPECT_FALSE(Exists("data/identity"));
  }
  std::filesystem::rename(data_ + ".recovering", data_);
  EXPECT_TRUE(server::OpenDirectory(files_.get(), &random_, data_, base::NodeId(2)).ok());
}

TEST_F(ForceSingleTest, OneThatWasRemovedIsRefusedUnlessItsAddressIsGiven) {
  MakeNode(3);
  {
    const auto directory = log::DataDirectory::Open(files_.get(), data_);
    ASSERT_TRUE(directory.ok());
    const auto log = server::OpenLog(directory->get(), kOld, {});
    ASSERT_TRUE(log.ok()) << log.status();
    raft::Configuration without = OldMembers();
    std::erase_if(without.members, [](const raft::Member& member) { return member.id == base::NodeId(2); });
    log::AppendRequest request;
    request.entries = {{raft::Term(4), raft::Index(4), raft::EntryKind::kConfig, raft::EncodeConfiguration(without)}};
    ASSERT_TRUE((*log)->Append(request).ok());
  }
  const auto refused = Force();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), AllOf(HasSubstr("node 2 was removed"), HasSubstr("--advertise")));
  EXPECT_TRUE(Exists("data/identity"));
  const auto forced = Force("here:1");
  ASSERT_TRUE(forced.ok()) << forced.status();
  EXPECT_FALSE(forced->was_member);
}

TEST_F(ForceSingleTest, ADamagedLogIsRefusedAndSaysWhatElseThereIs) {
  MakeNode(3);
  const std::string segment = data_ + "/segment-0000000001.log";
  std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(20);
  file.put('x');
  file.close();
  const auto refused = Force();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss) << refused.status();
  EXPECT_THAT(
      std::string(refused.status().message()),
      AllOf(HasSubstr(segment + " at offset 0: the segment's header is damaged. So " + data_ + " cannot be recovered as it is"),
            HasSubstr("Restore the newest backup"), HasSubstr("No snapshot in it is whole"), Not(HasSubstr("readmit"))));
  EXPECT_TRUE(Exists("data/identity"));
  EXPECT_FALSE(Exists("data.recovering"));
  tree::StateMachine state;
  Apply(CreateBatch("/one", "1"), &state);
  const std::string whole = WriteBackup(files_.get(), data_, &state, raft::Index(2));
  const std::string newer = WriteBackup(files_.get(), data_, &state, raft::Index(3));
  std::filesystem::resize_file(newer, 100);
  EXPECT_THAT(std::string(Force().status().message()),
              HasSubstr("The snapshot " + whole + " is whole and can be restored like a backup; it ends with entry 2, zxid 1"));
}

TEST_F(ForceSingleTest, ADamagedIdentityIsNoReasonToBeLetInAgain) {
  MakeNode(3);
  std::filesystem::resize_file(data_ + "/identity", 40);
  const auto refused = Force();
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kDataLoss) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), AllOf(HasSubstr("the identity of this node is damaged. So "),
                                                             HasSubstr("Restore the newest backup"), Not(HasSubstr("readmit"))));
}

}  // namespace
}  // namespace drover::coord::backup

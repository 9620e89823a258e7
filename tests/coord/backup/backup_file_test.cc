// A backup's file: what it holds is told, and nothing that is not whole passes for one.
#include "coord/backup/backup_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "coord/log/frame.h"
#include "tests/coord/backup/backup_fixture.h"

namespace drover::coord::backup {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class BackupFileTest : public testing::Test {
 protected:
  BackupFileTest() : state_(MakeState()), path_(WriteBackup(&fs_, "backups", state_.get())), contents_(fs_.Read(path_)) {}

  // What is said of a file with these contents.
  absl::Status With(const std::string& contents) {
    fs_.Write("backups/other", contents);
    return ReadBackup(&fs_, "backups/other").status();
  }

  sim::SimFileSystem fs_{1};
  std::unique_ptr<tree::StateMachine> state_;
  std::string path_;
  std::string contents_;
};

TEST_F(BackupFileTest, SaysWhatItHolds) {
  const auto backup = ReadBackup(&fs_, path_);
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ(backup->head.cluster, kOld);
  EXPECT_EQ(backup->head.at.index, raft::Index(40));
  EXPECT_EQ(backup->head.at.term, raft::Term(3));
  EXPECT_EQ(backup->members, OldMembers());
  EXPECT_EQ(backup->taken, kTaken);
  EXPECT_EQ(backup->nodes, 3u);
  EXPECT_EQ(backup->sessions, 1u);
  EXPECT_EQ(backup->ephemerals, 1u);
  EXPECT_EQ(backup->bytes, contents_.size());
  EXPECT_GT(backup->bytes_uncompressed, 0u);
  EXPECT_EQ(backup->version, 1u);
  EXPECT_EQ(backup->state->Digest(), state_->Digest());
}

TEST_F(BackupFileTest, OneThatIsCutAnywhereIsRefusedWithItsOffset) {
  for (std::size_t size = 0; size < contents_.size(); ++size) {
    const absl::Status cut = With(contents_.substr(0, size));
    EXPECT_EQ(cut.code(), absl::StatusCode::kDataLoss) << size << ": " << cut;
    EXPECT_THAT(std::string(cut.message()), AllOf(HasSubstr("at offset "), HasSubstr("use another one"))) << size;
  }
}

TEST_F(BackupFileTest, AFlippedBitAnywhereIsRefused) {
  for (std::size_t at = 0; at < contents_.size(); ++at) {
    std::string flipped = contents_;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    const absl::Status found = With(flipped);
    // Of the version: a newer one.
    EXPECT_TRUE(absl::IsDataLoss(found) || absl::IsFailedPrecondition(found)) << at << ": " << found;
  }
}

TEST_F(BackupFileTest, WhatStandsBehindTheEndIsRefused) {
  EXPECT_THAT(std::string(With(contents_ + "x").message()), HasSubstr("something stands behind its end"));
}

TEST_F(BackupFileTest, AFileOfAnotherKindIsNamedSo) {
  const absl::Status foreign = With(std::string(10'000, 'a'));
  EXPECT_EQ(foreign.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(foreign.message()),
              AllOf(HasSubstr("backups/other at offset 0: this is not the head of a snapshot"), HasSubstr("no whole backup")));
  EXPECT_EQ(ReadBackup(&fs_, "backups/none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BackupFileTest, WhatIsTakenForABackupByMistakeIsCalledByItsName) {
  const std::string behind(100, 'x');
  EXPECT_THAT(std::string(With("\x28\xb5\x2f\xfd" + behind).message()), HasSubstr("but something compressed: decompress it"));
  EXPECT_THAT(std::string(With("\x1f\x8b" + behind).message()), HasSubstr("but something compressed: decompress it"));
  EXPECT_THAT(std::string(With("DRFR" + behind).message()), HasSubstr("but a segment of a log"));
  EXPECT_THAT(std::string(With(R"({"format":"drover-subtree","version":1)" + behind).message()),
              HasSubstr("for drover tree import"));
}

TEST_F(BackupFileTest, ANewerFormatIsRefusedByItsVersion) {
  std::string newer = contents_;
  newer[8] = 2;
  EXPECT_THAT(std::string(With(newer).message()), AllOf(HasSubstr("snapshot format version 2; this program reads version 1"),
                                                        HasSubstr("use the newer program that wrote it")));
}

// Checksums are right, what they protect is no state: not damage of the disk, but nothing to restore either.
TEST_F(BackupFileTest, PartsThatSayNoStateAreRefusedWithTheirOffset) {
  const base::Bytes members = raft::EncodeConfiguration(OldMembers());
  auto writer = log::SnapshotWriter::Begin(&fs_, "backups",
                                           {kOld, 7, {raft::Index(50), raft::Term(3), raft::Index(1), members}, members}, {});
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Add("no part").ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  const absl::Status found = ReadBackup(&fs_, absl::StrCat("backups/", log::SnapshotName(raft::Index(50)))).status();
  EXPECT_EQ(found.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(found.message()), AllOf(HasSubstr("at offset "), HasSubstr("the snapshot is damaged")));
}

TEST_F(BackupFileTest, MembersThatCannotBeReadAreRefused) {
  auto writer = log::SnapshotWriter::Begin(
      &fs_, "backups", {kOld, 7, {raft::Index(50), raft::Term(3), raft::Index(1), base::Bytes::Copy("nobody")}, {}}, {});
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  const absl::Status found = ReadBackup(&fs_, absl::StrCat("backups/", log::SnapshotName(raft::Index(50)))).status();
  EXPECT_THAT(std::string(found.message()), HasSubstr("does not say who belongs to its cluster"));
}

}  // namespace
}  // namespace drover::coord::backup

// Snapshot files: what was written is read, and nothing else passes for it.
#include "coord/log/snapshot_file.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coord/base/checksum.h"
#include "coord/log/snapshots.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

using sim::SimFileSystem;
using sim::Survival;

SnapshotHead HeadAt(std::uint64_t index, std::uint64_t id = 99) {
  return SnapshotHead{kCluster, id, MakeRestart(index, 3), base::Bytes::Copy("founders")};
}

std::vector<std::string> Parts() {
  return {"first part", "", std::string(5000, 'x'), std::string("\0\1\2", 3)};
}

absl::Status WriteSnapshot(base::FileSystem* fs, const SnapshotHead& head, const std::vector<std::string>& parts,
                           const SnapshotWriter::Options& options = {}) {
  auto writer = SnapshotWriter::Begin(fs, kDirectory, head, options);
  if (!writer.ok()) return writer.status();
  for (const std::string& part : parts) {
    if (const absl::Status added = (*writer)->Add(part); !added.ok()) return added;
  }
  return (*writer)->Finish();
}

struct Read {
  SnapshotHead head;
  std::vector<std::string> parts;
};

absl::StatusOr<Read> ReadSnapshot(base::FileSystem* fs, const std::string& path,
                                  std::optional<base::ClusterId> cluster = kCluster) {
  auto reader = SnapshotReader::Open(fs, path, cluster);
  if (!reader.ok()) return reader.status();
  Read read{(*reader)->head(), {}};
  while (true) {
    auto part = (*reader)->Next();
    if (!part.ok()) return part.status();
    if (!*part) return read;
    read.parts.push_back(**part);
  }
}

std::string PathAt(std::uint64_t index) {
  return absl::StrCat(kDirectory, "/", SnapshotName(raft::Index(index)));
}

class SnapshotFileTest : public testing::Test {
 protected:
  SnapshotFileTest() { EXPECT_TRUE(fs_.MakeDirectory(kDirectory).ok()); }

  std::string Contents(const std::string& path) {
    auto file = fs_.Open(path, base::OpenMode::kRead);
    EXPECT_TRUE(file.ok()) << file.status();
    return *(*file)->ReadAt(0, *(*file)->Size());
  }
  void Replace(const std::string& path, const std::string& contents) {
    EXPECT_TRUE(fs_.Remove(path).ok());
    auto file = fs_.Open(path, base::OpenMode::kCreate);
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE((*file)->WriteAt(0, contents).ok());
  }

  SimFileSystem fs_{1};
};

TEST_F(SnapshotFileTest, IsReadAsItWasWritten) {
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7), Parts()).ok());
  const auto read = ReadSnapshot(&fs_, PathAt(7));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->head, HeadAt(7));
  EXPECT_EQ(read->parts, Parts());
}

TEST_F(SnapshotFileTest, IsThereOnlyWhenAllOfItIsDurable) {
  {
    auto writer = SnapshotWriter::Begin(&fs_, kDirectory, HeadAt(7), {});
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->Add("part").ok());
    EXPECT_TRUE(ListSnapshots(&fs_, kDirectory)->empty());
    (*writer)->Discard();
  }
  EXPECT_TRUE(fs_.List(kDirectory)->empty());
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7), Parts()).ok());
  fs_.Crash(Survival::kNothing);
  EXPECT_TRUE(ReadSnapshot(&fs_, PathAt(7)).ok());
}

TEST_F(SnapshotFileTest, WhereverThePowerFailsThereIsAWholeOneOrNone) {
  for (std::uint64_t n = 1;; ++n) {
    SimFileSystem fs(n);
    ASSERT_TRUE(fs.MakeDirectory(kDirectory).ok());
    ASSERT_TRUE(WriteSnapshot(&fs, HeadAt(5), {"the one before"}).ok());
    fs.StopAtCall(n);
    const absl::Status written = WriteSnapshot(&fs, HeadAt(7), Parts(), {.sync_bytes = 100});
    const bool stopped = fs.fault_reached();
    fs.Crash(Survival::kRandom);
    const auto found = ListSnapshots(&fs, kDirectory);
    ASSERT_TRUE(found.ok());
    for (const raft::Index index : *found) {
      EXPECT_TRUE(ReadSnapshot(&fs, PathAt(index.value)).ok()) << "call " << n << ", snapshot " << index.value;
    }
    EXPECT_EQ(found->front().value, 5u);
    if (written.ok()) {
      EXPECT_EQ(found->size(), 2u) << "call " << n;
    }
    ASSERT_TRUE(RemoveUnfinishedSnapshots(&fs, kDirectory).ok());
    EXPECT_EQ(fs.List(kDirectory)->size(), found->size());
    if (!stopped) break;
  }
}

TEST_F(SnapshotFileTest, EveryErrorOfTheDiskIsTold) {
  for (std::uint64_t n = 1;; ++n) {
    SimFileSystem fs(n);
    ASSERT_TRUE(fs.MakeDirectory(kDirectory).ok());
    fs.FailCall(n, absl::ResourceExhaustedError("no space"), true);
    const absl::Status written = WriteSnapshot(&fs, HeadAt(7), Parts(), {.sync_bytes = 100});
    if (written.ok()) break;
    EXPECT_TRUE(absl::IsResourceExhausted(written)) << written;
    fs.Crash(Survival::kEverything);
    ASSERT_TRUE(RemoveUnfinishedSnapshots(&fs, kDirectory).ok());
    EXPECT_TRUE(WriteSnapshot(&fs, HeadAt(7), Parts()).ok()) << "call " << n;
  }
}

TEST_F(SnapshotFileTest, NoFlippedBitPasses) {
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7), {"a part", "another one"}).ok());
  const std::string whole = Contents(PathAt(7));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    Replace(PathAt(7), damaged);
    const auto read = ReadSnapshot(&fs_, PathAt(7), std::nullopt);
    EXPECT_TRUE(absl::IsDataLoss(read.status()) || absl::IsFailedPrecondition(read.status())) << at << ": " << read.status();
  }
}

TEST_F(SnapshotFileTest, NoTruncationPasses) {
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7), {"a part", "another one"}).ok());
  const std::string whole = Contents(PathAt(7));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Replace(PathAt(7), whole.substr(0, size));
    const auto read = ReadSnapshot(&fs_, PathAt(7));
    EXPECT_TRUE(absl::IsDataLoss(read.status())) << size << ": " << read.status();
  }
  Replace(PathAt(7), whole + std::string(8, '\0'));
  EXPECT_TRUE(absl::IsDataLoss(ReadSnapshot(&fs_, PathAt(7)).status()));
}

TEST_F(SnapshotFileTest, PartsOfTwoSnapshotsDoNotMix) {
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7, 1), {"same length A"}).ok());
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(8, 2), {"same length B"}).ok());
  const std::string one = Contents(PathAt(7));
  const std::string other = Contents(PathAt(8));
  ASSERT_EQ(one.size(), other.size());
  Replace(PathAt(7), one.substr(0, 112) + other.substr(112));
  EXPECT_TRUE(absl::IsDataLoss(ReadSnapshot(&fs_, PathAt(7)).status()));
}

TEST_F(SnapshotFileTest, OfAnotherClusterOrANewerFormatIsRefusedWithWhatToDo) {
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7), Parts()).ok());
  const auto other = ReadSnapshot(&fs_, PathAt(7), base::ClusterId(5));
  EXPECT_TRUE(absl::IsFailedPrecondition(other.status())) << other.status();
  EXPECT_TRUE(absl::StrContains(other.status().message(), "another cluster"));
  std::string newer = Contents(PathAt(7));
  newer[8] = 2;
  Replace(PathAt(7), newer);
  const auto read = ReadSnapshot(&fs_, PathAt(7));
  EXPECT_TRUE(absl::IsFailedPrecondition(read.status())) << read.status();
  EXPECT_TRUE(absl::StrContains(read.status().message(), "use the newer program")) << read.status();
  EXPECT_TRUE(absl::IsNotFound(ReadSnapshot(&fs_, PathAt(9)).status()));
}

TEST_F(SnapshotFileTest, APartThatIsTooLargeIsRefused) {
  auto writer = SnapshotWriter::Begin(&fs_, kDirectory, HeadAt(7), {});
  ASSERT_TRUE(writer.ok());
  EXPECT_TRUE(absl::IsInvalidArgument((*writer)->Add(std::string(kSnapshotPartBytesMax + 1, 'x'))));
}

// Puts the checksum of the only part right, and makes it claim `bytes`.
std::string WithPartOf(std::uint64_t bytes, const std::string& file, std::size_t part_at) {
  std::string number;
  PutU64(bytes, &number);
  std::string changed = file;
  changed.replace(part_at + 8, 8, number);
  std::string place;
  PutU64(99, &place);
  PutU64(0, &place);
  const absl::string_view all(changed);
  std::string checksum;
  PutU64(base::Checksum({place, all.substr(part_at, 16), all.substr(part_at + 24, GetU32(all, part_at + 4))}), &checksum);
  return changed.replace(part_at + 16, 8, checksum);
}

TEST_F(SnapshotFileTest, APartThatClaimsMoreThanItsBytesCanHoldIsRefused) {
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7), {"a part"}).ok());
  const std::string whole = Contents(PathAt(7));
  const std::size_t part_at = whole.find("DRSP");
  Replace(PathAt(7), WithPartOf(6, whole, part_at));
  EXPECT_TRUE(ReadSnapshot(&fs_, PathAt(7)).ok());
  for (const std::uint64_t bytes : {std::uint64_t{7}, std::uint64_t{100'000}, std::uint64_t{kSnapshotPartBytesMax}, UINT64_MAX}) {
    Replace(PathAt(7), WithPartOf(bytes, whole, part_at));
    EXPECT_TRUE(absl::IsDataLoss(ReadSnapshot(&fs_, PathAt(7)).status())) << bytes;
  }
}

// What compresses best is believed.
TEST_F(SnapshotFileTest, APartOfZerosIsReadAsItWasWritten) {
  const std::vector<std::string> parts = {std::string(kSnapshotPartBytesMax, '\0'), std::string(1, '\0')};
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7), parts).ok());
  const auto read = ReadSnapshot(&fs_, PathAt(7));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->parts, parts);
}

TEST(SnapshotName, IsReadBack) {
  EXPECT_EQ(SnapshotName(raft::Index(255)), "snapshot-00000000000000ff.snap");
  EXPECT_EQ(ParseSnapshotName("snapshot-00000000000000ff.snap"), raft::Index(255));
  for (const char* name : {"snapshot-00000000000000FF.snap", "snapshot-ff.snap", "snapshot-00000000000000ff.snap.tmp",
                           "snapshot-000000000000zzff.snap", "segment-0000000001.log", ""}) {
    EXPECT_EQ(ParseSnapshotName(name), std::nullopt) << name;
  }
}

// The set of them ---------------------------------------------------------------------------------------------------------------

TEST_F(SnapshotFileTest, AreListedAndRemovedByTheirIndex) {
  for (const std::uint64_t index : {300, 7, 20}) ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(index), Parts()).ok());
  EXPECT_EQ(*ListSnapshots(&fs_, kDirectory), (std::vector<raft::Index>{raft::Index(7), raft::Index(20), raft::Index(300)}));
  ASSERT_TRUE(RemoveSnapshotsBelow(&fs_, kDirectory, raft::Index(20)).ok());
  EXPECT_EQ(*ListSnapshots(&fs_, kDirectory), (std::vector<raft::Index>{raft::Index(20), raft::Index(300)}));
}

TEST_F(SnapshotFileTest, ComesInPiecesFromElsewhere) {
  ASSERT_TRUE(WriteSnapshot(&fs_, HeadAt(7), Parts()).ok());
  const std::string whole = Contents(PathAt(7));
  ASSERT_TRUE(fs_.Remove(PathAt(7)).ok());
  ASSERT_TRUE(fs_.SyncDirectory(kDirectory).ok());

  auto incoming = IncomingSnapshot::Begin(&fs_, kDirectory, raft::Index(7), whole.size());
  ASSERT_TRUE(incoming.ok());
  ASSERT_TRUE((*incoming)->Write(whole.substr(0, 100)).ok());
  EXPECT_EQ((*incoming)->received(), 100u);
  EXPECT_FALSE((*incoming)->whole());
  EXPECT_TRUE(absl::IsInvalidArgument((*incoming)->Write(whole)));
  ASSERT_TRUE((*incoming)->Write(whole.substr(100)).ok());
  EXPECT_TRUE((*incoming)->whole());
  EXPECT_TRUE(ReadSnapshot(&fs_, (*incoming)->path()).ok());
  EXPECT_TRUE(ListSnapshots(&fs_, kDirectory)->empty());
  ASSERT_TRUE((*incoming)->Adopt().ok());
  fs_.Crash(Survival::kNothing);
  EXPECT_TRUE(ReadSnapshot(&fs_, PathAt(7)).ok());
}

TEST_F(SnapshotFileTest, OneThatIsDiscardedLeavesNothing) {
  {
    auto incoming = IncomingSnapshot::Begin(&fs_, kDirectory, raft::Index(7), 1000);
    ASSERT_TRUE(incoming.ok());
    ASSERT_TRUE((*incoming)->Write("half").ok());
    (*incoming)->Discard();
  }
  EXPECT_TRUE(fs_.List(kDirectory)->empty());
}

}  // namespace
}  // namespace drover::coord::log

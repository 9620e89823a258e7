#include "coord/log/inspect.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coord/log/snapshot_file.h"
#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

struct Recorder final : InspectVisitor {
  void OnSegment(const std::string& path, const SegmentHeader& header) override {
    segments.push_back(path);
    FrameRef ref;
    proven_end[path] = EncodeSegmentHeader(header, &ref).size();
  }
  void OnFrame(const Frame& frame, bool proven) override {
    frames.push_back(proven);
    if (proven) proven_end[segments.back()] = frame.end();
  }
  void OnEntry(const raft::Entry& entry) override { entries.push_back(entry); }
  std::vector<std::string> segments;
  std::vector<bool> frames;
  std::map<std::string, std::uint64_t> proven_end;  // in each segment
  std::vector<raft::Entry> entries;
};

class InspectTest : public LogTest {
 protected:
  InspectTest() {
    Start();
    EXPECT_TRUE(SetTerm(7, 2).ok());
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(Append(std::string(100, 'i')).ok());
  }
  void WriteSnapshot(std::uint64_t index) {
    auto writer = SnapshotWriter::Begin(&fs_, kDirectory, {kCluster, 5, MakeRestart(index, 7), base::Bytes::Copy("founders")}, {});
    ASSERT_TRUE(writer.ok() && (*writer)->Add("some part").ok() && (*writer)->Finish().ok());
  }

  Recorder recorder_;
};

TEST_F(InspectTest, ShowsEverythingAndChangesNothing) {
  const std::vector<std::string> paths = fs_.Paths();
  const absl::StatusOr<Inspection> found = Inspect(&fs_, kDirectory, &recorder_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->cluster, kCluster);
  EXPECT_EQ(found->identity->node.value, 1u);
  EXPECT_EQ(found->hard_state, MakeHardState(7, 2));
  EXPECT_EQ(found->first_index.value, 1u);
  EXPECT_EQ(found->last_index.value, 12u);
  EXPECT_EQ(found->entries_written, 12u);
  EXPECT_EQ(found->segments, log()->segments());
  EXPECT_EQ(recorder_.segments, Segments());
  EXPECT_EQ(recorder_.entries, model_.entries);
  EXPECT_EQ(recorder_.frames.size(), 13u);
  EXPECT_FALSE(recorder_.frames.back());
  ASSERT_EQ(found->notes.size(), 1u);
  EXPECT_NE(found->notes[0].find("may not have been synced"), std::string::npos);
  EXPECT_EQ(fs_.Paths(), paths);
  ASSERT_TRUE(log()->Prove().ok());
  EXPECT_TRUE(Inspect(&fs_, kDirectory, &recorder_)->notes.empty());
  EXPECT_EQ(recorder_.frames.size(), 13u + 14u) << "the mark is shown, too";
}

TEST_F(InspectTest, NotesATornTail) {
  std::string contents = fs_.Read(LastSegment());
  const std::size_t end = Padded(contents.find_last_not_of('\0') + 1);
  contents.resize(end, '\0');
  fs_.Write(LastSegment(), contents + "half a frame");
  const absl::StatusOr<Inspection> found = Inspect(&fs_, kDirectory, &recorder_);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->notes.size(), 2u);
  EXPECT_NE(found->notes[1].find("a torn write at offset " + std::to_string(end)), std::string::npos) << found->notes[1];
}

TEST_F(InspectTest, ReportsDamageAfterWhatComesBefore) {
  const std::string first = Segments().front();
  fs_.FlipBit(first, fs_.Read(first).rfind("iii"), 0);
  const absl::StatusOr<Inspection> found = Inspect(&fs_, kDirectory, &recorder_);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(recorder_.entries.empty());
  EXPECT_LT(recorder_.entries.size(), 12u);
}

// FORMAT.md, "Which frames count", says which bytes do not matter, and which look like a torn write.
TEST_F(InspectTest, AFlippedBitInAnyByteThatCountsIsFound) {
  ASSERT_TRUE(log()->Prove().ok());
  Start();  // in a segment of its own
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Append(std::string(101, 'j')).ok());
  ASSERT_TRUE(log()->Prove().ok());
  WriteSnapshot(4);
  WriteSnapshot(9);
  const std::string last = LastSegment();
  Stop();
  ASSERT_TRUE(Inspect(&fs_, kDirectory, &recorder_)->notes.empty());
  ASSERT_GT(recorder_.segments.size(), 3u);
  const std::map<std::string, std::uint64_t> proven_end = recorder_.proven_end;
  std::size_t found = 0, torn = 0, void_bytes = 0;
  for (const std::string& path : fs_.Paths()) {
    const std::uint64_t size = fs_.Read(path).size();
    for (std::uint64_t at = 0; at < size; ++at) {
      const auto disk = fs_.Copy(1);
      disk->FlipBit(path, at, static_cast<int>(at % 8));
      const absl::StatusOr<Inspection> inspected = Inspect(disk.get(), kDirectory, &recorder_);
      const auto end = proven_end.find(path);
      if (end == proven_end.end() || at < end->second) {
        const bool told = !inspected.ok() || !inspected->damaged_snapshots.empty();
        EXPECT_TRUE(told) << path << " at " << at;
        ++found;
      } else if (path == last) {
        EXPECT_TRUE(inspected.ok() && !inspected->notes.empty()) << path << " at " << at;
        ++torn;
      } else {
        ++void_bytes;
      }
    }
  }
  EXPECT_GT(found, 3000u);
  EXPECT_GE(torn, kFrameHeaderBytes) << "the mark, and what lies behind it";
  EXPECT_GT(void_bytes, 0u);
}

TEST_F(InspectTest, ALogThatEndsBeforeTheNewestSnapshotIsNoted) {
  ASSERT_TRUE(log()->Prove().ok());
  WriteSnapshot(4);
  WriteSnapshot(12);
  Stop();
  EXPECT_TRUE(Inspect(&fs_, kDirectory, &recorder_)->notes.empty());
  fs_.Delete(LastSegment());
  const absl::StatusOr<Inspection> found = Inspect(&fs_, kDirectory, &recorder_);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_LT(found->last_index.value, 12u);
  EXPECT_NE(found->notes.back().find("before the newest snapshot, that up to entry 12: unless"), std::string::npos)
      << found->notes.back();
}

TEST_F(InspectTest, ShowsVoteConflictAndRestart) {
  AppendRequest vote;
  vote.hard_state = MakeHardState(8, 3);
  ASSERT_TRUE(log()->Append(vote).ok());
  AppendRequest conflict;
  conflict.truncate_from = raft::Index(11);
  conflict.entries = {MakeEntry(8, 11, "instead")};
  ASSERT_TRUE(log()->Append(conflict).ok());
  AppendRequest restart;
  restart.restart = MakeRestart(90, 8);
  restart.entries = {MakeEntry(8, 91, "behind")};
  ASSERT_TRUE(log()->Append(restart).ok());
  // What is there is shown; but the snapshot that the restart follows is missing.
  const absl::Status status = Inspect(&fs_, kDirectory, &recorder_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_NE(status.message().find("begins with entry 91"), absl::string_view::npos) << status;
  EXPECT_EQ(recorder_.entries.size(), 14u);
  EXPECT_EQ(recorder_.entries.back(), restart.entries.back());
}

// Whatever is missing: inspection and recovery say the same.
TEST_F(InspectTest, WhatIsMissingIsToldAsRecoveryTellsIt) {
  const std::vector<std::string> segments = Segments();
  ASSERT_GE(segments.size(), 3u);
  Stop();
  const std::string identity = std::string(kDirectory) + "/identity";
  for (const std::string& missing : {segments.front(), segments[segments.size() / 2], identity}) {
    const auto disk = fs_.Copy(1);
    ASSERT_TRUE(disk->Remove(missing).ok());
    const absl::Status told = Inspect(disk.get(), kDirectory, &recorder_).status();
    EXPECT_EQ(told.code(), absl::StatusCode::kDataLoss) << missing << ": " << told;
    EXPECT_EQ(told, Process::Start(disk.get(), options_).status()) << missing;
  }
  const auto disk = fs_.Copy(1);
  for (const std::string& segment : segments) ASSERT_TRUE(disk->Remove(segment).ok());
  const absl::Status told = Inspect(disk.get(), kDirectory, &recorder_).status();
  EXPECT_EQ(told.code(), absl::StatusCode::kDataLoss) << told;
  EXPECT_EQ(told, Process::Start(disk.get(), options_).status());
}

// A disk on which a node gets on with its work while somebody reads; and which lets nobody do more than read.
class BusyFileSystem final : public base::FileSystem {
 public:
  // `on_open` is called before each Open; `on_read` may change what a read has found at its offset.
  BusyFileSystem(base::FileSystem* fs, std::function<void()> on_open, std::function<void(std::uint64_t, std::string*)> on_read)
      : fs_(fs), on_open_(std::move(on_open)), on_read_(std::move(on_read)) {}
  absl::StatusOr<std::unique_ptr<base::File>> Open(const std::string& path, base::OpenMode mode) override {
    if (mode != base::OpenMode::kRead) return Denied();
    on_open_();
    auto file = fs_->Open(path, mode);
    if (!file.ok()) return file.status();
    return std::make_unique<BusyFile>(this, *std::move(file));
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override { return fs_->List(directory); }
  absl::Status Rename(const std::string&, const std::string&) override { return Denied(); }
  absl::Status Remove(const std::string&) override { return Denied(); }
  absl::Status MakeDirectory(const std::string&) override { return Denied(); }
  absl::Status SyncDirectory(const std::string&) override { return Denied(); }
  void Forget(const std::string&) override {}
  absl::StatusOr<std::unique_ptr<base::FileLock>> Lock(const std::string&) override { return Denied(); }

 private:
  class BusyFile final : public base::File {
   public:
    BusyFile(BusyFileSystem* fs, std::unique_ptr<base::File> file) : fs_(fs), file_(std::move(file)) {}
    absl::StatusOr<std::string> ReadAt(std::uint64_t offset, std::size_t size) override {
      auto bytes = file_->ReadAt(offset, size);
      if (bytes.ok()) fs_->on_read_(offset, &*bytes);
      return bytes;
    }
    absl::StatusOr<std::uint64_t> Size() override { return file_->Size(); }
    absl::Status WriteAt(std::uint64_t, absl::string_view) override { return Denied(); }
    absl::Status Sync() override { return Denied(); }
    absl::Status Allocate(std::uint64_t) override { return Denied(); }
    absl::Status Truncate(std::uint64_t) override { return Denied(); }

   private:
    BusyFileSystem* const fs_;
    const std::unique_ptr<base::File> file_;
  };
  static absl::Status Denied() { return absl::PermissionDeniedError("reading only"); }

  base::FileSystem* const fs_;
  const std::function<void()> on_open_;
  const std::function<void(std::uint64_t, std::string*)> on_read_;
};

// Half of a frame is read, then the node completes it and writes another: that is no damage.
TEST_F(InspectTest, AFrameThatIsBeingWrittenIsNotTakenForDamage) {
  options_.segment_bytes = 4 << 20;
  Start();
  ASSERT_TRUE(Append("small").ok());
  const std::uint64_t begin = Padded(fs_.Read(LastSegment()).find_last_not_of('\0') + 1);
  ASSERT_TRUE(Append(std::string(300'000, 'L')).ok());
  ASSERT_TRUE(Append("another").ok());
  int halves = 0;
  BusyFileSystem fs(
      &fs_, [] {},
      [&](std::uint64_t offset, std::string* bytes) {
        if (offset != begin || bytes->size() < 300'000 || halves > 0) return;
        ++halves;
        bytes->replace(100'000, bytes->size() - 100'000, bytes->size() - 100'000, '\0');
      });
  const absl::StatusOr<Inspection> found = Inspect(&fs, kDirectory, &recorder_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(halves, 1);
  EXPECT_EQ(found->last_index.value, 15u);
  EXPECT_EQ(recorder_.entries, model_.entries);
  ASSERT_EQ(found->notes.size(), 1u);
}

TEST_F(InspectTest, AFrameThatWasCompletedMeanwhileCounts) {
  ASSERT_TRUE(Append("being written").ok());
  BusyFileSystem fs(
      &fs_, [] {},
      [](std::uint64_t offset, std::string* bytes) {
        const std::size_t at = bytes->find("being written");
        if (offset == 0 && at != std::string::npos) bytes->replace(at, bytes->size() - at, bytes->size() - at, '\0');
      });
  const absl::StatusOr<Inspection> found = Inspect(&fs, kDirectory, &recorder_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->last_index.value, 13u);
  EXPECT_EQ(recorder_.entries, model_.entries);
}

TEST_F(InspectTest, SegmentsThatTheNodeDropsMeanwhileAreNoDamage) {
  for (int compact_at = 2; compact_at <= 7; ++compact_at) {
    const auto disk = fs_.Copy(1);
    const auto process = Process::Start(disk.get(), options_);
    ASSERT_TRUE(process.ok());
    ASSERT_GE((*process)->log->segments(), 3u);
    int opens = 0;
    const auto compact = [&] {
      if (++opens != compact_at) return;
      ASSERT_TRUE((*process)->log->Compact(raft::Index(12)).ok());
      absl::StatusOr<bool> more = true;
      while (more.ok() && *more) more = (*process)->log->Recycle();
    };
    BusyFileSystem fs(disk.get(), compact, [](std::uint64_t, std::string*) {});
    // No snapshot covers here what was dropped: that, and nothing else, is missing.
    const auto dropped = [](const absl::Status& s) {
      return absl::IsDataLoss(s) && s.message().find("earlier segments are missing") != absl::string_view::npos;
    };
    const absl::Status status = Inspect(&fs, kDirectory, &recorder_).status();
    EXPECT_TRUE(status.ok() || absl::IsAborted(status) || dropped(status)) << compact_at << ": " << status;
    const absl::Status after = Inspect(&fs, kDirectory, &recorder_).status();
    EXPECT_TRUE(dropped(after)) << compact_at << ": " << after;
  }
}

TEST_F(InspectTest, AnEmptyDirectoryIsNotFound) {
  ASSERT_TRUE(fs_.MakeDirectory("empty").ok());
  EXPECT_EQ(Inspect(&fs_, "empty", &recorder_).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace drover::coord::log

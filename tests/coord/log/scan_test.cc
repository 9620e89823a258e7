// Torn or damaged? Every way in which the end of a log, or its middle, can look wrong.
#include "coord/log/scan.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

using absl::StatusCode;
using sim::Survival;

class ScanTest : public LogTest {
 protected:
  // A frame that counts, then one of `payload` bytes; the file as it is after it, and where that last frame begins.
  void MakeTail(std::size_t payload) {
    options_.segment_bytes = 1 << 16;
    options_.allocate_first_bytes = 1 << 13;
    Start();
    ASSERT_TRUE(SetTerm(1).ok());
    ASSERT_TRUE(Append("acknowledged").ok());
    before_ = model_;
    begin_ = Written();
    ASSERT_TRUE(Append(std::string(payload, 't')).ok());
    end_ = Written();
    path_ = LastSegment();
    Stop();
    fs_.Crash(Survival::kEverything);
    whole_ = fs_.Read(path_);
  }
  // Where the zeros at the end begin, at the next multiple of 8.
  std::uint64_t Written() const { return Padded(fs_.Read(LastSegment()).find_last_not_of('\0') + 1); }
  // A disk that is as after MakeTail, but for the last segment.
  std::unique_ptr<sim::SimFileSystem> With(const std::string& contents) const {
    auto disk = fs_.Copy(1);
    disk->Write(path_, contents);
    return disk;
  }
  static absl::StatusOr<Model> Recovered(sim::SimFileSystem* disk, const Options& options) {
    const auto process = Process::Start(disk, options);
    if (!process.ok()) return process.status();
    return ReadAll((*process)->log.get());
  }
  void ExpectRefused(sim::SimFileSystem* disk, absl::string_view path, std::uint64_t offset,
                     StatusCode code = StatusCode::kDataLoss) {
    const absl::Status status = Recovered(disk, options_).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_NE(status.message().find(path), absl::string_view::npos) << status;
    if (code == StatusCode::kDataLoss) {
      EXPECT_NE(status.message().find("at offset " + std::to_string(offset) + ":"), absl::string_view::npos) << status;
      EXPECT_NE(status.message().find("restored from a backup"), absl::string_view::npos) << status;
    }
  }

  Model before_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  std::string path_;
  std::string whole_;
};

TEST_F(ScanTest, ATornTailIsCutAtEveryByte) {
  MakeTail(1200);
  for (std::uint64_t cut = begin_; cut < end_; ++cut) {
    std::string contents = whole_;
    contents.replace(cut, contents.size() - cut, contents.size() - cut, '\0');
    if (contents == whole_) continue;  // padding
    const auto disk = With(contents);
    const auto found = Recovered(disk.get(), options_);
    ASSERT_TRUE(found.ok()) << "cut at " << cut << ": " << found.status();
    ASSERT_EQ(*found, before_) << "cut at " << cut;
  }
}

TEST_F(ScanTest, AFileThatEndsWithinItsLastFrameIsCutToo) {
  MakeTail(1200);
  for (std::uint64_t size = begin_; size < end_; size += 7) {
    const auto disk = With(whole_.substr(0, size));
    const auto found = Recovered(disk.get(), options_);
    ASSERT_TRUE(found.ok()) << "size " << size << ": " << found.status();
    ASSERT_EQ(*found, before_) << "size " << size;
  }
}

TEST_F(ScanTest, AnUnprovenFrameWithAnyGarbledByteIsCut) {
  MakeTail(1200);
  for (std::uint64_t at = begin_; at < end_; ++at) {
    const auto disk = With(whole_);
    disk->FlipBit(path_, at, static_cast<int>(at % 8));
    const auto found = Recovered(disk.get(), options_);
    ASSERT_TRUE(found.ok()) << "byte " << at << ": " << found.status();
    ASSERT_EQ(*found, before_) << "byte " << at;
  }
}

TEST_F(ScanTest, AnyLostSectorsOfTheLastFrameAreATornWrite) {
  MakeTail(2000);
  const std::uint64_t first = begin_ / 512;
  const std::uint64_t last = (end_ - 1) / 512;
  for (std::uint64_t lost = 1; lost < (std::uint64_t{1} << (last - first + 1)); ++lost) {
    std::string contents = whole_;
    for (std::uint64_t sector = first; sector <= last; ++sector) {
      if ((lost >> (sector - first) & 1) == 0) continue;
      for (std::uint64_t at = std::max(sector * 512, begin_); at < (sector + 1) * 512 && at < end_; ++at) contents[at] = '\0';
    }
    const auto disk = With(contents);
    const auto found = Recovered(disk.get(), options_);
    ASSERT_TRUE(found.ok()) << "sectors " << lost << ": " << found.status();
    ASSERT_EQ(*found, before_) << "sectors " << lost;
  }
}

// A vote, a conflict's truncation and a restart are whole or not there: before them all is as it was.
TEST_F(ScanTest, ATornVoteTruncationOrRestartChangesNothing) {
  options_.segment_bytes = 1 << 16;
  options_.allocate_first_bytes = 1 << 13;
  options_.snapshot_index = raft::Index(30);
  std::vector<AppendRequest> requests(3);
  requests[0].hard_state = MakeHardState(2, 3);
  requests[1].hard_state = MakeHardState(2, 3);
  requests[1].truncate_from = raft::Index(2);
  requests[1].entries = {MakeEntry(2, 2, "in its place")};
  requests[2].hard_state = MakeHardState(2, 3);
  requests[2].restart = MakeRestart(30, 2);
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Append("acknowledged").ok());
  Stop();
  const auto clean = fs_.Copy(1);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto disk = clean->Copy(1);
    {
      const auto process = Process::Start(disk.get(), options_);
      ASSERT_TRUE(process.ok());
      ASSERT_TRUE((*process)->log->Append(requests[i]).ok());
    }
    path_ = disk->Paths().back();
    whole_ = disk->Read(path_);
    begin_ = kFrameHeaderBytes + 80;  // behind the header, the copy of the last entry's frame
    begin_ += ParseHeader({kCluster, 2, begin_}, absl::string_view(whole_).substr(begin_))->size;
    end_ = begin_ + ParseHeader({kCluster, 2, begin_}, absl::string_view(whole_).substr(begin_))->size;
    ASSERT_EQ(end_, Padded(whole_.find_last_not_of('\0') + 1)) << path_;
    for (std::uint64_t at = begin_; at < end_; ++at) {
      std::string cut = whole_;
      cut.replace(at, cut.size() - at, cut.size() - at, '\0');
      std::string garbled = whole_;
      garbled[at] = static_cast<char>(garbled[at] ^ 0x10);
      for (const std::string& contents : {cut, garbled, whole_.substr(0, at)}) {
        if (contents == whole_) continue;  // padding
        const auto trial = disk->Copy(1);
        trial->Write(path_, contents);
        const auto found = Recovered(trial.get(), options_);
        ASSERT_TRUE(found.ok()) << "request " << i << " byte " << at << ": " << found.status();
        Model whole = model_;
        whole.Apply(requests[i]);
        // The file may lack nothing but padding.
        ASSERT_TRUE(*found == model_ || (contents != garbled && *found == whole)) << "request " << i << " byte " << at;
      }
    }
  }
}

// Right bytes in the wrong place ----------------------------------------------------------------------------------------------

TEST_F(ScanTest, AFrameWrittenOverAnotherIsRefused) {
  MakeTail(12);  // as large as the frame before it
  const std::uint64_t size = end_ - begin_;
  std::string contents = whole_;
  contents.replace(begin_ - size, size, whole_, begin_, size);
  const auto disk = With(contents);
  ExpectRefused(disk.get(), path_, begin_ - size);
}

TEST_F(ScanTest, AnEarlierFrameBehindTheEndDoesNotCount) {
  MakeTail(12);
  const std::uint64_t size = end_ - begin_;
  std::string contents = whole_;
  contents.replace(end_, size, whole_, begin_, size);
  const auto disk = With(contents);
  const auto found = Recovered(disk.get(), options_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, model_);
}

TEST_F(ScanTest, FramesOfAnotherClusterOrSegmentDoNotCount) {
  MakeTail(12);
  for (const FramePlace& place : {FramePlace{base::ClusterId(99), 1, end_}, FramePlace{kCluster, 2, end_}}) {
    std::string frame = StartFrame();
    AppendEntry(MakeEntry(1, 3, "stray"), &frame);
    SealFrame(place, FrameHeader{.hard_state = MakeHardState(1, 1), .first_index = raft::Index(3), .entry_count = 1}, &frame);
    std::string contents = whole_;
    contents.replace(end_, frame.size(), frame);
    const auto disk = With(contents);
    const auto found = Recovered(disk.get(), options_);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, model_);
    // In the place of one that was synced it is damage.
    contents = whole_;
    const std::uint64_t first_frame = kFrameHeaderBytes + 80;
    contents.replace(first_frame, kFrameHeaderBytes, frame, 0, kFrameHeaderBytes);
    const auto damaged = With(contents);
    ExpectRefused(damaged.get(), path_, first_frame);
  }
}

TEST_F(ScanTest, AnUnprovenWholeLastFrameIsCopiedIntoANewSegment) {
  MakeTail(100);
  Start();
  EXPECT_EQ(log()->segments(), 2u);
  ExpectModel();
  // The copy counts, whatever becomes of the original.
  Crash();
  fs_.FlipBit(path_, begin_ + 60, 1);
  Start();
  ExpectModel();
}

TEST_F(ScanTest, ASecondCrashRightAfterRecoveryKeepsEverything) {
  MakeTail(100);
  Start();
  Crash(Survival::kNothing);
  Start();
  ASSERT_TRUE(Append("more").ok());
  Crash(Survival::kNothing);
  Start();
  ExpectModel();
}

TEST_F(ScanTest, ATornTailIsNeverWrittenOverOrBehind) {
  MakeTail(1200);
  std::string torn = whole_;
  torn.replace(end_ - 300, 300, 300, 'G');
  fs_.Write(path_, torn);
  model_ = before_;
  Start();
  ASSERT_TRUE(Append("new").ok());
  EXPECT_EQ(fs_.Read(path_), torn);
  Crash();
  Start();
  ExpectModel();
}

TEST_F(ScanTest, AGarbledByteInsideTheLogIsRefused) {
  MakeTail(100);
  // Any byte of any frame but the last: all of these were acknowledged and followed by another.
  for (std::uint64_t at = 0; at < begin_; ++at) {
    const auto disk = With(whole_);
    disk->FlipBit(path_, at, static_cast<int>(at % 8));
    const auto found = Recovered(disk.get(), options_);
    ASSERT_FALSE(found.ok()) << "byte " << at;
    ASSERT_TRUE(found.status().code() == StatusCode::kDataLoss || found.status().code() == StatusCode::kFailedPrecondition)
        << "byte " << at << ": " << found.status();
  }
}

TEST_F(ScanTest, TheRefusalNamesFileOffsetAndWhatToDo) {
  MakeTail(100);
  const std::uint64_t first_frame = kFrameHeaderBytes + 80;
  const auto disk = With(whole_);
  disk->FlipBit(path_, first_frame + 20, 1);
  ExpectRefused(disk.get(), path_, first_frame);
}

TEST_F(ScanTest, AZeroedFrameInsideTheLogIsRefused) {
  MakeTail(100);
  std::string contents = whole_;
  const std::uint64_t first_frame = kFrameHeaderBytes + 80;
  contents.replace(first_frame, begin_ - first_frame, begin_ - first_frame, '\0');
  const auto disk = With(contents);
  ExpectRefused(disk.get(), path_, first_frame);
}

// The last two frames at once: the header of the first still tells its length, and bytes behind it tell that it was synced.
TEST_F(ScanTest, AFrameWithOthersBehindItIsNotTornEvenIfThoseAreBrokenToo) {
  MakeTail(1200);
  std::string contents = whole_;
  contents[begin_ - 1] = static_cast<char>(contents[begin_ - 1] ^ 1);
  contents[end_ - 300] = 'X';
  const auto disk = With(contents);
  const absl::Status status = Recovered(disk.get(), options_).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
}

TEST_F(ScanTest, AMarkTurnsDamageToTheLastFrameIntoARefusal) {
  MakeTail(100);
  Start();
  ASSERT_TRUE(Append("last words").ok());
  const std::string segment = LastSegment();
  const auto without = fs_.Copy(1);
  ASSERT_TRUE(log()->Prove().ok());
  ASSERT_TRUE(log()->Prove().ok());
  Stop();
  const auto with = fs_.Copy(1);
  const std::size_t at = without->Read(segment).find("last words");
  without->FlipBit(segment, at, 0);
  with->FlipBit(segment, at, 0);
  EXPECT_TRUE(Recovered(without.get(), options_).ok());
  EXPECT_EQ(Recovered(with.get(), options_).status().code(), StatusCode::kDataLoss);
}

// Old segments -------------------------------------------------------------------------------------------------------------------

class ChainTest : public ScanTest {
 protected:
  ChainTest() {
    Start();
    EXPECT_TRUE(SetTerm(1).ok());
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(Append(std::string(100, 'c')).ok());
    EXPECT_GE(log()->segments(), 4u);
    Stop();
  }
  std::string Path(std::uint64_t number) const { return std::string(kDirectory) + "/" + SegmentName(number); }
};

TEST_F(ChainTest, AMissingFirstSegmentIsRefused) {
  fs_.Delete(Path(1));
  ExpectRefused(&fs_, Path(2), 0);
}

TEST_F(ChainTest, AMissingMiddleSegmentIsRefused) {
  fs_.Delete(Path(3));
  ExpectRefused(&fs_, Path(4), 0);
}

TEST_F(ChainTest, AMissingLogIsRefused) {
  for (const std::string& path : Segments()) fs_.Delete(path);
  ExpectRefused(&fs_, kDirectory, 0);
}

TEST_F(ChainTest, DamageAtTheEndOfAClosedSegmentIsNotTorn) {
  const std::string contents = fs_.Read(Path(2));
  fs_.FlipBit(Path(2), contents.find_last_not_of('\0'), 0);
  EXPECT_EQ(Recovered(&fs_, options_).status().code(), StatusCode::kDataLoss);
}

// Never cut, never skipped: whichever byte of whichever closed segment.
TEST_F(ChainTest, AFlippedBitInAnyFrameOfAnyClosedSegmentIsRefused) {
  const std::vector<std::string> segments = Segments();
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    const std::uint64_t end = fs_.Read(segments[i]).find_last_not_of('\0') + 1;
    for (std::uint64_t at = i; at < end; at += 3) {
      const auto disk = fs_.Copy(1);
      disk->FlipBit(segments[i], at, static_cast<int>(at % 8));
      const absl::Status status = Recovered(disk.get(), options_).status();
      ASSERT_TRUE(absl::IsDataLoss(status) || absl::IsFailedPrecondition(status))
          << segments[i] << " byte " << at << ": " << status;
      ASSERT_EQ(disk->Paths(), fs_.Paths()) << "a refusal writes nothing";
    }
  }
}

TEST_F(ChainTest, ACutOffClosedSegmentIsRefused) {
  fs_.Write(Path(2), fs_.Read(Path(2)).substr(0, 500));
  EXPECT_EQ(Recovered(&fs_, options_).status().code(), StatusCode::kDataLoss);
}

TEST_F(ChainTest, AnEmptySegmentFileIsRefused) {
  fs_.Write(Path(9), "");
  ExpectRefused(&fs_, Path(9), 0);
}

TEST_F(ChainTest, AnotherSegmentUnderAWrongNameIsRefused) {
  fs_.Write(Path(9), fs_.Read(Path(2)));
  const absl::Status status = Recovered(&fs_, options_).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(status.message().find("this is segment 2 under another segment's name"), absl::string_view::npos) << status;
}

// An older copy of a file that was put back: its frames end before the one that the next segment follows.
TEST_F(ChainTest, AStaleSegmentIsRefused) {
  std::string contents = fs_.Read(Path(2));
  const std::size_t last = contents.rfind("DRFR");
  contents.replace(last, contents.size() - last, contents.size() - last, '\0');
  fs_.Write(Path(2), contents);
  ExpectRefused(&fs_, Path(2), last);
}

TEST_F(ChainTest, AnotherClustersSegmentIsRefused) {
  sim::SimFileSystem other(2);
  Options options = options_;
  options.cluster_if_new = base::ClusterId(99);
  ASSERT_TRUE(Process::Start(&other, options).ok());
  fs_.Write(Path(9), other.Read(Path(1)));
  const absl::Status status = Recovered(&fs_, options_).status();
  EXPECT_NE(status.code(), StatusCode::kOk);
  // With the number it was written for, it is known for what it is.
  for (const std::string& path : Segments()) fs_.Delete(path);
  fs_.Write(Path(1), other.Read(Path(1)));
  ExpectRefused(&fs_, Path(1), 0, StatusCode::kFailedPrecondition);
}

TEST_F(ChainTest, ANewerFormatIsRefusedByItsVersion) {
  std::string frame = StartFrame();
  frame += "DROVRLOG";
  PutU32(kFormatVersion + 1, &frame);
  PutU32(0, &frame);
  PutU64(kCluster.value, &frame);
  PutU64(50, &frame);
  frame.append(48, '\0');
  SealFrame({kCluster, 50, 0}, FrameHeader{.type = FrameType::kSegment}, &frame);
  fs_.Write(Path(50), frame);
  ExpectRefused(&fs_, Path(50), 0, StatusCode::kFailedPrecondition);
}

TEST_F(ChainTest, AFrameOfALaterVersionIsRefusedNotSkipped) {
  Start();
  const std::string path = LastSegment();
  Stop();
  std::string contents = fs_.Read(path);
  const std::uint64_t at = Padded(contents.find_last_not_of('\0') + 1);
  std::string frame = StartFrame();
  SealFrame({kCluster, *ParseSegmentName(path.substr(path.rfind('/') + 1)), at}, FrameHeader{.type = static_cast<FrameType>(9)},
            &frame);
  contents.resize(std::max<std::size_t>(contents.size(), at + frame.size()), '\0');
  contents.replace(at, frame.size(), frame);
  fs_.Write(path, contents);
  EXPECT_EQ(Recovered(&fs_, options_).status().code(), StatusCode::kFailedPrecondition);
}

// Recovery would begin segment 0, whose name is none: the next start would not see what was acknowledged in it.
TEST_F(ChainTest, ASegmentBehindWhichNoneCanComeIsRefused) {
  FrameRef ref;
  fs_.Write(std::string(kDirectory) + "/" + SegmentName(UINT64_MAX),
            EncodeSegmentHeader({.cluster = kCluster, .number = UINT64_MAX}, &ref));
  const absl::Status status = Recovered(&fs_, options_).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status;
  EXPECT_NE(status.message().find("no segment can come behind it"), absl::string_view::npos) << status;
}

TEST_F(ChainTest, UnfinishedAndForeignFilesAreNoSegments) {
  fs_.Write(std::string(kDirectory) + "/segment-0000000099.log.tmp", "half");
  fs_.Write(std::string(kDirectory) + "/segment-7.log", "not our way to write a 7");
  fs_.Write(std::string(kDirectory) + "/notes.txt", "hello");
  Start();
  ExpectModel();
  EXPECT_FALSE(fs_.Exists(std::string(kDirectory) + "/segment-0000000099.log.tmp"));
  EXPECT_TRUE(fs_.Exists(std::string(kDirectory) + "/notes.txt"));
}

// Across three segments, with a crash before and after each file operation.
TEST_F(ChainTest, ATruncationAcrossThreeSegmentsIsWholeOrNotThereAtEveryStep) {
  Start();
  AppendRequest request;
  request.hard_state = MakeHardState(2, 2);
  request.truncate_from = raft::Index(5);
  request.entries = {MakeEntry(2, 5, std::string(900, 'n'))};
  Stop();
  Model after = model_;
  after.Apply(request);
  const auto clean = fs_.Copy(1);
  bool reached = true;
  int old_state = 0;
  int new_state = 0;
  for (std::uint64_t n = 1; reached; ++n) {
    for (const Survival survival : {Survival::kNothing, Survival::kEverything, Survival::kRandom}) {
      const auto disk = clean->Copy(n);
      {
        const auto process = Process::Start(disk.get(), options_);
        ASSERT_TRUE(process.ok());
        disk->StopAtCall(n);
        const absl::Status status = (*process)->log->Append(request);
        reached = disk->fault_reached();
        ASSERT_EQ(status.ok(), !reached);
      }
      disk->Crash(survival);
      const auto found = Recovered(disk.get(), options_);
      ASSERT_TRUE(found.ok()) << "call " << n << ": " << found.status();
      ASSERT_TRUE(*found == after || (reached && *found == model_)) << "call " << n;
      ++(*found == after ? new_state : old_state);
    }
  }
  EXPECT_GT(old_state, 3);
  EXPECT_GT(new_state, 3);
}

}  // namespace
}  // namespace drover::coord::log

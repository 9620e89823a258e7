#include "coord/log/spares.h"

#include <string>

#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

using absl::StatusCode;
using sim::SimFileSystem;
using sim::Survival;

class SparesTest : public ::testing::Test {
 protected:
  SparesTest() : fs_(1), spares_(&fs_, "d", Limits()) {}
  static Spares::Limits Limits() { return {.files_max = 2, .file_bytes_min = 1000, .file_bytes_max = 4096, .step_bytes = 1500}; }
  // A dropped segment that is a spare now.
  void Take(std::uint64_t number, std::uint64_t bytes) {
    const std::string path = "d/" + SegmentName(number);
    fs_.Write(path, std::string(bytes, 'x'));
    ASSERT_TRUE(spares_.Wants(bytes));
    ASSERT_TRUE(spares_.Take(path, number, bytes).ok());
    ASSERT_TRUE(fs_.SyncDirectory("d").ok());
  }

  SimFileSystem fs_;
  Spares spares_;
};

TEST_F(SparesTest, AFileIsFilledInStepsAndUsableOnlyThen) {
  Take(7, 4000);
  EXPECT_EQ(spares_.bytes(), 4000u);
  for (int step = 1; step <= 3; ++step) {
    EXPECT_FALSE(spares_.filled());
    EXPECT_FALSE(spares_.Use()) << "step " << step;
    ASSERT_TRUE(spares_.Fill().ok());
    const std::string contents = fs_.Read("d/spare-0000000007.log");
    EXPECT_EQ(contents.find('x'), step < 3 ? 1500u * step : std::string::npos);
  }
  EXPECT_TRUE(spares_.filled());
  const std::uint64_t calls = fs_.calls();
  EXPECT_TRUE(spares_.Fill().ok());
  EXPECT_EQ(fs_.calls(), calls);
  const auto ready = spares_.Use();
  ASSERT_TRUE(ready);
  EXPECT_EQ(ready->path, "d/spare-0000000007.log");
  EXPECT_EQ(ready->bytes, 4000u);
  EXPECT_EQ(spares_.files(), 0u);
  EXPECT_FALSE(spares_.Use());
}

TEST_F(SparesTest, ZerosCountOnlyWhenTheyAreDurable) {
  Take(7, 4000);
  while (!spares_.filled()) ASSERT_TRUE(spares_.Fill().ok());
  fs_.Crash(Survival::kNothing);
  EXPECT_EQ(fs_.Read("d/spare-0000000007.log"), std::string(4000, '\0'));
}

TEST_F(SparesTest, KeepsFewFilesOfFittingSizes) {
  EXPECT_FALSE(spares_.Wants(999));
  EXPECT_TRUE(spares_.Wants(1000));
  EXPECT_TRUE(spares_.Wants(4096));
  EXPECT_FALSE(spares_.Wants(4097));
  Take(1, 1000);
  Take(2, 1000);
  EXPECT_FALSE(spares_.Wants(1000));
}

TEST_F(SparesTest, WhatAnEarlierProcessFilledIsFilledAgain) {
  fs_.Write("d/spare-0000000003.log", std::string(2000, '\0'));
  fs_.Write("d/spare-0000000004.log", std::string(10, '\0'));
  fs_.Write("d/spare-0000000005.log", std::string(2000, 'x'));
  fs_.Write("d/spare-0000000006.log", std::string(2000, 'x'));
  for (int i = 3; i <= 6; ++i) spares_.Adopt(SpareName(i));
  EXPECT_FALSE(fs_.Exists("d/spare-0000000004.log")) << "too small";
  EXPECT_FALSE(fs_.Exists("d/spare-0000000006.log")) << "one too many";
  EXPECT_EQ(spares_.files(), 2u);
  EXPECT_FALSE(spares_.Use()) << "its zeros may be in the cache only";
  while (!spares_.filled()) ASSERT_TRUE(spares_.Fill().ok());
  EXPECT_TRUE(spares_.Use());
  EXPECT_TRUE(spares_.Use());
  spares_.Adopt("spare-not-there.log");
  EXPECT_EQ(spares_.files(), 0u);
}

TEST_F(SparesTest, AFileThatCannotBeFilledIsGone) {
  for (std::uint64_t call = 1; call <= 3; ++call) {  // open, write, sync
    Take(call, 1500);
    fs_.FailCall(call, absl::InternalError("EIO"));
    EXPECT_EQ(spares_.Fill().code(), StatusCode::kInternal) << call;
    EXPECT_TRUE(spares_.filled());
    EXPECT_FALSE(spares_.Use());
    EXPECT_FALSE(fs_.Exists("d/" + SpareName(call)));
  }
}

TEST_F(SparesTest, DropGivesTheSpaceBack) {
  Take(1, 1000);
  Take(2, 1000);
  ASSERT_TRUE(spares_.Fill().ok());
  spares_.Drop();
  EXPECT_EQ(fs_.bytes(), 0u);
  EXPECT_EQ(spares_.bytes(), 0u);
  EXPECT_TRUE(spares_.filled());
}

TEST(SpareName, IsToldFromASegments) {
  EXPECT_TRUE(IsSpareName(SpareName(12)));
  EXPECT_FALSE(IsSpareName(SegmentName(12)));
  EXPECT_FALSE(ParseSegmentName(SpareName(12)));
}

// In the log -------------------------------------------------------------------------------------------------------------------

class RecyclingTest : public LogTest {
 protected:
  // Enough for several segments of 1 KiB, all but the last few dropped.
  void FillAndCompact() {
    Start();
    ASSERT_TRUE(SetTerm(1).ok());
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(Append(std::string(100, 'c')).ok());
    ASSERT_TRUE(log()->Compact(raft::Index(35)).ok());
    model_.DropTo(log()->first_index().value - 1);
    options_.snapshot_index = raft::Index(34);
    ASSERT_EQ(log()->spares(), 2u);
  }
  void RecycleAll() {
    absl::StatusOr<bool> more = true;
    while (more.ok() && *more) more = log()->Recycle();
    ASSERT_TRUE(more.ok()) << more.status();
  }
  std::vector<std::string> SpareFiles() const {
    std::vector<std::string> names;
    for (const std::string& path : fs_.Paths()) {
      if (IsSpareName(path.substr(path.rfind('/') + 1))) names.push_back(path);
    }
    return names;
  }
};

TEST_F(RecyclingTest, CompactKeepsAtMostTheFilesItWasTold) {
  FillAndCompact();
  EXPECT_EQ(SpareFiles().size(), 2u);
  EXPECT_GE(log()->bytes(), 2 * options_.segment_bytes);
  options_.spares_max = 0;
  Start();
  EXPECT_EQ(SpareFiles().size(), 0u);
  ExpectModel();
}

TEST_F(RecyclingTest, TheSpaceOfTheOthersIsCountedAndGivenBackInSteps) {
  FillAndCompact();
  const auto named = [this] {
    std::uint64_t sum = 0;
    for (const std::string& path : fs_.Paths()) {
      if (path.substr(path.size() - 4) == ".log") sum += fs_.Read(path).size();
    }
    return sum;
  };
  const std::uint64_t kept = named();
  ASSERT_GE(log()->bytes(), kept + options_.segment_bytes);
  for (std::uint64_t before = log()->bytes(); log()->bytes() > kept; before = log()->bytes()) {
    ASSERT_TRUE(log()->Recycle().ok());
    ASSERT_LE(before - log()->bytes(), options_.shrink_step_bytes);
  }
  EXPECT_EQ(named(), kept);
  ExpectModel();
}

TEST_F(RecyclingTest, ASegmentInASpareNeedsNoNewSpace) {
  FillAndCompact();
  RecycleAll();
  const std::uint64_t bytes = fs_.bytes();
  fs_.SetCapacity(bytes);
  const std::size_t segments = log()->segments();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(std::string(100, 'd')).ok()) << i;
  EXPECT_GT(log()->segments(), segments);
  EXPECT_LT(log()->spares(), 2u);
  EXPECT_EQ(fs_.bytes(), bytes);
  ExpectModel();
  Crash();
  fs_.SetCapacity(1 << 20);
  Start();
  ExpectModel();
}

// Somebody tidies up in the directory of a node that runs: what was to be dropped is gone, and nothing else is the matter.
TEST_F(RecyclingTest, FilesThatAreGoneAlreadyDoNoHarm) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Append(std::string(100, 'c')).ok());
  const std::string last = LastSegment();
  std::size_t deleted = 0;
  for (const std::string& path : fs_.Paths()) {
    if (path == last || !ParseSegmentName(path.substr(path.rfind('/') + 1)) || ++deleted > 3) continue;
    fs_.Delete(path);
  }
  ASSERT_GT(deleted, 3u);
  ASSERT_TRUE(log()->Compact(raft::Index(35)).ok());
  model_.DropTo(log()->first_index().value - 1);
  options_.snapshot_index = raft::Index(34);
  ASSERT_GT(log()->spares(), 0u);
  fs_.Delete(SpareFiles().front());
  RecycleAll();
  ASSERT_GT(log()->spares(), 0u);
  fs_.Delete(SpareFiles().front());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::string(100, 'd')).ok()) << i;
  ExpectModel();
  Crash();
  Start();
  ExpectModel();
}

TEST_F(RecyclingTest, ASpareThatIsNotFilledIsNotUsed) {
  FillAndCompact();
  const std::vector<std::string> before = SpareFiles();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(std::string(100, 'd')).ok());
  EXPECT_EQ(SpareFiles(), before);
  ExpectModel();
}

TEST_F(RecyclingTest, SparesSurviveARestartAndAreFilledAnew) {
  FillAndCompact();
  RecycleAll();
  Crash(Survival::kEverything);
  Start();
  EXPECT_EQ(log()->spares(), 2u);
  ASSERT_TRUE(log()->Recycle().value());
  RecycleAll();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::string(100, 'd')).ok());
  EXPECT_EQ(log()->spares(), 0u);
  Crash();
  Start();
  ExpectModel();
}

TEST_F(RecyclingTest, AFullDiskGivesUpItsSparesFirst) {
  FillAndCompact();
  fs_.SetCapacity(fs_.bytes());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(std::string(100, 'd')).ok()) << i;
  EXPECT_EQ(log()->spares(), 0u);
  ExpectModel();
}

TEST_F(RecyclingTest, ATornTailInARecycledSegmentIsCutAndDamageIsRefused) {
  FillAndCompact();
  RecycleAll();
  const std::size_t spares = log()->spares();
  while (log()->spares() == spares) ASSERT_TRUE(Append(std::string(100, 'd')).ok());
  const std::string path = LastSegment();
  const std::uint64_t begin = Padded(fs_.Read(path).find_last_not_of('\0') + 1);
  ASSERT_TRUE(Append(std::string(100, 't')).ok());
  Stop();
  fs_.Crash(Survival::kEverything);
  const auto damaged = fs_.Copy(1);
  damaged->FlipBit(path, begin - 20, 1);
  EXPECT_EQ(Process::Start(damaged.get(), options_).status().code(), StatusCode::kDataLoss);
  model_.entries.pop_back();
  fs_.FlipBit(path, begin + 80, 1);
  Start();
  ExpectModel();
}

// The frames of its first life must not count in the second, even if zeros never reached the disk.
TEST_F(RecyclingTest, OldFramesInARecycledFileAreNoFrames) {
  FillAndCompact();
  const std::string old = fs_.Read(SpareFiles().front());
  RecycleAll();
  const std::size_t spares = log()->spares();
  while (log()->spares() == spares) ASSERT_TRUE(Append(std::string(100, 'd')).ok());
  Stop();
  fs_.Crash(Survival::kEverything);
  std::string contents = fs_.Read(LastSegment());
  const std::uint64_t end = Padded(contents.find_last_not_of('\0') + 1);
  contents.replace(end, contents.size() - end, old, end, contents.size() - end);
  fs_.Write(LastSegment(), contents);
  Start();
  ExpectModel();
}

TEST_F(RecyclingTest, ASyncOfZerosThatFailsIsPoisonToo) {
  FillAndCompact();
  fs_.FailNextSync(absl::InternalError("EIO"));
  EXPECT_FALSE(log()->Recycle().ok());
  EXPECT_TRUE(log()->poisoned());
  EXPECT_FALSE(Append("x").ok());
  Crash();
  Start();
  ExpectModel();
}

// The process dies after Compact's renames and before they are durable; the machine dies after the next process has filled spares.
TEST_F(RecyclingTest, AFilledSpareDoesNotComeBackAsASegment) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Append(std::string(100, 'c')).ok());
  options_.snapshot_index = raft::Index(34);
  for (std::uint64_t n = 1; n <= 12; ++n) {
    const auto disk = fs_.Copy(n);
    {
      const auto process = Process::Start(disk.get(), options_);
      ASSERT_TRUE(process.ok());
      disk->StopAtCall(n);
      (void)(*process)->log->Compact(raft::Index(35));
    }
    disk->Crash(Survival::kEverything);
    {
      const auto process = Process::Start(disk.get(), options_);
      ASSERT_TRUE(process.ok()) << process.status();
      absl::StatusOr<bool> more = true;
      while (more.ok() && *more) more = (*process)->log->Recycle();
      ASSERT_TRUE(more.ok()) << more.status();
    }
    disk->Crash(Survival::kNothing);
    const auto process = Process::Start(disk.get(), options_);
    ASSERT_TRUE(process.ok()) << "call " << n << ": " << process.status();
    EXPECT_EQ((*process)->log->last_index().value, 40u);
  }
}

}  // namespace
}  // namespace drover::coord::log

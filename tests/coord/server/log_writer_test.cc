#include "coord/server/log_writer.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_loop.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LogWriterTest : public ::testing::Test {
 protected:
  LogWriterTest() : world_(1), loop_(&world_), executor_(&loop_), files_(1) { Open(); }

  void Open() {
    Disk disk;
    disk.directory = *log::DataDirectory::Open(&files_, "/data");
    if (!disk.directory->identity()) {
      ASSERT_TRUE(disk.directory->CreateIdentity(base::NodeId(1), base::Incarnation(2)).ok());
    }
    log::Options options;
    options.cluster_if_new = base::ClusterId(3);
    auto log = log::Log::Open(disk.directory.get(), options);
    ASSERT_TRUE(log.ok()) << log.status();
    disk.log = std::move(*log);
    recovered_ = disk.log->last_index();
    writer_ =
        std::make_unique<LogWriter>(&loop_, &executor_, std::move(disk), LogWriter::Options{},
                                    LogWriter::Events{[this](const LogWriter::Written& written) { written_.push_back(written); },
                                                      [this](bool full) { disk_full_.push_back(full); },
                                                      [this](const absl::Status& status) { failed_ = status; }});
  }
  void Add(std::uint64_t index, const std::string& payload = "p") {
    raft::Write write;
    write.sequence = ++sequence_;
    write.hard_state = raft::HardState{raft::Term(1), base::NodeId(1)};
    write.entries = {Data(1, index, payload)};
    writer_->Add(std::move(write), raft::Index());
  }
  static raft::Entry Data(std::uint64_t term, std::uint64_t index, const std::string& payload = "p") {
    return raft::Entry{raft::Term(term), raft::Index(index), raft::EntryKind::kData, base::Bytes::Copy(payload)};
  }
  // Entries from `from` on are void, and others of term 2 take their place.
  void Replace(std::uint64_t from, std::vector<raft::Entry> entries) {
    raft::Write write;
    write.sequence = ++sequence_;
    write.hard_state = raft::HardState{raft::Term(2), base::NodeId(2)};
    write.truncate_from = raft::Index(from);
    write.entries = std::move(entries);
    writer_->Add(std::move(write), raft::Index());
  }
  std::vector<std::uint64_t> TermsOnDisk() {
    writer_.reset();
    files_.Crash(sim::Survival::kNothing);
    auto directory = *log::DataDirectory::Open(&files_, "/data");
    auto log = *log::Log::Open(directory.get(), {});
    std::vector<std::uint64_t> terms;
    for (raft::Index i = log->first_index(); i <= log->last_index(); i = i.Next()) terms.push_back(log->TermAt(i).value);
    return terms;
  }
  void Run(base::Duration duration) { world_.RunFor(duration); }

  sim::SimWorld world_;
  sim::SimLoop loop_;
  sim::SimExecutor executor_;
  sim::SimFileSystem files_;
  std::unique_ptr<LogWriter> writer_;
  std::vector<LogWriter::Written> written_;
  std::vector<bool> disk_full_;
  absl::Status failed_;
  raft::Index recovered_;
  std::uint64_t sequence_ = 0;
};

TEST_F(LogWriterTest, WhatComesDuringAWriteIsTheNextBatch) {
  for (std::uint64_t i = 1; i <= 10; ++i) Add(i);
  Run(milliseconds(100));
  ASSERT_EQ(written_.size(), 2U);
  EXPECT_EQ(written_[0].sequence, 1U);
  EXPECT_EQ(written_[1].sequence, 10U);
  EXPECT_EQ(written_[1].entries, 9U);
  EXPECT_EQ(written_[1].bytes, 9U);
}

TEST_F(LogWriterTest, ABatchIsDurableWhenItIsReported) {
  for (std::uint64_t i = 1; i <= 3; ++i) Add(i);
  Run(milliseconds(100));
  writer_.reset();
  files_.Crash(sim::Survival::kNothing);
  Open();
  EXPECT_EQ(recovered_, raft::Index(3));
}

TEST_F(LogWriterTest, AFailureIsToldOnceAndNothingIsWrittenAfterIt) {
  Add(1);
  Run(milliseconds(10));
  files_.FailNextSync(absl::InternalError("EIO"));
  Add(2);
  Add(3);
  Run(seconds(5));
  EXPECT_FALSE(failed_.ok());
  EXPECT_EQ(written_.size(), 1U);
  const std::uint64_t calls = files_.calls();
  Add(4);
  Run(seconds(5));
  EXPECT_EQ(files_.calls(), calls);
}

TEST_F(LogWriterTest, AFullDiskIsTriedAgainUntilThereIsSpace) {
  Add(1);
  Run(milliseconds(10));
  files_.SetCapacity(files_.bytes());
  Add(2, std::string(200'000, 'x'));
  Add(3);
  Run(seconds(3));
  EXPECT_TRUE(writer_->disk_full());
  EXPECT_EQ(written_.size(), 1U);
  files_.SetCapacity(UINT64_MAX);
  Run(seconds(1));
  EXPECT_FALSE(writer_->disk_full());
  EXPECT_EQ(written_.back().sequence, 3U);
  EXPECT_EQ(disk_full_, (std::vector<bool>{true, false})) << "told once each, however often it was tried";
}

TEST_F(LogWriterTest, ATruncationVoidsWhatWasWrittenBefore) {
  for (std::uint64_t i = 1; i <= 5; ++i) Add(i);
  Run(milliseconds(100));
  Replace(3, {Data(2, 3)});
  Run(milliseconds(100));
  EXPECT_EQ(TermsOnDisk(), (std::vector<std::uint64_t>{1, 1, 2}));
}

TEST_F(LogWriterTest, TruncationsAreJoinedWithWhatWaitsBesideThem) {
  Add(1);  // under way
  for (std::uint64_t i = 2; i <= 5; ++i) Add(i);
  Replace(4, {Data(2, 4), Data(2, 5)});  // within what waits
  Replace(5, {Data(2, 5), Data(2, 6)});  // again
  Run(milliseconds(100));
  EXPECT_EQ(written_.size(), 2U);
  Replace(7, {Data(2, 7)});  // nothing to void: it just follows
  Replace(6, {});            // and is void itself, with the last one that was written
  Replace(3, {Data(2, 3)});  // reaches behind what waits
  Replace(2, {Data(2, 2)});
  Run(milliseconds(100));
  EXPECT_TRUE(failed_.ok()) << failed_;
  EXPECT_EQ(TermsOnDisk(), (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(LogWriterTest, AReadSeesTheWritesBeforeIt) {
  for (std::uint64_t i = 1; i <= 3; ++i) Add(i);
  std::size_t found = 99;
  std::size_t missing = 99;
  Run(milliseconds(100));
  writer_->Read(raft::Index(2), 1000, [&](std::vector<raft::Entry> entries) { found = entries.size(); });
  writer_->Read(raft::Index(9), 1000, [&](std::vector<raft::Entry> entries) { missing = entries.size(); });
  Run(milliseconds(100));
  EXPECT_EQ(found, 2U);
  EXPECT_EQ(missing, 0U);
}

TEST_F(LogWriterTest, AnIdleMomentMarksTheLastFrameAsSynced) {
  Add(1);
  Run(milliseconds(900));
  const std::uint64_t calls = files_.calls();
  Run(milliseconds(500));
  EXPECT_GT(files_.calls(), calls);
  const std::uint64_t after = files_.calls();
  Run(seconds(10));
  EXPECT_EQ(files_.calls(), after) << "once";
}

TEST_F(LogWriterTest, APromiseIsDurableWhenItIsReported) {
  std::optional<bool> done;
  writer_->Promise(base::FeatureLevel(2), [&](bool durable) { done = durable; });
  Run(seconds(1));
  EXPECT_EQ(done, true);
  writer_.reset();
  files_.Crash(sim::Survival::kNothing);
  EXPECT_EQ((*log::DataDirectory::Open(&files_, "/data"))->identity()->promised, base::FeatureLevel(2));
}

TEST_F(LogWriterTest, AFullDiskPromisesNothingAndAnotherFailureIsOneOfTheLog) {
  std::optional<bool> done;
  files_.SetCapacity(files_.bytes());
  writer_->Promise(base::FeatureLevel(2), [&](bool durable) { done = durable; });
  Run(seconds(1));
  EXPECT_EQ(done, false);
  EXPECT_TRUE(failed_.ok());
  files_.SetCapacity(UINT64_MAX);
  files_.FailNextSync(absl::InternalError("broken"));
  done.reset();
  writer_->Promise(base::FeatureLevel(2), [&](bool durable) { done = durable; });
  Run(seconds(1));
  EXPECT_FALSE(done);
  EXPECT_FALSE(failed_.ok());
}

TEST_F(LogWriterTest, CompletionsOfADestroyedWriterAreDropped) {
  Add(1);
  writer_.reset();
  Run(seconds(1));
  EXPECT_TRUE(written_.empty());
}

}  // namespace
}  // namespace drover::coord::server

#include "coord/log/log.h"

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "coord/log/inspect.h"
#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

using absl::StatusCode;

TEST_F(LogTest, ANewLogIsEmptyAndStaysSo) {
  for (int run = 0; run < 3; ++run) {
    Start();
    EXPECT_EQ(log()->first_index().value, 1u);
    EXPECT_EQ(log()->last_index().value, 0u);
    EXPECT_EQ(log()->hard_state(), raft::HardState());
    EXPECT_EQ(log()->cluster(), kCluster);
    EXPECT_EQ(process_->directory->identity()->cluster.value, 0u) << "nothing would be missing if it were gone";
    EXPECT_EQ(log()->Read(raft::Index(1), 100).status().code(), StatusCode::kOutOfRange);
    EXPECT_EQ(Segments().size(), 1u) << "empty segments must not pile up";
    Crash();
  }
}

TEST_F(LogTest, AnEmptyDirectoryWithoutAClusterIsNotFound) {
  options_.cluster_if_new = base::ClusterId();
  EXPECT_EQ(StartStatus().code(), StatusCode::kNotFound);
  options_.cluster_if_new = kCluster;
  Start();
  options_.cluster_if_new = base::ClusterId();
  EXPECT_EQ(StartStatus().code(), StatusCode::kNotFound) << "nothing was written to it";
  options_.cluster_if_new = base::ClusterId(5);
  Start();
  EXPECT_EQ(log()->cluster().value, 5u);
  ASSERT_TRUE(log()->Append({.hard_state = raft::HardState{raft::Term(1), base::NodeId()}}).ok());
  EXPECT_EQ(process_->directory->identity()->cluster.value, 5u);
  options_.cluster_if_new = base::ClusterId();
  Start();
  EXPECT_EQ(log()->cluster().value, 5u);
}

// Cut back to the header it looks like a log that has yet to begin.
TEST_F(LogTest, ALogThatHasLostAllItsFramesIsNoNewOne) {
  Start();
  ASSERT_TRUE(SetTerm(3, 2).ok());
  Stop();
  fs_.Write(LastSegment(), fs_.Read(LastSegment()).substr(0, kFrameHeaderBytes + 80));
  const absl::Status refused = StartStatus();
  EXPECT_EQ(refused.code(), StatusCode::kDataLoss) << refused;
  EXPECT_NE(refused.message().find("this node has had a log, and it is gone"), absl::string_view::npos) << refused;
  InspectVisitor ignores;
  EXPECT_EQ(Inspect(&fs_, kDirectory, &ignores).status(), refused);
}

// What a newer program has written is not damage, and whoever does not know it touches nothing.
TEST_F(LogTest, AnEntryOfAnUnknownKindIsRefusedAndNothingIsTouched) {
  Start();
  ASSERT_TRUE(SetTerm(3, 2).ok());
  Stop();
  // Behind the segment's header, whose payload has 80 bytes, and the frame with the term.
  const std::uint64_t end = kFrameHeaderBytes + 80 + kFrameHeaderBytes;
  std::string frame = StartFrame();
  AppendEntry(MakeEntry(3, 1, "what is this?", static_cast<raft::EntryKind>(9)), &frame);
  SealFrame({kCluster, 1, end}, FrameHeader{.hard_state = MakeHardState(3, 2), .first_index = raft::Index(1), .entry_count = 1},
            &frame);
  std::string contents = fs_.Read(LastSegment());
  fs_.Write(LastSegment(), contents.replace(end, frame.size(), frame));
  const std::vector<std::string> names = *fs_.List(kDirectory);
  const absl::Status refused = StartStatus();
  EXPECT_EQ(refused.code(), StatusCode::kUnimplemented) << refused;
  EXPECT_NE(refused.message().find("entry 1 in the log is of kind 9"), absl::string_view::npos) << refused;
  EXPECT_EQ(*fs_.List(kDirectory), names);
}

TEST_F(LogTest, AConfigurationThatTheCallerRefusesEndsTheStartBeforeAnythingIsWritten) {
  Start();
  ASSERT_TRUE(SetTerm(3, 2).ok());
  ASSERT_TRUE(Append("plain").ok());
  AppendRequest newer;
  newer.entries.push_back(MakeEntry(3, 2, "of a newer level", raft::EntryKind::kConfig));
  ASSERT_TRUE(Do(newer).ok());
  Stop();
  const std::vector<std::string> names = *fs_.List(kDirectory);
  options_.check_configuration = [](absl::string_view bytes) {
    return bytes == "of a newer level" ? absl::UnimplementedError("too new") : absl::OkStatus();
  };
  EXPECT_EQ(StartStatus().code(), StatusCode::kUnimplemented);
  EXPECT_EQ(*fs_.List(kDirectory), names);
  options_.check_configuration = nullptr;
  Start();
  ExpectModel();
}

TEST_F(LogTest, WhatWasAcknowledgedSurvivesPowerLoss) {
  Start();
  ASSERT_TRUE(SetTerm(3, 2).ok());
  ASSERT_TRUE(Append("one").ok());
  ASSERT_TRUE(Append("").ok());
  AppendRequest batch;
  batch.hard_state = MakeHardState(4, 1);
  for (int i = 0; i < 5; ++i) batch.entries.push_back(MakeEntry(4, 3 + i, std::string(i, 'x'), raft::EntryKind::kExpiry));
  ASSERT_TRUE(Do(batch).ok());
  ExpectModel();
  for (int run = 0; run < 3; ++run) {
    Crash();
    Start();
    ExpectModel();
  }
}

TEST_F(LogTest, AnEmptyRequestCostsNothing) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  const std::uint64_t calls = fs_.calls();
  AppendRequest same;
  same.hard_state = MakeHardState(1, 1);
  EXPECT_TRUE(log()->Append(same).ok());
  EXPECT_TRUE(log()->Append({}).ok());
  EXPECT_EQ(fs_.calls(), calls);
}

TEST_F(LogTest, ABatchIsOneWriteAndOneSync) {
  options_.segment_bytes = 1 << 20;
  options_.allocate_first_bytes = 1 << 16;
  Start();
  ASSERT_TRUE(SetTerm(1, 1).ok());  // with the first, the directory's identity is written
  AppendRequest batch;
  batch.hard_state = MakeHardState(1, 1);
  for (int i = 1; i <= 100; ++i) batch.entries.push_back(MakeEntry(1, i, "payload"));
  const std::uint64_t calls = fs_.calls();
  ASSERT_TRUE(Do(batch).ok());
  EXPECT_EQ(fs_.calls(), calls + 2);
}

TEST_F(LogTest, ASegmentMayBeExactlyFull) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  const std::uint64_t header = kFrameHeaderBytes + 80;
  const std::uint64_t used = header + kFrameHeaderBytes;  // the segment's header and the frame of SetTerm
  const std::uint64_t payload = options_.segment_bytes - used - kFrameHeaderBytes - kEntryHeaderBytes;
  ASSERT_TRUE(Append(std::string(payload, 'f')).ok());
  EXPECT_EQ(Segments().size(), 1u);
  EXPECT_EQ(fs_.Read(LastSegment()).size(), options_.segment_bytes);
  Crash();
  Start();
  ExpectModel();
  ASSERT_TRUE(Append("next").ok());
  Crash();
  Start();
  ExpectModel();
}

TEST_F(LogTest, OneByteMoreBeginsANewSegment) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  const std::uint64_t used = 2 * kFrameHeaderBytes + 80;
  ASSERT_TRUE(Append(std::string(options_.segment_bytes - used - kFrameHeaderBytes - kEntryHeaderBytes + 1, 'f')).ok());
  EXPECT_EQ(Segments().size(), 2u);
  Crash();
  Start();
  ExpectModel();
}

TEST_F(LogTest, AFrameLargerThanASegmentHasOneToItself) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  ASSERT_TRUE(Append("small").ok());
  ASSERT_TRUE(Append(std::string(10'000, 'L')).ok());
  ASSERT_TRUE(Append("small again").ok());
  EXPECT_EQ(log()->segments(), 3u);
  ExpectModel();
  Crash();
  Start();
  ExpectModel();
}

TEST_F(LogTest, ReadGivesAtLeastOneEntryAndStopsAtItsBound) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(std::string(100, static_cast<char>('a' + i))).ok());
  EXPECT_EQ(log()->Read(raft::Index(3), 0)->size(), 1u);
  EXPECT_EQ(log()->Read(raft::Index(3), 250)->size(), 2u);
  EXPECT_EQ(log()->Read(raft::Index(3), 1 << 20)->size(), 8u);
  EXPECT_EQ(log()->Read(raft::Index(3), 250)->front(), model_.entries[2]);
  EXPECT_EQ(log()->Read(raft::Index(0), 250).status().code(), StatusCode::kOutOfRange);
  EXPECT_EQ(log()->Read(raft::Index(11), 250).status().code(), StatusCode::kOutOfRange);
}

TEST_F(LogTest, AConflictIsTruncatedInOneFrameWithWhatReplacesIt) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(Append("old").ok());
  AppendRequest request;
  request.hard_state = MakeHardState(2, 3);
  request.truncate_from = raft::Index(3);
  request.entries = {MakeEntry(2, 3, "new 3"), MakeEntry(2, 4, "new 4")};
  ASSERT_TRUE(Do(request).ok());
  ExpectModel();
  Crash();
  Start();
  ExpectModel();
}

TEST_F(LogTest, ATruncationAloneIsAFrame) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Append(std::string(60, 'o')).ok());
  EXPECT_GT(log()->segments(), 3u);
  AppendRequest request;
  request.truncate_from = raft::Index(1);
  ASSERT_TRUE(Do(request).ok());
  ExpectModel();
  ASSERT_TRUE(Append("first again").ok());
  Crash();
  Start();
  ExpectModel();
}

TEST_F(LogTest, RequestsThatBreakTheRulesAreRefusedWithoutEffect) {
  Start();
  ASSERT_TRUE(SetTerm(5, 1).ok());
  ASSERT_TRUE(Append("a").ok());
  ASSERT_TRUE(Append("b").ok());
  const auto with = [](auto change) {
    AppendRequest request;
    change(&request);
    return request;
  };
  const AppendRequest wrong[] = {
      with([](AppendRequest* r) { r->hard_state = MakeHardState(4, 1); }),
      with([](AppendRequest* r) { r->hard_state = MakeHardState(5, 2); }),
      with([](AppendRequest* r) { r->hard_state = MakeHardState(5, 0); }),
      with([](AppendRequest* r) { r->entries = {MakeEntry(5, 4, "gap")}; }),
      with([](AppendRequest* r) { r->entries = {MakeEntry(5, 2, "over another")}; }),
      with([](AppendRequest* r) { r->entries = {MakeEntry(6, 3, "term beyond the log's")}; }),
      with([](AppendRequest* r) { r->entries = {MakeEntry(4, 3, "term goes back")}; }),
      with([](AppendRequest* r) {
        r->entries = {MakeEntry(5, 3, "a"), MakeEntry(5, 5, "b")};
      }),
      with([](AppendRequest* r) { r->truncate_from = raft::Index(3); }),
      with([](AppendRequest* r) { r->truncate_from = raft::Index(0); }),
  };
  for (const AppendRequest& request : wrong) EXPECT_EQ(log()->Append(request).code(), StatusCode::kInvalidArgument);
  ExpectModel();
  ASSERT_TRUE(Append("c").ok());
  ExpectModel();
}

TEST_F(LogTest, AFailedSyncPoisonsForEver) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  ASSERT_TRUE(Append("kept").ok());
  fs_.FailNextSync(absl::InternalError("EIO"));
  EXPECT_FALSE(Append("lost").ok());
  EXPECT_TRUE(log()->poisoned());
  // The disk works again, but nobody knows what it holds.
  EXPECT_FALSE(Append("again").ok());
  EXPECT_FALSE(log()->Prove().ok());
  EXPECT_FALSE(log()->Read(raft::Index(1), 10).ok());
  EXPECT_FALSE(log()->Compact(raft::Index(1)).ok());
  Crash(sim::Survival::kNothing);
  Start();
  ExpectModel();
}

// The cache still shows what the failed sync has lost; the next process must not believe it.
TEST_F(LogTest, AFrameThatOnlyTheCacheHoldsIsWrittenAnewBeforeItCounts) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  fs_.FailNextSync(absl::InternalError("EIO"));
  AppendRequest request;
  request.entries = {MakeEntry(1, 1, "in the cache")};
  ASSERT_FALSE(log()->Append(request).ok());
  Crash(sim::Survival::kEverything);
  Start();
  const bool seen = log()->last_index().value == 1;
  if (seen) model_.Apply(request);
  Crash(sim::Survival::kNothing);
  Start();
  ExpectModel();
}

TEST_F(LogTest, ASyncThatFailsForLackOfSpaceIsPoisonToo) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  fs_.FailNextSync(absl::ResourceExhaustedError("quota"));
  const absl::Status status = Append("x");
  EXPECT_EQ(status.code(), StatusCode::kInternal) << "the code of a full disk would invite the caller to go on";
  EXPECT_TRUE(log()->poisoned());
}

TEST_F(LogTest, AFullDiskRefusesWritesAndGoesOnWhenThereIsSpace) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  ASSERT_TRUE(Append("before").ok());
  fs_.SetCapacity(fs_.bytes());
  absl::Status status;
  for (int i = 0; status.ok(); ++i) {
    ASSERT_LT(i, 100);
    status = Append(std::string(100, 'x'));
  }
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(log()->poisoned());
  ExpectModel();
  EXPECT_EQ(Append(std::string(5000, 'y')).code(), StatusCode::kResourceExhausted);
  fs_.SetCapacity(1 << 20);
  ASSERT_TRUE(Append("after").ok());
  ASSERT_TRUE(Append(std::string(5000, 'z')).ok());
  ExpectModel();
  Crash();
  Start();
  ExpectModel();
}

// On a copying file system a write within reserved space can run out of space, too.
TEST_F(LogTest, AfterAHalfWrittenFrameTheNextOneGoesToANewSegment) {
  options_.segment_bytes = 1 << 16;
  options_.allocate_first_bytes = 1 << 14;
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  ASSERT_TRUE(Append("before").ok());
  fs_.FailCall(1, absl::ResourceExhaustedError("no space"));
  EXPECT_EQ(Append(std::string(3000, 'h')).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(log()->Prove().ok());
  EXPECT_EQ(log()->segments(), 1u);
  ASSERT_TRUE(Append("after").ok());
  EXPECT_EQ(log()->segments(), 2u);
  ExpectModel();
  Crash();
  Start();
  ExpectModel();
}

TEST_F(LogTest, CompactDropsWholeSegmentsBelowAnIndex) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Append(std::string(100, 'c')).ok());
  const std::size_t before = log()->segments();
  const std::uint64_t bytes = log()->bytes();
  ASSERT_TRUE(log()->Compact(raft::Index(20)).ok());
  EXPECT_LT(log()->segments(), before);
  EXPECT_EQ(Segments().size(), log()->segments());
  while (log()->Recycle().value()) {
  }
  EXPECT_LT(log()->bytes(), bytes);
  EXPECT_LE(log()->first_index().value, 20u);
  EXPECT_GT(log()->first_index().value, 10u);
  EXPECT_EQ(log()->Read(raft::Index(20), 0)->front(), model_.entries[19]);
  EXPECT_EQ(log()->TermAt(log()->first_index().Previous()).value, 1u);
  const raft::Index first = log()->first_index();
  Stop();
  EXPECT_EQ(StartStatus().code(), StatusCode::kDataLoss) << "without a snapshot the first entries are missing";
  options_.snapshot_index = raft::Index(19);
  Crash();
  Start();
  EXPECT_EQ(log()->first_index(), first);
  EXPECT_EQ(log()->last_index().value, 40u);
  EXPECT_EQ(log()->hard_state(), model_.hard_state);
}

TEST_F(LogTest, CompactOfEverythingKeepsTheSegmentThatIsWrittenTo) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Append(std::string(100, 'c')).ok());
  ASSERT_TRUE(log()->Compact(raft::Index(1000)).ok());
  EXPECT_EQ(log()->segments(), 1u);
  ASSERT_TRUE(Append("next").ok());
  EXPECT_EQ(log()->Read(raft::Index(41), 10)->front(), model_.entries[40]);
  options_.snapshot_index = raft::Index(40);
  Crash();
  Start();
  EXPECT_EQ(log()->last_index().value, 41u);
}

// Entries of a dropped segment may have been truncated by one that stays.
TEST_F(LogTest, ATruncationThatReachedIntoADroppedSegmentReplays) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::string(100, 'c')).ok());
  AppendRequest request;
  request.hard_state = MakeHardState(2, 2);
  request.truncate_from = raft::Index(3);
  ASSERT_TRUE(Do(request).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::string(100, 'd')).ok());
  ASSERT_TRUE(log()->Compact(raft::Index(3)).ok());
  EXPECT_EQ(log()->first_index().value, 3u);
  options_.snapshot_index = raft::Index(2);
  Crash();
  Start();
  EXPECT_EQ(log()->first_index().value, 3u);
  EXPECT_EQ(log()->last_index().value, 22u);
  EXPECT_EQ(log()->Read(raft::Index(3), 0)->front(), model_.entries[2]);
}

TEST_F(LogTest, ANewSegmentRepeatsTheConfigurationsThatStillMatter) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (const char* configuration : {"c1", "c2", "c3"}) {
    AppendRequest request;
    request.entries = {MakeEntry(1, log()->last_index().value + 1, configuration, raft::EntryKind::kConfig)};
    ASSERT_TRUE(Do(request).ok());
  }
  EXPECT_EQ(log()->configurations().size(), 3u);
  AppendRequest commit;
  commit.commit = raft::Index(2);
  ASSERT_TRUE(Do(commit).ok());
  EXPECT_EQ(log()->configurations().size(), 2u);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::string(100, 'c')).ok());
  ASSERT_TRUE(log()->Compact(raft::Index(20)).ok());
  options_.snapshot_index = raft::Index(19);
  Crash();
  Start();
  const auto& configurations = log()->configurations();
  ASSERT_EQ(configurations.size(), 2u);
  EXPECT_EQ(configurations.at(raft::Index(2)).view(), "c2");
  EXPECT_EQ(configurations.at(raft::Index(3)).view(), "c3");
}

TEST_F(LogTest, ATruncatedConfigurationIsForgotten) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  AppendRequest request;
  request.entries = {MakeEntry(1, 1, "c1", raft::EntryKind::kConfig), MakeEntry(1, 2, "c2", raft::EntryKind::kConfig)};
  ASSERT_TRUE(Do(request).ok());
  AppendRequest truncation;
  truncation.truncate_from = raft::Index(2);
  ASSERT_TRUE(Do(truncation).ok());
  EXPECT_EQ(log()->configurations().size(), 1u);
}

// A follower learns in one message that its entries are void and how far those in their place are committed.
TEST_F(LogTest, TheCommitOfWhatReplacesAConflictDoesNotCommitTheConflict) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  AppendRequest request;
  request.entries = {MakeEntry(1, 1, "c1", raft::EntryKind::kConfig), MakeEntry(1, 2, "x"),
                     MakeEntry(1, 3, "c3", raft::EntryKind::kConfig), MakeEntry(1, 4, "y")};
  request.commit = raft::Index(1);
  ASSERT_TRUE(Do(request).ok());
  AppendRequest conflict;
  conflict.hard_state = MakeHardState(2, 0);
  conflict.truncate_from = raft::Index(2);
  conflict.entries = {MakeEntry(2, 2, "z"), MakeEntry(2, 3, "z")};
  conflict.commit = raft::Index(3);
  ASSERT_TRUE(Do(conflict).ok());
  EXPECT_EQ(log()->commit().value, 3u);
  ASSERT_EQ(log()->configurations().size(), 1u) << "the committed configuration must come back";
  EXPECT_EQ(log()->configurations().at(raft::Index(1)).view(), "c1");
}

TEST_F(LogTest, TheCommitIndexIsKnownAfterARestartAsOfTheLastSegment) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 1; i <= 30; ++i) {
    AppendRequest request;
    request.entries = {MakeEntry(1, i, std::string(100, 'c'))};
    request.commit = raft::Index(i - 1);
    ASSERT_TRUE(Do(request).ok());
  }
  EXPECT_EQ(log()->commit().value, 29u);
  Crash();
  Start();
  EXPECT_LE(log()->commit().value, 29u);
  EXPECT_GE(log()->commit().value, 20u);
  const raft::Index commit = log()->commit();
  Crash();
  Start();
  EXPECT_EQ(log()->commit(), commit);
  AppendRequest beyond;
  beyond.commit = raft::Index(99);
  ASSERT_TRUE(Do(beyond).ok());
  EXPECT_EQ(log()->commit().value, 30u) << "only what the log holds can be noted";
}

TEST_F(LogTest, WhatIsCommittedIsNeverTruncated) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Append("x").ok());
  AppendRequest commit;
  commit.commit = raft::Index(3);
  ASSERT_TRUE(Do(commit).ok());
  AppendRequest truncation;
  truncation.truncate_from = raft::Index(3);
  EXPECT_EQ(log()->Append(truncation).code(), StatusCode::kInvalidArgument);
  truncation.truncate_from = raft::Index(4);
  EXPECT_TRUE(Do(truncation).ok());
  ExpectModel();
}

TEST_F(LogTest, ARestartVoidsAllThatCameBefore) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  AppendRequest old;
  old.entries = {MakeEntry(1, 1, "c1", raft::EntryKind::kConfig)};
  ASSERT_TRUE(Do(old).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::string(100, 'o')).ok());
  const std::size_t segments = log()->segments();
  AppendRequest request;
  request.hard_state = MakeHardState(4, 0);
  request.restart = MakeRestart(100, 3);
  ASSERT_TRUE(Do(request).ok());
  for (int run = 0; run < 3; ++run) {
    ExpectModel();
    EXPECT_EQ(log()->first_index().value, 101u);
    EXPECT_EQ(log()->last_index().value, 100u);
    EXPECT_EQ(log()->commit().value, 100u);
    EXPECT_EQ(log()->TermAt(raft::Index(100)).value, 3u);
    EXPECT_EQ(log()->TermAt(raft::Index(99)).value, 0u);
    ASSERT_EQ(log()->configurations().size(), 1u);
    EXPECT_EQ(log()->configurations().at(raft::Index(100)).view(), "members at 100");
    options_.snapshot_index = raft::Index(100);
    Crash();
    Start();
  }
  ASSERT_TRUE(Append("behind the snapshot").ok());
  ASSERT_TRUE(log()->Compact(raft::Index(101)).ok());
  EXPECT_LT(log()->segments(), segments) << "void segments can go";
  Crash();
  Start();
  ExpectModel();
  EXPECT_EQ(log()->configurations().at(raft::Index(100)).view(), "members at 100");
}

TEST_F(LogTest, ARestartMayGoBackAndBringsItsFirstEntries) {
  Start();
  ASSERT_TRUE(SetTerm(2).ok());
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(Append("never committed").ok());
  AppendRequest request;
  request.hard_state = MakeHardState(3, 0);
  request.restart = MakeRestart(5, 1);
  request.entries = {MakeEntry(1, 6, "c6", raft::EntryKind::kConfig), MakeEntry(3, 7, "x")};
  request.commit = raft::Index(6);
  ASSERT_TRUE(Do(request).ok());
  options_.snapshot_index = raft::Index(5);
  for (int run = 0; run < 2; ++run) {
    ExpectModel();
    EXPECT_EQ(log()->configurations().rbegin()->second.view(), "c6");
    EXPECT_EQ(log()->Read(raft::Index(5), 10).status().code(), StatusCode::kOutOfRange);
    Crash();
    Start();
  }
  AppendRequest truncation;
  truncation.truncate_from = raft::Index(6);
  ASSERT_TRUE(Do(truncation).ok()) << "after a restart only what headers and frames say is known to be committed";
  EXPECT_EQ(log()->configurations().rbegin()->first.value, 5u) << "back to the snapshot's";
  truncation.truncate_from = raft::Index(5);
  EXPECT_EQ(log()->Append(truncation).code(), StatusCode::kInvalidArgument);
}

TEST_F(LogTest, ARestartWithoutItsSnapshotIsRefused) {
  Start();
  ASSERT_TRUE(SetTerm(3).ok());
  AppendRequest request;
  request.restart = MakeRestart(100, 3);
  ASSERT_TRUE(Do(request).ok());
  EXPECT_EQ(StartStatus().code(), StatusCode::kDataLoss);
  options_.snapshot_index = raft::Index(99);
  EXPECT_EQ(StartStatus().code(), StatusCode::kDataLoss);
  options_.snapshot_index = raft::Index(100);
  Start();
  ExpectModel();
}

// The snapshot was synced and power failed before the restart: the old log comes up, and the restart is done then.
TEST_F(LogTest, ASnapshotAheadOfTheLogIsNoReasonToRefuseIt) {
  Start();
  ASSERT_TRUE(SetTerm(3).ok());
  ASSERT_TRUE(Append("old").ok());
  options_.snapshot_index = raft::Index(100);
  options_.snapshot_term = raft::Term(3);
  Crash();
  Start();
  ExpectModel();
  EXPECT_EQ(log()->TermAt(raft::Index(100)).value, 0u);
  AppendRequest request;
  request.restart = MakeRestart(100, 3);
  ASSERT_TRUE(Do(request).ok());
  ExpectModel();
}

TEST_F(LogTest, ARestartThatBreaksTheRulesIsRefusedWithoutEffect) {
  Start();
  ASSERT_TRUE(SetTerm(5).ok());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Append("x").ok());
  AppendRequest commit;
  commit.commit = raft::Index(3);
  ASSERT_TRUE(Do(commit).ok());
  const auto refused = [&](auto change) {
    AppendRequest request;
    request.restart = MakeRestart(4, 5);
    change(&request);
    return log()->Append(request).code() == StatusCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](AppendRequest* r) { r->restart = MakeRestart(2, 5); })) << "committed entries would be lost";
  EXPECT_TRUE(refused([](AppendRequest* r) { r->restart = MakeRestart(0, 5); }));
  EXPECT_TRUE(refused([](AppendRequest* r) { r->restart->term = raft::Term(6); }));
  EXPECT_TRUE(refused([](AppendRequest* r) { r->restart->term = raft::Term(0); }));
  EXPECT_TRUE(refused([](AppendRequest* r) { r->restart->configuration_index = raft::Index(5); }));
  EXPECT_TRUE(refused([](AppendRequest* r) { r->restart->configuration_index = raft::Index(0); }));
  EXPECT_TRUE(refused([](AppendRequest* r) { r->truncate_from = raft::Index(5); }));
  EXPECT_TRUE(refused([](AppendRequest* r) { r->entries = {MakeEntry(5, 6, "a gap")}; }));
  EXPECT_TRUE(refused([](AppendRequest* r) { r->entries = {MakeEntry(4, 5, "a term that goes back")}; }));
  ExpectModel();
  EXPECT_FALSE(refused([](AppendRequest*) {}));
}

TEST_F(LogTest, TheTermBeforeTheFirstEntryMayBeTheSnapshotsToTell) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(std::string(100, 'c')).ok());
  AppendRequest request;
  request.hard_state = MakeHardState(2, 2);
  request.truncate_from = raft::Index(3);
  ASSERT_TRUE(Do(request).ok());
  ASSERT_TRUE(log()->Compact(raft::Index(3)).ok());
  options_.snapshot_index = raft::Index(2);
  Crash();
  Start();
  EXPECT_EQ(log()->last_index().value, 2u);
  EXPECT_EQ(log()->TermAt(raft::Index(2)).value, 0u) << "the segment that told it is gone";
  options_.snapshot_term = raft::Term(1);
  Crash();
  Start();
  EXPECT_EQ(log()->TermAt(raft::Index(2)).value, 1u);
  ASSERT_TRUE(Append("x").ok());
  EXPECT_EQ(log()->TermAt(raft::Index(2)).value, 1u);
}

TEST_F(LogTest, ManyRestartsDoNotPileUpSegments) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  ASSERT_TRUE(Append("x").ok());
  for (int run = 0; run < 50; ++run) {
    Crash(run % 2 == 0 ? sim::Survival::kEverything : sim::Survival::kNothing);
    Start();
    ExpectModel();
  }
  EXPECT_LE(Segments().size(), 3u);
}

TEST_F(LogTest, DamageUnderARunningNodeIsNotReadAsAnEntry) {
  Start();
  ASSERT_TRUE(SetTerm(1).ok());
  ASSERT_TRUE(Append("abcdefgh").ok());
  const std::string contents = fs_.Read(LastSegment());
  fs_.FlipBit(LastSegment(), contents.find("abcdefgh"), 3);
  EXPECT_EQ(log()->Read(raft::Index(1), 10).status().code(), StatusCode::kDataLoss);
}

TEST_F(LogTest, OnTheRealFileSystemItWorksToo) {
  std::string pattern = ::testing::TempDir() + "drover-log-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const auto fs = base::NewRealFileSystem();
  for (int run = 0; run < 3; ++run) {
    auto directory = DataDirectory::Open(fs.get(), pattern + "/a/b");
    ASSERT_TRUE(directory.ok()) << directory.status();
    if (!(*directory)->identity()) {
      ASSERT_TRUE((*directory)->CreateIdentity(base::NodeId(1), base::Incarnation(2)).ok());
    }
    EXPECT_EQ(DataDirectory::Open(fs.get(), pattern + "/a/b").status().code(), StatusCode::kFailedPrecondition);
    auto opened = Log::Open(directory->get(), options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ((*opened)->last_index().value, 20u * run);
    AppendRequest term;
    term.hard_state = MakeHardState(run + 1, 1);
    ASSERT_TRUE((*opened)->Append(term).ok());
    for (int i = 1; i <= 20; ++i) {
      AppendRequest request;
      request.entries = {MakeEntry(run + 1, 20 * run + i, std::string(90, 'r'))};
      ASSERT_TRUE((*opened)->Append(request).ok());
    }
    EXPECT_EQ(ReadAll(opened->get())->entries.size(), 20u * (run + 1));
  }
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace drover::coord::log

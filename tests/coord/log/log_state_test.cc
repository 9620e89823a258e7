#include "coord/log/log_state.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

// A whole frame at some place, from what it says.
Frame MakeFrame(FrameHeader header, const std::vector<raft::Entry>& entries = {}, const Restart* restart = nullptr) {
  std::string payload;
  if (restart != nullptr) {
    header.type = FrameType::kRestart;
    header.first_index = restart->index.Next();
    AppendRestart(*restart, &payload);
  }
  for (const raft::Entry& entry : entries) AppendEntry(entry, &payload);
  header.entry_count = static_cast<std::uint32_t>(entries.size());
  return Frame{header, base::Bytes::Copy(payload), FrameRef{.segment = 3, .offset = 136, .checksum = 1}, 100};
}

// Three entries of term 2, the first two committed; vote for node 1.
class LogStateTest : public ::testing::Test {
 protected:
  LogStateTest() {
    EXPECT_TRUE(state_.ApplySegment(SegmentHeader{}).ok());
    EXPECT_TRUE(
        state_
            .ApplyFrame(MakeFrame({.hard_state = MakeHardState(2, 1), .first_index = raft::Index(1)},
                                  {MakeEntry(2, 1, "c", raft::EntryKind::kConfig), MakeEntry(2, 2, "x"), MakeEntry(2, 3, "y")}))
            .ok());
    state_.NoteCommit(raft::Index(2));
  }
  // It contradicts what came before.
  void ExpectRefused(const Frame& frame, const std::string& words) {
    LogState state = state_;
    const absl::Status status = state.ApplyFrame(frame);
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(status.message().find("segment-0000000003.log at offset 136: "), absl::string_view::npos) << status;
    EXPECT_NE(status.message().find(words), absl::string_view::npos) << status;
  }

  LogState state_;
};

TEST_F(LogStateTest, ReplayRefusesWhatAppendWouldNotHaveWritten) {
  const raft::HardState now = MakeHardState(2, 1);
  ExpectRefused(MakeFrame({.hard_state = MakeHardState(1, 1), .first_index = raft::Index(4)}), "the term went back");
  ExpectRefused(MakeFrame({.hard_state = MakeHardState(2, 3), .first_index = raft::Index(4)}), "a second vote in one term");
  ExpectRefused(MakeFrame({.hard_state = MakeHardState(2, 0), .first_index = raft::Index(4)}), "a second vote in one term");
  ExpectRefused(MakeFrame({.hard_state = now, .first_index = raft::Index(5)}), "a gap");
  ExpectRefused(MakeFrame({.hard_state = now, .first_index = raft::Index(3)}), "entries over others");
  ExpectRefused(MakeFrame({.truncates = true, .hard_state = now, .first_index = raft::Index(4)}), "a truncation of nothing");
  ExpectRefused(MakeFrame({.truncates = true, .hard_state = now, .first_index = raft::Index(2)}), "it voids committed entries");
  ExpectRefused(MakeFrame({.hard_state = now, .first_index = raft::Index(4)}, {MakeEntry(1, 4, "")}), "terms out of order");
  ExpectRefused(MakeFrame({.hard_state = now, .first_index = raft::Index(4)}, {MakeEntry(3, 4, "")}), "terms out of order");
  EXPECT_TRUE(state_.ApplyFrame(MakeFrame({.truncates = true, .hard_state = now, .first_index = raft::Index(3)})).ok());
  EXPECT_EQ(state_.last_index().value, 2u);
}

TEST_F(LogStateTest, ReplayRefusesARestartThatWouldLoseSomething) {
  const raft::HardState now = MakeHardState(2, 1);
  Restart restart = MakeRestart(1, 2);
  ExpectRefused(MakeFrame({.hard_state = now}, {}, &restart), "a snapshot that lacks committed entries");
  restart = MakeRestart(9, 3);
  ExpectRefused(MakeFrame({.hard_state = now}, {}, &restart), "terms out of order");
  restart = MakeRestart(9, 0);
  ExpectRefused(MakeFrame({.hard_state = now}, {}, &restart), "terms out of order");
  restart = MakeRestart(9, 2);
  EXPECT_TRUE(state_.ApplyFrame(MakeFrame({.hard_state = now}, {MakeEntry(2, 10, "")}, &restart)).ok());
  EXPECT_EQ(state_.first_index().value, 10u);
  EXPECT_EQ(state_.last_index().value, 10u);
  EXPECT_EQ(state_.commit().value, 9u);
}

TEST_F(LogStateTest, ANewSegmentMustAgreeWithWhatCameBefore) {
  const SegmentHeader right = state_.NextHeader(kCluster, 2, FrameRef{});
  EXPECT_EQ(right.base_index.value, 3u);
  EXPECT_EQ(right.base_term.value, 2u);
  EXPECT_EQ(right.commit.value, 2u);
  EXPECT_EQ(right.configurations.at(raft::Index(1)).view(), "c");
  SegmentHeader wrong = right;
  wrong.hard_state = MakeHardState(2, 3);
  EXPECT_TRUE(absl::IsDataLoss(state_.ApplySegment(wrong)));
  wrong = right;
  wrong.base_index = raft::Index(2);
  EXPECT_TRUE(absl::IsDataLoss(state_.ApplySegment(wrong)));
  wrong = right;
  wrong.base_term = raft::Term(1);
  EXPECT_TRUE(absl::IsDataLoss(state_.ApplySegment(wrong)));
  EXPECT_TRUE(state_.ApplySegment(right).ok());
}

}  // namespace
}  // namespace drover::coord::log

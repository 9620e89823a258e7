#include "coord/log/inspect.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

struct Recorder final : InspectVisitor {
  void OnSegment(const std::string& path, const SegmentHeader&) override { segments.push_back(path); }
  void OnFrame(const Frame&, bool proven) override { frames.push_back(proven); }
  void OnEntry(const raft::Entry& entry) override { entries.push_back(entry); }
  std::vector<std::string> segments;
  std::vector<bool> frames;
  std::vector<raft::Entry> entries;
};

class InspectTest : public LogTest {
 protected:
  InspectTest() {
    Start();
    EXPECT_TRUE(SetTerm(7, 2).ok());
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(Append(std::string(100, 'i')).ok());
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

TEST_F(InspectTest, AnEmptyDirectoryIsNotFound) {
  ASSERT_TRUE(fs_.MakeDirectory("empty").ok());
  EXPECT_EQ(Inspect(&fs_, "empty", &recorder_).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace drover::coord::log

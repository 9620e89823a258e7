#include "coord/log/segment.h"

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

SegmentHeader MakeHeader() {
  SegmentHeader header{.cluster = kCluster, .number = 2, .previous = {1, 56, 99}};
  header.hard_state = MakeHardState(4, 1);
  header.base_index = raft::Index(9);
  header.base_term = raft::Term(4);
  header.commit = raft::Index(9);
  header.configurations[raft::Index(3)] = base::Bytes::Copy("members");
  return header;
}

// As the only segment of a directory.
absl::StatusOr<SegmentHeader> Read(const SegmentHeader& header) {
  sim::SimFileSystem fs(1);
  FrameRef ref;
  fs.Write("segment", EncodeSegmentHeader(header, &ref));
  const auto file = fs.Open("segment", base::OpenMode::kRead);
  const auto reader = SegmentReader::Open(file->get(), "segment", header.number, kCluster);
  if (!reader.ok()) return reader.status();
  return reader->header();
}

void ExpectRefused(const SegmentHeader& header, absl::string_view why) {
  const absl::Status status = Read(header).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), why)) << status;
}

TEST(SegmentHeader, IsReadAsItWasWritten) {
  const auto read = Read(MakeHeader());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->base_index.value, 9u);
  EXPECT_EQ(read->base_term.value, 4u);
  EXPECT_EQ(read->commit.value, 9u);
  EXPECT_EQ(read->configurations, MakeHeader().configurations);
}

TEST(SegmentHeader, ThatHasMoreCommittedThanThereIsIsRefused) {
  SegmentHeader header = MakeHeader();
  header.commit = raft::Index(10);
  ExpectRefused(header, "more is committed");
}

// Else the entry after the last is entry 0, which a reader takes for one that is there.
TEST(SegmentHeader, BehindWhichNoEntryCanComeIsRefused) {
  SegmentHeader header = MakeHeader();
  header.base_index = raft::Index(UINT64_MAX);
  ExpectRefused(header, "no entry can come");
}

// Else the log opens, and nothing can be appended to it.
TEST(SegmentHeader, OfATermBeforeThatOfItsEntriesIsRefused) {
  SegmentHeader header = MakeHeader();
  header.base_term = raft::Term(5);
  ExpectRefused(header, "of a later term");
}

}  // namespace
}  // namespace drover::coord::log

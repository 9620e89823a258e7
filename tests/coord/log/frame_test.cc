#include "coord/log/frame.h"

#include <string>
#include <vector>

#include "coord/log/segment.h"
#include "gtest/gtest.h"
#include "tests/coord/log/log_fixture.h"

namespace drover::coord::log {
namespace {

constexpr FramePlace kPlace{base::ClusterId(7), 3, 4096};

std::string MakeFrame(const FramePlace& place, const std::vector<raft::Entry>& entries) {
  std::string frame = StartFrame();
  for (const raft::Entry& entry : entries) AppendEntry(entry, &frame);
  SealFrame(place,
            FrameHeader{.truncates = true,
                        .hard_state = MakeHardState(5, 2),
                        .first_index = raft::Index(9),
                        .entry_count = static_cast<std::uint32_t>(entries.size())},
            &frame);
  return frame;
}

TEST(Frame, KeepsItsHeaderAndItsEntries) {
  const std::vector<raft::Entry> entries = {MakeEntry(4, 9, ""), MakeEntry(4, 10, "1234567"), MakeEntry(5, 11, "12345678"),
                                            MakeEntry(5, 12, std::string(1000, 'x'), raft::EntryKind::kConfig)};
  const std::string bytes = MakeFrame(kPlace, entries);
  EXPECT_EQ(bytes.size() % 8, 0u);
  const auto sealed = ParseHeader(kPlace, bytes);
  ASSERT_TRUE(sealed);
  EXPECT_EQ(sealed->size, bytes.size());
  EXPECT_TRUE(sealed->header.truncates);
  EXPECT_EQ(sealed->header.hard_state, MakeHardState(5, 2));
  EXPECT_EQ(sealed->header.first_index.value, 9u);
  const base::Bytes payload = base::Bytes::Copy(absl::string_view(bytes).substr(kFrameHeaderBytes));
  ASSERT_TRUE(PayloadIsWhole(*sealed, payload.view()));
  std::vector<raft::Entry> read;
  ASSERT_TRUE(ForEachEntry(Frame{sealed->header, payload, FrameRef{}, sealed->size}, [&](raft::Entry entry) {
                read.push_back(entry);
              }).ok());
  EXPECT_EQ(read, entries);
}

TEST(Frame, IsAFrameInItsOwnPlaceOnly) {
  const std::string bytes = MakeFrame(kPlace, {MakeEntry(4, 9, "x")});
  EXPECT_TRUE(ParseHeader(kPlace, bytes));
  EXPECT_FALSE(ParseHeader({base::ClusterId(8), 3, 4096}, bytes));
  EXPECT_FALSE(ParseHeader({base::ClusterId(7), 4, 4096}, bytes));
  EXPECT_FALSE(ParseHeader({base::ClusterId(7), 3, 4104}, bytes));
}

TEST(Frame, AnyFlippedBitShows) {
  const std::string bytes = MakeFrame(kPlace, {MakeEntry(4, 9, "some payload")});
  for (std::size_t at = 0; at < bytes.size() * 8; ++at) {
    std::string damaged = bytes;
    damaged[at / 8] = static_cast<char>(damaged[at / 8] ^ (1 << (at % 8)));
    const auto sealed = ParseHeader(kPlace, damaged);
    EXPECT_FALSE(sealed && PayloadIsWhole(*sealed, absl::string_view(damaged).substr(kFrameHeaderBytes))) << "bit " << at;
  }
}

TEST(Frame, EntriesThatDoNotFillThePayloadAreABug) {
  const std::string bytes = MakeFrame(kPlace, {MakeEntry(4, 9, "some payload")});
  const base::Bytes payload = base::Bytes::Copy(absl::string_view(bytes).substr(kFrameHeaderBytes));
  const auto visit = [](raft::Entry) {};
  for (const std::uint32_t count : {0u, 2u}) {
    EXPECT_EQ(ForEachEntry(Frame{FrameHeader{.entry_count = count}, payload, FrameRef{}, 0}, visit).code(),
              absl::StatusCode::kDataLoss);
  }
  for (const std::size_t size : {0, 8, 16, 24}) {
    const Frame cut{FrameHeader{.entry_count = 1}, payload.Share(payload.view().substr(0, size)), FrameRef{}, 0};
    EXPECT_EQ(ForEachEntry(cut, visit).code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST(SegmentName, IsReadBackAndNothingElseIs) {
  EXPECT_EQ(SegmentName(1), "segment-0000000001.log");
  for (const std::uint64_t number : {std::uint64_t{1}, std::uint64_t{42}, std::uint64_t{12345678901}}) {
    EXPECT_EQ(ParseSegmentName(SegmentName(number)), number);
  }
  for (const char* name : {"", "segment-.log", "segment-1.log", "segment-0000000000.log", "segment-0000000001.log.tmp",
                           "segment-00000000x1.log", "xsegment-0000000001.log", "segment-+000000001.log"}) {
    EXPECT_FALSE(ParseSegmentName(name)) << name;
  }
}

}  // namespace
}  // namespace drover::coord::log

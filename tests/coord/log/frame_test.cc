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

TEST(Frame, ARestartKeepsItsConfigurationAndItsEntries) {
  for (const std::string configuration : {"", "1234567", "12345678", "123456789"}) {
    const Restart restart{raft::Index(8), raft::Term(4), raft::Index(3), base::Bytes::Copy(configuration)};
    const std::vector<raft::Entry> entries = {MakeEntry(4, 9, "x"), MakeEntry(5, 10, "")};
    std::string bytes = StartFrame();
    AppendRestart(restart, &bytes);
    for (const raft::Entry& entry : entries) AppendEntry(entry, &bytes);
    const FrameHeader header{.type = FrameType::kRestart, .first_index = raft::Index(9), .entry_count = 2};
    SealFrame(kPlace, header, &bytes);
    const base::Bytes payload = base::Bytes::Copy(absl::string_view(bytes).substr(kFrameHeaderBytes));
    const auto sealed = ParseHeader(kPlace, bytes);
    ASSERT_TRUE(sealed && PayloadIsWhole(*sealed, payload.view()));
    const Frame frame{sealed->header, payload, FrameRef{}, sealed->size};
    EXPECT_EQ(DecodeRestart(frame).value(), restart);
    std::vector<raft::Entry> read;
    ASSERT_TRUE(ForEachEntry(frame, [&](raft::Entry entry) { read.push_back(entry); }).ok());
    EXPECT_EQ(read, entries);
  }
}

TEST(Frame, ARestartThatIsCutShortIsABug) {
  std::string bytes = StartFrame();
  AppendRestart(Restart{raft::Index(8), raft::Term(4), raft::Index(3), base::Bytes::Copy("configuration")}, &bytes);
  const base::Bytes payload = base::Bytes::Copy(absl::string_view(bytes).substr(kFrameHeaderBytes));
  const FrameHeader header{.type = FrameType::kRestart, .first_index = raft::Index(9)};
  for (std::size_t size = 0; size < payload.size(); size += 8) {
    const Frame cut{header, payload.Share(payload.view().substr(0, size)), FrameRef{}, 0};
    EXPECT_EQ(DecodeRestart(cut).status().code(), absl::StatusCode::kDataLoss) << size;
    EXPECT_EQ(ForEachEntry(cut, [](raft::Entry) {}).code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_TRUE(ForEachEntry(Frame{header, payload, FrameRef{}, 0}, [](raft::Entry) {}).ok());
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

TEST(Frame, EntriesBeyondTheLastIndexAreABug) {
  const std::string bytes = MakeFrame(kPlace, {MakeEntry(4, 9, "x"), MakeEntry(4, 10, "y")});
  const base::Bytes payload = base::Bytes::Copy(absl::string_view(bytes).substr(kFrameHeaderBytes));
  const auto visited = [&payload](std::uint64_t first) {
    return ForEachEntry(Frame{FrameHeader{.first_index = raft::Index(first), .entry_count = 2}, payload, FrameRef{}, 0},
                        [first](const raft::Entry& entry) { EXPECT_GE(entry.index.value, first); });
  };
  EXPECT_TRUE(visited(UINT64_MAX - 2).ok());
  for (const std::uint64_t first : {UINT64_MAX - 1, UINT64_MAX}) EXPECT_TRUE(absl::IsDataLoss(visited(first))) << first;
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

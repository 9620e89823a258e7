#include "coord/server/peer_frame.h"

#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "coord/base/wire.h"
#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

using base::WireWriter;
using raft::Index;
using raft::Term;

PeerHeader Header() {
  return {.cluster = base::ClusterId(0xfedcba9876543210),
          .from = base::NodeId(1),
          .from_incarnation = base::Incarnation(11),
          .from_boot = base::BootNonce(111),
          .to = base::NodeId(2),
          .to_incarnation = base::Incarnation(22),
          .clock = base::WallTime(1'700'000'000'123)};
}

PeerItem Raft(std::uint64_t term, raft::Body body) {
  return RaftItem{Term(term), std::move(body)};
}

raft::Append SomeAppend() {
  raft::Append append{.previous_index = Index(7), .previous_term = Term(2), .commit = Index(6), .round = 300};
  append.entries.push_back({Term(2), Index(8), raft::EntryKind::kNoop, {}});
  append.entries.push_back({Term(3), Index(9), raft::EntryKind::kData, base::Bytes::Copy(std::string(5000, 'd'))});
  append.entries.push_back({Term(3), Index(10), raft::EntryKind::kExpiry, base::Bytes::Copy("e")});
  return append;
}

// One of each kind, in the order of PeerItem and raft::Body.
std::vector<PeerItem> OneOfEach() {
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  return {
      Raft(max, raft::PreVote{Index(max), Term(2), true}),
      Raft(4, raft::PreVoteReply{true, Term(5)}),
      Raft(4, raft::Vote{Index(1), Term(2), true}),
      Raft(4, raft::VoteReply{true}),
      Raft(4, SomeAppend()),
      Raft(4, raft::AppendReply{true, Index(1), Index(2), Index(3), Term(4), 5}),
      Raft(4, raft::TimeoutNow{true}),
      Raft(4, raft::ReadIndexAsk{6}),
      Raft(4, raft::ReadIndexReply{7, Index(8)}),
      Forward{Term(5), 6, 7, base::Bytes::Copy(std::string(300, 'c'))},
      Touch{8,
            {base::SessionId(1), base::SessionId(1ULL << 52), base::SessionId(0)},
            {{base::SessionId(3), 4, 5}, {}},
            {{base::SessionId(6), 7, 8}}},
      TouchAck{9, {base::SessionId(10)}},
      Hello{11, true, 12, std::string("\xff\0members", 9), base::WallTime(-13), base::ClusterId(14), true},
      Found{base::Bytes::Copy("configuration")},
  };
}

base::Bytes Encode(const std::vector<PeerItem>& items) {
  PeerFrameBuilder builder;
  for (const PeerItem& item : items) builder.Add(item);
  return builder.Finish(Header());
}

TEST(PeerFrameTest, EveryKindOfItemArrivesAsItWasSent) {
  const std::vector<PeerItem> sent = OneOfEach();
  const base::Bytes bytes = Encode(sent);
  const auto frame = ParsePeerFrame(bytes);
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(frame->header, Header());
  ASSERT_EQ(frame->items.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(frame->items[i].index(), sent[i].index()) << i;
  auto body = [&](std::size_t i) { return std::get<RaftItem>(frame->items[i]).body; };
  EXPECT_EQ(std::get<RaftItem>(frame->items[0]).term, Term(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(std::get<raft::PreVote>(body(0)).last_index, Index(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(std::get<raft::PreVote>(body(0)).last_term, Term(2));
  EXPECT_TRUE(std::get<raft::PreVote>(body(0)).transfer);
  EXPECT_TRUE(std::get<raft::PreVoteReply>(body(1)).granted);
  EXPECT_EQ(std::get<raft::PreVoteReply>(body(1)).asked, Term(5));
  EXPECT_EQ(std::get<raft::Vote>(body(2)).last_index, Index(1));
  EXPECT_EQ(std::get<raft::Vote>(body(2)).last_term, Term(2));
  EXPECT_TRUE(std::get<raft::Vote>(body(2)).transfer);
  EXPECT_TRUE(std::get<raft::VoteReply>(body(3)).granted);
  const auto append = std::get<raft::Append>(body(4));
  EXPECT_EQ(append.previous_index, Index(7));
  EXPECT_EQ(append.previous_term, Term(2));
  EXPECT_EQ(append.entries, SomeAppend().entries) << "their indexes are implied";
  EXPECT_EQ(append.commit, Index(6));
  EXPECT_EQ(append.round, 300U);
  const auto reply = std::get<raft::AppendReply>(body(5));
  EXPECT_TRUE(reply.accepted);
  EXPECT_EQ(reply.match, Index(1));
  EXPECT_EQ(reply.received, Index(2));
  EXPECT_EQ(reply.conflict, Index(3));
  EXPECT_EQ(reply.conflict_term, Term(4));
  EXPECT_EQ(reply.round, 5U);
  EXPECT_TRUE(std::get<raft::TimeoutNow>(body(6)).confirm);
  EXPECT_EQ(std::get<raft::ReadIndexAsk>(body(7)).context, 6U);
  EXPECT_EQ(std::get<raft::ReadIndexReply>(body(8)).context, 7U);
  EXPECT_EQ(std::get<raft::ReadIndexReply>(body(8)).index, Index(8));
  EXPECT_EQ(std::get<Forward>(frame->items[9]), std::get<Forward>(sent[9]));
  EXPECT_EQ(std::get<Touch>(frame->items[10]), std::get<Touch>(sent[10]));
  EXPECT_EQ(std::get<TouchAck>(frame->items[11]), std::get<TouchAck>(sent[11]));
  EXPECT_EQ(std::get<Hello>(frame->items[12]), std::get<Hello>(sent[12]));
  EXPECT_EQ(std::get<Found>(frame->items[13]), std::get<Found>(sent[13]));
}

TEST(PeerFrameTest, EveryKindOfItemMayBeEmpty) {
  const std::vector<PeerItem> sent = {Raft(0, raft::PreVote{}),
                                      Raft(0, raft::PreVoteReply{}),
                                      Raft(0, raft::Vote{}),
                                      Raft(0, raft::VoteReply{}),
                                      Raft(0, raft::Append{}),
                                      Raft(0, raft::AppendReply{}),
                                      Raft(0, raft::ReadIndexAsk{}),
                                      Raft(0, raft::ReadIndexReply{}),
                                      Forward{},
                                      Touch{},
                                      TouchAck{},
                                      Hello{},
                                      Found{}};
  const auto frame = ParsePeerFrame(Encode(sent));
  ASSERT_TRUE(frame.ok()) << frame.status();
  ASSERT_EQ(frame->items.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(frame->items[i].index(), sent[i].index()) << i;
    const auto* const message = std::get_if<RaftItem>(&sent[i]);
    if (message == nullptr) continue;
    EXPECT_EQ(std::get<RaftItem>(frame->items[i]).body.index(), message->body.index()) << i;
  }
}

TEST(PeerFrameTest, AFrameMayHoldAHeaderAlone) {
  const auto frame = ParsePeerFrame(Encode({}));
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(frame->header, Header());
  EXPECT_TRUE(frame->items.empty());
}

TEST(PeerFrameTest, AMessageTravelsWithTheEnvelopeOfItsFrame) {
  const PeerHeader header = Header();
  const raft::Message sent =
      MessageOf(header, RaftItem{Term(9), raft::Vote{.last_index = Index(3), .last_term = Term(2), .transfer = true}});
  EXPECT_EQ(sent.envelope.cluster, header.cluster);
  EXPECT_EQ(sent.envelope.from, header.from);
  EXPECT_EQ(sent.envelope.from_incarnation, header.from_incarnation);
  EXPECT_EQ(sent.envelope.from_boot, header.from_boot);
  EXPECT_EQ(sent.envelope.to, header.to);
  EXPECT_EQ(sent.envelope.to_incarnation, header.to_incarnation);
  EXPECT_EQ(sent.envelope.term, Term(9));
  PeerFrameBuilder by_message;
  by_message.Add(sent);
  EXPECT_EQ(by_message.Finish(header), Encode({Raft(9, sent.body)}));
}

TEST(PeerFrameTest, PayloadsShareTheMemoryOfTheirFrame) {
  base::Bytes bytes = Encode(OneOfEach());
  const absl::string_view all = bytes.view();
  auto frame = ParsePeerFrame(bytes);
  ASSERT_TRUE(frame.ok());
  bytes = base::Bytes();
  auto within = [&](const base::Bytes& part) {
    return part.view().data() >= all.data() && part.view().data() + part.size() <= all.data() + all.size();
  };
  const base::Bytes payload = std::get<raft::Append>(std::get<RaftItem>(frame->items[4]).body).entries[1].payload;
  EXPECT_TRUE(within(payload));
  EXPECT_TRUE(within(std::get<Forward>(frame->items[9]).commands));
  EXPECT_TRUE(within(std::get<Found>(frame->items[13]).configuration));
  frame = absl::UnknownError("gone");
  EXPECT_EQ(payload.view(), std::string(5000, 'd')) << "a payload keeps its frame";
}

TEST(PeerFrameTest, ABuilderCountsAndIsEmptyAfterItsFrame) {
  PeerFrameBuilder builder;
  EXPECT_EQ(builder.size(), 0U);
  builder.Add(Found{base::Bytes::Copy(std::string(1000, 'r'))});
  builder.Add(Found{base::Bytes::Copy("again")});
  EXPECT_EQ(builder.count(), 2U);
  EXPECT_GT(builder.size(), 1000U);
  const base::Bytes first = builder.Finish(Header());
  EXPECT_EQ(builder.count(), 0U);
  EXPECT_EQ(builder.size(), 0U);
  builder.Add(Found{base::Bytes::Copy("later")});
  EXPECT_EQ(builder.Finish(Header()), Encode({Found{base::Bytes::Copy("later")}}));
  EXPECT_EQ(ParsePeerFrame(first)->items.size(), 2U) << "the first frame is untouched";
}

// ---- what is refused ----

// A frame with `item` as its only item, given as bytes.
base::Bytes WithItem(absl::string_view item) {
  std::string bytes;
  WireWriter out(&bytes);
  out.Varint(2, 1);
  out.Varint(5, 2);
  out.BytesAlways(8, item);
  return base::Bytes::Adopt(std::move(bytes));
}
// An Append as an item, given as bytes.
base::Bytes WithAppend(absl::string_view append) {
  std::string item;
  WireWriter(&item).BytesAlways(6, append);
  return WithItem(item);
}

void ExpectRefused(const base::Bytes& bytes, const std::string& words) {
  const auto frame = ParsePeerFrame(bytes);
  ASSERT_FALSE(frame.ok());
  EXPECT_EQ(frame.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(frame.status().ToString().find(words), std::string::npos) << frame.status();
}

TEST(PeerFrameTest, AFrameWithoutSenderOrReceiverIsRefused) {
  ExpectRefused(base::Bytes(), "without a sender");
  std::string only_from;
  WireWriter(&only_from).Varint(2, 1);
  ExpectRefused(base::Bytes::Adopt(only_from), "without a receiver");
}

// What it means is for whoever has to append it: it must not pass for damage, nor be left out.
TEST(PeerFrameTest, AnEntryOfAKindThatANewerProgramHasIsHandedOver) {
  std::string append;
  WireWriter out(&append);
  const std::size_t mark = out.Open(5);
  out.Varint(1, 1);
  out.Varint(2, 9);
  out.Close(mark);
  const auto frame = ParsePeerFrame(WithAppend(append));
  ASSERT_TRUE(frame.ok()) << frame.status();
  const auto& entries = std::get<raft::Append>(std::get<RaftItem>(frame->items.front()).body).entries;
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_FALSE(raft::IsKnown(entries.front().kind));
}

TEST(PeerFrameTest, AnEntryOfNoKindIsRefused) {
  for (const std::uint64_t kind : {0, 256, 256 + 3}) {
    std::string append;
    WireWriter out(&append);
    const std::size_t mark = out.Open(5);
    out.Varint(1, 1);
    out.Varint(2, kind);
    out.Close(mark);
    ExpectRefused(WithAppend(append), "an entry of kind");
  }
}

TEST(PeerFrameTest, EntriesBeyondTheLastIndexAreRefused) {
  raft::Append append{.previous_index = Index(std::numeric_limits<std::uint64_t>::max())};
  append.entries.push_back({Term(1), Index(0), raft::EntryKind::kNoop, {}});
  ExpectRefused(Encode({Raft(1, append)}), "beyond the last index");
}

TEST(PeerFrameTest, AnItemWithTwoBodiesIsRefused) {
  std::string item;
  WireWriter out(&item);
  out.BytesAlways(4, "");
  out.BytesAlways(21, "");
  ExpectRefused(WithItem(item), "two bodies");
}

TEST(PeerFrameTest, MalformedPartsAreRefusedWhereverTheyAre) {
  ExpectRefused(base::Bytes::Copy("\x08"), "malformed");
  ExpectRefused(WithItem("\x08"), "malformed");
  ExpectRefused(WithAppend("\x08"), "malformed");
  ExpectRefused(WithAppend(absl::string_view("\x2a\x01\x08", 3)), "malformed entry");
  std::string sessions;
  WireWriter out(&sessions);
  const std::size_t mark = out.Open(21);
  out.BytesAlways(2, "\xff");
  out.Close(mark);
  ExpectRefused(WithItem(sessions), "malformed sessions");
}

TEST(PeerFrameTest, KindsAndFieldsOfNewerNodesAreSkipped) {
  std::string newer;
  WireWriter(&newer).BytesAlways(99, "what is this");
  std::string found;
  WireWriter out(&found);
  out.Varint(77, 5);
  const std::size_t mark = out.Open(31);
  out.Bytes(1, "known");
  out.Bytes(9, "unknown");
  out.Close(mark);
  std::string bytes = WithItem(newer).ToString();
  bytes += WithItem(found).ToString();
  WireWriter(&bytes).Varint(1000, 1);
  const auto frame = ParsePeerFrame(base::Bytes::Adopt(bytes));
  ASSERT_TRUE(frame.ok()) << frame.status();
  ASSERT_EQ(frame->items.size(), 1U);
  EXPECT_EQ(std::get<Found>(frame->items[0]).configuration.view(), "known");
}

TEST(PeerFrameTest, EveryCutOfAFrameIsRefused) {
  // The header stands at the end: every cut loses some of it, at least the clock, and all but a few lose the receiver.
  const std::string bytes = Encode(OneOfEach()).ToString();
  std::size_t parsed = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto frame = ParsePeerFrame(base::Bytes::Copy(absl::string_view(bytes).substr(0, size)));
    if (!frame.ok()) {
      EXPECT_EQ(frame.status().code(), absl::StatusCode::kInvalidArgument);
      continue;
    }
    EXPECT_FALSE(frame->header == Header()) << size;
    ++parsed;
  }
  EXPECT_LE(parsed, 2U) << "in front of the receiver's incarnation, and of the clock";
}

TEST(PeerFrameTest, NoDamagedByteLeadsAstray) {
  const std::string bytes = Encode(OneOfEach()).ToString();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      const auto frame = ParsePeerFrame(base::Bytes::Adopt(std::move(damaged)));
      EXPECT_TRUE(frame.ok() || absl::IsInvalidArgument(frame.status()));
    }
  }
}

}  // namespace
}  // namespace drover::coord::server

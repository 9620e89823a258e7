// peer_frame.h holds what peer.proto says: the same bytes read and written by the generated classes.
#include <string>

#include "coord/server/peer_frame.h"
#include "drover/peer/v1/peer.pb.h"
#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

namespace pb = ::drover::peer::v1;

using raft::Index;
using raft::Term;

PeerHeader Header() {
  return {.cluster = base::ClusterId(1ULL << 63),
          .from = base::NodeId(1),
          .from_incarnation = base::Incarnation(11),
          .from_boot = base::BootNonce(111),
          .to = base::NodeId(2),
          .to_incarnation = base::Incarnation(22),
          .clock = base::WallTime(-5),
          .address = "here:1",
          .feature_level_max = base::FeatureLevel(7),
          .feature_level_promised = base::FeatureLevel(6),
          .feature_level_wish = base::FeatureLevel(5)};
}

// Every field of every kind, each with a value of its own.
pb::Frame Everything() {
  pb::Frame frame;
  frame.set_cluster(1ULL << 63);
  frame.set_from(1);
  frame.set_from_incarnation(11);
  frame.set_from_boot(111);
  frame.set_to(2);
  frame.set_to_incarnation(22);
  frame.set_clock_ms(-5);
  frame.set_address("here:1");
  frame.set_feature_level_max(7);
  frame.set_feature_level_promised(6);
  frame.set_feature_level_wish(5);
  auto add = [&](std::uint64_t term) {
    frame.add_items()->set_term(term);
    return frame.mutable_items(frame.items_size() - 1);
  };
  auto* pre_vote = add(1)->mutable_pre_vote();
  pre_vote->set_last_index(10);
  pre_vote->set_last_term(11);
  auto* pre_vote_reply = add(2)->mutable_pre_vote_reply();
  pre_vote_reply->set_granted(true);
  pre_vote_reply->set_asked(12);
  auto* vote = add(3)->mutable_vote();
  vote->set_last_index(13);
  vote->set_last_term(14);
  vote->set_transfer(true);
  add(4)->mutable_vote_reply()->set_granted(true);
  auto* append = add(5)->mutable_append();
  append->set_previous_index(15);
  append->set_previous_term(16);
  append->set_commit(17);
  append->set_round(18);
  append->set_held(14);
  for (int kind = 1; kind <= 4; ++kind) {
    auto* entry = append->add_entries();
    entry->set_term(20 + kind);
    entry->set_kind(kind);
    entry->set_payload(std::string(100 * kind, 'p'));
  }
  auto* append_reply = add(6)->mutable_append_reply();
  append_reply->set_accepted(true);
  append_reply->set_match(30);
  append_reply->set_received(31);
  append_reply->set_conflict(32);
  append_reply->set_conflict_term(33);
  append_reply->set_round(34);
  add(7)->mutable_timeout_now();
  add(8)->mutable_read_index_ask()->set_context(35);
  auto* read_index_reply = add(9)->mutable_read_index_reply();
  read_index_reply->set_context(36);
  read_index_reply->set_index(37);
  auto* forward = add(0)->mutable_forward();
  forward->set_term(40);
  forward->set_generation(41);
  forward->set_sequence(42);
  forward->set_commands(std::string(200, 'c'));
  auto* touch = add(0)->mutable_touch();
  touch->set_sequence(43);
  for (const std::uint64_t session : {0ULL, 44ULL, 1ULL << 52}) touch->add_contacts(session);
  for (auto* attachment : {touch->add_attached(), touch->add_attached(), touch->add_broken()}) {
    attachment->set_session(45);
    attachment->set_stream(46);
    attachment->set_attach(47);
  }
  auto* touch_ack = add(0)->mutable_touch_ack();
  touch_ack->set_sequence(48);
  touch_ack->add_denied(49);
  auto* hello = add(0)->mutable_hello();
  hello->set_round(50);
  hello->set_reply(true);
  hello->set_members_digest(51);
  hello->set_members("\xfe members");
  hello->set_started_ms(52);
  hello->set_restored(53);
  hello->set_served(true);
  add(0)->mutable_found()->set_configuration("configuration");
  auto* standing = add(0)->mutable_standing();
  standing->set_index(53);
  standing->set_configuration("standing");
  return frame;
}

TEST(PeerProtoTest, WhatProtobufWritesIsReadAndWrittenTheSame) {
  const pb::Frame everything = Everything();
  const auto frame = ParsePeerFrame(base::Bytes::Adopt(everything.SerializeAsString()));
  ASSERT_TRUE(frame.ok()) << frame.status();
  EXPECT_EQ(frame->header, Header());
  ASSERT_EQ(frame->items.size(), static_cast<std::size_t>(everything.items_size()));
  PeerFrameBuilder builder;
  for (const PeerItem& item : frame->items) builder.Add(item);
  pb::Frame again;
  ASSERT_TRUE(again.ParseFromString(builder.Finish(frame->header).ToString()));
  EXPECT_EQ(again.SerializeAsString(), everything.SerializeAsString()) << again.DebugString();
}

TEST(PeerProtoTest, EachFieldMeansTheSame) {
  const auto frame = ParsePeerFrame(base::Bytes::Adopt(Everything().SerializeAsString()));
  ASSERT_TRUE(frame.ok()) << frame.status();
  const auto body = [&](std::size_t i) { return std::get<RaftItem>(frame->items[i]).body; };
  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(std::get<RaftItem>(frame->items[i]).term, Term(i + 1));
  EXPECT_EQ(std::get<raft::PreVote>(body(0)).last_index, Index(10));
  EXPECT_EQ(std::get<raft::PreVote>(body(0)).last_term, Term(11));
  EXPECT_EQ(std::get<raft::PreVoteReply>(body(1)).asked, Term(12));
  EXPECT_EQ(std::get<raft::Vote>(body(2)).last_index, Index(13));
  EXPECT_EQ(std::get<raft::Vote>(body(2)).last_term, Term(14));
  EXPECT_TRUE(std::get<raft::VoteReply>(body(3)).granted);
  const auto append = std::get<raft::Append>(body(4));
  EXPECT_EQ(append.previous_index, Index(15));
  EXPECT_EQ(append.previous_term, Term(16));
  EXPECT_EQ(append.commit, Index(17));
  EXPECT_EQ(append.round, 18U);
  EXPECT_EQ(append.held, Index(14));
  ASSERT_EQ(append.entries.size(), 4U);
  EXPECT_EQ(append.entries[3],
            (raft::Entry{Term(24), Index(19), raft::EntryKind::kExpiry, base::Bytes::Copy(std::string(400, 'p'))}));
  const auto reply = std::get<raft::AppendReply>(body(5));
  EXPECT_EQ(reply.match, Index(30));
  EXPECT_EQ(reply.received, Index(31));
  EXPECT_EQ(reply.conflict, Index(32));
  EXPECT_EQ(reply.conflict_term, Term(33));
  EXPECT_EQ(reply.round, 34U);
  EXPECT_EQ(std::get<raft::ReadIndexAsk>(body(7)).context, 35U);
  EXPECT_EQ(std::get<raft::ReadIndexReply>(body(8)).context, 36U);
  EXPECT_EQ(std::get<raft::ReadIndexReply>(body(8)).index, Index(37));
  EXPECT_EQ(std::get<Forward>(frame->items[9]), (Forward{Term(40), 41, 42, base::Bytes::Copy(std::string(200, 'c'))}));
  const Attachment attachment{base::SessionId(45), 46, 47};
  EXPECT_EQ(
      std::get<Touch>(frame->items[10]),
      (Touch{43, {base::SessionId(0), base::SessionId(44), base::SessionId(1ULL << 52)}, {attachment, attachment}, {attachment}}));
  EXPECT_EQ(std::get<TouchAck>(frame->items[11]), (TouchAck{48, {base::SessionId(49)}}));
  EXPECT_EQ(std::get<Hello>(frame->items[12]),
            (Hello{50, true, 51, "\xfe members", base::WallTime(52), base::ClusterId(53), true}));
  EXPECT_EQ(std::get<Found>(frame->items[13]), (Found{base::Bytes::Copy("configuration")}));
}

}  // namespace
}  // namespace drover::coord::server

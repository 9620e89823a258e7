#include "tests/oracle/zookeeper_messages.h"

#include <gtest/gtest.h>

#include "tests/oracle/jute.h"

namespace drover::oracle {
namespace {

using std::string_literals::operator""s;

void Head(std::int64_t zxid, std::int32_t error, JuteWriter* out) {
  out->Int(7);
  out->Long(zxid);
  out->Int(error);
}

void AppendStat(JuteWriter* out) {
  out->Long(11);
  out->Long(12);
  out->Long(1'000);
  out->Long(2'000);
  out->Int(1);
  out->Int(2);
  out->Int(3);
  out->Long(4);
  out->Int(5);
  out->Int(6);
  out->Long(13);
}

constexpr Stat kStat = {.czxid = 11,
                        .mzxid = 12,
                        .pzxid = 13,
                        .ctime = 1'000,
                        .mtime = 2'000,
                        .version = 1,
                        .cversion = 2,
                        .aversion = 3,
                        .ephemeral_owner = 4,
                        .data_length = 5,
                        .num_children = 6,
                        .lifetime_told = false};

TEST(ZooKeeperMessagesTest, ARequestIsXidTypeAndBody) {
  const Operation o = {.kind = Kind::kDelete, .path = "/a", .version = 3};
  EXPECT_EQ(EncodeRequest(5, o), "\0\0\0\5\0\0\0\2\0\0\0\2/a\0\0\0\3"s);
  EXPECT_EQ(EncodeRequest(6, {.kind = Kind::kClose}), "\0\0\0\6\xff\xff\xff\xf5"s);
}

TEST(ZooKeeperMessagesTest, AConnectIsFortyFiveBytes) {
  EXPECT_EQ(EncodeConnect(4'000).size(), 45u);
  const std::string again = EncodeReconnect({.session = 7, .password = std::string(16, 'p')}, 4'000);
  EXPECT_EQ(again.substr(16, 8), "\0\0\0\0\0\0\0\7"s);
  EXPECT_EQ(again.substr(28, 16), std::string(16, 'p'));
}

TEST(ZooKeeperMessagesTest, AStatIsReadInItsOrder) {
  JuteWriter out;
  Head(20, 0, &out);
  out.Buffer(std::nullopt);
  AppendStat(&out);
  const absl::StatusOr<Answer> answer = DecodeReply({.kind = Kind::kGet, .path = "/a"}, out.bytes());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, (Answer{.zxid = 20, .stat = kStat}));
}

TEST(ZooKeeperMessagesTest, ARefusalHasNoBody) {
  JuteWriter out;
  Head(20, -103, &out);
  const absl::StatusOr<Answer> answer = DecodeReply({.kind = Kind::kSet, .path = "/a"}, out.bytes());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->code, Code::kBadVersion);
  EXPECT_EQ(answer->said, "-103");
}

TEST(ZooKeeperMessagesTest, AFailedMultiTellsWhichPartWasRefused) {
  JuteWriter out;
  Head(20, 0, &out);
  for (const std::int32_t error : {0, -101, -2}) {
    out.Int(-1);
    out.Bool(false);
    out.Int(error);
    out.Int(error);
  }
  out.Int(-1);
  out.Bool(true);
  out.Int(-1);
  const Operation multi = {.kind = Kind::kMulti, .parts = {{.kind = Kind::kSet}, {.kind = Kind::kDelete}, {.kind = Kind::kSet}}};
  const absl::StatusOr<Answer> answer = DecodeReply(multi, out.bytes());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->code, Code::kNoNode);
  ASSERT_EQ(answer->parts.size(), 3u);
  EXPECT_EQ(answer->parts[0].code, Code::kUndone);
  EXPECT_EQ(answer->parts[1].code, Code::kNoNode);
  EXPECT_EQ(answer->parts[2].code, Code::kNotTried);
}

TEST(ZooKeeperMessagesTest, ACreateInAMultiGivesItsPathAlone) {
  JuteWriter out;
  Head(20, 0, &out);
  out.Int(1);
  out.Bool(false);
  out.Int(0);
  out.String("/a");
  out.Int(-1);
  out.Bool(true);
  out.Int(-1);
  const absl::StatusOr<Answer> answer = DecodeReply({.kind = Kind::kMulti, .parts = {{.kind = Kind::kCreate}}}, out.bytes());
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->parts.size(), 1u);
  EXPECT_EQ(answer->parts[0].path, "/a");
  EXPECT_TRUE(answer->parts[0].stat_untold);
}

TEST(ZooKeeperMessagesTest, WhatIsLeftOverOrMissingIsNoReply) {
  JuteWriter out;
  Head(20, 0, &out);
  EXPECT_TRUE(absl::IsInternal(DecodeReply({.kind = Kind::kExists}, out.bytes()).status()));
  out.Int(1);
  EXPECT_TRUE(absl::IsInternal(DecodeReply({.kind = Kind::kDelete}, out.bytes()).status()));
}

TEST(ZooKeeperMessagesTest, AnEventIsTypeAndPath) {
  JuteWriter out;
  Head(-1, 0, &out);
  out.Int(2);
  out.Int(3);
  out.String("/a");
  const absl::StatusOr<Event> event = DecodeEvent(out.bytes());
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(*event, (Event{.type = Event::Type::kDeleted, .path = "/a"}));
}

TEST(ZooKeeperMessagesTest, AnEventThatNoWatchTellsIsNone) {
  for (const int type : {4, 5}) {
    JuteWriter out;
    Head(-1, 0, &out);
    out.Int(type);
    out.Int(3);
    out.String("/a");
    EXPECT_EQ(DecodeEvent(out.bytes()).ok(), type == 4) << "of children, or that a watch was taken away";
  }
}

TEST(ZooKeeperMessagesTest, AWatchThatHearsOnceStandsWithoutItsNodeAndOneOfChildrenDoesNot) {
  JuteWriter out;
  Head(9, -101, &out);
  Operation watch{.kind = Kind::kWatch, .path = "/a", .watch = WatchKind::kOnce};
  EXPECT_EQ(DecodeReply(watch, out.bytes())->code, Code::kOk);
  watch.watch = WatchKind::kOnceChildren;
  EXPECT_EQ(DecodeReply(watch, out.bytes())->code, Code::kNoNode);
}

}  // namespace
}  // namespace drover::oracle

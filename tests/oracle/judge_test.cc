#include "tests/oracle/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::oracle {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kSession = 1;  // ours, and its zxid
constexpr std::uint64_t kTheirSession = 99;

// A judge of two systems in which a session was opened and "/a" created, by the zxids 2 of ours and 20 of ZooKeeper.
class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() {
    EXPECT_THAT(judge_.Compare({.kind = Kind::kOpen}, {.answer = {.session = kTheirSession}}, {.answer = {.session = kSession}}),
                IsEmpty());
    EXPECT_THAT(judge_.Compare(create_, {.answer = {.zxid = 20, .path = "/a", .stat = their_}},
                               {.answer = {.zxid = 2, .path = "/a", .stat = our_}}),
                IsEmpty());
  }

  const Operation create_ = {.kind = Kind::kCreate, .path = "/a"};
  const Operation get_ = {.kind = Kind::kGet, .path = "/a"};
  const Operation sync_ = {.kind = Kind::kSync, .path = "/"};
  const Stat their_ = {.czxid = 20, .mzxid = 20, .pzxid = 20, .ctime = 500, .mtime = 500};
  const Stat our_ = {.czxid = 2, .mzxid = 2, .pzxid = 2, .ctime = 700, .mtime = 700};
  Judge judge_;
};

TEST_F(JudgeTest, TheSameIsTheSame) {
  EXPECT_THAT(judge_.Compare(get_, {.answer = {.zxid = 20, .stat = their_, .data = "x"}},
                             {.answer = {.zxid = 2, .stat = our_, .data = "x"}}),
              IsEmpty());
}

TEST_F(JudgeTest, AnotherCodeIsFound) {
  EXPECT_THAT(
      judge_.Compare(get_, {.answer = {.code = Code::kNoNode, .zxid = 20}}, {.answer = {.code = Code::kBadVersion, .zxid = 2}}),
      Contains(HasSubstr("NO_NODE is expected, we say BAD_VERSION")));
}

TEST_F(JudgeTest, OtherDataAreFound) {
  EXPECT_THAT(judge_.Compare(get_, {.answer = {.zxid = 20, .stat = their_, .data = "x"}},
                             {.answer = {.zxid = 2, .stat = our_, .data = "y"}}),
              Contains(HasSubstr("data")));
}

TEST_F(JudgeTest, EveryFieldOfAStatIsLookedAt) {
  const auto with = [&](auto change) {
    Stat stat = our_;
    change(&stat);
    return judge_.Compare(get_, {.answer = {.zxid = 20, .stat = their_, .data = ""}},
                          {.answer = {.zxid = 2, .stat = stat, .data = ""}});
  };
  EXPECT_THAT(with([](Stat* s) { ++s->czxid; }), Contains(HasSubstr("czxid")));
  EXPECT_THAT(with([](Stat* s) { ++s->mzxid; }), Contains(HasSubstr("mzxid")));
  EXPECT_THAT(with([](Stat* s) { ++s->pzxid; }), Contains(HasSubstr("pzxid")));
  EXPECT_THAT(with([](Stat* s) { ++s->ctime; }), Contains(HasSubstr("ctime")));
  EXPECT_THAT(with([](Stat* s) { ++s->mtime; }), Contains(HasSubstr("mtime")));
  EXPECT_THAT(with([](Stat* s) { ++s->version; }), Contains(HasSubstr("version")));
  EXPECT_THAT(with([](Stat* s) { ++s->cversion; }), Contains(HasSubstr("cversion")));
  EXPECT_THAT(with([](Stat* s) { ++s->aversion; }), Contains(HasSubstr("aversion")));
  EXPECT_THAT(with([](Stat* s) { s->ephemeral_owner = kSession; }), Contains(HasSubstr("ephemeralOwner")));
  EXPECT_THAT(with([](Stat* s) { ++s->data_length; }), Contains(HasSubstr("dataLength")));
  EXPECT_THAT(with([](Stat* s) { ++s->num_children; }), Contains(HasSubstr("numChildren")));
}

TEST_F(JudgeTest, AZxidThatIsNotTheNextIsFound) {
  EXPECT_THAT(judge_.Compare({.kind = Kind::kDelete, .path = "/a"}, {.answer = {.zxid = 21}}, {.answer = {.zxid = 4}}),
              Contains(HasSubstr("the next one is 3")));
}

TEST_F(JudgeTest, AReadOfAnOlderStateIsFound) {
  EXPECT_THAT(judge_.Compare(sync_, {.answer = {.zxid = 21}}, {.answer = {.zxid = 1}}), Contains(HasSubstr("we answer at zxid 1")));
}

TEST_F(JudgeTest, EventsAreComparedInOrder) {
  const Event theirs = {.type = Event::Type::kCreated, .path = "/a"};
  const Event ours = {.type = Event::Type::kCreated, .path = "/a", .zxid = 2, .stat = our_};
  const Answer their_answer = {.zxid = 20};
  const Answer our_answer = {.zxid = 2};
  EXPECT_THAT(judge_.Compare(sync_, {their_answer, {theirs}}, {our_answer, {ours}}), IsEmpty());
  EXPECT_EQ(judge_.events(), 1u);
  EXPECT_THAT(judge_.Compare(sync_, {their_answer, {theirs}}, {our_answer, {}}), Contains(HasSubstr("we tell none")));
  EXPECT_THAT(judge_.Compare(sync_, {their_answer, {}}, {our_answer, {ours}}), Contains(HasSubstr("none is expected")));
  EXPECT_THAT(judge_.Compare(sync_, {their_answer, {{.type = Event::Type::kDeleted, .path = "/a"}}}, {our_answer, {ours}}),
              Contains(HasSubstr("deleted \"/a\" is expected")));
}

TEST_F(JudgeTest, OurEventsMustFitToTheirStat) {
  const Answer their_answer = {.zxid = 20};
  const Answer our_answer = {.zxid = 2};
  const Event theirs = {.type = Event::Type::kCreated, .path = "/a"};
  EXPECT_THAT(
      judge_.Compare(sync_, {their_answer, {theirs}}, {our_answer, {{.type = Event::Type::kCreated, .path = "/a", .zxid = 2}}}),
      Contains(HasSubstr("its Stat is")));
  EXPECT_THAT(
      judge_.Compare(sync_, {their_answer, {theirs}}, {our_answer, {{.type = Event::Type::kCreated, .path = "/a", .zxid = 7}}}),
      Contains(HasSubstr("no transaction has this zxid")));
}

TEST_F(JudgeTest, WhatTheEndOfASessionDeletesHasNoOrder) {
  const Stat node = {.czxid = 2, .mzxid = 2};
  EXPECT_THAT(judge_.Compare({.session = 1, .kind = Kind::kClose}, {.answer = {.zxid = 21}}, {}), IsEmpty());
  const std::vector<Event> theirs = {{.type = Event::Type::kDeleted, .path = "/y"}, {.type = Event::Type::kDeleted, .path = "/x"}};
  const std::vector<Event> ours = {{.type = Event::Type::kDeleted, .path = "/x", .zxid = 3, .stat = node},
                                   {.type = Event::Type::kDeleted, .path = "/y", .zxid = 3, .ordinal = 1, .stat = node}};
  EXPECT_THAT(judge_.Compare(sync_, {{.zxid = 21}, theirs}, {{.zxid = 3}, ours}), IsEmpty());
}

TEST_F(JudgeTest, WhatATransactionDoesHasOne) {
  const Stat node = {.czxid = 2, .mzxid = 2};
  EXPECT_THAT(judge_.Compare({.session = 1, .kind = Kind::kMulti}, {.answer = {.zxid = 21}}, {.answer = {.zxid = 3}}), IsEmpty());
  const std::vector<Event> theirs = {{.type = Event::Type::kDeleted, .path = "/y"}, {.type = Event::Type::kDeleted, .path = "/x"}};
  const std::vector<Event> ours = {{.type = Event::Type::kDeleted, .path = "/x", .zxid = 3, .stat = node},
                                   {.type = Event::Type::kDeleted, .path = "/y", .zxid = 3, .ordinal = 1, .stat = node}};
  EXPECT_THAT(judge_.Compare(sync_, {{.zxid = 21}, theirs}, {{.zxid = 3}, ours}), Contains(HasSubstr("\"/y\" is expected")));
}

TEST_F(JudgeTest, AStatThatZooKeeperDoesNotTellMustBeThere) {
  const Operation multi = {.kind = Kind::kMulti, .parts = {{.kind = Kind::kCreate, .path = "/b"}}};
  const Answer untold = {.path = "/b", .stat_untold = true};
  EXPECT_THAT(
      judge_.Compare(multi, {.answer = {.zxid = 21, .parts = {untold}}}, {.answer = {.zxid = 3, .parts = {{.path = "/b"}}}}),
      Contains(HasSubstr("Stat: one is expected")));
}

}  // namespace
}  // namespace drover::oracle

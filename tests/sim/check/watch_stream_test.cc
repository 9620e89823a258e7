#include "tests/sim/check/watch_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace drover::sim::check {
namespace {

using ::testing::HasSubstr;

LoggedEvent At(std::uint64_t zxid, std::uint32_t ordinal, EventType type, std::string path, std::string data = "") {
  return {Position{base::Zxid(zxid), ordinal}, type, std::move(path), std::move(data), {}, {}};
}
Delivery Came(LoggedEvent event) {
  return {Delivery::What::kEvent, std::move(event), {}};
}
Delivery Answer(std::uint64_t zxid) {
  return {Delivery::What::kAnswer, {}, base::Zxid(zxid)};
}
Delivery Bookmark(std::uint64_t zxid) {
  return {Delivery::What::kBookmark, {}, base::Zxid(zxid)};
}

const EventLog kLog = {At(1, 0, EventType::kCreated, "/a"),        At(2, 0, EventType::kCreated, "/b"),
                       At(4, 0, EventType::kCreated, "/a/x", "1"), At(4, 1, EventType::kChanged, "/b", "2"),
                       At(4, 2, EventType::kCreated, "/ab"),       At(6, 0, EventType::kChanged, "/a/x", "3"),
                       At(9, 0, EventType::kDeleted, "/a/x")};

class WatchStream : public ::testing::Test {
 protected:
  std::string Check(std::vector<Delivery> deliveries, std::optional<std::uint64_t> settled = {}) {
    WatchTrace trace{"w1", "/a", Position{base::Zxid(2)}, true, std::move(deliveries), {}};
    if (settled) trace.settled = base::Zxid(*settled);
    return std::string(CheckWatchStream(kLog, trace).message());
  }
  const Delivery first = Came(kLog[2]);
  const Delivery second = Came(kLog[5]);
  const Delivery third = Came(kLog[6]);
};

TEST_F(WatchStream, TheLogItselfIsPossible) {
  EXPECT_EQ(CheckEventLog(kLog), absl::OkStatus());
}
TEST_F(WatchStream, EverythingInOrderPasses) {
  EXPECT_EQ(Check({Answer(3), first, Answer(4), Bookmark(5), second, third, Bookmark(20), Answer(20)}, 20), "");
}
TEST_F(WatchStream, OneThatWasCutShortPassesUntilItMustHaveCome) {
  EXPECT_EQ(Check({first}), "");
  EXPECT_EQ(Check({first}, 5), "");
  EXPECT_THAT(Check({first}, 6), HasSubstr("at rest at zxid 6, (6, 0) changed /a/x \"3\" has not come"));
}
TEST_F(WatchStream, AGapIsFound) {
  EXPECT_THAT(Check({first, third}), HasSubstr("watch w1 of /a: delivery 1, (9, 0) deleted /a/x, left out (6, 0)"));
}
TEST_F(WatchStream, ARepetitionIsFound) {
  EXPECT_THAT(Check({first, second, second}), HasSubstr("came before"));
}
TEST_F(WatchStream, AChangedOrderIsFound) {
  EXPECT_THAT(Check({second, first}), HasSubstr("left out (4, 0)"));
}
TEST_F(WatchStream, AnEventOfAnotherPathOrTimeIsFound) {
  EXPECT_THAT(Check({Came(kLog[4])}), HasSubstr("not of its part of the log"));
  EXPECT_THAT(Check({Came(kLog[0])}), HasSubstr("not of its part of the log"));
  EXPECT_THAT(Check({Came(At(7, 0, EventType::kChanged, "/a/x"))}), HasSubstr("not of its part of the log"));
}
TEST_F(WatchStream, AnUntrueEventIsFound) {
  EXPECT_THAT(Check({Came(At(4, 0, EventType::kCreated, "/a/x", "wrong"))}), HasSubstr("told wrongly"));
  EXPECT_THAT(Check({Came(At(4, 0, EventType::kChanged, "/a/x", "1"))}), HasSubstr("told wrongly"));
}
TEST_F(WatchStream, AnAnswerThatOvertakesAnEventIsFound) {
  EXPECT_THAT(Check({first, Answer(6), second}), HasSubstr("an answer of zxid 6, overtook (6, 0)"));
}
TEST_F(WatchStream, ABookmarkAheadOfAnEventIsFound) {
  EXPECT_THAT(Check({Bookmark(4), first}), HasSubstr("a bookmark of zxid 4, overtook (4, 0)"));
}
TEST_F(WatchStream, DataIsOnlyForThoseWhoAskedForIt) {
  WatchTrace trace{"w1", "/a", Position{base::Zxid(4)}, false, {second}, {}};
  EXPECT_FALSE(CheckWatchStream(kLog, trace).ok());
  trace.deliveries = {Came(At(6, 0, EventType::kChanged, "/a/x"))};
  EXPECT_EQ(CheckWatchStream(kLog, trace), absl::OkStatus());
}
// What a watch of each kind hears of, each with the trace of another kind refused.
TEST_F(WatchStream, EachKindHearsOfItsOwn) {
  using Kind = WatchKind;
  const EventLog log = {At(1, 0, EventType::kCreated, "/a"),   At(2, 0, EventType::kCreated, "/a/x"),
                        At(3, 0, EventType::kChanged, "/a/x"), At(4, 0, EventType::kCreated, "/a/x/y"),
                        At(5, 0, EventType::kChanged, "/a"),   At(6, 0, EventType::kDeleted, "/a/x/y"),
                        At(7, 0, EventType::kDeleted, "/a/x"), At(8, 0, EventType::kDeleted, "/a")};
  const std::map<Kind, std::vector<std::size_t>> heard = {{Kind::kPersistentRecursive, {0, 1, 2, 3, 4, 5, 6, 7}},
                                                          {Kind::kPersistent, {0, 1, 4, 6, 7}},
                                                          {Kind::kOnce, {0}},
                                                          {Kind::kOnceChildren, {1}}};
  for (const auto& [kind, events] : heard) {
    for (const auto& [other, of_other] : heard) {
      WatchTrace trace{"w1", "/a", Position{}, true, {}, base::Zxid(8), kind};
      for (const std::size_t i : of_other) trace.deliveries.push_back(Came(log[i]));
      EXPECT_EQ(CheckWatchStream(log, trace).ok(), kind == other) << static_cast<int>(kind) << " " << static_cast<int>(other);
    }
  }
  const WatchTrace again{"w1", "/a", Position{base::Zxid(2)}, true, {Came(log[4])}, base::Zxid(8), Kind::kOnce};
  EXPECT_EQ(CheckWatchStream(log, again), absl::OkStatus());
  const WatchTrace of_the_end{"w1", "/a/x", Position{base::Zxid(6)}, true, {Came(log[6])}, base::Zxid(8), Kind::kOnceChildren};
  EXPECT_EQ(CheckWatchStream(log, of_the_end), absl::OkStatus());
}
TEST_F(WatchStream, AWatchMayBeginWithinATransaction) {
  WatchTrace trace{"w1", "/", Position{base::Zxid(4), 0}, true, {Came(kLog[3]), Came(kLog[4]), second}, {}};
  EXPECT_EQ(CheckWatchStream(kLog, trace), absl::OkStatus());
}

TEST(EventLog, WhatCannotBeIsFound) {
  EXPECT_THAT(std::string(CheckEventLog({At(2, 0, EventType::kCreated, "/a"), At(1, 0, EventType::kCreated, "/b")}).message()),
              HasSubstr("behind (2, 0)"));
  EXPECT_FALSE(CheckEventLog({At(1, 1, EventType::kCreated, "/a")}).ok());
  EXPECT_FALSE(CheckEventLog({At(1, 0, EventType::kCreated, "/a"), At(1, 2, EventType::kCreated, "/b")}).ok());
  EXPECT_FALSE(CheckEventLog({At(1, 0, EventType::kCreated, "/a"), At(1, 0, EventType::kCreated, "/b")}).ok());
  EXPECT_THAT(std::string(CheckEventLog({At(1, 0, EventType::kDeleted, "/a")}).message()), HasSubstr("was not there"));
  EXPECT_THAT(std::string(CheckEventLog({At(1, 0, EventType::kCreated, "/a"), At(2, 0, EventType::kCreated, "/a")}).message()),
              HasSubstr("was there"));
}

}  // namespace
}  // namespace drover::sim::check

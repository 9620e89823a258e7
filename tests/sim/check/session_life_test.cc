#include "tests/sim/check/session_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::sim::check {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

base::Instant At(int ms) {
  return base::Instant(milliseconds(ms));
}
SessionLife Life() {
  SessionLife life;
  life.session = base::SessionId(7);
  life.timeout = milliseconds(6'000);
  life.acknowledged = {At(1'000), At(3'000)};
  return life;
}
std::string Early(const SessionLife& life, const LifeBounds& bounds = {}) {
  return std::string(CheckNotExpiredEarly(life, bounds).message());
}

TEST(SessionLife, ExpiryAfterTheWholeTimeoutPasses) {
  SessionLife life = Life();
  EXPECT_EQ(Early(life), "");
  life.ended = At(9'000);
  EXPECT_EQ(Early(life), "");
}
TEST(SessionLife, ExpiryOfALiveSessionIsFound) {
  SessionLife life = Life();
  life.ended = At(8'999);
  EXPECT_THAT(Early(life), HasSubstr("session 7 expired 5999 ms after"));
}
TEST(SessionLife, ClocksMayDifferByAsMuchAsTheRunSays) {
  SessionLife life = Life();
  life.ended = At(8'950);
  EXPECT_EQ(Early(life, {.clock_error_ppm = 10'000}), "");
  EXPECT_NE(Early(life, {.clock_error_ppm = 1'000}), "");
}
TEST(SessionLife, ABrokenLinkEndsItAfterTheGraceIfThatWasAskedFor) {
  SessionLife life = Life();
  life.link_breaks = {At(3'500)};
  life.ended = At(3'750);
  EXPECT_NE(Early(life), "");
  life.disconnect_grace = milliseconds(250);
  EXPECT_EQ(Early(life), "");
  life.ended = At(3'749);
  EXPECT_NE(Early(life), "");
}
TEST(SessionLife, ABreakBeforeTheNewestAcknowledgedContactIsVoid) {
  SessionLife life = Life();
  life.disconnect_grace = milliseconds(250);
  life.link_breaks = {At(2'000)};
  life.ended = At(4'000);
  EXPECT_NE(Early(life), "");
}
TEST(SessionLife, ACloseIsTheClientsOwn) {
  SessionLife life = Life();
  life.ended = At(3'001);
  life.reason = EndReason::kClosed;
  EXPECT_THAT(Early(life), HasSubstr("nobody asked"));
  life.close_was_sent = true;
  EXPECT_EQ(Early(life), "");
}
TEST(SessionLife, NothingWasPromisedToWhoeverWasNeverAnswered) {
  SessionLife life = Life();
  life.acknowledged.clear();
  life.ended = At(1);
  EXPECT_EQ(Early(life), "");
}

TEST(SessionLife, ASessionThatNobodyKeepsEndsInTime) {
  const LifeBounds bounds{.end_within = milliseconds(1'000)};
  SessionLife life = Life();
  EXPECT_EQ(CheckEndsInTime(life, bounds, At(0), At(99'000)), absl::OkStatus());  // its client is there
  life.last_sign = At(4'000);
  EXPECT_EQ(CheckEndsInTime(life, bounds, At(0), At(11'000)), absl::OkStatus());
  EXPECT_THAT(std::string(CheckEndsInTime(life, bounds, At(0), At(11'001)).message()), HasSubstr("is still there 7001 ms"));
  EXPECT_EQ(CheckEndsInTime(life, bounds, At(5'000), At(12'000)), absl::OkStatus());  // a new leader
  life.ended = At(12'500);
  EXPECT_THAT(std::string(CheckEndsInTime(life, bounds, At(5'000), At(99'000)).message()), HasSubstr("ended only 7500 ms"));
}

LoggedEvent Event(std::uint64_t zxid, std::uint32_t ordinal, EventType type, std::string path, std::uint64_t owner,
                  std::uint64_t ends = 0) {
  return {Position{base::Zxid(zxid), ordinal}, type, std::move(path), "", base::SessionId(owner), base::SessionId(ends)};
}
SessionSpan Span(std::uint64_t session, std::uint64_t ended = 0) {
  SessionSpan span{base::SessionId(session), {}};
  if (ended != 0) span.ended = base::Zxid(ended);
  return span;
}
std::string Ephemerals(const EventLog& log, const std::vector<SessionSpan>& sessions) {
  EXPECT_EQ(CheckEventLog(log), absl::OkStatus());
  return std::string(CheckEphemerals(log, sessions).message());
}
constexpr auto kMade = EventType::kCreated;
constexpr auto kGone = EventType::kDeleted;

TEST(Ephemerals, TheyGoWithTheirSession) {
  EXPECT_EQ(Ephemerals({Event(3, 0, kMade, "/a", 1), Event(4, 0, kMade, "/b", 1), Event(5, 0, kMade, "/c", 2),
                        Event(6, 0, kGone, "/a", 1), Event(7, 0, EventType::kChanged, "/b", 1), Event(9, 0, kGone, "/b", 1, 1)},
                       {Span(1, 9), Span(2)}),
            "");
}
TEST(Ephemerals, OneThatIsLeftIsFound) {
  const EventLog log = {Event(3, 0, kMade, "/a", 1), Event(3, 1, kMade, "/b", 1), Event(9, 0, kGone, "/a", 1, 1)};
  EXPECT_THAT(Ephemerals(log, {Span(1, 9)}), HasSubstr("session 1 ended at zxid 9 and left its ephemeral /b"));
}
TEST(Ephemerals, OneThatGoesLaterThanItsSessionIsFound) {
  EXPECT_THAT(Ephemerals({Event(3, 0, kMade, "/a", 1), Event(10, 0, kGone, "/a", 1)}, {Span(1, 9)}),
              HasSubstr("left its ephemeral /a"));
}
TEST(Ephemerals, OneThatGoesWithAnotherSessionIsFound) {
  EXPECT_THAT(Ephemerals({Event(3, 0, kMade, "/a", 1), Event(9, 0, kGone, "/a", 1, 2)}, {Span(1), Span(2, 9)}),
              HasSubstr("session 2 took along what was not its own"));
}
TEST(Ephemerals, OneThatGoesThoughItsSessionDidNotEndThenIsFound) {
  EXPECT_THAT(Ephemerals({Event(3, 0, kMade, "/a", 1), Event(8, 0, kGone, "/a", 1, 1)}, {Span(1)}), HasSubstr("did not end at"));
}
TEST(Ephemerals, OneThatIsMadeAfterTheEndIsFound) {
  EXPECT_THAT(Ephemerals({Event(10, 0, kMade, "/a", 1)}, {Span(1, 9)}), HasSubstr("was not there to make"));
  EXPECT_THAT(Ephemerals({Event(10, 0, kMade, "/a", 5)}, {Span(1, 9)}), HasSubstr("session 5 was not there"));
}

}  // namespace
}  // namespace drover::sim::check

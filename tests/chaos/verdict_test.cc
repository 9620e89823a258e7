#include "tests/chaos/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drover::chaos {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

check::LoggedEvent Event(std::uint64_t zxid, check::EventType type, const std::string& path, const std::string& data,
                         std::uint64_t owner = 0) {
  return {{base::Zxid(zxid), 0}, type, path, data, base::SessionId(owner), {}};
}

check::Operation Asked(check::Kind kind, const std::string& path, const std::string& data, std::uint64_t invoked,
                       std::uint64_t returned, std::uint64_t zxid) {
  check::Operation operation;
  operation.client = 1;
  operation.kind = kind;
  operation.path = path;
  operation.data = data;
  operation.invoked = invoked;
  operation.returned = returned;
  operation.zxid = base::Zxid(zxid);
  return operation;
}

check::Delivery Told(const check::LoggedEvent& event) {
  check::Delivery delivery;
  delivery.event = event;
  return delivery;
}

check::Delivery Bookmark(std::uint64_t zxid) {
  check::Delivery delivery;
  delivery.what = check::Delivery::What::kBookmark;
  delivery.zxid = base::Zxid(zxid);
  return delivery;
}

// A node that is made and set, a watcher that is told so, and the log of it.
class VerdictTest : public ::testing::Test {
 protected:
  VerdictTest() {
    record_.root = "/chaos/1";
    record_.begin = base::Zxid(10);
    record_.end = base::Zxid(20);
    record_.truth.events = {Event(12, check::EventType::kCreated, "/chaos/1/r0", "a"),
                            Event(14, check::EventType::kChanged, "/chaos/1/r0", "b")};
    check::WatchTrace trace;
    trace.name = "of watcher 1";
    trace.root = record_.root;
    trace.after = {base::Zxid(11), check::Position::kAll};
    trace.with_data = true;
    for (const check::LoggedEvent& event : record_.truth.events) trace.deliveries.push_back(Told(event));
    trace.deliveries.push_back(Bookmark(20));
    trace.settled = record_.end;
    record_.watches = {trace};
    record_.operations = {Asked(check::Kind::kCreate, "/chaos/1/r0", "a", 1, 2, 12),
                          Asked(check::Kind::kSet, "/chaos/1/r0", "b", 3, 4, 14)};
  }

  Record record_;
};

TEST_F(VerdictTest, WhatIsRightHasNoFault) {
  const Verdict verdict = Judge(record_);
  EXPECT_THAT(verdict.faults, IsEmpty());
  EXPECT_EQ(verdict.operations, 2u);
  EXPECT_EQ(verdict.events, 2u);
  EXPECT_EQ(verdict.deliveries, 2u);
}

TEST_F(VerdictTest, AnAcknowledgedWriteThatTheLogDoesNotHaveIsAFault) {
  record_.operations.push_back(Asked(check::Kind::kSet, "/chaos/1/r0", "c", 5, 6, 16));
  EXPECT_THAT(Judge(record_).faults, Contains(HasSubstr("acknowledged as zxid 16")));
}

TEST_F(VerdictTest, AStaleReadIsAFault) {
  check::Operation get = Asked(check::Kind::kGet, "/chaos/1/r0", "", 5, 6, 14);
  get.result.data = "a";
  get.result.version = 0;
  record_.operations.push_back(get);
  EXPECT_EQ(Judge(record_).faults.size(), 1u);
}

TEST_F(VerdictTest, AnEventThatAWatcherWasNotToldOfIsAFault) {
  record_.watches[0].deliveries.erase(record_.watches[0].deliveries.begin());
  EXPECT_THAT(Judge(record_).faults, Contains(HasSubstr("of watcher 1")));
}

TEST_F(VerdictTest, WatchersThatAgreeStandForALogThatIsGone) {
  record_.truth.events.clear();
  record_.truth.after = base::Zxid(20);
  EXPECT_THAT(Judge(record_).faults, IsEmpty());
  check::WatchTrace other = record_.watches[0];
  other.name = "of watcher 2";
  other.deliveries.erase(other.deliveries.begin() + 1);
  record_.watches.push_back(other);
  EXPECT_THAT(Judge(record_).faults, Contains(HasSubstr("of watcher 2")));
}

TEST_F(VerdictTest, AnEphemeralThatOutlivesItsSessionIsAFault) {
  record_.truth.events.push_back(Event(16, check::EventType::kCreated, "/chaos/1/locks/l0", "x", 11));
  record_.truth.sessions = {{base::SessionId(11), base::Zxid(18)}};
  record_.watches[0].deliveries.insert(record_.watches[0].deliveries.begin() + 2, Told(record_.truth.events.back()));
  EXPECT_THAT(Judge(record_).faults, Contains(HasSubstr("left its ephemeral")));
}

TEST_F(VerdictTest, WhatLiesOutsideOfTheRoundIsNotJudged) {
  record_.truth.events.insert(record_.truth.events.begin(), Event(5, check::EventType::kCreated, "/elsewhere", ""));
  record_.truth.events.push_back(Event(25, check::EventType::kDeleted, "/chaos/1/r0", ""));
  EXPECT_THAT(Judge(record_).faults, IsEmpty());
}

}  // namespace
}  // namespace drover::chaos

#include "coord/server/leases.h"

#include <vector>

#include "gtest/gtest.h"

namespace drover::coord::server {
namespace {

using base::SessionId;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Ids = std::vector<SessionId>;

constexpr SessionId kA(10);
constexpr SessionId kB(20);
constexpr base::NodeId kNode(1);
constexpr Place kOld{kNode, StreamId(1)};
constexpr Place kNew{kNode, StreamId(2)};
constexpr base::Duration kTick = milliseconds(50);

class LeasesTest : public ::testing::Test {
 protected:
  LeasesTest() : leases_(Leases::Options{}) {}

  static LeaseTerms Terms(SessionId session, base::Duration timeout = seconds(6), base::Duration grace = {}) {
    return LeaseTerms{session, timeout, grace};
  }
  // Ticks for `duration`, gathering what expires.
  Ids Run(base::Duration duration) {
    Ids expired;
    for (const base::Instant end = now_ + duration; now_ < end;) {
      now_ += kTick;
      leases_.Tick(now_);
      for (SessionId id : leases_.TakeExpired(100)) expired.push_back(id);
    }
    return expired;
  }

  base::Instant now_{hours(1)};
  Leases leases_;
};

TEST_F(LeasesTest, SilenceEndsASessionAfterItsTimeoutAndNotBefore) {
  leases_.Lead(now_, {Terms(kA), Terms(kB, seconds(2))});
  EXPECT_EQ(Run(milliseconds(1950)), Ids{});
  EXPECT_EQ(Run(kTick), Ids{kB});
  EXPECT_EQ(Run(milliseconds(3950)), Ids{}) << "each is told once";
  EXPECT_EQ(Run(kTick), Ids{kA});
}

TEST_F(LeasesTest, AContactGivesTheFullTimeoutAgainFromItsArrival) {
  leases_.Lead(now_, {Terms(kA, seconds(1))});
  EXPECT_EQ(Run(milliseconds(950)), Ids{});
  now_ += milliseconds(30);  // between two ticks
  leases_.Contact(now_, kA);
  const base::Instant contact = now_;
  while (leases_.TakeExpired(10).empty()) {
    now_ += kTick;
    leases_.Tick(now_);
    ASSERT_LT(now_ - contact, seconds(2));
  }
  EXPECT_GE(now_ - contact, seconds(1));
  EXPECT_LE(now_ - contact, seconds(1) + kTick);
}

TEST_F(LeasesTest, APauseCountsAsOneCappedTick) {
  leases_.Lead(now_, {Terms(kA, seconds(1))});
  Run(milliseconds(500));
  now_ += hours(3);
  leases_.Tick(now_);
  EXPECT_EQ(leases_.TakeExpired(10), Ids{});
  EXPECT_EQ(Run(milliseconds(300)), Ids{}) << "500 + 150 + 300 of 1000";
  EXPECT_EQ(Run(kTick), Ids{kA});
}

TEST_F(LeasesTest, ANewLeaderGivesEveryoneTheFullTimeoutAgain) {
  leases_.Lead(now_, {Terms(kA, seconds(1))});
  EXPECT_EQ(Run(milliseconds(900)), Ids{});
  leases_.Lead(now_, {Terms(kA, seconds(1))});
  EXPECT_EQ(Run(milliseconds(950)), Ids{});
  EXPECT_EQ(Run(kTick), Ids{kA});
}

TEST_F(LeasesTest, WhoDoesNotLeadExpiresNobody) {
  leases_.Lead(now_, {Terms(kA, seconds(1))});
  leases_.Follow();
  leases_.Open(now_, Terms(kB, seconds(1)));
  EXPECT_EQ(Run(seconds(10)), Ids{});
}

TEST_F(LeasesTest, NoContactIsAcknowledgedWhileItsExpiryIsProposed) {
  leases_.Lead(now_, {Terms(kA, seconds(1))});
  EXPECT_TRUE(leases_.MayAcknowledge(kA));
  EXPECT_EQ(Run(seconds(1)), Ids{kA});
  leases_.Contact(now_, kA);
  EXPECT_FALSE(leases_.MayAcknowledge(kA));
  leases_.End(kA);
  EXPECT_FALSE(leases_.MayAcknowledge(kA));
  EXPECT_EQ(leases_.size(), 0U);
}

TEST_F(LeasesTest, ABrokenLinkStartsTheGraceOfTheNewestAcknowledgedStream) {
  leases_.Lead(now_, {});
  leases_.Open(now_, Terms(kA, seconds(6), milliseconds(250)));
  leases_.Attach(now_, kA, kNew, 0);
  leases_.Acknowledged(kA, kNode);
  leases_.LinkBroke(now_, kA, kNew);
  EXPECT_EQ(Run(milliseconds(200)), Ids{});
  EXPECT_EQ(Run(kTick), Ids{kA});
}

struct GraceRow {
  const char* name;
  bool grace;
  Place attached;
  base::NodeId acknowledged;
  Place broken;
  bool reattached;
};

TEST_F(LeasesTest, ABrokenLinkSaysNothingOtherwise) {
  const base::NodeId none;
  const GraceRow table[] = {
      {"no grace was asked for", false, kNew, kNode, kNew, false},
      {"an older stream broke", true, kNew, kNode, kOld, false},
      {"another node's stream of the same number broke", true, kNew, kNode, Place{base::NodeId(2), kNew.stream}, false},
      {"no contact was acknowledged", true, kNew, none, kNew, false},
      {"only one by another node was", true, kNew, base::NodeId(2), kNew, false},
      {"resumed within the grace", true, kNew, kNode, kNew, true},
  };
  for (const GraceRow& row : table) {
    leases_.Lead(now_, {});
    leases_.Open(now_, Terms(kA, seconds(6), row.grace ? milliseconds(250) : milliseconds(0)));
    leases_.Attach(now_, kA, row.attached, 0);
    leases_.Acknowledged(kA, row.acknowledged);
    leases_.LinkBroke(now_, kA, row.broken);
    if (row.reattached) {
      Run(milliseconds(200));
      leases_.Attach(now_, kA, Place{kNode, StreamId(3)}, 0);
    }
    EXPECT_EQ(Run(milliseconds(5950)), Ids{}) << row.name;
    EXPECT_EQ(Run(kTick), Ids{kA}) << row.name;
    leases_.End(kA);
  }
}

TEST_F(LeasesTest, AnAcknowledgementOfAnEarlierReignDoesNotCount) {
  const LeaseTerms terms = Terms(kA, seconds(6), milliseconds(250));
  leases_.Lead(now_, {terms});
  leases_.Attach(now_, kA, kNew, 0);
  leases_.Acknowledged(kA, kNode);
  leases_.Lead(now_, {terms});
  leases_.Attach(now_, kA, kNew, 0);
  leases_.LinkBroke(now_, kA, kNew);
  EXPECT_EQ(Run(milliseconds(5950)), Ids{});
}

TEST_F(LeasesTest, NewsOfAnEarlierAttachThatComesLateIsIgnored) {
  const Place elsewhere{base::NodeId(2), StreamId(9)};
  leases_.Lead(now_, {Terms(kA, seconds(6), milliseconds(250))});
  leases_.Attach(now_, kA, kNew, 2);
  leases_.Acknowledged(kA, kNode);
  leases_.Attach(now_, kA, elsewhere, 1);
  leases_.Acknowledged(kA, elsewhere.node);
  leases_.LinkBroke(now_, kA, elsewhere);
  EXPECT_EQ(Run(milliseconds(5950)), Ids{});
  leases_.Contact(now_, kA);
  leases_.LinkBroke(now_, kA, kNew);
  EXPECT_EQ(Run(milliseconds(300)), Ids{kA}) << "the newest one still counts";
}

// Its node may be the last to speak to a new leader.
TEST_F(LeasesTest, TheStreamThatOpenedTheSessionIsOlderThanAnyOther) {
  const Place elsewhere{base::NodeId(2), StreamId(9)};
  leases_.Lead(now_, {Terms(kA, seconds(6), milliseconds(250))});
  leases_.Attach(now_, kA, kNew, 1);
  leases_.Acknowledged(kA, kNode);
  leases_.Attach(now_, kA, elsewhere, 0);
  leases_.Acknowledged(kA, elsewhere.node);
  leases_.LinkBroke(now_, kA, elsewhere);
  EXPECT_EQ(Run(milliseconds(5950)), Ids{});
}

TEST_F(LeasesTest, ExpiriesComeInOrderAndInParts) {
  leases_.Lead(now_, {Terms(kB, seconds(1)), Terms(kA, seconds(1)), Terms(SessionId(30), seconds(1))});
  now_ += milliseconds(100);
  for (int i = 0; i < 10; ++i) {
    leases_.Tick(now_);
    now_ += milliseconds(100);
  }
  leases_.Tick(now_);
  EXPECT_EQ(leases_.TakeExpired(2), (Ids{kA, kB}));
  EXPECT_EQ(leases_.TakeExpired(2), Ids{SessionId(30)});
}

}  // namespace
}  // namespace drover::coord::server

#include "tests/sim/check/session_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace drover::sim::check {
namespace {

using ::testing::HasSubstr;

SessionRequest Write(Stamp sent, Stamp received, std::uint64_t zxid) {
  return {true, true, sent, sent, received, base::Zxid(zxid)};
}
SessionRequest Refused(Stamp sent, Stamp received, std::uint64_t zxid) {
  return {true, false, sent, sent, received, base::Zxid(zxid)};
}
SessionRequest Read(Stamp sent, Stamp received, std::uint64_t zxid) {
  return {false, false, sent, sent, received, base::Zxid(zxid)};
}
std::string Check(std::vector<SessionRequest> requests, std::vector<Sighting> sightings = {}) {
  return std::string(CheckSessionOrder({base::SessionId(7), std::move(requests), std::move(sightings)}).message());
}

TEST(SessionOrder, APipelineInOrderPasses) {
  EXPECT_EQ(Check({Write(1, 10, 5), Read(2, 11, 5), Refused(3, 12, 5), Write(4, 13, 6), Read(5, 14, 9)}), "");
}
TEST(SessionOrder, AnAnswerMayOvertakeAsLongAsTheEffectsAreInOrder) {
  EXPECT_EQ(Check({Write(1, 11, 5), Write(2, 10, 6)}), "");
}
TEST(SessionOrder, WritesThatChangedPlacesAreFound) {
  EXPECT_THAT(Check({Write(1, 10, 6), Write(2, 11, 5)}),
              HasSubstr("session 7: the write sent at 2 and answered at 11 with zxid 5"));
  EXPECT_THAT(Check({Write(1, 10, 6), Write(2, 11, 6)}), HasSubstr("zxid 6 at 1"));
}
TEST(SessionOrder, AReadThatMissesTheWriteBeforeItIsFound) {
  EXPECT_THAT(Check({Write(1, 10, 6), Read(2, 11, 5)}), HasSubstr("read sent at 2"));
}
TEST(SessionOrder, AReadThatSeesTheWriteBehindItIsFound) {
  EXPECT_THAT(Check({Read(1, 11, 6), Write(2, 10, 6)}), HasSubstr("write sent at 2"));
}
TEST(SessionOrder, AReadThatIsSentAgainTakesEffectThen) {
  SessionRequest read = Read(1, 20, 6);
  read.last_sent = 12;
  EXPECT_EQ(Check({read, Write(2, 10, 6)}), "");
}
TEST(SessionOrder, AWriteThatIsSentAgainKeepsItsPlace) {
  SessionRequest write = Write(1, 20, 5);
  write.last_sent = 12;
  EXPECT_EQ(Check({write, Read(2, 21, 5), Write(3, 22, 8)}), "");
  EXPECT_THAT(Check({write, Read(2, 21, 4)}), HasSubstr("read sent at 2"));
}
TEST(SessionOrder, ALocalReadOfALaggingNodeIsFound) {
  EXPECT_THAT(Check({Read(1, 2, 6), Read(3, 4, 5)}), HasSubstr("read sent at 3"));
  EXPECT_THAT(Check({Read(3, 4, 5)}, {{2, base::Zxid(6)}}), HasSubstr("had seen zxid 6 at 2"));
}
TEST(SessionOrder, AReadBehindAnEventThatIsOlderIsFound) {
  EXPECT_THAT(Check({Read(1, 4, 5)}, {{2, base::Zxid(6)}}), HasSubstr("shows an older state"));
  EXPECT_EQ(Check({Read(1, 2, 5)}, {{4, base::Zxid(6)}}), "");
}
TEST(SessionOrder, AKeptAnswerMayBeOlderThanWhatWasSeenSince) {
  SessionRequest write = Write(1, 30, 5);
  write.last_sent = 20;
  EXPECT_EQ(Check({write}, {{25, base::Zxid(9)}}), "");
}
TEST(SessionOrder, AWriteThatTookEffectBeforeItWasSentIsFound) {
  EXPECT_THAT(Check({Write(5, 6, 9)}, {{2, base::Zxid(9)}}), HasSubstr("had seen zxid 9"));
}

}  // namespace
}  // namespace drover::sim::check

// The network between three coordination nodes is cut. Clients reach all of them all the time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/e2e.h"
#include "tests/support/ledger.h"

namespace drover::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CoordPartitionTest : public ::testing::Test {
 protected:
  static ClusterOptions Options() {
    ClusterOptions options = CoreAlone();
    options.core_proxied = true;
    return options;
  }
  // One node asked alone.
  CommandResult Ask(int node, std::vector<std::string> args) {
    args.insert(args.begin(), {"--coord", cluster_.coord_address(node), "--request-timeout", "2s"});
    return cluster_.Drover(args);
  }
  void ExpectNothingLost() {
    cluster_.AwaitCoordsServing();
    ledger_.Stop();
    EXPECT_THAT(ledger_.Faults(), IsEmpty());
    EXPECT_EQ(ledger_.unknown(), 0u) << "no session ends while a majority can talk";
  }

  Cluster cluster_{Options()};
  Ledger ledger_{cluster_.coord_addresses(), 4};
};

TEST_F(CoordPartitionTest, ANodeThatIsCutOffAnswersUnavailableInsteadOfLies) {
  ASSERT_TRUE(ledger_.AwaitMore(50));
  ASSERT_EQ(cluster_.Drover({"tree", "create", "/value", "before"}).exit_code, 0);
  const int cut = cluster_.AwaitCoordLeader();
  cluster_.core_network().Isolate(cut);
  cluster_.AwaitCoordLeader(cut);
  const CommandResult set = cluster_.Drover({"tree", "set", "/value", "after"});
  ASSERT_EQ(set.exit_code, 0) << set.err << ": the client finds the majority";
  // It led, and may still believe so for a moment: it must not show what it has.
  for (const std::vector<std::string>& ask :
       std::vector<std::vector<std::string>>{{"tree", "get", "/value"}, {"tree", "set", "/value", "lies"}, {"list"}}) {
    const CommandResult answer = Ask(cut, ask);
    EXPECT_EQ(answer.exit_code, 7) << answer.out << answer.err;
    EXPECT_EQ(answer.out, "");
    EXPECT_EQ(Lines(answer.err).size(), 1u) << answer.err;
  }
  EXPECT_EQ(cluster_.CoordPage("/readyz", cut).first, 503);
  EXPECT_THAT(Ask(cut, {"tree", "get", "/value"}).err, HasSubstr("no leader is known to this node"));
  ASSERT_TRUE(ledger_.AwaitMore(50));

  cluster_.core_network().Heal();
  cluster_.AwaitCoordsServing();
  const CommandResult got = Ask(cut, {"tree", "get", "/value"});
  EXPECT_EQ(got.out, "after") << got.err;
  ExpectNothingLost();
}

TEST_F(CoordPartitionTest, ALeaderThatIsNotHeardIsReplaced) {
  ASSERT_TRUE(ledger_.AwaitMore(50));
  const int leader = cluster_.AwaitCoordLeader();
  for (int other = 0; other < cluster_.coords(); ++other) {
    if (other != leader) cluster_.core_network().Silence(leader, other);
  }
  cluster_.AwaitCoordLeader(leader);
  ASSERT_TRUE(ledger_.AwaitMore(50));
  cluster_.core_network().Heal();
  ExpectNothingLost();
}

TEST_F(CoordPartitionTest, ALeaderThatHearsNobodyStepsDown) {
  ASSERT_TRUE(ledger_.AwaitMore(50));
  const int leader = cluster_.AwaitCoordLeader();
  for (int other = 0; other < cluster_.coords(); ++other) {
    if (other != leader) cluster_.core_network().Silence(other, leader);
  }
  cluster_.AwaitCoordLeader(leader);
  ASSERT_TRUE(ledger_.AwaitMore(50));
  cluster_.core_network().Heal();
  ExpectNothingLost();
}

TEST_F(CoordPartitionTest, ALinkBetweenTwoOfThreeMayStayCut) {
  ASSERT_TRUE(ledger_.AwaitMore(50));
  const int leader = cluster_.AwaitCoordLeader();
  const int cut = (leader + 1) % 3;
  cluster_.core_network().Cut(leader, cut);
  ASSERT_TRUE(ledger_.AwaitMore(50));
  ASSERT_TRUE(Await([&] { return cluster_.CoordPage("/readyz", cut).first == 503; })) << "it has noticed";
  ASSERT_TRUE(ledger_.AwaitMore(50)) << "two of three go on";
  EXPECT_EQ(cluster_.AwaitCoordLeader(), leader) << "one that hears a leader helps nobody to replace it";
  cluster_.core_network().Heal();
  ExpectNothingLost();
}

TEST_F(CoordPartitionTest, ASlowLinkSlowsNobodyElseDown) {
  ASSERT_TRUE(ledger_.AwaitMore(50));
  const int leader = cluster_.AwaitCoordLeader();
  const std::uint64_t term = cluster_.Json({"cluster", "status"}).at(0).at("term");
  cluster_.core_network().Delay((leader + 1) % 3, std::chrono::milliseconds(300));
  ASSERT_TRUE(ledger_.AwaitMore(200));
  EXPECT_EQ(cluster_.Json({"cluster", "status"}).at(0).at("term"), term) << "slowness is no reason for an election";
  cluster_.core_network().Heal();
  ExpectNothingLost();
}

}  // namespace
}  // namespace drover::testing

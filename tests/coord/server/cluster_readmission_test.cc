// A member whose directory was lost comes back with an empty one: what it is told, by whom, and when. No other one is accepted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/coord/server/sim_cluster.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = MemberChange::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Another member's word that it was let in came before the leader's that its earlier life was removed: it took itself for removed.
TEST(ClusterReadmissionTest, TheWordOfTheEarlierLifesRemovalMayComeLate) {
  // From the moment on at which the other one has spoken to it, and so is asked by it.
  for (milliseconds moment{0}; moment < seconds(1); moment += milliseconds(20)) {
    SCOPED_TRACE(moment.count());
    SimCluster cluster(5);
    const int leader = cluster.Found(5);
    ASSERT_NE(leader, 0);
    const int wiped = leader % 5 + 1;
    const int speaks = wiped % 5 + 1;
    cluster.Crash(wiped);
    cluster.Wipe(wiped);
    cluster.StartJoining(wiped);
    // One that hears no leader asks everybody, over and over again.
    for (int id = 1; id <= 5; ++id) {
      if (id != wiped) cluster.network.Cut(SimCluster::Host(id), SimCluster::Host(speaks));
    }
    cluster.world.RunFor(seconds(5) + moment);
    cluster.network.HealAll();
    cluster.network.SetLatency(SimCluster::Host(leader), SimCluster::Host(wiped), milliseconds(60), milliseconds(60));
    ASSERT_EQ(cluster.Change(Kind::kReadmit, wiped), absl::OkStatus());
    ASSERT_EQ(cluster.Change(Kind::kPromote, wiped), absl::OkStatus());
    ASSERT_TRUE(cluster.AwaitEqual());
    ASSERT_TRUE(cluster.refused(wiped).ok()) << cluster.refused(wiped);
  }
}

// Started as ever it would have founded a second cluster, at an address where clients look for the first one.
TEST(ClusterReadmissionTest, TheFirstNodeOfAClusterThatGrewLosesItsDirectoryAndFoundsNoSecondOne) {
  SimCluster cluster(3);
  cluster.options.found_after = seconds(2);
  ASSERT_EQ(cluster.Found(1), 1);
  for (const int id : {2, 3}) {
    cluster.StartJoining(id);
    ASSERT_EQ(cluster.Change(Kind::kAdd, id), absl::OkStatus());
    ASSERT_EQ(cluster.Change(Kind::kPromote, id), absl::OkStatus());
  }
  for (const bool named : {true, false}) {
    SCOPED_TRACE(named);
    if (!named) cluster.initial.clear();
    cluster.Crash(1);
    cluster.Wipe(1);
    cluster.Start(1);
    cluster.world.RunFor(seconds(30));
    ASSERT_EQ(cluster.node(1), nullptr);
    EXPECT_THAT(cluster.process(1)->Waiting(),
                AllOf(HasSubstr("node 1 is a member of cluster"), HasSubstr("drover cluster member readmit 1")));
    ASSERT_EQ(cluster.Change(Kind::kReadmit, 1), absl::OkStatus());
    ASSERT_EQ(cluster.Change(Kind::kPromote, 1), absl::OkStatus());
    ASSERT_TRUE(cluster.AwaitEqual());
  }
}

TEST(ClusterReadmissionTest, WhomNobodyHasAsAMemberFoundsAClusterAfterAMoment) {
  SimCluster cluster(1);
  cluster.options.found_after = seconds(2);
  cluster.Start(1);
  EXPECT_EQ(cluster.node(1), nullptr);
  EXPECT_THAT(cluster.process(1)->Waiting(), HasSubstr("listening whether a cluster has this node as a member"));
  const base::Instant begin = cluster.world.Now();
  ASSERT_EQ(cluster.AwaitLeader(), 1);
  EXPECT_GE(cluster.world.Now() - begin, seconds(2));
  cluster.Crash(1);
  cluster.Start(1);
  EXPECT_NE(cluster.node(1), nullptr) << "it has a log";
}

// Between its log's first file and the first entry of that, a directory looked like one that is to found the log's cluster.
TEST(ClusterReadmissionTest, WhereverANodeDiesThatIsAddedItFoundsNoClusterWithoutTheFlag) {
  for (std::uint64_t call = 1; call <= 40; ++call) {
    SCOPED_TRACE(call);
    SimCluster cluster(4, call);
    cluster.options.found_after = seconds(2);
    ASSERT_NE(cluster.Found(3), 0);
    cluster.files(4).StopAtCall(call);
    if (!cluster.TryStart(4, /*join=*/true).ok()) continue;  // before it listens
    const absl::Status added = cluster.Change(Kind::kAdd, 4);
    cluster.world.RunFor(seconds(1));
    cluster.Crash(4, call % 2 == 0 ? sim::Survival::kNothing : sim::Survival::kRandom);
    cluster.initial.clear();
    cluster.Start(4);
    if (!added.ok()) continue;  // it has never answered
    cluster.world.RunFor(seconds(10));
    if (cluster.node(4) == nullptr) {  // even what it had said of itself was lost
      ASSERT_EQ(cluster.Change(Kind::kReadmit, 4), absl::OkStatus());
    }
    ASSERT_TRUE(cluster.AwaitEqual());
    EXPECT_EQ(cluster.node(4)->Status().cluster, cluster.node(1)->Status().cluster);
    EXPECT_FALSE(cluster.node(4)->raft().leads());
  }
}

// A disk of that time, or a copy of it that is older still, may have forgotten how its node voted.
class UsedDirectoryTest : public ::testing::Test {
 protected:
  UsedDirectoryTest() { EXPECT_NE(cluster_.Found(3), 0); }
  void AddVoter(int id) {
    if (!cluster_.running(id)) cluster_.StartJoining(id);
    ASSERT_EQ(cluster_.Change(Kind::kAdd, id), absl::OkStatus());
    ASSERT_EQ(cluster_.Change(Kind::kPromote, id), absl::OkStatus());
    ASSERT_TRUE(cluster_.AwaitEqual());
    cluster_.world.RunFor(seconds(1));  // until its disk has it
  }
  void ExpectRefused(Kind kind) {
    const absl::Status asked = cluster_.Change(kind, 4);
    EXPECT_TRUE(absl::IsFailedPrecondition(asked)) << asked;
    EXPECT_THAT(std::string(asked.message()),
                AllOf(HasSubstr("node 4 at " + SimCluster::Peer(4) + " has a data directory that belonged to this cluster"),
                      HasSubstr("--join"), HasSubstr("nothing was done")));
  }

  SimCluster cluster_{4};
};

// It is told, and ends; whoever starts it again and again gives it the time for an answer now and then.
TEST_F(UsedDirectoryTest, ARemovedMemberIsNotAddedWithItsDirectory) {
  ASSERT_NO_FATAL_FAILURE(AddVoter(4));
  cluster_.Crash(4);
  ASSERT_EQ(cluster_.Change(Kind::kRemove, 4), absl::OkStatus());
  for (const Kind kind : {Kind::kAdd, Kind::kReadmit}) {
    for (int i = 0; i < 3; ++i) {
      cluster_.StartJoining(4);
      const absl::Status asked = cluster_.Change(kind, 4);
      EXPECT_FALSE(asked.ok());
      EXPECT_THAT(std::string(asked.message()), AllOf(HasSubstr("--join"), HasSubstr("nothing was done")));
      EXPECT_EQ(cluster_.Members(), "1 2 3");
      cluster_.Crash(4);
    }
  }
  cluster_.Wipe(4);
  AddVoter(4);
}

// While it says farewell: it has not been started anew, and has been told.
TEST_F(UsedDirectoryTest, NorIsOneThatRunsStill) {
  ASSERT_NO_FATAL_FAILURE(AddVoter(4));
  ASSERT_EQ(cluster_.Change(Kind::kRemove, 4), absl::OkStatus());
  ASSERT_NE(cluster_.node(4), nullptr);
  const absl::Status added = cluster_.Change(Kind::kAdd, 4, seconds(2));
  EXPECT_FALSE(added.ok());
  EXPECT_EQ(cluster_.Members(), "1 2 3");
}

TEST_F(UsedDirectoryTest, NorACopyThatDoesNotKnowOfTheRemoval) {
  ASSERT_NO_FATAL_FAILURE(AddVoter(4));
  cluster_.Crash(4);
  const auto copy = cluster_.files(4).Copy(1);
  cluster_.Start(4);
  ASSERT_TRUE(cluster_.AwaitEqual());
  ASSERT_EQ(cluster_.Change(Kind::kRemove, 4), absl::OkStatus());
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return !cluster_.refused(4).ok(); }, seconds(30)));
  cluster_.Crash(4);
  cluster_.Insert(4, copy->Copy(2));
  cluster_.StartJoining(4);
  ExpectRefused(Kind::kAdd);
  EXPECT_EQ(cluster_.Members(), "1 2 3");
}

// The directory it has now is the one that counts, and stays.
TEST_F(UsedDirectoryTest, NorIsAMemberReadmittedWithAnEarlierOne) {
  ASSERT_NO_FATAL_FAILURE(AddVoter(4));
  cluster_.Crash(4);
  std::unique_ptr<sim::SimFileSystem> earlier = cluster_.files(4).Copy(1);
  cluster_.Wipe(4);
  cluster_.StartJoining(4);
  ASSERT_EQ(cluster_.Change(Kind::kReadmit, 4), absl::OkStatus());
  ASSERT_EQ(cluster_.Change(Kind::kPromote, 4), absl::OkStatus());
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.world.RunFor(seconds(1));
  cluster_.Crash(4);
  const auto own = cluster_.files(4).Copy(3);
  cluster_.Insert(4, std::move(earlier));
  cluster_.StartJoining(4);
  ExpectRefused(Kind::kReadmit);
  EXPECT_EQ(cluster_.Members(), "1 2 3 4");
  cluster_.Crash(4);
  cluster_.Insert(4, own->Copy(4));
  cluster_.StartJoining(4);
  EXPECT_TRUE(cluster_.AwaitEqual());
}

}  // namespace
}  // namespace drover::coord::server

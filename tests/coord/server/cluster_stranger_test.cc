// Nodes that are none of the cluster they speak to: which of them ends, with which words, and that nobody else does.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"
#include "tests/coord/server/sim_cluster.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class ClusterStrangerTest : public ClusterFixture, public NodeObserver {
 protected:
  ClusterStrangerTest() { cluster_.observer = this; }
  void OnStranger(base::NodeId from, const std::string&, absl::string_view why) override {
    strangers_.push_back(std::to_string(from.value) + ": " + std::string(why));
  }
  void OnDismissed(base::NodeId by, absl::string_view why) override {
    dismissed_.push_back(std::to_string(by.value) + ": " + std::string(why));
  }
  // Members of the same ids and addresses, another cluster: the disks of its nodes.
  std::unique_ptr<sim::SimFileSystem> TheirDisk(int id) {
    if (theirs_ == nullptr) {
      theirs_ = std::make_unique<SimCluster>(3, 1'000);
      theirs_->StartAll();
      EXPECT_NE(theirs_->AwaitLeader(), 0);
    }
    return theirs_->files(id).Copy(1);
  }
  void Replace(int id) {
    if (cluster_.running(id)) cluster_.Crash(id);
    cluster_.Insert(id, TheirDisk(id));
    cluster_.Start(id);
  }
  bool AwaitRefused(int id) {
    return cluster_.world.RunUntil([&] { return !cluster_.refused(id).ok(); }, seconds(20));
  }
  std::string Words(int id) { return std::string(cluster_.refused(id).message()); }
  std::string ClusterOf(int id) { return "cluster " + std::to_string(cluster_.node(id)->Status().cluster.value); }

  std::vector<std::string> strangers_;
  std::vector<std::string> dismissed_;
  std::unique_ptr<SimCluster> theirs_;
};

TEST_F(ClusterStrangerTest, ADirectoryOfAnotherClusterEndsItsNodeInWordsOfBothClusters) {
  Begin();
  const std::string ours = ClusterOf(1);
  Replace(3);
  const std::string theirs = ClusterOf(3);
  ASSERT_TRUE(AwaitRefused(3));
  EXPECT_THAT(Words(3), AllOf(HasSubstr("data directory /data is of " + theirs), HasSubstr("nodes 1, 2 of its 3 members refuse"),
                              HasSubstr("node 1 is of " + ours + " with the members 1=node1:2,2=node2:2,3=node3:2")));
  EXPECT_THAT(strangers_, Contains(HasSubstr("3: it is of another " + theirs.substr(0, 7))));
  cluster_.Crash(3);
  cluster_.world.RunFor(seconds(30));
  EXPECT_NE(cluster_.AwaitLeader(), 0);
  EXPECT_TRUE(cluster_.refused(1).ok() && cluster_.refused(2).ok());
}

TEST_F(ClusterStrangerTest, OneStrangerEndsNobodyThoughNobodyLeads) {
  Begin();
  Replace(3);
  cluster_.Crash(2);
  cluster_.world.RunFor(seconds(60));
  EXPECT_EQ(cluster_.Leader(), 0);
  EXPECT_TRUE(cluster_.refused(1).ok()) << cluster_.refused(1);
  EXPECT_TRUE(cluster_.refused(3).ok()) << "one word against another: " << cluster_.refused(3);
  cluster_.Start(2);
  ASSERT_TRUE(AwaitRefused(3)) << "now there are two";
  cluster_.Crash(3);
  EXPECT_NE(cluster_.AwaitLeader(), 0);
  EXPECT_TRUE(cluster_.refused(1).ok() && cluster_.refused(2).ok());
}

TEST_F(ClusterStrangerTest, AMemberWithoutAQuorumAmongAMajorityOfStrangersEnds) {
  Begin();
  const std::string ours = ClusterOf(1);
  cluster_.Crash(2);
  cluster_.Crash(3);
  Replace(2);
  Replace(3);
  ASSERT_TRUE(AwaitRefused(1));
  EXPECT_THAT(Words(1), HasSubstr("is of " + ours + ", and nodes 2, 3"));
  EXPECT_TRUE(cluster_.refused(2).ok() && cluster_.refused(3).ok()) << "they have a quorum";
}

TEST_F(ClusterStrangerTest, MembersThatWereToldDifferentListsSaySoAndTheLaterOneEnds) {
  cluster_.Start(1);
  cluster_.Start(2);
  const InitialMembers right = cluster_.initial;
  cluster_.initial[2].second = "elsewhere:2";
  cluster_.world.RunFor(seconds(1));
  cluster_.Start(3);
  ASSERT_TRUE(AwaitRefused(3));
  EXPECT_THAT(Words(3),
              AllOf(HasSubstr("give all nodes the same list"), HasSubstr(TextOf(right)), HasSubstr(TextOf(cluster_.initial))));
  EXPECT_THAT(strangers_, Contains(AllOf(HasSubstr("3: "), HasSubstr(TextOf(right)), HasSubstr(TextOf(cluster_.initial)))));
  cluster_.Crash(3);
  cluster_.initial = right;
  cluster_.Start(3);
  EXPECT_NE(cluster_.AwaitLeader(), 0);
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(cluster_.refused(id).ok()) << cluster_.refused(id);
}

TEST_F(ClusterStrangerTest, ANodeAtAnothersAddressSaysSo) {
  cluster_.StartAll();
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  cluster_.Crash(2);
  cluster_.network.Listen(&cluster_.loop(3), SimCluster::Peer(2), [this](std::unique_ptr<base::Connection> link) {
    return cluster_.process(3)->AcceptPeer(std::move(link), "node1:3");
  });
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return !dismissed_.empty(); }, seconds(20)));
  EXPECT_THAT(dismissed_, Contains(HasSubstr("2: node 3 is there, not node 2: start each node at its own address")));
  EXPECT_THAT(strangers_, Contains(HasSubstr("it takes this node for node 2")));
  EXPECT_NE(cluster_.AwaitLeader(), 0);
}

TEST_F(ClusterStrangerTest, FoundersWhoseAddressesWereExchangedSaySo) {
  std::swap(cluster_.initial[1].second, cluster_.initial[2].second);
  cluster_.StartAll();
  ASSERT_TRUE(AwaitRefused(2));
  EXPECT_THAT(Words(2), HasSubstr("node 2 is at the address that --initial-cluster gives to node 3"));
}

TEST_F(ClusterStrangerTest, OneThatWasStartedToJoinEndsNoFounder) {
  cluster_.Start(1);
  cluster_.Start(3);
  cluster_.StartJoining(2);
  cluster_.world.RunFor(seconds(5));
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(cluster_.refused(id).ok()) << cluster_.refused(id);
  EXPECT_THAT(cluster_.process(1)->Waiting(),
              AllOf(HasSubstr("waiting for node 2"), HasSubstr("node 2 was started with --join"), HasSubstr("--initial-cluster")));
  cluster_.Crash(2);
  cluster_.Start(2);
  EXPECT_NE(cluster_.AwaitLeader(), 0);
}

TEST_F(ClusterStrangerTest, AWipedMemberIsRefusedAndTheOthersGoOn) {
  for (int wiped = 1; wiped <= 3; ++wiped) {
    SimCluster cluster(3, static_cast<std::uint64_t>(wiped));
    cluster.StartAll();
    ASSERT_NE(cluster.AwaitLeader(), 0);
    cluster.Crash(wiped);
    ASSERT_NE(cluster.AwaitLeader(), 0);
    cluster.Wipe(wiped);
    cluster.Start(wiped);
    ASSERT_TRUE(cluster.world.RunUntil([&] { return !cluster.refused(wiped).ok(); }, seconds(5)));
    EXPECT_THAT(std::string(cluster.refused(wiped).message()), HasSubstr("its own was lost or replaced. Give it back its own"));
    EXPECT_EQ(cluster.node(wiped), nullptr);
    cluster.Crash(wiped);
    EXPECT_NE(cluster.AwaitLeader(), 0);
  }
}

// A process somewhere that says it were a member: of no cluster, or of ours in an earlier life of that member.
class Impostor final : public base::ConnectionEvents {
 public:
  Impostor(SimCluster* cluster, int as, base::ClusterId claims)
      : cluster_(cluster),
        as_(as),
        claims_(claims),
        loop_(&cluster->world),
        dialer_(cluster->network.NewDialer(&loop_, "impostor")) {}
  ~Impostor() {
    cluster_->network.Kill("impostor");
    loop_.Stop();
  }
  // Dials `to`, says who it is, and dies.
  void Visit(int to) {
    connection_ = dialer_->Dial(SimCluster::Peer(to), this);
    PeerFrameBuilder builder;
    if (claims_ == base::ClusterId()) {
      builder.Add(Hello{1, false, 0, "1=elsewhere:1", {}});
    } else {
      builder.Add(RaftItem{raft::Term(1), raft::PreVoteReply{}});
    }
    connection_->Send(builder.Finish({.cluster = claims_,
                                      .from = base::NodeId(static_cast<std::uint64_t>(as_)),
                                      .from_incarnation = base::Incarnation(4711),
                                      .to = base::NodeId(static_cast<std::uint64_t>(to)),
                                      .to_incarnation = cluster_->node(to)->raft().options().incarnation}));
    cluster_->world.RunFor(milliseconds(50));
    cluster_->network.Kill("impostor");
    cluster_->world.RunFor(milliseconds(50));
    connection_.reset();
  }

 private:
  void OnFrame(base::Bytes) override {}
  void OnClosed(base::CloseCause, const absl::Status&) override {}

  SimCluster* const cluster_;
  const int as_;
  const base::ClusterId claims_;
  sim::SimLoop loop_;
  const std::unique_ptr<base::Dialer> dialer_;
  std::unique_ptr<base::Connection> connection_;
};

TEST_F(ClusterStrangerTest, WhoBearsTheIdOfAMemberDisturbsNobody) {
  const int leader = Begin();
  const raft::Term term = cluster_.node(leader)->raft().term();
  for (const base::ClusterId claims : {base::ClusterId(), cluster_.node(leader)->Status().cluster}) {
    for (const int as : {leader, Other(leader)}) {
      Impostor impostor(&cluster_, as, claims);
      for (int i = 0; i < 10; ++i) {
        for (int to = 1; to <= 3; ++to) {
          if (to != as) impostor.Visit(to);
        }
      }
    }
  }
  EXPECT_FALSE(strangers_.empty());
  EXPECT_EQ(cluster_.Leader(), leader);
  for (int id = 1; id <= 3; ++id) {
    EXPECT_EQ(cluster_.node(id)->raft().term(), term);
    EXPECT_EQ(cluster_.node(id)->raft().Inspect().leader.value, static_cast<std::uint64_t>(leader)) << "node " << id;
    EXPECT_TRUE(cluster_.refused(id).ok()) << cluster_.refused(id);
  }
}

TEST_F(ClusterStrangerTest, ACopyOfAMembersDirectoryIsToldToStopWhileTheMemberRuns) {
  const int leader = Begin();
  const int member = Other(leader);
  cluster_.Crash(member);
  const auto files = cluster_.files(member).Copy(1);
  cluster_.Start(member);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  SimMember copy;
  NodeSeams seams;
  seams.observer = this;
  NodeOptions options = cluster_.options;
  options.id = base::NodeId(static_cast<std::uint64_t>(member));
  options.address = "copy:2";
  options.data_directory = "/data";
  ASSERT_TRUE(copy.Open({&cluster_.world, &cluster_.network, files.get(), "copy", "copy:1"}, 99, seams, options, {}).ok());
  copy.process->Start();
  const auto told = [this] {
    return std::any_of(dismissed_.begin(), dismissed_.end(), [](const std::string& words) {
      return words.find("of which this one has a copy: stop this one") != std::string::npos;
    });
  };
  ASSERT_TRUE(cluster_.world.RunUntil(told, seconds(20)));
  EXPECT_THAT(strangers_, Contains(HasSubstr("it has a copy of the data directory of a member that runs elsewhere")));
  ASSERT_EQ(cluster_.node(leader)->copies().size(), 1u);
  EXPECT_EQ(cluster_.node(leader)->copies()[0].id, options.id);
  EXPECT_TRUE(cluster_.node(member)->copies().empty()) << "it does not lead";
  EXPECT_EQ(cluster_.Leader(), leader);
  EXPECT_TRUE(cluster_.refused(member).ok()) << cluster_.refused(member);
  EXPECT_EQ(cluster_.node(member)->Status().leader.value, static_cast<std::uint64_t>(leader));
}

TEST_F(ClusterStrangerTest, ANodeThatIsNoMemberIsToldWhoTheMembersAre) {
  SimCluster cluster(4);
  cluster.observer = this;
  const InitialMembers all = std::exchange(cluster.initial, {cluster.initial[0], cluster.initial[1], cluster.initial[2]});
  for (int id = 1; id <= 3; ++id) cluster.Start(id);
  ASSERT_NE(cluster.AwaitLeader(), 0);
  const std::string members = TextOf(cluster.initial);
  cluster.initial = {all[0], all[3]};
  cluster.Start(4);
  ASSERT_TRUE(cluster.world.RunUntil([&] { return !cluster.refused(4).ok(); }, seconds(5)));
  EXPECT_THAT(std::string(cluster.refused(4).message()), AllOf(HasSubstr("node 1 refuses this one"), HasSubstr(members),
                                                               HasSubstr("is none of them"), HasSubstr(TextOf(cluster.initial))));
  EXPECT_THAT(strangers_, Contains(AllOf(HasSubstr("4: "), HasSubstr(TextOf(cluster.initial)))));
  cluster.Crash(4);
  EXPECT_NE(cluster.AwaitLeader(), 0);
  for (int id = 1; id <= 3; ++id) EXPECT_TRUE(cluster.refused(id).ok());
}

}  // namespace
}  // namespace drover::coord::server

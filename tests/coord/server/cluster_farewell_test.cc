// A node that stops, or whose disk is full while another one leads, sends its clients to the others.
#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>

#include "coord/server/readiness.h"
#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class ClusterFarewellTest : public ClusterFixture {
 protected:
  void FillDisk(int node) {
    cluster_.files(node).SetCapacity(cluster_.files(node).bytes());
    const auto full = [&] {
      writer_->Create("/f" + std::to_string(written_++), std::string(1'000, 'x'));
      writer_->Flush();
      cluster_.world.RunFor(milliseconds(50));
      return cluster_.node(node)->Status().disk_full;
    };
    ASSERT_TRUE(cluster_.world.RunUntil(full, seconds(20)));
  }
  absl::Status Execute(int node, bool write) {
    v1::Request request;
    if (write) {
      request.mutable_create()->set_path("/u" + std::to_string(written_++));
    } else {
      request.mutable_get()->set_path("/");
    }
    std::optional<absl::Status> result;
    cluster_.node(node)->Execute(base::Bytes::Copy(request.SerializeAsString()),
                                 [&](const absl::StatusOr<base::Bytes>& answer) { result = answer.status(); });
    EXPECT_TRUE(cluster_.world.RunUntil([&] { return result.has_value(); }, seconds(20)));
    return result.value_or(absl::UnknownError("no answer"));
  }

  std::unique_ptr<SimClient> writer_;
  int written_ = 0;
};

TEST_F(ClusterFarewellTest, AFollowerWithAFullDiskSendsItsClientsAwayUntilThereIsSpace) {
  const int leader = Begin();
  const int full = Other(leader);
  writer_ = Connect("writer", leader, 60'000);
  const auto client = Connect("client", full, 60'000);
  ASSERT_NO_FATAL_FAILURE(FillDisk(full));
  ASSERT_TRUE(client->RunUntil([&] { return client->told_to_move; }));
  ASSERT_TRUE(client->RunUntil([&] { return client->closed; })) << "it did not go";
  EXPECT_TRUE(absl::IsUnavailable(client->status)) << client->status;
  EXPECT_THAT(std::string(client->status.message()), HasSubstr("full: it serves no clients"));
  // Neither this session nor any other finds room there; the others take it.
  client->Dial();
  client->Resume();
  ASSERT_TRUE(client->RunUntil([&] { return client->closed; }));
  EXPECT_TRUE(absl::IsUnavailable(client->status)) << client->status;
  EXPECT_TRUE(absl::IsUnavailable(Execute(full, false)));
  EXPECT_TRUE(absl::IsUnavailable(Execute(full, true)));
  client->node = SimCluster::Client(Third(leader, full));
  client->Reconnect();
  const std::uint64_t elsewhere = client->Create("/elsewhere");
  client->Flush();
  EXPECT_EQ(client->AwaitWrite(elsewhere).code(), v1::OK);

  cluster_.files(full).SetCapacity(UINT64_MAX);
  ASSERT_TRUE(client->RunUntil([&] { return !cluster_.node(full)->Status().disk_full; }));
  ASSERT_TRUE(cluster_.AwaitEqual());
  client->node = SimCluster::Client(full);
  client->Reconnect();
  EXPECT_TRUE(Execute(full, true).ok());
}

// Nobody could be elected in its place, and without a leader not even reads are served.
TEST_F(ClusterFarewellTest, ALeaderWithAFullDiskLeadsOnWhereMostDisksAreFull) {
  const int leader = Begin();
  const int full = Other(leader);
  writer_ = Connect("writer", leader, 60'000);
  ASSERT_NO_FATAL_FAILURE(FillDisk(full));
  ASSERT_NO_FATAL_FAILURE(FillDisk(leader));
  cluster_.world.RunFor(seconds(10));
  EXPECT_EQ(cluster_.Leader(), leader);
  EXPECT_TRUE(Execute(leader, false).ok());
  EXPECT_TRUE(Execute(Third(leader, full), false).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(Execute(leader, true)));
  // By hand neither.
  std::optional<absl::Status> handed_over;
  cluster_.node(leader)->TransferLeadership(base::NodeId(static_cast<std::uint64_t>(Third(leader, full))),
                                            [&](const absl::Status& status) { handed_over = status; });
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return handed_over.has_value(); }, seconds(20)));
  EXPECT_THAT(std::string(handed_over->message()), HasSubstr("nobody could be elected"));
  EXPECT_EQ(cluster_.Leader(), leader);
  // With space on the other one an election can be won.
  cluster_.files(full).SetCapacity(UINT64_MAX);
  EXPECT_NE(AwaitLeaderBut(leader), 0);
  cluster_.files(leader).SetCapacity(UINT64_MAX);
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterFarewellTest, MostDisksAreFullAndALeaderIsToBeElected) {
  const int leader = Begin();
  const int second = Other(leader);
  const int third = Third(leader, second);
  writer_ = Connect("writer", leader, 60'000);
  ASSERT_NO_FATAL_FAILURE(FillDisk(second));
  ASSERT_NO_FATAL_FAILURE(FillDisk(third));
  EXPECT_TRUE(Execute(leader, false).ok()) << "reads need no disk";
  ASSERT_TRUE(writer_->RunUntil([&] { return ReadinessOf(cluster_.node(leader)->Status()) == Readiness::kUnwritten; }));
  EXPECT_TRUE(Execute(leader, false).ok()) << "still";
  cluster_.Crash(leader);
  cluster_.Start(leader);
  cluster_.world.RunFor(seconds(20));
  EXPECT_EQ(cluster_.Leader(), 0) << "no vote finds space";
  for (const int full : {second, third}) {
    EXPECT_EQ(ReadinessOf(cluster_.node(full)->Status()), Readiness::kCannotVote);
    const absl::Status read = Execute(full, false);
    EXPECT_TRUE(absl::IsUnavailable(read)) << read;
    EXPECT_THAT(std::string(read.message()), HasSubstr("is full, and no leader is known"));
  }
  cluster_.files(second).SetCapacity(UINT64_MAX);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  cluster_.files(third).SetCapacity(UINT64_MAX);
  ASSERT_TRUE(cluster_.AwaitEqual());
}

TEST_F(ClusterFarewellTest, OneThatStopsAsksItsClientsToMoveAndServesThemMeanwhile) {
  const int leader = Begin();
  for (const int stops : {Other(leader), leader}) {
    const auto client = Connect("client" + std::to_string(stops), stops, 60'000);
    cluster_.node(stops)->Stop();
    ASSERT_TRUE(client->RunUntil([&] { return client->told_to_move; }));
    EXPECT_FALSE(client->closed);
    client->node = SimCluster::Client(Third(leader, Other(leader)));
    const auto left = std::move(client->connection);
    client->Reconnect();
    const std::uint64_t elsewhere = client->Create("/moved" + std::to_string(stops));
    client->Flush();
    EXPECT_EQ(client->AwaitWriteResuming(elsewhere).code(), v1::OK);
    if (stops == leader) break;
    cluster_.Crash(stops);
    cluster_.Start(stops);
    ASSERT_TRUE(cluster_.AwaitEqual());
  }
}

TEST_F(ClusterFarewellTest, WhoStaysWithANodeThatStopsIsCutOff) {
  const int leader = Begin();
  const int stops = Other(leader);
  const auto client = Connect("client", stops, 60'000);
  cluster_.node(stops)->Stop();
  const std::uint64_t late = client->Create("/late");
  client->Flush();
  EXPECT_EQ(client->AwaitWrite(late).code(), v1::OK) << "until then it is served";
  ASSERT_TRUE(client->RunUntil([&] { return client->closed; }));
  EXPECT_TRUE(absl::IsUnavailable(client->status)) << client->status;
}

}  // namespace
}  // namespace drover::coord::server

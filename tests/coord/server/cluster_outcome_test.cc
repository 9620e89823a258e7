// What becomes of a write whose leader, link or node is lost on the way: done, refused or unknown, and never twice.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ClusterOutcomeTest : public ClusterFixture {
 protected:
  // A create outside of sessions, by `node`. Its outcome once there is one: OK, or why it is not known to be.
  struct Call {
    std::optional<absl::Status> outcome;
  };
  void Create(int node, const std::string& path, Call* call) {
    v1::Request request;
    request.mutable_create()->set_path(path);
    cluster_.node(node)->Execute(base::Bytes::Adopt(request.SerializeAsString()), [call](absl::StatusOr<base::Bytes> bytes) {
      EXPECT_FALSE(call->outcome.has_value()) << "told twice";
      v1::Answer answer;
      if (bytes.ok()) {
        EXPECT_TRUE(answer.ParseFromString(bytes->ToString()));
        EXPECT_EQ(answer.code(), v1::OK) << answer.message();
      }
      call->outcome = bytes.status();
    });
  }
  [[nodiscard]] bool Exists(int node, const std::string& path) { return cluster_.node(node)->state().tree().Find(path) != nullptr; }
  [[nodiscard]] std::size_t Children(int node, const std::string& path) {
    return cluster_.node(node)->state().tree().Find(path)->children().size();
  }
};

// A sequential create is the write that shows best that it was done twice. The leader, or the node that the client is attached to,
// dies at one moment after another of its way: before it is proposed, while it is replicated, after it is committed and before it
// is answered, after that.
TEST_F(ClusterOutcomeTest, ARetryAtAnotherNodeGetsTheFirstAnswerWhoeverDies) {
  int leader = Begin();
  std::size_t answered_before = 0, undone = 0, done_unanswered = 0;
  for (const bool leader_dies : {true, false}) {
    for (int step = 0; step < 40; ++step) {
      SCOPED_TRACE((leader_dies ? "leader " : "follower ") + std::to_string(step));
      leader = cluster_.AwaitLeader();
      ASSERT_NE(leader, 0);
      const int attached = Other(leader);
      const std::string parent = "/r" + std::to_string(leader_dies ? step : 100 + step);
      auto client = Connect("client", attached, 60'000);
      const std::uint64_t made = client->Create(parent);
      client->Flush();
      ASSERT_EQ(client->AwaitWrite(made).code(), v1::OK);
      const std::uint64_t first = client->Create(parent + "/s-", "", false, true);
      const std::uint64_t last = client->Create(parent + "/s-", "", false, true);
      client->Flush();
      // Densely while it travels, then until a follower has heard that it is committed.
      cluster_.world.RunFor(step < 25 ? microseconds(200) * step : milliseconds(10) * (step - 24));
      const bool answered = client->Written(first) != nullptr;
      const std::string told = answered ? client->Written(first)->path() : "";
      const int dies = leader_dies ? leader : attached;
      cluster_.Crash(dies);
      const int next = AwaitLeaderBut(leader_dies ? leader : 0);
      ASSERT_NE(next, 0);
      const bool done = Children(next, parent) > 0;
      ++(answered ? answered_before : done ? done_unanswered : undone);

      client->node = SimCluster::Client(Third(leader, attached));
      client->Reconnect();
      client->write_answers.clear();
      client->Resend(first);
      for (const std::uint64_t number : {first, last}) ASSERT_EQ(client->AwaitWrite(number).code(), v1::OK);
      EXPECT_TRUE(!answered || client->Written(first)->path() == told) << "another answer";
      const std::string one = client->Written(first)->SerializeAsString();
      const std::string two = client->Written(last)->SerializeAsString();
      cluster_.Start(dies);
      ASSERT_NE(cluster_.AwaitLeader(), 0);
      ASSERT_TRUE(cluster_.AwaitEqual());
      // What is kept to answer retries is part of the state: each node, the restarted one too, gives the same bytes.
      for (int node = 1; node <= 3; ++node) {
        client->node = SimCluster::Client(node);
        client->Reconnect();
        client->write_answers.clear();
        client->Resend(first);
        ASSERT_EQ(client->AwaitWrite(last).code(), v1::OK);
        EXPECT_EQ(client->Written(first)->SerializeAsString(), one) << "node " << node;
        EXPECT_EQ(client->Written(last)->SerializeAsString(), two) << "node " << node;
        EXPECT_EQ(Children(node, parent), 2U) << "done twice";
      }
      if (HasFailure()) return;
    }
  }
  // Otherwise the moments were too early, or too late, to show anything.
  EXPECT_GT(answered_before, 5U);
  EXPECT_GT(undone, 2U);
  EXPECT_GT(done_unanswered, 2U);
}

// A client at a node that does not lead, and what may happen to what that node hands over.
TEST_F(ClusterOutcomeTest, EveryWriteThatIsForwardedEndsDoneOrUnknown) {
  Begin();
  std::vector<std::unique_ptr<Call>> calls;
  int number = 0;
  enum class Fault { kNone, kLeaderDies, kLeaderPauses, kLeaderIsCutOff, kFollowerIsCutOff, kForwardsAreLost, kAnswersAreLost };
  for (const Fault fault : {Fault::kNone, Fault::kLeaderDies, Fault::kLeaderPauses, Fault::kLeaderIsCutOff,
                            Fault::kFollowerIsCutOff, Fault::kForwardsAreLost, Fault::kAnswersAreLost}) {
    for (int step = 0; step < 6; ++step) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + ", step " + std::to_string(step));
      const int leader = cluster_.AwaitLeader();
      ASSERT_NE(leader, 0);
      const int follower = Other(leader);
      auto client = Connect("client", follower, 60'000);
      std::vector<std::pair<std::string, Call*>> asked;
      for (int i = 0; i < 4; ++i) {
        calls.push_back(std::make_unique<Call>());
        asked.emplace_back("/u" + std::to_string(++number), calls.back().get());
        Create(follower, asked.back().first, calls.back().get());
        if (i == 1) cluster_.world.RunFor(microseconds(150) * step);
      }
      const std::string path = "/c" + std::to_string(number);
      const std::uint64_t write = client->Create(path);
      client->Flush();
      cluster_.world.RunFor(microseconds(150) * step);
      switch (fault) {
        case Fault::kNone:
          break;
        case Fault::kLeaderDies:
          cluster_.Crash(leader);
          break;
        case Fault::kLeaderPauses:
          cluster_.loop(leader).Pause();
          break;
        case Fault::kLeaderIsCutOff:
          cluster_.Isolate(leader);
          break;
        case Fault::kFollowerIsCutOff:
          cluster_.Isolate(follower);
          break;
        case Fault::kForwardsAreLost:
          cluster_.network.Cut(SimCluster::Host(follower), SimCluster::Host(leader));
          break;
        case Fault::kAnswersAreLost:
          cluster_.network.Cut(SimCluster::Host(leader), SimCluster::Host(follower));
          break;
      }
      const auto ended = [&] {
        const bool told = client->Written(write) != nullptr || client->closed;
        return told && std::all_of(asked.begin(), asked.end(), [](const auto& one) { return one.second->outcome.has_value(); });
      };
      EXPECT_TRUE(cluster_.world.RunUntil(ended, seconds(15))) << "somebody waits for ever";
      EXPECT_TRUE(!client->closed || absl::IsUnavailable(client->status)) << client->status;
      if (fault == Fault::kLeaderDies) cluster_.Start(leader);
      if (fault == Fault::kLeaderPauses) cluster_.loop(leader).Resume();
      cluster_.network.HealAll();
      ASSERT_NE(cluster_.AwaitLeader(), 0);
      ASSERT_TRUE(cluster_.AwaitEqual());
      for (const auto& [at, call] : asked) {
        const absl::Status outcome = call->outcome.value_or(absl::InternalError("none"));
        if (outcome.ok()) {
          EXPECT_TRUE(Exists(leader, at)) << at << " was lost";
        } else {
          EXPECT_EQ(outcome.code(), absl::StatusCode::kUnavailable) << outcome;
        }
      }
      EXPECT_TRUE(fault != Fault::kNone || asked.front().second->outcome->ok());
      // In a session an unknown outcome does not stay unknown.
      EXPECT_EQ(client->AwaitWriteResuming(write).code(), v1::OK);
      EXPECT_TRUE(Exists(follower, path));
      if (HasFailure()) return;
    }
  }
}

// A leader that is cut off says within an election time-out that it does not know what becomes of what it took.
TEST_F(ClusterOutcomeTest, ALeaderThatLosesItsQuorumEndsWhatItTookAsUnknown) {
  const int leader = Begin();
  auto client = Connect("client", leader, 60'000);
  cluster_.Isolate(leader);
  const std::uint64_t write = client->Create("/w");
  client->Flush();
  Call call;
  Create(leader, "/u", &call);
  ASSERT_TRUE(client->RunUntil([&] { return client->closed && call.outcome.has_value(); }, milliseconds(1'200)));
  EXPECT_EQ(client->Written(write), nullptr);
  EXPECT_EQ(client->status.code(), absl::StatusCode::kUnavailable) << client->status;
  EXPECT_EQ(call.outcome->code(), absl::StatusCode::kUnavailable) << *call.outcome;
  EXPECT_FALSE(cluster_.node(leader)->raft().leads());
}

// What was handed to a leader names its term. It arrives when that leader has lost its term and won another: it has no effect,
// since its sender takes the outcome for unknown, and what it sent since may have been done.
TEST_F(ClusterOutcomeTest, WhatWasForwardedToAnEarlierReignHasNoEffectInALaterOne) {
  int shown = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimCluster cluster(3, seed);
    cluster.StartAll();
    const int leader = cluster.AwaitLeader();
    ASSERT_NE(leader, 0);
    const raft::Term term = cluster.node(leader)->raft().term();
    const int sender = Other(leader);
    const int third = Third(leader, sender);
    // The sender hears, and is not heard.
    cluster.network.Cut(SimCluster::Host(sender), SimCluster::Host(leader));
    cluster.network.Cut(SimCluster::Host(sender), SimCluster::Host(third));
    std::optional<absl::Status> outcome;
    v1::Request request;
    request.mutable_create()->set_path("/late");
    cluster.node(sender)->Execute(base::Bytes::Adopt(request.SerializeAsString()),
                                  [&](absl::StatusOr<base::Bytes> bytes) { outcome = bytes.status(); });
    cluster.world.RunFor(milliseconds(10));
    // The leader loses its quorum, and one of the two that hear each other leads in a later term.
    cluster.Cut(leader, third);
    ASSERT_TRUE(cluster.world.RunUntil([&] { return !cluster.node(leader)->raft().leads(); }, seconds(5)));
    cluster.network.HealPair(SimCluster::Host(leader), SimCluster::Host(third));
    const auto reigns = [&] { return cluster.Leader() != 0 && cluster.node(cluster.Leader())->raft().term() > term; };
    ASSERT_TRUE(cluster.world.RunUntil(reigns, seconds(20)));
    const bool again = cluster.Leader() == leader;
    cluster.network.HealAll();
    ASSERT_NE(cluster.AwaitLeader(), 0);
    ASSERT_TRUE(cluster.AwaitEqual());
    cluster.world.RunFor(seconds(1));
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->code(), absl::StatusCode::kUnavailable) << *outcome;
    for (int node = 1; node <= 3; ++node) EXPECT_EQ(cluster.node(node)->state().tree().Find("/late"), nullptr);
    if (again && cluster.Leader() == leader) ++shown;
  }
  EXPECT_GT(shown, 0) << "the first leader never led again";
}

TEST_F(ClusterOutcomeTest, ANodeBehindWhatASessionSawServesItOnlyWhenItHasCaughtUp) {
  const int leader = Begin();
  const int behind = Other(leader);
  auto client = Connect("client", leader, 60'000);
  const std::uint64_t create = client->Create("/x", "old");
  client->Flush();
  ASSERT_EQ(client->AwaitWrite(create).code(), v1::OK);
  ASSERT_TRUE(cluster_.AwaitEqual());
  for (const bool in_time : {true, false}) {
    SCOPED_TRACE(in_time ? "it catches up" : "it does not");
    cluster_.network.Cut(SimCluster::Host(leader), SimCluster::Host(behind));
    cluster_.network.Cut(SimCluster::Host(Third(leader, behind)), SimCluster::Host(behind));
    client->node = SimCluster::Client(leader);
    client->Reconnect();
    const std::uint64_t set = client->Set("/x", in_time ? "new" : "newer");
    client->Flush();
    ASSERT_EQ(client->AwaitWrite(set).code(), v1::OK);
    client->node = SimCluster::Client(behind);
    client->Dial();
    client->Resume();
    cluster_.world.RunFor(milliseconds(500));
    EXPECT_FALSE(client->grant.has_value()) << "served by a node that is behind";
    if (!in_time) {
      ASSERT_TRUE(client->RunUntil([&] { return client->closed; }, seconds(20))) << "kept waiting for ever";
      EXPECT_EQ(client->status.code(), absl::StatusCode::kUnavailable) << client->status;
      EXPECT_FALSE(client->grant.has_value());
      break;
    }
    cluster_.network.HealAll();
    ASSERT_TRUE(client->RunUntil([&] { return client->grant.has_value(); })) << client->status;
    const std::uint64_t get = client->Get("/x", true);
    client->Flush();
    EXPECT_EQ(client->AwaitRead(get).data(), "new");
    ASSERT_NE(cluster_.AwaitLeader(), 0);
    ASSERT_EQ(cluster_.Leader(), leader);
  }
}

}  // namespace
}  // namespace drover::coord::server

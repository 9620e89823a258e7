// Snapshots that somebody asks for, in a cluster: each holds all that was acknowledged anywhere before it was asked for.
#include <memory>
#include <optional>
#include <string>

#include "coord/backup/backup_file.h"
#include "coord/log/snapshot_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::seconds;

class ClusterSaveTest : public ClusterFixture {
 protected:
  using Answer = std::optional<absl::StatusOr<raft::Index>>;

  void SetUp() override {
    leader_ = Begin();
    client_ = Connect("client", leader_, 60'000);
    client_->KeepContact(seconds(1));
  }
  void Write(const std::string& path) { client_->CreateNow(path, "data"); }
  void Ask(int id, Answer* answer) {
    cluster_.node(id)->TakeSnapshot([answer](absl::StatusOr<raft::Index> index) { *answer = std::move(index); });
  }
  bool Await(const Answer& answer) {
    return cluster_.world.RunUntil([&] { return answer.has_value(); }, seconds(20));
  }
  absl::StatusOr<backup::Backup> Read(int id, raft::Index index) {
    return backup::ReadBackup(&cluster_.files(id), "/data/" + log::SnapshotName(index));
  }

  int leader_ = 0;
  std::unique_ptr<SimClient> client_;
};

TEST_F(ClusterSaveTest, OneOfAFollowerHoldsWhatTheLeaderHasJustAcknowledged) {
  for (int i = 0; i < 5; ++i) {
    const std::string path = "/n" + std::to_string(i);
    const int follower = i % 2 == 0 ? Other(leader_) : Third(leader_, Other(leader_));
    Write(path);
    Answer answer;
    Ask(follower, &answer);
    ASSERT_TRUE(Await(answer));
    ASSERT_TRUE(answer->ok()) << answer->status();
    const auto backup = Read(follower, **answer);
    ASSERT_TRUE(backup.ok()) << backup.status();
    EXPECT_NE(backup->state->tree().Find(path), nullptr) << i;
    EXPECT_GE(backup->taken.value, 1'700'000'000'000);
  }
}

TEST_F(ClusterSaveTest, WhoAsksWhileOneIsTakenGetsALaterOne) {
  Write("/first");
  Answer first, second;
  Ask(leader_, &first);
  // Until the first has begun.
  ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(leader_)->taking_snapshot(); }, seconds(20)));
  Write("/second");
  Ask(leader_, &second);
  ASSERT_TRUE(Await(first) && Await(second));
  ASSERT_TRUE(first->ok() && second->ok());
  EXPECT_NE(Read(leader_, **second)->state->tree().Find("/second"), nullptr);
}

TEST_F(ClusterSaveTest, OneThatHoldsEverythingIsNotTakenAgain) {
  cluster_.options.time_entry_interval = seconds(1'000);
  client_.reset();
  cluster_.world.RunFor(seconds(90));  // the session has expired: nothing is written any more
  Answer first, second;
  Ask(leader_, &first);
  ASSERT_TRUE(Await(first));
  Ask(leader_, &second);
  ASSERT_TRUE(Await(second));
  ASSERT_TRUE(first->ok() && second->ok()) << first->status() << second->status();
  EXPECT_EQ(**first, **second);
}

TEST_F(ClusterSaveTest, ANodeThatIsCutOffGivesNone) {
  const int cut = Other(leader_);
  Write("/before");
  cluster_.Isolate(cut);
  Write("/after");
  Answer answer;
  Ask(cut, &answer);
  ASSERT_TRUE(Await(answer));
  EXPECT_EQ(answer->status().code(), absl::StatusCode::kUnavailable) << answer->status();
}

TEST_F(ClusterSaveTest, AFullDiskGivesNoneAndGoesOn) {
  const int follower = Other(leader_);
  Write("/before");
  cluster_.files(follower).SetCapacity(cluster_.files(follower).bytes());
  Answer answer;
  Ask(follower, &answer);
  ASSERT_TRUE(Await(answer));
  EXPECT_EQ(answer->status().code(), absl::StatusCode::kResourceExhausted) << answer->status();
  cluster_.files(follower).SetCapacity(1U << 30);
  Answer again;
  Ask(follower, &again);
  ASSERT_TRUE(Await(again));
  EXPECT_TRUE(again->ok()) << again->status();
}

TEST_F(ClusterSaveTest, ANodeThatStopsAnswers) {
  Answer answer;
  Ask(leader_, &answer);
  cluster_.node(leader_)->Stop();
  ASSERT_TRUE(Await(answer));
  EXPECT_EQ(answer->status().code(), absl::StatusCode::kUnavailable) << answer->status();
}

}  // namespace
}  // namespace drover::coord::server

// Snapshots that somebody asks for, in a cluster: each holds all that was acknowledged anywhere before it was asked for.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/backup/backup_file.h"
#include "coord/base/wire.h"
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

// Takes all that comes, at once.
class SavingClient {
 public:
  explicit SavingClient(Node* node) : events_(node->AcceptSave(std::make_unique<Connection>(this))) {}
  // As the transport says it when all that was sent is out.
  void Finish() { events_->OnClosed(base::CloseCause::kLocal, *status_); }
  [[nodiscard]] const std::optional<absl::Status>& status() const { return status_; }
  [[nodiscard]] const std::string& got() const { return got_; }

 private:
  class Connection final : public base::Connection {
   public:
    explicit Connection(SavingClient* client) : client_(client) {}
    void Send(base::Bytes frame) override {
      base::WireReader in(frame.view());
      while (in.Next()) client_->got_.append(in.bytes().data(), in.bytes().size());
    }
    [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
    void Close(const absl::Status& status) override { client_->status_ = status; }

   private:
    SavingClient* const client_;
  };

  std::string got_;
  std::optional<absl::Status> status_;
  base::ConnectionEvents* const events_;
};

// What is told of one node's files.
struct DamageObserver final : NodeObserver {
  void OnSnapshotDamaged(const absl::Status& damage) override { damaged.push_back(damage); }
  void OnScrubbed(const absl::Status& damage, base::Duration) override { scrubbed.push_back(damage); }
  std::vector<absl::Status> damaged;
  std::vector<absl::Status> scrubbed;
};

// A core in which nothing is written, so that the newest snapshot is the one to be given, for ever; and its file is damaged, or
// gone.
class DamagedSaveTest : public ClusterSaveTest {
 protected:
  void SetUp() override {
    cluster_.options.time_entry_interval = seconds(1'000);
    cluster_.options.snapshots.scrub.every = base::Duration::zero();
    cluster_.options.snapshots.scrub.again = seconds(60);
    cluster_.observer = &observer_;
    ClusterSaveTest::SetUp();
    Write("/kept");
    client_.reset();
    cluster_.world.RunFor(seconds(90));  // the session has expired
    Answer first;
    Ask(leader_, &first);
    ASSERT_TRUE(Await(first) && first->ok());
    path_ = "/data/" + log::SnapshotName(**first);
    at_ = **first;
  }
  absl::Status Save(std::string* got = nullptr) {
    SavingClient client(cluster_.node(leader_));
    if (!cluster_.world.RunUntil([&] { return client.status().has_value(); }, seconds(20))) return absl::UnknownError("no end");
    if (got != nullptr) *got = client.got();
    client.Finish();
    cluster_.world.RunFor(seconds(1));  // the connection is gone before the client is
    return *client.status();
  }
  void ExpectTheNextToBeWhole() {
    ASSERT_EQ(observer_.damaged.size(), 1u);
    std::string got;
    const absl::Status saved = Save(&got);
    ASSERT_TRUE(saved.ok()) << saved;
    cluster_.files(leader_).Write("/data/got", got);
    const auto backup = backup::ReadBackup(&cluster_.files(leader_), "/data/got");
    ASSERT_TRUE(backup.ok()) << backup.status();
    EXPECT_NE(backup->state->tree().Find("/kept"), nullptr);
    EXPECT_EQ(backup->head.at.index, at_) << "of the same place";
    EXPECT_TRUE(Read(leader_, at_).ok());
  }

  DamageObserver observer_;
  std::string path_;
  raft::Index at_;
};

TEST_F(DamagedSaveTest, TheFirstFailsAndTheNextIsWhole) {
  cluster_.files(leader_).FlipBit(path_, 300, 3);
  const absl::Status failed = Save();
  EXPECT_EQ(failed.code(), absl::StatusCode::kUnavailable) << failed;
  ASSERT_NO_FATAL_FAILURE(ExpectTheNextToBeWhole());
  EXPECT_TRUE(absl::IsDataLoss(observer_.damaged[0])) << observer_.damaged[0];
  EXPECT_TRUE(observer_.scrubbed.empty());
  // Not of itself, but when something was met; and all is whole.
  cluster_.world.RunFor(seconds(600));
  ASSERT_EQ(observer_.scrubbed.size(), 1u);
  EXPECT_TRUE(observer_.scrubbed[0].ok()) << observer_.scrubbed[0];
}

TEST_F(DamagedSaveTest, WhereTheFileIsGoneTheNextIsWholeToo) {
  cluster_.files(leader_).Delete(path_);
  const absl::Status failed = Save();
  EXPECT_EQ(failed.code(), absl::StatusCode::kUnavailable) << failed;
  ASSERT_NO_FATAL_FAILURE(ExpectTheNextToBeWhole());
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

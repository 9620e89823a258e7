// A watch that is resumed at one node after another, while leaders die and transactions commit: each event once and in order.
#include <algorithm>
#include <memory>
#include <string>

#include "coord/base/random.h"
#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ClusterWatchTest : public ClusterFixture {
 protected:
  void SetUp() override {
    cluster_.options.stream.frame_bytes = 50;  // each event is a frame, so that a link breaks between those of a transaction, too
    Begin();
    writer_ = NewClient("writer", 1);
    watcher_ = NewClient("watcher", 2);
    for (SimClient* client : {writer_.get(), watcher_.get()}) {
      client->Connect(300'000);
    }
    v1::Position beginning;
    beginning.set_ordinal(4294967295);
    watcher_->Watch("/", beginning);
    watcher_->Flush();
  }

  // Three nodes are made and one is set in one transaction. Its number.
  void Write() {
    v1::Transaction* transaction = writer_->NewWrite()->mutable_transaction();
    const std::string path = "/t" + std::to_string(++written_);
    for (const std::string& name : {path, path + "/a", path + "/b"}) transaction->add_then()->mutable_create()->set_path(name);
    v1::Set* set = transaction->add_then()->mutable_set();
    set->set_path(path + "/b");
    set->set_data(std::to_string(written_));
    writer_->Flush(answered());
  }
  [[nodiscard]] std::uint64_t answered() const {
    return writer_->write_answers.empty() ? 0 : writer_->write_answers.rbegin()->first;
  }
  // Dials any running node, resumes behind the last event, and sends again what has no answer.
  void Attach(SimClient* client, int node) {
    client->node = SimCluster::Client(node);
    client->Reconnect();
    if (client == writer_.get()) {
      if (answered() < written_) client->Resend(answered() + 1);
      return;
    }
    v1::Position after;
    after.set_ordinal(4294967295);
    if (!client->events.empty()) {
      after.set_zxid(client->events.back().zxid());
      after.set_ordinal(client->events.back().ordinal());
    }
    client->Watch("/", after);
    client->Flush();
  }
  // What the events must be: of each transaction all four, numbered through, and no event between or beside them.
  void Judge() {
    ASSERT_EQ(watcher_->events.size(), written_ * 4);
    std::uint64_t zxid = 0;
    for (std::size_t i = 0; i < watcher_->events.size(); ++i) {
      const v1::Event& event = watcher_->events[i];
      const std::string path = "/t" + std::to_string(i / 4 + 1);
      const std::string paths[] = {path, path + "/a", path + "/b", path + "/b"};
      EXPECT_EQ(event.path(), paths[i % 4]);
      EXPECT_EQ(event.type(), i % 4 == 3 ? v1::Event::CHANGED : v1::Event::CREATED);
      EXPECT_EQ(event.ordinal(), i % 4);
      EXPECT_TRUE(i % 4 == 0 ? event.zxid() > zxid : event.zxid() == zxid);
      zxid = event.zxid();
      ASSERT_FALSE(HasFailure()) << "event " << i << ": " << event.ShortDebugString();
    }
  }

  std::unique_ptr<SimClient> writer_;
  std::unique_ptr<SimClient> watcher_;
  std::uint64_t written_ = 0;
  std::size_t torn_ = 0;
};

TEST_F(ClusterWatchTest, ResumedAtOneNodeAfterAnotherItHearsOfEachEventOnceAndInOrder) {
  for (int turn = 0; turn < 60; ++turn) {
    for (int i = 0; i < 3; ++i) Write();
    cluster_.world.RunFor(microseconds(150) * (turn % 20));
    if (!watcher_->events.empty() && watcher_->events.back().ordinal() != 3) ++torn_;
    cluster_.network.Reset("watcher", SimCluster::Host(1 + turn % 3));
    Attach(watcher_.get(), 1 + (turn + 1) % 3);
    if (writer_->closed) Attach(writer_.get(), 1 + turn % 3);
  }
  ASSERT_TRUE(watcher_->RunUntil([&] { return watcher_->events.size() >= written_ * 4; })) << watcher_->events.size();
  cluster_.world.RunFor(seconds(1));
  Judge();
  EXPECT_GT(torn_, 0U) << "no link broke within a transaction";
}

TEST_F(ClusterWatchTest, WhileLeadersDieItHearsOfEachEventOnceAndInOrder) {
  for (int turn = 0; turn < 25; ++turn) {
    for (int i = 0; i < 3; ++i) Write();
    cluster_.world.RunFor(microseconds(250) * (turn % 12));
    const int leader = cluster_.Leader();
    ASSERT_NE(leader, 0);
    cluster_.Crash(leader, turn % 2 == 0 ? sim::Survival::kNothing : sim::Survival::kEverything);
    ASSERT_NE(AwaitLeaderBut(0), 0);
    for (SimClient* client : {watcher_.get(), writer_.get()}) {
      ASSERT_TRUE(
          cluster_.world.RunUntil([&] { return client->closed || client->node != SimCluster::Client(leader); }, seconds(5)));
      if (client->closed) Attach(client, turn % 2 == 0 ? Other(leader) : Third(leader, Other(leader)));
    }
    cluster_.Start(leader);
    ASSERT_NE(cluster_.AwaitLeader(), 0);
    const auto done = [&] { return writer_->closed || answered() == written_; };
    ASSERT_TRUE(cluster_.world.RunUntil(done, seconds(10)));
    if (writer_->closed) Attach(writer_.get(), 1);
    ASSERT_TRUE(writer_->RunUntil([&] { return answered() == written_; }));
    if (watcher_->closed) Attach(watcher_.get(), 2);
  }
  ASSERT_TRUE(watcher_->RunUntil([&] { return watcher_->events.size() >= written_ * 4; })) << watcher_->events.size();
  cluster_.world.RunFor(seconds(1));
  Judge();
}

TEST_F(ClusterWatchTest, ReconnectedAThousandTimesAtRandomNodesItHearsOfEachEventOnceAndInOrder) {
  base::SeededRandom random(5);
  const auto running = [&] {
    int node = 1 + static_cast<int>(random.Below(3));
    while (!cluster_.running(node)) node = node % 3 + 1;
    return node;
  };
  int down = 0;
  std::uint64_t killed = 0;
  std::uint64_t snapshots = 0;
  for (int turn = 0; turn < 1000; ++turn) {
    Write();
    cluster_.world.RunFor(microseconds(random.Below(3'000)));
    if (turn % 20 == 10) {
      const int node = running();
      const std::uint64_t before = cluster_.node(node)->Status().snapshot.value;
      cluster_.node(node)->WantSnapshot();
      snapshots +=
          cluster_.world.RunUntil([&] { return cluster_.node(node)->Status().snapshot.value > before; }, seconds(5)) ? 1 : 0;
    }
    // Every now and then the leader dies, and is back some turns later.
    if (turn % 25 == 0) {
      if (down != 0) cluster_.Start(down);
      const int leader = cluster_.AwaitLeader();
      ASSERT_NE(leader, 0);
      cluster_.Crash(leader, random.Below(2) == 0 ? sim::Survival::kNothing : sim::Survival::kEverything);
      down = leader;
      ++killed;
    }
    if (!watcher_->events.empty() && watcher_->events.back().ordinal() != 3) ++torn_;
    for (int node = 1; node <= 3; ++node) cluster_.network.Reset("watcher", SimCluster::Host(node));
    Attach(watcher_.get(), running());
    if (writer_->closed) Attach(writer_.get(), running());
  }
  cluster_.StartAll();
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  // Whoever was at a node that is gone, or was not let in while nobody led, comes again.
  ASSERT_TRUE(cluster_.world.RunUntil(
      [&] {
        for (SimClient* client : {watcher_.get(), writer_.get()}) {
          if (client->closed) Attach(client, running());
        }
        return watcher_->events.size() >= written_ * 4;
      },
      seconds(60)))
      << watcher_->events.size() << " of " << written_ * 4;
  cluster_.world.RunFor(seconds(1));
  Judge();
  EXPECT_EQ(killed, 40u);
  EXPECT_GE(snapshots, 40u);
  EXPECT_GT(torn_, 0u) << "no link broke within a transaction";
}

}  // namespace
}  // namespace drover::coord::server

// Backups on their way: bounded in number and memory, as fast as they are taken, and ended when they are not.
#include "coord/server/snapshot_saves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <vector>

#include "coord/base/random.h"
#include "coord/base/wire.h"
#include "coord/log/snapshot_file.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_world.h"

namespace drover::coord::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

// The client's end, and what lies between: takes a frame when told to.
struct Client {
  std::deque<base::Bytes> queue;
  std::string got;
  std::size_t largest = 0;
  std::size_t queued_most = 0;
  std::optional<absl::Status> status;  // of Close
  bool gone = false;                   // the connection was destroyed
  base::ConnectionEvents* events = nullptr;

  [[nodiscard]] std::size_t queued() const {
    std::size_t bytes = 0;
    for (const base::Bytes& frame : queue) bytes += frame.size();
    return bytes;
  }
  void Take() {
    base::WireReader in(queue.front().view());
    while (in.Next()) {
      if (!in.Is(1, base::WireType::kBytes)) continue;
      got.append(in.bytes().data(), in.bytes().size());
      largest = std::max(largest, in.bytes().size());
    }
    queue.pop_front();
    if (queue.empty() && !status) events->OnDrained();
  }
};

class FakeConnection final : public base::Connection {
 public:
  explicit FakeConnection(Client* client) : client_(client) {}
  ~FakeConnection() override { client_->gone = true; }
  void Send(base::Bytes frame) override {
    client_->queue.push_back(std::move(frame));
    client_->queued_most = std::max(client_->queued_most, client_->queued());
  }
  [[nodiscard]] std::size_t queued_bytes() const override { return client_->queued(); }
  void Close(const absl::Status& status) override {
    if (!client_->status) client_->status = status;
  }

 private:
  Client* const client_;
};

class SnapshotSavesTest : public ::testing::Test {
 protected:
  SnapshotSavesTest() {
    EXPECT_TRUE(files_.MakeDirectory("/data").ok());
    WriteSnapshot();
    contents_ = files_.Read(path_);
    options_.piece_bytes = 1'000;
    options_.window_bytes = 3'000;
    saves_ = std::make_unique<SnapshotSaves>(
        SnapshotSeams{&loop_, &executor_, &files_, "/data"}, options_,
        [this](SnapshotTakenDone done) { asked_.push_back(std::move(done)); },
        [this](raft::Index index, const absl::Status& why) { bad_.emplace_back(index, why); });
  }
  // Of parts that are shorter and longer than a piece, and do not compress well.
  void WriteSnapshot() {
    const base::Bytes members = base::Bytes::Copy("members");
    const log::SnapshotHead head{base::ClusterId(1), 99, {raft::Index(7), raft::Term(1), raft::Index(1), members}, members};
    const auto writer = log::SnapshotWriter::Begin(&files_, "/data", head, {});
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (int i = 0; i < 60; ++i) {
      std::string part(static_cast<std::size_t>(100 * i), ' ');
      for (char& c : part) c = static_cast<char>('!' + random_.Below(90));
      ASSERT_TRUE((*writer)->Add(part).ok());
    }
    ASSERT_TRUE((*writer)->Finish().ok());
  }
  // It outlives the saves, and so the connections, which tell it of their end.
  Client& NewClient() { return clients_.emplace_back(); }
  void Accept(Client* client) {
    client->events = saves_->Accept(std::make_unique<FakeConnection>(client));
    world_.RunFor(milliseconds(10));
  }
  void Taken(std::size_t i = 0) {
    asked_.at(i)(raft::Index(7));
    world_.RunFor(milliseconds(10));
  }
  // As the transport says it when all that was sent is out.
  void Finish(Client* client) {
    client->events->OnClosed(base::CloseCause::kLocal, *client->status);
    world_.RunFor(milliseconds(10));
  }

  // As it takes all that comes.
  void TakeAll(Client* client) {
    for (int i = 0; i < 10'000 && !(client->status && client->queue.empty()); ++i) {
      if (!client->queue.empty()) client->Take();
      world_.RunFor(milliseconds(2));
    }
  }

  // As if it were the first.
  Client& SaveAnew() {
    bad_.clear();
    asked_.clear();
    Client& client = NewClient();
    Accept(&client);
    Taken();
    TakeAll(&client);
    return client;
  }

  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  sim::SimExecutor executor_{&loop_};
  sim::SimFileSystem files_{1};
  base::SeededRandom random_{5};
  const std::string path_ = "/data/" + log::SnapshotName(raft::Index(7));
  std::string contents_;
  std::vector<std::pair<raft::Index, absl::Status>> bad_;
  SnapshotSaves::Options options_;
  std::vector<SnapshotTakenDone> asked_;
  std::deque<Client> clients_;
  std::unique_ptr<SnapshotSaves> saves_;
};

TEST_F(SnapshotSavesTest, TheWholeFileComesInPiecesAndEndsWell) {
  Client& client = NewClient();
  Accept(&client);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_TRUE(client.queue.empty()) << "nothing is there yet";
  Taken();
  TakeAll(&client);
  EXPECT_EQ(client.got, contents_);
  EXPECT_EQ(client.status, absl::OkStatus());
  EXPECT_LE(client.largest, 1'000u);
  Finish(&client);
  EXPECT_TRUE(client.gone);
  EXPECT_EQ(saves_->active(), 0u);
}

TEST_F(SnapshotSavesTest, WhoTakesNothingHoldsAWindowOfItInMemory) {
  Client& client = NewClient();
  Accept(&client);
  Taken();
  world_.RunFor(seconds(5));
  EXPECT_GE(client.queued(), 2'000u);
  EXPECT_LE(client.queued_most, 4'100u);
}

TEST_F(SnapshotSavesTest, WhoTakesNothingForTooLongIsCutAndOneThatIsSlowIsNot) {
  Client& slow = NewClient();
  Client& stuck = NewClient();
  Accept(&slow);
  Accept(&stuck);
  Taken(0);
  Taken(1);
  for (int i = 0; i < 4; ++i) {
    world_.RunFor(seconds(50));
    while (!slow.queue.empty()) slow.Take();
  }
  EXPECT_FALSE(slow.status.has_value());
  ASSERT_TRUE(stuck.status.has_value());
  EXPECT_EQ(stuck.status->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(stuck.gone);
  EXPECT_EQ(saves_->active(), 1u);
}

TEST_F(SnapshotSavesTest, OneMoreThanTheBoundIsRefusedUntilOneHasEnded) {
  Client& first = NewClient();
  Client& second = NewClient();
  Client& third = NewClient();
  Client& fourth = NewClient();
  Accept(&first);
  Accept(&second);
  Accept(&third);
  EXPECT_EQ(third.events, nullptr);
  ASSERT_TRUE(third.status.has_value());
  EXPECT_EQ(third.status->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(third.status->message()), HasSubstr("ask another node, or later"));
  first.events->OnClosed(base::CloseCause::kPeerGone, absl::UnavailableError("gone"));
  world_.RunFor(milliseconds(10));
  EXPECT_TRUE(first.gone);
  Accept(&fourth);
  EXPECT_NE(fourth.events, nullptr);
  Taken(0);  // of the one that is gone: nobody is there
  EXPECT_TRUE(fourth.queue.empty());
}

TEST_F(SnapshotSavesTest, AFileThatIsRemovedMeanwhileIsSentToItsEnd) {
  Client& client = NewClient();
  Accept(&client);
  Taken();
  ASSERT_TRUE(files_.Remove(path_).ok());
  TakeAll(&client);
  EXPECT_EQ(client.got, contents_);
}

TEST_F(SnapshotSavesTest, WhyThereIsNoSnapshotIsTold) {
  Client& full = NewClient();
  Client& missing = NewClient();
  Accept(&full);
  Accept(&missing);
  asked_[0](absl::ResourceExhaustedError("the disk is full"));
  EXPECT_EQ(full.status, absl::ResourceExhaustedError("the disk is full"));
  asked_[1](raft::Index(8));
  world_.RunFor(milliseconds(10));
  ASSERT_TRUE(missing.status.has_value());
  EXPECT_EQ(missing.status->code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(missing.status->message()), HasSubstr("its snapshot is gone, and this node takes another one"));
  ASSERT_EQ(bad_.size(), 1u) << "a full disk is no damage";
  EXPECT_EQ(bad_[0].first, raft::Index(8));
}

// The node's files are the node's: whoever gets a damaged one cannot mend it, and the next would get the same.
TEST_F(SnapshotSavesTest, WhatIsDamagedIsNotSentAndTheNodeIsTold) {
  for (std::size_t at = 0; at < contents_.size(); at += 997) {
    SCOPED_TRACE(at);
    files_.Write(path_, contents_);
    files_.FlipBit(path_, at, 3);
    Client& client = SaveAnew();
    ASSERT_TRUE(client.status.has_value());
    EXPECT_EQ(client.status->code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(client.status->message()), HasSubstr("its snapshot is damaged, and this node takes another one"));
    EXPECT_LE(client.got.size(), at);
    EXPECT_EQ(client.got, contents_.substr(0, client.got.size()));
    ASSERT_EQ(bad_.size(), 1u);
    EXPECT_EQ(bad_[0].first, raft::Index(7));
    EXPECT_TRUE(absl::IsDataLoss(bad_[0].second)) << bad_[0].second;
    EXPECT_THAT(std::string(bad_[0].second.message()), HasSubstr(path_ + " at offset "));
    Finish(&client);
  }
}

TEST_F(SnapshotSavesTest, AFileThatWasCutIsDamagedToo) {
  for (const std::size_t size : {std::size_t{0}, contents_.size() / 2, contents_.size() - 1}) {
    SCOPED_TRACE(size);
    files_.Write(path_, contents_.substr(0, size));
    Client& client = SaveAnew();
    ASSERT_TRUE(client.status.has_value());
    EXPECT_EQ(client.status->code(), absl::StatusCode::kUnavailable) << *client.status;
    EXPECT_EQ(bad_.size(), 1u);
    Finish(&client);
  }
}

TEST_F(SnapshotSavesTest, ANodeThatStopsEndsThemAndTakesNoMore) {
  Client& client = NewClient();
  Client& late = NewClient();
  Accept(&client);
  saves_->Stop(absl::UnavailableError("stopping"));
  EXPECT_EQ(client.status, absl::UnavailableError("stopping"));
  Accept(&late);
  EXPECT_EQ(late.events, nullptr);
  EXPECT_EQ(late.status->code(), absl::StatusCode::kUnavailable);
  saves_.reset();
  asked_[0](raft::Index(7));  // comes too late: nothing happens
}

}  // namespace
}  // namespace drover::coord::server

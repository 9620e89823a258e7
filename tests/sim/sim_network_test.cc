#include "tests/sim/sim_network.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace drover::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// One end: keeps what it hears.
struct Peer final : base::ConnectionEvents {
  void OnFrame(base::Bytes frame) override { heard += frame.ToString() + " "; }
  void OnDrained() override { ++drained; }
  void OnClosed(base::CloseCause why, const absl::Status& s) override {
    ++closed;
    cause = why;
    status = s;
  }
  std::string heard;
  int drained = 0;
  int closed = 0;
  base::CloseCause cause{};
  absl::Status status;
  std::unique_ptr<base::Connection> connection;
};

class SimNetworkTest : public ::testing::Test {
 protected:
  SimNetworkTest() : world_(1), network_(&world_), client_loop_(&world_), server_loop_(&world_) {
    network_.Listen(&server_loop_, "server:1", [this](std::unique_ptr<base::Connection> connection) {
      server_.connection = std::move(connection);
      return &server_;
    });
    dialer_ = network_.NewDialer(&client_loop_, "client");
  }
  void Dial() { client_.connection = dialer_->Dial("server:1", &client_); }
  void Connect() {
    Dial();
    ASSERT_TRUE(world_.RunUntil([this] { return server_.connection != nullptr; }, seconds(1)));
  }
  void Run() { world_.RunFor(milliseconds(100)); }
  static base::Bytes Frame(const std::string& s) { return base::Bytes::Copy(s); }

  SimWorld world_;
  SimNetwork network_;
  SimLoop client_loop_;
  SimLoop server_loop_;
  std::unique_ptr<base::Dialer> dialer_;
  Peer client_;
  Peer server_;
};

TEST_F(SimNetworkTest, FramesArriveInOrderAndNeverFromInsideSend) {
  Dial();
  for (const char* word : {"a", "b", "c"}) client_.connection->Send(Frame(word));
  EXPECT_EQ(client_.connection->queued_bytes(), 3u);
  EXPECT_EQ(server_.heard, "");
  Run();
  EXPECT_EQ(server_.heard, "a b c ");
  EXPECT_EQ(client_.connection->queued_bytes(), 0u);
  EXPECT_EQ(client_.drained, 1);
  server_.connection->Send(Frame("x"));
  Run();
  EXPECT_EQ(client_.heard, "x ");
}

TEST_F(SimNetworkTest, AnAddressNobodyListensAtIsUnavailable) {
  client_.connection = dialer_->Dial("nobody:1", &client_);
  Run();
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.cause, base::CloseCause::kPeerGone);
  EXPECT_EQ(client_.status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(SimNetworkTest, DialingThroughACutTimesOutOrSucceedsOnceHealed) {
  network_.Cut("server", "client");
  Dial();
  world_.RunFor(seconds(4));
  EXPECT_EQ(client_.closed, 0);
  world_.RunFor(seconds(2));
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.status.code(), absl::StatusCode::kUnavailable);
  network_.HealAll();
  network_.Cut("client", "server");
  Dial();
  world_.RunFor(seconds(1));
  network_.HealAll();
  world_.RunFor(seconds(1));
  EXPECT_NE(server_.connection, nullptr);
}

TEST_F(SimNetworkTest, ACutDirectionIsSilenceAndDeliversOnceHealed) {
  Connect();
  network_.Cut("client", "server");
  client_.connection->Send(Frame("late"));
  server_.connection->Send(Frame("through"));
  world_.RunFor(seconds(60));
  EXPECT_EQ(client_.heard, "through ");
  EXPECT_EQ(server_.heard, "");
  EXPECT_EQ(client_.closed + server_.closed, 0);
  network_.Heal("client", "server");
  Run();
  EXPECT_EQ(server_.heard, "late ");
}

TEST_F(SimNetworkTest, AKilledProcessIsGoneForItsPeers) {
  Connect();
  server_.connection->Send(Frame("last words"));
  Run();
  network_.Kill("server");
  server_loop_.Stop();
  Run();
  EXPECT_EQ(client_.heard, "last words ");
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.cause, base::CloseCause::kPeerGone);
  EXPECT_EQ(server_.closed, 0);
}

TEST_F(SimNetworkTest, ADeathBehindACutIsSilentUntilHealed) {
  Connect();
  network_.Cut("server", "client");
  network_.Kill("server");
  world_.RunFor(seconds(60));
  EXPECT_EQ(client_.closed, 0);
  network_.HealAll();
  Run();
  EXPECT_EQ(client_.closed, 1);
}

TEST_F(SimNetworkTest, AHostWithoutPowerIsSilentAndResetsAfterItsReturn) {
  Connect();
  network_.PowerOff("server");
  server_loop_.Stop();
  client_.connection->Send(Frame("hello?"));
  world_.RunFor(seconds(60));
  EXPECT_EQ(client_.closed, 0);
  network_.PowerOn("server");
  Run();
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.cause, base::CloseCause::kPeerGone);
}

TEST_F(SimNetworkTest, AResetIsSeenByBothEnds) {
  Connect();
  network_.Reset("server", "client");
  Run();
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(server_.closed, 1);
  EXPECT_EQ(server_.cause, base::CloseCause::kPeerGone);
}

TEST_F(SimNetworkTest, CloseSendsWhatIsQueuedThenTheStatus) {
  Connect();
  server_.connection->Send(Frame("bye"));
  server_.connection->Close(absl::FailedPreconditionError("not here"));
  server_.connection->Send(Frame("ignored"));
  Run();
  EXPECT_EQ(client_.heard, "bye ");
  EXPECT_EQ(client_.cause, base::CloseCause::kPeerClosed);
  EXPECT_EQ(client_.status, absl::FailedPreconditionError("not here"));
  EXPECT_EQ(server_.closed, 1);
  EXPECT_EQ(server_.cause, base::CloseCause::kLocal);
}

TEST_F(SimNetworkTest, ARefusedStreamHearsTheStatusItWasRefusedWith) {
  network_.Listen(&server_loop_, "full:1", [](std::unique_ptr<base::Connection> connection) -> base::ConnectionEvents* {
    connection->Send(Frame("sorry"));
    connection->Close(absl::ResourceExhaustedError("too many streams"));
    return nullptr;
  });
  client_.connection = dialer_->Dial("full:1", &client_);
  Run();
  EXPECT_EQ(client_.heard, "sorry ");
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.cause, base::CloseCause::kPeerClosed);
  EXPECT_EQ(client_.status, absl::ResourceExhaustedError("too many streams"));
}

TEST_F(SimNetworkTest, DestroyingAConnectionIsPeerGoneForTheOtherEndAlone) {
  Connect();
  client_.connection.reset();
  Run();
  EXPECT_EQ(server_.closed, 1);
  EXPECT_EQ(server_.cause, base::CloseCause::kPeerGone);
  EXPECT_EQ(client_.closed, 0);
}

TEST_F(SimNetworkTest, APausedReceiverFillsTheSendersQueue) {
  Connect();
  server_loop_.Pause();
  const std::string frame(100'000, 'x');
  for (int i = 0; i < 10; ++i) client_.connection->Send(Frame(frame));
  Run();
  EXPECT_EQ(client_.connection->queued_bytes(), 700'000u);
  EXPECT_EQ(client_.drained, 0);
  server_loop_.Resume();
  Run();
  EXPECT_EQ(client_.connection->queued_bytes(), 0u);
  EXPECT_EQ(server_.heard.size(), 10u * (frame.size() + 1));
}

TEST_F(SimNetworkTest, TheSameSeedGivesTheSameRun) {
  std::vector<base::Instant> arrivals[2];
  for (std::vector<base::Instant>& times : arrivals) {
    SimWorld world(42);
    SimNetwork network(&world);
    SimLoop loop(&world);
    Peer server;
    Peer client;
    network.Listen(&loop, "s:1", [&](std::unique_ptr<base::Connection> connection) {
      times.push_back(world.Now());
      server.connection = std::move(connection);
      return &server;
    });
    const auto dialer = network.NewDialer(&loop, "c");
    client.connection = dialer->Dial("s:1", &client);
    for (int i = 0; i < 20; ++i) client.connection->Send(Frame("x"));
    while (world.Step()) times.push_back(world.Now());
  }
  EXPECT_GT(arrivals[0].size(), 20u);
  EXPECT_EQ(arrivals[0], arrivals[1]);
}

TEST_F(SimNetworkTest, ADialThatWasAboutToBeAcceptedWhenThePowerFailedIsReset) {
  server_loop_.Pause();
  Dial();
  Run();
  network_.PowerOff("server");
  server_loop_.Stop();
  Run();
  EXPECT_EQ(client_.closed, 0);
  network_.PowerOn("server");
  Run();
  EXPECT_EQ(client_.closed, 1);
  EXPECT_EQ(client_.cause, base::CloseCause::kPeerGone);
}

}  // namespace
}  // namespace drover::sim

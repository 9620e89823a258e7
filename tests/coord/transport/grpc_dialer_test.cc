#include "coord/transport/grpc_dialer.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coord/transport/cut_proxy.h"
#include "tests/coord/transport/stream_fixture.h"

namespace drover::transport {
namespace {

using base::CloseCause;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

base::Bytes Text(const std::string& text) {
  return base::Bytes::Copy(text);
}

// One loop with a server on it; each accepted stream is recorded. Clients are dialled on the same loop.
class StreamTest : public ::testing::Test {
 protected:
  StreamTest() : dialer_(&loop_, kEcho) {
    server_.RegisterStream(kEcho, [this](std::unique_ptr<base::Connection> connection, const CallInfo& info) {
      infos_.push_back(info);
      auto stream = std::make_unique<Recorder>();
      stream->connection = std::move(connection);
      accepted_.push_back(std::move(stream));
      return accepted_.back().get();
    });
    const absl::Status started = server_.Start();
    EXPECT_TRUE(started.ok()) << started;
  }

  void Dial() { client_.connection = dialer_.Dial(server_.address(), &client_); }
  Recorder& server_end() { return *accepted_.at(0); }
  std::function<bool()> Accepted() {
    return [this] { return !accepted_.empty(); };
  }
  std::function<bool()> ClientClosed() {
    return [this] { return client_.closed.has_value(); };
  }
  std::function<bool()> ServerEndClosed() {
    return [this] { return !accepted_.empty() && accepted_[0]->closed.has_value(); };
  }

  CqLoop loop_;
  Server server_{&loop_, {}};
  GrpcDialer dialer_;
  std::vector<CallInfo> infos_;
  std::vector<std::unique_ptr<Recorder>> accepted_;
  Recorder client_;
  LoopDriver driver_;
};

TEST_F(StreamTest, FramesSentBeforeTheLinkIsThereArriveInOrder) {
  Dial();
  for (int i = 0; i < 10; ++i) client_.connection->Send(Text(std::to_string(i)));
  driver_.When([&] { return !accepted_.empty() && server_end().frames.size() == 10; });
  driver_.Run(&loop_);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(server_end().frames[static_cast<std::size_t>(i)].ToString(), std::to_string(i));
}

TEST_F(StreamTest, AnEmptyFrameIsAFrame) {
  Dial();
  client_.connection->Send({});
  client_.connection->Send(Text("x"));
  driver_.When([&] { return !accepted_.empty() && server_end().frames.size() == 2; });
  driver_.Run(&loop_);
  EXPECT_TRUE(server_end().frames[0].empty());
}

TEST_F(StreamTest, TheServerKnowsMethodPeerAndMetadata) {
  GrpcDialer dialer(&loop_, kEcho, {}, {{"x-test", "value"}, {"y-bin", std::string("\0\xff", 2)}});
  client_.connection = dialer.Dial(server_.address(), &client_);
  driver_.When(Accepted());
  driver_.Run(&loop_);
  EXPECT_EQ(infos_[0].method, kEcho);
  EXPECT_THAT(infos_[0].peer, HasSubstr("127.0.0.1"));
  EXPECT_THAT(infos_[0].metadata, ::testing::UnorderedElementsAre(::testing::Pair("x-test", "value"),
                                                                  ::testing::Pair("y-bin", std::string("\0\xff", 2))));
  EXPECT_FALSE(infos_[0].time_left.has_value());
}

TEST_F(StreamTest, ClosingTheClientEndIsAProperEnd) {
  Dial();
  client_.connection->Send(Text("last words"));
  client_.connection->Close(absl::OkStatus());
  driver_.When(ServerEndClosed());
  driver_.When(ClientClosed());
  driver_.Run(&loop_);
  ASSERT_EQ(server_end().frames.size(), 1u);
  EXPECT_EQ(server_end().closed, CloseCause::kPeerClosed);
  EXPECT_EQ(client_.closed, CloseCause::kLocal);
  EXPECT_TRUE(client_.status.ok());
}

TEST_F(StreamTest, TheStatusOfTheServerArrivesAfterWhatItSent) {
  Dial();
  driver_.When(Accepted(), [&] {
    server_end().connection->Send(Text("before"));
    server_end().connection->Close(absl::ResourceExhaustedError("read faster"));
    server_end().connection->Send(Text("after"));
  });
  driver_.When(ClientClosed());
  driver_.When(ServerEndClosed());
  driver_.Run(&loop_);
  ASSERT_EQ(client_.frames.size(), 1u);
  EXPECT_EQ(client_.closed, CloseCause::kPeerClosed);
  EXPECT_EQ(client_.status, absl::ResourceExhaustedError("read faster"));
  EXPECT_EQ(server_end().closed, CloseCause::kLocal);
}

TEST_F(StreamTest, AnUnavailableThatTheServerSaidIsNotABrokenLink) {
  Dial();
  driver_.When(Accepted(), [&] { server_end().connection->Close(absl::UnavailableError("no quorum")); });
  driver_.When(ClientClosed());
  driver_.Run(&loop_);
  EXPECT_EQ(client_.closed, CloseCause::kPeerClosed);
  EXPECT_EQ(client_.status, absl::UnavailableError("no quorum"));
}

TEST_F(StreamTest, AServerEndDestroyedAfterCloseStillSaysItsStatus) {
  Dial();
  driver_.When(Accepted(), [&] {
    server_end().connection->Send(Text("before"));
    server_end().connection->Close(absl::AbortedError("moved"));
    server_end().connection = nullptr;
  });
  driver_.When(ClientClosed());
  driver_.Run(&loop_);
  EXPECT_EQ(client_.frames.size(), 1u);
  EXPECT_EQ(client_.status, absl::AbortedError("moved"));
  EXPECT_FALSE(server_end().closed.has_value());
}

TEST_F(StreamTest, AClientEndDestroyedWithoutCloseIsGone) {
  Dial();
  driver_.When(Accepted(), [&] { client_.connection = nullptr; });
  driver_.When(ServerEndClosed());
  driver_.Run(&loop_);
  EXPECT_EQ(server_end().closed, CloseCause::kPeerGone);
  EXPECT_FALSE(client_.closed.has_value());
}

TEST_F(StreamTest, AConnectionMayBeDestroyedInsideItsEvents) {
  Dial();
  client_.connection->Send(Text("a"));
  client_.on_frame = [&](base::Bytes) { client_.connection = nullptr; };
  driver_.When(Accepted(), [&] { server_end().on_closed = [&] { server_end().connection = nullptr; }; });
  driver_.When([&] { return !server_end().frames.empty(); }, [&] { server_end().connection->Send(Text("b")); });
  driver_.When(ServerEndClosed());
  driver_.Run(&loop_);
  EXPECT_EQ(client_.frames.size(), 1u);
}

TEST_F(StreamTest, AnUnknownMethodIsUnimplemented) {
  GrpcDialer dialer(&loop_, "/drover.test.Test/Nothing");
  client_.connection = dialer.Dial(server_.address(), &client_);
  driver_.When(ClientClosed());
  driver_.Run(&loop_);
  EXPECT_EQ(client_.closed, CloseCause::kPeerClosed);
  EXPECT_EQ(client_.status.code(), absl::StatusCode::kUnimplemented);
}

TEST_F(StreamTest, AFrameOverTheLimitEndsTheStreamWithAWord) {
  Dial();
  client_.connection->Send(base::Bytes::Adopt(std::string((9u << 20), 'x')));
  driver_.When(ClientClosed());
  driver_.When(ServerEndClosed());
  driver_.Run(&loop_);
  EXPECT_EQ(client_.closed, CloseCause::kPeerClosed);
  EXPECT_EQ(client_.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(server_end().closed, CloseCause::kLocal);
  EXPECT_EQ(server_end().status.code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(StreamTest, QueuedBytesGrowWhileNobodyReadsAndDrainWhenTheyDo) {
  Dial();
  const base::Bytes frame = base::Bytes::Adopt(std::string(1u << 20, 'x'));
  // The loop stands still, so nothing can leave.
  for (int i = 0; i < 64; ++i) client_.connection->Send(frame);
  EXPECT_EQ(client_.connection->queued_bytes(), 64u << 20);
  driver_.When([&] { return client_.drained > 0; });
  driver_.When([&] { return server_end().frames.size() == 64; });
  driver_.Run(&loop_);
  EXPECT_EQ(client_.connection->queued_bytes(), 0u);
}

TEST_F(StreamTest, ABrokenLinkIsPeerGoneAtBothEndsHoweverItBreaks) {
  constexpr int kRounds = 20;
  std::vector<std::unique_ptr<CutProxy>> proxies;
  std::vector<std::unique_ptr<Recorder>> clients;
  for (std::size_t round = 0; round < kRounds; ++round) {
    driver_.When([] { return true; },
                 [&] {
                   proxies.push_back(std::make_unique<CutProxy>(server_.address()));
                   clients.push_back(std::make_unique<Recorder>());
                   clients.back()->connection = dialer_.Dial(proxies.back()->address(), clients.back().get());
                   clients.back()->connection->Send(Text("here"));
                 });
    driver_.When([&, round] { return accepted_.size() > round && !accepted_[round]->frames.empty(); },
                 [&, round] {
                   if (round % 4 >= 2) accepted_[round]->connection->Send(base::Bytes::Adopt(std::string(1u << 20, 'x')));
                   proxies.back()->Cut(round % 2 == 0 ? CutKind::kFin : CutKind::kReset);
                 });
    driver_.When([&, round] { return accepted_[round]->closed.has_value() && clients[round]->closed.has_value(); });
  }
  driver_.Run(&loop_);
  for (std::size_t round = 0; round < clients.size(); ++round) {
    EXPECT_EQ(accepted_[round]->closed, CloseCause::kPeerGone) << round;
    EXPECT_EQ(clients[round]->closed, CloseCause::kPeerGone) << round;
    EXPECT_EQ(clients[round]->status.code(), absl::StatusCode::kUnavailable) << clients[round]->status;
  }
}

TEST(DialTest, ADeadPortFailsFast) {
  CqLoop loop;
  std::string dead;
  {
    CqLoop other;
    Server server(&other, {});
    ASSERT_TRUE(server.Start().ok());
    dead = server.address();
  }
  GrpcDialer dialer(&loop, kEcho);
  Recorder client;
  const auto start = Clock::now();
  client.connection = dialer.Dial(dead, &client);
  client.connection->Send(Text("never"));
  LoopDriver driver;
  driver.When([&] { return client.closed.has_value(); });
  driver.Run(&loop);
  EXPECT_EQ(client.closed, CloseCause::kPeerGone);
  EXPECT_EQ(client.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(5));
}

TEST(DialTest, AHundredThousandSmallFramesComeBackInOrder) {
  EchoServer server;
  CqLoop loop;
  GrpcDialer dialer(&loop, kEcho);
  Recorder client;
  client.connection = dialer.Dial(server.address(), &client);
  constexpr int kFrames = 100'000;
  int sent = 0;
  int received = 0;
  const auto send = [&] {
    for (int i = 0; i < 100 && sent < kFrames; ++i) client.connection->Send(Text(std::to_string(sent++)));
  };
  client.on_frame = [&](base::Bytes frame) {
    ASSERT_EQ(frame.view(), std::to_string(received));
    client.frames.clear();
    if (++received % 100 == 0) send();
  };
  send();
  LoopDriver driver;
  driver.When([&] { return received == kFrames; });
  driver.Run(&loop);
}

TEST(DialTest, FramesOfEverySizeComeBackByteForByte) {
  EchoServer server;
  CqLoop loop;
  GrpcDialer dialer(&loop, kEcho);
  Recorder client;
  client.connection = dialer.Dial(server.address(), &client);
  std::vector<std::string> sent;
  for (const std::size_t size : {1u, 100u, 2047u, 2048u, 2049u, 16384u, 70'000u, 1u << 20, 8u << 20}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 131) >> 3);
    client.connection->Send(Text(bytes));
    sent.push_back(std::move(bytes));
  }
  LoopDriver driver;
  driver.When([&] { return client.frames.size() == sent.size(); });
  driver.Run(&loop);
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_TRUE(client.frames[i].view() == sent[i]) << sent[i].size();
}

TEST(DialTest, ARedialAfterARestartOfTheServerWorksAtOnce) {
  CqLoop loop;
  auto first = std::make_unique<EchoServer>();
  const std::string address = first->address();
  GrpcDialer dialer(&loop, kEcho);
  Recorder one;
  Recorder down;
  Recorder two;
  std::unique_ptr<EchoServer> second;
  Clock::time_point restarted;
  Clock::duration took{};
  LoopDriver driver;
  one.connection = dialer.Dial(address, &one);
  one.connection->Send(Text("a"));
  driver.When([&] { return one.frames.size() == 1; }, [&] { first = nullptr; });
  driver.When([&] { return one.closed.has_value(); }, [&] { down.connection = dialer.Dial(address, &down); });
  driver.When([&] { return down.closed.has_value(); },
              [&] {
                second = std::make_unique<EchoServer>(ServerOptions{.listen = address});
                restarted = Clock::now();
                two.connection = dialer.Dial(address, &two);
                two.connection->Send(Text("b"));
              });
  driver.When([&] { return two.frames.size() == 1 || two.closed.has_value(); }, [&] { took = Clock::now() - restarted; });
  driver.Run(&loop);
  EXPECT_EQ(two.frames.size(), 1u);
  RecordProperty("redial_us", std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
  EXPECT_LT(took, std::chrono::seconds(2));
}

TEST(RoundTrip, OfASmallFrameIsMeasured) {
  EchoServer server;
  CqLoop loop;
  GrpcDialer dialer(&loop, kEcho);
  Recorder client;
  client.connection = dialer.Dial(server.address(), &client);
  std::vector<std::int64_t> times;
  Clock::time_point sent;
  const auto send = [&] {
    sent = Clock::now();
    client.connection->Send(Text("0123456789abcdef"));
  };
  client.on_frame = [&](base::Bytes) {
    times.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - sent).count());
    client.frames.clear();
    if (times.size() < 5000) send();
  };
  send();
  LoopDriver driver;
  driver.When([&] { return times.size() == 5000; });
  driver.Run(&loop);
  std::sort(times.begin(), times.end());
  RecordProperty("p50_ns", std::to_string(times[times.size() / 2]));
  std::printf("round trip of 16 bytes: p50 %.1f us, p99 %.1f us\n", static_cast<double>(times[times.size() / 2]) / 1e3,
              static_cast<double>(times[times.size() * 99 / 100]) / 1e3);
}

}  // namespace
}  // namespace drover::transport

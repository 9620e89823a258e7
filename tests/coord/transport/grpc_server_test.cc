#include "coord/transport/grpc_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/transport/unary_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coord/transport/stream_fixture.h"

namespace drover::transport {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kUnary[] = "/drover.test.Test/Unary";
constexpr char kMany[] = "/drover.test.Test/Many";
constexpr char kUpload[] = "/drover.test.Test/Upload";

base::Bytes Text(const std::string& text) {
  return base::Bytes::Copy(text);
}

class ServerTest : public ::testing::Test {
 protected:
  void Start() {
    const absl::Status started = server_.Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  // Makes a call; its answer lands in answers_.
  void Call(const std::string& method, base::Bytes request, CallOptions options = {}) {
    calls_.push_back(client_.Call(server_.address(), method, std::move(request), std::move(options),
                                  [this](absl::StatusOr<base::Bytes> answer) { answers_.push_back(std::move(answer)); }));
  }
  void RunUntilAnswers(std::size_t count) {
    driver_.When([this, count] { return answers_.size() == count; });
    driver_.Run(&loop_);
  }

  CqLoop loop_;
  Server server_{&loop_, {}};
  UnaryClient client_{&loop_};
  std::vector<absl::StatusOr<base::Bytes>> answers_;
  std::vector<std::unique_ptr<PendingCall>> calls_;
  LoopDriver driver_;
};

TEST_F(ServerTest, AUnaryCallIsAnsweredFromInsideTheHandlerOrLater) {
  server_.RegisterUnary(kUnary, [this](base::Bytes request, const CallInfo&, UnaryReply reply) {
    if (request.view() == "now") return reply(Text("at once"));
    loop_.Post([reply = std::move(reply)]() mutable { reply(Text("later")); });
  });
  Start();
  Call(kUnary, Text("now"));
  driver_.When([this] { return answers_.size() == 1; }, [this] { Call(kUnary, Text("x")); });
  RunUntilAnswers(2);
  EXPECT_EQ(answers_[0]->ToString(), "at once");
  EXPECT_EQ(answers_[1]->ToString(), "later");
}

TEST_F(ServerTest, ARefusalKeepsItsCodeAndWords) {
  server_.RegisterUnary(kUnary, [](base::Bytes, const CallInfo&, UnaryReply reply) { reply(absl::NotFoundError("no such task")); });
  Start();
  Call(kUnary, Text("x"));
  RunUntilAnswers(1);
  EXPECT_EQ(answers_[0].status(), absl::NotFoundError("no such task"));
}

TEST_F(ServerTest, AReplyThatIsDroppedIsAnInternalError) {
  server_.RegisterUnary(kUnary, [](base::Bytes, const CallInfo&, UnaryReply) {});
  Start();
  Call(kUnary, Text("x"));
  RunUntilAnswers(1);
  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kInternal);
}

TEST_F(ServerTest, ADeadlineEndsACallAndItsLateAnswerIsIgnored) {
  std::optional<UnaryReply> kept;
  std::optional<base::Duration> left;
  server_.RegisterUnary(kUnary, [&](base::Bytes, const CallInfo& info, UnaryReply reply) {
    left = info.time_left;
    kept = std::move(reply);
  });
  Start();
  Call(kUnary, Text("x"), {.timeout = std::chrono::milliseconds(100)});
  RunUntilAnswers(1);
  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(left.has_value());
  EXPECT_LE(*left, std::chrono::milliseconds(150));
  (*kept)(Text("too late"));
}

TEST_F(ServerTest, ARequestOverTheLimitIsRefusedWithAWord) {
  server_.RegisterUnary(kUnary, [](base::Bytes, const CallInfo&, UnaryReply reply) { reply(Text("")); });
  Start();
  Call(kUnary, base::Bytes::Adopt(std::string(9u << 20, 'x')));
  RunUntilAnswers(1);
  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(answers_[0].status().message()), HasSubstr("at most"));
}

TEST_F(ServerTest, AnUnknownMethodIsUnimplemented) {
  Start();
  Call("/drover.test.Test/Nothing", Text("x"));
  RunUntilAnswers(1);
  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(ServerTest, NobodyThereIsUnavailableAndTheNextCallConnectsAnew) {
  server_.RegisterUnary(kUnary, [](base::Bytes, const CallInfo&, UnaryReply reply) { reply(Text("here")); });
  std::string address;
  {
    CqLoop other;
    Server gone(&other, {});
    ASSERT_TRUE(gone.Start().ok());
    address = gone.address();
  }
  calls_.push_back(
      client_.Call(address, kUnary, Text("x"), {}, [&](absl::StatusOr<base::Bytes> a) { answers_.push_back(std::move(a)); }));
  EchoServer* back = nullptr;
  std::unique_ptr<EchoServer> owned;
  driver_.When([this] { return answers_.size() == 1; },
               [&] {
                 owned = std::make_unique<EchoServer>(ServerOptions{.listen = address});
                 back = owned.get();
                 calls_.push_back(client_.Call(address, kUnary, Text("x"), {},
                                               [&](absl::StatusOr<base::Bytes> a) { answers_.push_back(std::move(a)); }));
               });
  RunUntilAnswers(2);
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(answers_[0].status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(answers_[1].status().code(), absl::StatusCode::kUnimplemented) << "the server is there: it only echoes streams";
}

TEST_F(ServerTest, AServerStreamArrivesInOrderAndEndsWithItsStatus) {
  Recorder events;
  server_.RegisterServerStream(
      kMany, [&](base::Bytes request, std::unique_ptr<base::Connection> connection, const CallInfo&) -> base::ConnectionEvents* {
        const int count = std::stoi(request.ToString());
        for (int i = 0; i < count; ++i) connection->Send(Text(std::to_string(i)));
        connection->Close(absl::OkStatus());
        events.connection = std::move(connection);
        return &events;
      });
  Start();
  auto call = client_.CallForStream(server_.address(), kMany, Text("3"), {});
  std::vector<std::string> got;
  bool ended = false;
  std::function<void()> read = [&] {
    call->Read([&](absl::StatusOr<std::optional<base::Bytes>> next) {
      ASSERT_TRUE(next.ok()) << next.status();
      if (!next->has_value()) {
        ended = true;
        return;
      }
      got.push_back((*next)->ToString());
      read();
    });
  };
  read();
  driver_.When([&] { return ended && events.closed.has_value(); });
  driver_.Run(&loop_);
  EXPECT_THAT(got, ElementsAre("0", "1", "2"));
  EXPECT_EQ(events.closed, base::CloseCause::kLocal);
}

TEST_F(ServerTest, AServerStreamThatIsNotReadHoldsItsSenderBack) {
  Recorder events;
  server_.RegisterServerStream(kMany, [&](base::Bytes, std::unique_ptr<base::Connection> connection, const CallInfo&) {
    for (int i = 0; i < 64; ++i) connection->Send(base::Bytes::Adopt(std::string(1u << 20, 'x')));
    events.connection = std::move(connection);
    return &events;
  });
  Start();
  auto call = client_.CallForStream(server_.address(), kMany, Text(""), {});
  std::size_t got = 0;
  std::size_t queued_after_first = 0;
  std::function<void()> read = [&] {
    call->Read([&](absl::StatusOr<std::optional<base::Bytes>> next) {
      ASSERT_TRUE(next.ok() && next->has_value());
      if (++got == 1) {
        queued_after_first = events.connection->queued_bytes();
      } else if (got < 64) {
        read();
      }
    });
  };
  read();
  driver_.When([&] { return got == 1; }, [&] { read(); });
  driver_.When([&] { return got == 64 && events.drained > 0; }, [&] { call = nullptr; });
  driver_.When([&] { return events.closed.has_value(); });
  driver_.Run(&loop_);
  EXPECT_GT(queued_after_first, 32u << 20);
  EXPECT_EQ(events.connection->queued_bytes(), 0u);
  EXPECT_EQ(events.closed, base::CloseCause::kPeerGone);
}

TEST_F(ServerTest, AClientStreamIsReadAsFastAsTheServerAsks) {
  std::unique_ptr<ClientStream> upload;
  std::size_t bytes = 0;
  std::function<void()> read = [&] {
    upload->Read([&](absl::StatusOr<std::optional<base::Bytes>> next) {
      ASSERT_TRUE(next.ok()) << next.status();
      if (!next->has_value()) return upload->Reply(Text(std::to_string(bytes)));
      bytes += (*next)->size();
      read();
    });
  };
  server_.RegisterClientStream(kUpload, [&](std::unique_ptr<ClientStream> stream, const CallInfo&) {
    upload = std::move(stream);
    read();
  });
  Start();
  GrpcDialer dialer(&loop_, kUpload);
  Recorder client;
  client.connection = dialer.Dial(server_.address(), &client);
  for (int i = 0; i < 20; ++i) client.connection->Send(base::Bytes::Adopt(std::string(1u << 20, 'x')));
  client.connection->Close(absl::OkStatus());
  driver_.When([&] { return client.closed.has_value(); });
  driver_.Run(&loop_);
  EXPECT_TRUE(client.status.ok()) << client.status;
  ASSERT_EQ(client.frames.size(), 1u);
  EXPECT_EQ(client.frames[0].ToString(), std::to_string(20u << 20));
}

TEST_F(ServerTest, AClientStreamWhoseClientGoesIsCancelledNotEnded) {
  std::unique_ptr<ClientStream> upload;
  std::optional<absl::StatusOr<std::optional<base::Bytes>>> last;
  std::function<void()> read = [&] {
    upload->Read([&](absl::StatusOr<std::optional<base::Bytes>> next) {
      const bool more = next.ok() && next->has_value();
      last = std::move(next);
      if (more) read();
    });
  };
  server_.RegisterClientStream(kUpload, [&](std::unique_ptr<ClientStream> stream, const CallInfo&) {
    upload = std::move(stream);
    read();
  });
  Start();
  GrpcDialer dialer(&loop_, kUpload);
  Recorder client;
  client.connection = dialer.Dial(server_.address(), &client);
  client.connection->Send(Text("part"));
  driver_.When([&] { return last.has_value(); }, [&] { client.connection = nullptr; });
  driver_.When([&] { return !last->ok() || !(*last)->has_value(); });
  driver_.Run(&loop_, std::chrono::seconds(5));
  EXPECT_EQ(last->status().code(), absl::StatusCode::kCancelled);
  upload = nullptr;
}

TEST_F(ServerTest, HealthFollowsWhatIsSet) {
  server_.RegisterUnary(kUnary, [](base::Bytes, const CallInfo&, UnaryReply reply) { reply(Text("")); });
  Start();
  const auto ask = [this](const std::string& service) {
    std::string request;
    if (!service.empty()) request = std::string("\x0a") + static_cast<char>(service.size()) + service;
    Call("/grpc.health.v1.Health/Check", Text(request));
  };
  ask("");
  driver_.When([this] { return answers_.size() == 1; }, [&] { ask("drover.test.Test"); });
  driver_.When([this] { return answers_.size() == 2; },
               [&] {
                 server_.SetServing("drover.test.Test", true);
                 ask("drover.test.Test");
               });
  driver_.When([this] { return answers_.size() == 3; }, [&] { ask("unknown"); });
  RunUntilAnswers(4);
  EXPECT_EQ(answers_[0]->ToString(), "\x08\x01");
  EXPECT_EQ(answers_[1]->ToString(), "\x08\x02");
  EXPECT_EQ(answers_[2]->ToString(), "\x08\x01");
  EXPECT_EQ(answers_[3].status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ServerTest, HealthWatchesSeeEveryChange) {
  Start();
  auto call =
      client_.CallForStream(server_.address(), "/grpc.health.v1.Health/Watch", Text("\x0a\x01s"), {.timeout = base::Duration(0)});
  std::vector<std::string> got;
  std::function<void()> read = [&] {
    call->Read([&](absl::StatusOr<std::optional<base::Bytes>> next) {
      if (!next.ok() || !next->has_value()) return;
      got.push_back((*next)->ToString());
      read();
    });
  };
  read();
  driver_.When([&] { return got.size() == 1; }, [&] { server_.SetServing("s", true); });
  driver_.When([&] { return got.size() == 2; }, [&] { server_.SetServing("s", false); });
  driver_.When([&] { return got.size() == 3; });
  driver_.Run(&loop_);
  EXPECT_THAT(got, ElementsAre("\x08\x03", "\x08\x01", "\x08\x02"));
}

TEST_F(ServerTest, ReflectionListsServicesAndDescribesFiles) {
  server_.RegisterUnary(kUnary, [](base::Bytes, const CallInfo&, UnaryReply reply) { reply(Text("")); });
  Start();
  GrpcDialer dialer(&loop_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  Recorder client;
  client.connection = dialer.Dial(server_.address(), &client);
  client.connection->Send(Text(std::string("\x3a\x00", 2)));  // list_services
  const std::string symbol = "google.protobuf.FileDescriptorProto";
  client.connection->Send(Text(std::string("\x22") + static_cast<char>(symbol.size()) + symbol));
  client.connection->Send(Text("\x22\x04nope"));
  driver_.When([&] { return client.frames.size() == 3; });
  driver_.Run(&loop_);
  EXPECT_THAT(client.frames[0].ToString(), HasSubstr("drover.test.Test"));
  EXPECT_THAT(client.frames[0].ToString(), HasSubstr("grpc.health.v1.Health"));
  EXPECT_THAT(client.frames[1].ToString(), HasSubstr("google/protobuf/descriptor.proto"));
  EXPECT_THAT(client.frames[2].ToString(), HasSubstr("no nope here"));
}

TEST_F(ServerTest, APortInUseIsAClearError) {
  Start();
  CqLoop other;
  Server second(&other, {.listen = server_.address()});
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(server_.address()));
}

TEST_F(ServerTest, NotAnAddressIsAClearError) {
  CqLoop other;
  Server server(&other, {.listen = "nonsense"});
  EXPECT_EQ(server.Start().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ServerTest, ShutdownEndsStreamsThatDoNotEndByThemselves) {
  std::vector<std::unique_ptr<Recorder>> accepted;
  server_.RegisterStream(kEcho, [&](std::unique_ptr<base::Connection> connection, const CallInfo&) {
    accepted.push_back(std::make_unique<Recorder>());
    accepted.back()->connection = std::move(connection);
    return accepted.back().get();
  });
  Start();
  GrpcDialer dialer(&loop_, kEcho);
  Recorder client;
  client.connection = dialer.Dial(server_.address(), &client);
  bool down = false;
  driver_.When([&] { return !accepted.empty(); }, [&] { server_.Shutdown(std::chrono::milliseconds(20), [&] { down = true; }); });
  driver_.When([&] { return down && client.closed.has_value() && accepted[0]->closed.has_value(); });
  driver_.Run(&loop_);
  EXPECT_EQ(accepted[0]->closed, base::CloseCause::kLocal);
  accepted.clear();
}

TEST(BlockingUnaryTest, CallsWithoutALoopOfTheCaller) {
  EchoServer server;
  BlockingUnary unary;
  EXPECT_EQ(unary.Call(server.address(), "/x/Y", Text("")).status().code(), absl::StatusCode::kUnimplemented);
  const auto health = unary.Call(server.address(), "/grpc.health.v1.Health/Check", Text(""));
  ASSERT_TRUE(health.ok());
  EXPECT_EQ(health->ToString(), "\x08\x01");
}

// The destructor takes the loop's wake-ups along with what it waits for: what was posted meanwhile must not lie there for ever, and
// with it all that is posted later.
TEST(ServerEndTest, ALoopOnWhichAServerWasDestroyedStillHearsOtherThreads) {
  for (int i = 0; i < 20; ++i) {
    LoopThread thread;
    std::unique_ptr<Server> server;
    thread.RunOnLoop([&] {
      server = std::make_unique<Server>(thread.loop(), ServerOptions());
      ASSERT_TRUE(server->Start().ok());
    });
    thread.RunOnLoop([&] { server.reset(); });
    bool heard = false;
    thread.RunOnLoop([&] { heard = true; });  // waits
    EXPECT_TRUE(heard);
  }
}

// As a process does that is told twice to stop.
TEST(ServerEndTest, ARequestThatComesWhileAStoppingServerIsDestroyedReachesNoHandler) {
  CqLoop loop;
  auto server = std::make_unique<Server>(&loop, ServerOptions());
  bool destroying = false;
  const auto handled = [&destroying] { EXPECT_FALSE(destroying) << "a handler was called by the destructor"; };
  server->RegisterUnary(kUnary, [&](base::Bytes, const CallInfo&, UnaryReply reply) {
    handled();
    reply(Text("answer"));
  });
  server->RegisterServerStream(kMany, [&](base::Bytes, std::unique_ptr<base::Connection> connection, const CallInfo&) {
    handled();
    connection->Close(absl::OkStatus());
    return nullptr;
  });
  ASSERT_TRUE(server->Start().ok());
  GrpcDialer unary(&loop, kUnary);
  GrpcDialer many(&loop, kMany);
  UnaryClient client(&loop);
  std::vector<std::unique_ptr<Recorder>> waiting;
  const auto dial = [&](GrpcDialer* dialer) {
    auto peer = std::make_unique<Recorder>();
    peer->connection = dialer->Dial(server->address(), peer.get());
    waiting.push_back(std::move(peer));
  };
  dial(&unary);
  dial(&many);
  // By the time that a later call is answered, those two are with the server and wait for their requests.
  bool answered = false;
  const auto call = client.Call(server->address(), kUnary, Text("x"), {}, [&](absl::StatusOr<base::Bytes>) { answered = true; });
  LoopDriver driver;
  driver.When([&] { return answered; },
              [&] {
                server->Shutdown(std::chrono::seconds(2), [] {});
                for (const auto& peer : waiting) peer->connection->Send(Text("late"));
              });
  driver.Run(&loop);
  destroying = true;
  server.reset();
  LoopDriver ends;  // the news of it comes over the network
  ends.When([&] { return waiting[0]->closed.has_value() && waiting[1]->closed.has_value(); });
  ends.Run(&loop);
}

// A TCP connection that speaks no gRPC client library: it says `first` and then nothing, whatever it is told.
class RawLink {
 public:
  RawLink(const std::string& server, absl::string_view first) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(server.substr(server.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    EXPECT_EQ(send(fd_, first.data(), first.size(), MSG_NOSIGNAL), static_cast<ssize_t>(first.size()));
  }
  ~RawLink() { close(fd_); }
  RawLink(const RawLink&) = delete;
  RawLink& operator=(const RawLink&) = delete;

 private:
  const int fd_;
};

// Shuts `server` down with a grace that no test waits for. (gRPC by itself gives up a silent link after 20 s.)
void ExpectDownAtOnce(Server* server, CqLoop* loop, LoopDriver* driver) {
  bool down = false;
  driver->When([] { return true; }, [&] { server->Shutdown(std::chrono::hours(1), [&] { down = true; }); });
  driver->When([&] { return down; });
  driver->Run(loop, std::chrono::seconds(15));
}

TEST_F(ServerTest, ALinkWithoutCallsDoesNotHoldUpTheEnd) {
  server_.RegisterUnary(kUnary, [](base::Bytes, const CallInfo&, UnaryReply reply) { reply(Text("answer")); });
  Start();
  // The preface of HTTP/2 and empty settings: a link that is established, and whose client acknowledges no ping.
  constexpr absl::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  const RawLink idle(server_.address(), kPreface);
  const RawLink dumb(server_.address(), "");
  // By the time that a later link has its answer, the server has taken those two.
  bool answered = false;
  UnaryClient client(&loop_);
  const auto call = client.Call(server_.address(), kUnary, Text("x"), {}, [&](const auto&) { answered = true; });
  driver_.When([&] { return answered; });
  ExpectDownAtOnce(&server_, &loop_, &driver_);
}

TEST_F(ServerTest, AnIdleReflectionStreamDoesNotHoldUpTheEnd) {
  Start();
  GrpcDialer dialer(&loop_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  Recorder client;
  client.connection = dialer.Dial(server_.address(), &client);
  client.connection->Send(Text(std::string("\x3a\x00", 2)));  // list_services
  driver_.When([&] { return client.frames.size() == 1; });
  ExpectDownAtOnce(&server_, &loop_, &driver_);
}

TEST_F(ServerTest, ACallUnderWayIsWaitedForAndItsLinkIsCutAfterIt) {
  std::optional<UnaryReply> reply;
  server_.RegisterUnary(kUnary, [&](base::Bytes, const CallInfo&, UnaryReply r) { reply = std::move(r); });
  Start();
  UnaryClient client(&loop_);
  std::optional<absl::StatusOr<base::Bytes>> answer;
  const auto call = client.Call(server_.address(), kUnary, Text("x"), {}, [&](auto a) { answer = std::move(a); });
  bool down = false;
  base::Timer later(&loop_);
  driver_.When([&] { return reply.has_value(); },
               [&] {
                 server_.Shutdown(std::chrono::hours(1), [&] { down = true; });
                 later.Set(std::chrono::milliseconds(50), [&] {
                   EXPECT_FALSE(down);
                   (*reply)(Text("answer"));
                 });
               });
  driver_.When([&] { return down && answer.has_value(); });
  driver_.Run(&loop_);
  ASSERT_TRUE(answer->ok()) << answer->status();
  EXPECT_EQ((*answer)->ToString(), "answer");
}

}  // namespace
}  // namespace drover::transport

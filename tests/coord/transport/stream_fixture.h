// What the tests of transport share: an events recorder, and a loop that turns until something holds.
#ifndef DROVER_TESTS_COORD_TRANSPORT_STREAM_FIXTURE_H_
#define DROVER_TESTS_COORD_TRANSPORT_STREAM_FIXTURE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/connection.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "coord/transport/grpc_server.h"
#include "gtest/gtest.h"

namespace drover::transport {

inline constexpr char kEcho[] = "/drover.test.Test/Echo";

// Remembers what a connection said.
class Recorder final : public base::ConnectionEvents {
 public:
  void OnFrame(base::Bytes frame) override {
    EXPECT_FALSE(closed.has_value()) << "a frame after the end";
    frames.push_back(frame);
    if (on_frame) on_frame(std::move(frame));
  }
  void OnDrained() override { ++drained; }
  void OnClosed(base::CloseCause cause, const absl::Status& why) override {
    EXPECT_FALSE(closed.has_value()) << "closed twice";
    closed = cause;
    status = why;
    if (on_closed) on_closed();
  }

  std::vector<base::Bytes> frames;
  int drained = 0;
  std::optional<base::CloseCause> closed;
  absl::Status status;
  std::function<void(base::Bytes)> on_frame;
  std::function<void()> on_closed;
  std::unique_ptr<base::Connection> connection;
};

// Turns the loop, a posted check at a time, until `done`; fails after `limit`. A loop that was stopped cannot be used again, so the
// loop is run by one Run per test: see LoopDriver.
class LoopDriver {
 public:
  // Runs `body` steps: each waits for its condition, then does its action. The loop stops after the last.
  void When(
      std::function<bool()> condition, std::function<void()> action = [] {}) {
    steps_.emplace_back(std::move(condition), std::move(action));
  }
  void Run(CqLoop* loop, base::Duration limit = std::chrono::seconds(60)) {
    base::Timer timer(loop);
    timer.Set(limit, [this, loop] {
      ADD_FAILURE() << "step " << next_ << " never came";
      loop->Stop();
    });
    auto hook = loop->AtEndOfWakeup([this, loop] {
      while (next_ < steps_.size() && steps_[next_].first()) {
        auto action = steps_[next_++].second;
        action();
      }
      if (next_ == steps_.size()) loop->Stop();
    });
    loop->Post([] {});
    loop->Run();
  }

 private:
  std::vector<std::pair<std::function<bool()>, std::function<void()>>> steps_;
  std::size_t next_ = 0;
};

// A server that echoes each frame, on a loop of its own.
class EchoServer {
 public:
  explicit EchoServer(ServerOptions options = {}) {
    thread_.RunOnLoop([&] {
      server_ = std::make_unique<Server>(thread_.loop(), options);
      server_->RegisterStream(kEcho, [this](std::unique_ptr<base::Connection> connection, const CallInfo&) {
        auto stream = std::make_unique<Recorder>();
        Recorder* const raw = stream.get();
        raw->connection = std::move(connection);
        raw->on_frame = [raw](base::Bytes frame) {
          raw->frames.clear();
          raw->connection->Send(std::move(frame));
        };
        streams_.push_back(std::move(stream));
        return raw;
      });
      const absl::Status started = server_->Start();
      EXPECT_TRUE(started.ok()) << started;
    });
  }
  ~EchoServer() {
    thread_.RunOnLoop([&] {
      streams_.clear();
      server_ = nullptr;
    });
  }
  [[nodiscard]] const std::string& address() const { return server_->address(); }

 private:
  LoopThread thread_;
  std::unique_ptr<Server> server_;
  std::vector<std::unique_ptr<Recorder>> streams_;
};

}  // namespace drover::transport

#endif  // DROVER_TESTS_COORD_TRANSPORT_STREAM_FIXTURE_H_

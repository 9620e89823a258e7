#include "master/server/watch_stream.h"

#include <gtest/gtest.h>

#include "tests/master/server/server_fixture.h"

namespace drover::master::server {
namespace {

class WatchStreamTest : public ServerFixture {
 protected:
  using Connection = FakeConnection<task::v1::WatchResponse>;
  void Watch(const std::vector<std::string>& ids) {
    task::v1::WatchRequest request;
    for (const std::string& id : ids) request.add_ids(id);
    stream_ = std::make_unique<WatchStream>(&loop_, master_.get(), request, std::make_unique<Connection>(log_), [] {});
    Run();
  }
  // "a READY", "b -" for unknown, in the order sent.
  std::vector<std::string> Seen() const {
    std::vector<std::string> seen;
    for (const auto& response : log_->sent) {
      for (const auto& task : response.tasks()) seen.push_back(task.id() + " " + task::v1::State_Name(task.state()));
      for (const auto& id : response.not_found()) seen.push_back(id + " -");
    }
    return seen;
  }
  const std::shared_ptr<Connection::Log> log_ = std::make_shared<Connection::Log>();
  std::unique_ptr<WatchStream> stream_;
};

TEST_F(WatchStreamTest, EachTaskOnceThenAtEveryChangeUntilAllHaveEnded) {
  Start();
  SubmitOne(Spec("a"));
  Watch({"a", "nobody"});
  EXPECT_EQ(Seen(), (std::vector<std::string>{"a READY", "nobody -"}));
  EXPECT_FALSE(log_->closed.has_value());
  Join("w", 1);
  Finish("w", "a");
  EXPECT_EQ(Seen(), (std::vector<std::string>{"a READY", "nobody -", "a ASSIGNED", "a SUCCEEDED"}));
  ASSERT_TRUE(log_->closed.has_value());
  EXPECT_TRUE(log_->closed->ok());
}

TEST_F(WatchStreamTest, WhatTheClientDoesNotTakeBecomesOneChange) {
  Start();
  SubmitOne(Spec("a"));
  Watch({"a"});
  log_->queued = 2u << 20;
  Join("w", 1);
  Finish("w", "a");
  EXPECT_EQ(Seen(), (std::vector<std::string>{"a READY"}));
  log_->queued = 0;
  stream_->OnDrained();
  Run();
  EXPECT_EQ(Seen(), (std::vector<std::string>{"a READY", "a SUCCEEDED"}));
}

TEST_F(WatchStreamTest, AMasterThatIsDeposedSendsItsWatchersAway) {
  Start();
  SubmitOne(Spec("a"));
  Watch({"a"});
  session_->Expire();
  Run();
  ASSERT_TRUE(log_->closed.has_value());
  EXPECT_EQ(log_->closed->code(), absl::StatusCode::kUnavailable);
}

TEST_F(WatchStreamTest, TooManyTasksAreRefused) {
  Start();
  std::vector<std::string> ids;
  for (std::size_t i = 0; i <= WatchStream::kIdsMax; ++i) ids.push_back(std::to_string(i));
  Watch(ids);
  EXPECT_EQ(log_->closed->code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace drover::master::server

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

TEST_F(WatchStreamTest, AnElementIsWatchedFromBeforeItIsATask) {
  Start();
  Join("w", 1);
  task::v1::TaskSpec spec = Spec("a");
  task::v1::Array* array = spec.mutable_policy()->mutable_array();
  array->add_ranges()->set_last(2);
  array->set_running_max(1);
  SubmitOne(spec);
  Watch({"a:1", "a:2", "a:3"});
  EXPECT_EQ(Seen(), (std::vector<std::string>{"a:1 WAITING", "a:2 WAITING", "a:3 -"}));
  log_->sent.clear();
  Finish("w", "a:0");
  Run(1'000);
  ASSERT_FALSE(Seen().empty());
  EXPECT_EQ(Seen().front(), "a:1 ASSIGNED");
  task::v1::CancelRequest cancel;
  cancel.add_ids("a:2");
  ASSERT_TRUE(Call(&TaskService::Cancel, cancel).ok());
  Run(1'000);
  EXPECT_EQ(Seen().back(), "a:2 CANCELLED");
  Finish("w", "a:1");
  EXPECT_EQ(Seen().back(), "a:1 SUCCEEDED");
  ASSERT_TRUE(log_->closed.has_value());
  EXPECT_TRUE(log_->closed->ok());
}

TEST_F(WatchStreamTest, WhoWatchesAnArraySeesHowFarItHasCome) {
  Start();
  Join("w", 1);
  task::v1::TaskSpec spec = Spec("a");
  spec.mutable_policy()->mutable_array()->add_ranges()->set_last(9);
  SubmitOne(spec);
  Watch({"a"});
  Finish("w", "a:0");
  Run(1'000);
  ASSERT_FALSE(log_->sent.empty());
  EXPECT_EQ(log_->sent.back().tasks(0).array().succeeded(), 1U);
  EXPECT_LT(log_->sent.size(), 8U) << "not at each change of an element";
  for (int i = 1; i < 10; ++i) Finish("w", "a:" + std::to_string(i));
  EXPECT_EQ(Seen().back(), "a SUCCEEDED");
}

}  // namespace
}  // namespace drover::master::server

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/client/internal/fakes.h"

namespace drover::client {
namespace {

using task::v1::WatchRequest;
using task::v1::WatchResponse;
using OnMessage = std::function<bool(const WatchResponse&)>;

WatchResponse One(const std::string& id, task::v1::State state, std::uint64_t zxid = 1) {
  WatchResponse response;
  response.add_tasks()->set_id(id);
  response.mutable_tasks(0)->set_state(state);
  response.set_zxid(zxid);
  return response;
}

class WatchTest : public ::testing::Test {
 protected:
  absl::Status Watch(const std::vector<std::string>& ids, std::optional<Deadline> deadline = std::nullopt) {
    return cluster_.client->Watch(
        ids,
        [this](const Task& task) {
          seen_.push_back(task.id + " " + std::string(StateName(task.state)));
          return true;
        },
        [this](const std::string& id) { missing_.push_back(id); }, deadline, {});
  }

  FakeCluster cluster_;
  std::shared_ptr<FakeMaster> a_ = cluster_.masters->at("a:1");
  std::shared_ptr<FakeMaster> b_ = cluster_.masters->at("b:2");
  std::vector<std::string> seen_;
  std::vector<std::string> missing_;
};

TEST_F(WatchTest, EndsWhenAllAreTerminalOrUnknown) {
  a_->watch = [](const WatchRequest& request, const OnMessage& on_message, const CallLimits&) {
    EXPECT_EQ(request.ids_size(), 2);
    on_message(One("t", task::v1::RUNNING));
    WatchResponse missing;
    missing.add_not_found("u");
    EXPECT_TRUE(on_message(missing));
    EXPECT_FALSE(on_message(One("t", task::v1::SUCCEEDED)));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Watch({"t", "u"}).ok());
  EXPECT_EQ(seen_, (std::vector<std::string>{"t RUNNING", "t SUCCEEDED"}));
  EXPECT_EQ(missing_, std::vector<std::string>{"u"});
}

TEST_F(WatchTest, AnotherMasterGoesOnWhereTheStreamBrokeAndNothingIsRepeated) {
  a_->watch = [](const WatchRequest&, const OnMessage& on_message, const CallLimits&) {
    on_message(One("t", task::v1::RUNNING, 9));
    on_message(One("u", task::v1::FAILED, 10));
    return absl::UnavailableError("killed");
  };
  b_->watch = [](const WatchRequest& request, const OnMessage& on_message, const CallLimits&) {
    EXPECT_EQ(request.ids_size(), 1);
    EXPECT_EQ(request.ids(0), "t");
    EXPECT_EQ(request.seen_zxid(), 10u);
    on_message(One("t", task::v1::RUNNING, 11));
    on_message(One("t", task::v1::SUCCEEDED, 12));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Watch({"t", "u"}).ok());
  EXPECT_EQ(seen_, (std::vector<std::string>{"t RUNNING", "u FAILED", "t SUCCEEDED"}));
}

TEST_F(WatchTest, MoreTasksThanOneWatchTakesAreWatchedSideBySide) {
  std::vector<std::string> ids;
  for (int i = 0; i < 25'000; ++i) ids.push_back("t" + std::to_string(i));
  std::atomic<std::size_t> asked = 0;
  std::atomic<int> watches = 0;
  a_->watch = [&](const WatchRequest& request, const OnMessage& on_message, const CallLimits&) {
    EXPECT_LE(request.ids_size(), 10'000);
    asked += static_cast<std::size_t>(request.ids_size());
    // None answers before all have asked: they do not wait for each other.
    ++watches;
    while (watches < 3) std::this_thread::yield();
    for (const std::string& id : request.ids()) on_message(One(id, task::v1::SUCCEEDED));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Watch(ids).ok());
  EXPECT_EQ(asked, ids.size());
  EXPECT_EQ(seen_.size(), ids.size());
}

TEST_F(WatchTest, OfManyWatchesOneThatFailsOrACallerWithEnoughEndsAll) {
  const std::vector<std::string> ids = [] {
    std::vector<std::string> all;
    for (int i = 0; i < 20'001; ++i) all.push_back("t" + std::to_string(i));
    return all;
  }();
  const auto until_stopped = [](const CallLimits& limits) {
    while (!limits.stop.stop_requested()) std::this_thread::yield();
    return absl::CancelledError("stopped");
  };
  a_->watch = [&](const WatchRequest& request, const OnMessage&, const CallLimits& limits) {
    return request.ids_size() == 1 ? absl::InvalidArgumentError("no") : until_stopped(limits);
  };
  EXPECT_TRUE(absl::IsInvalidArgument(Watch(ids)));
  a_->watch = [&](const WatchRequest& request, const OnMessage& on_message, const CallLimits& limits) {
    if (request.ids_size() > 1) return until_stopped(limits);
    EXPECT_FALSE(on_message(One(request.ids(0), task::v1::RUNNING)));
    return absl::OkStatus();
  };
  EXPECT_TRUE(cluster_.client->Watch(ids, [](const Task&) { return false; }, nullptr, std::nullopt, {}).ok());
}

TEST_F(WatchTest, AStreamThatEndsEarlyIsOpenedAnew) {
  int opened = 0;
  a_->watch = b_->watch = [&opened](const WatchRequest&, const OnMessage& on_message, const CallLimits&) {
    on_message(One("t", ++opened == 1 ? task::v1::READY : task::v1::CANCELLED));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Watch({"t"}).ok());
  EXPECT_EQ(opened, 2);
}

TEST_F(WatchTest, TheTimeToWaitMayBeOver) {
  a_->watch = [this](const WatchRequest&, const OnMessage& on_message, const CallLimits& limits) {
    on_message(One("t", task::v1::RUNNING));
    cluster_.waiter->Advance(limits.deadline - cluster_.waiter->Now());
    return absl::DeadlineExceededError("");
  };
  EXPECT_TRUE(absl::IsDeadlineExceeded(Watch({"t"}, cluster_.waiter->Now() + std::chrono::milliseconds(200))));
}

TEST_F(WatchTest, WaitReturnsTheTasksInTheOrderAskedFor) {
  a_->watch = [](const WatchRequest&, const OnMessage& on_message, const CallLimits&) {
    on_message(One("t", task::v1::SUCCEEDED));
    on_message(One("u", task::v1::FAILED));
    return absl::OkStatus();
  };
  auto tasks = cluster_.client->Wait({"u", "t"}, std::chrono::milliseconds(0));
  ASSERT_TRUE(tasks.ok()) << tasks.status();
  EXPECT_EQ((*tasks)[0].state, State::kFailed);
  EXPECT_EQ((*tasks)[1].id, "t");
}

TEST_F(WatchTest, NothingToWaitForIsDone) {
  EXPECT_TRUE(Watch({}).ok());
}

}  // namespace
}  // namespace drover::client

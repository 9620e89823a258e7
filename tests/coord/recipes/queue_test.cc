// Queues, against the real node in simulation. (fault_test.cc has clusters and faults.)
#include "drover/recipes/queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Consumer final : QueueObserver {
  Consumer(SimCore* core, const std::string& name, std::size_t in_hand_max = 1)
      : process(core, name, {.timeout = seconds(2), .disconnect_grace = milliseconds(250)}) {
    queue = std::make_unique<QueueConsumer>(process.session(), QueueConsumerOptions{"/q", name, in_hand_max}, this);
  }
  ~Consumer() { Kill(); }
  void Kill() {
    queue.reset();
    process.Kill();
  }
  void OnItem(const QueueItem& item) override { items.push_back(item); }
  void OnItemLost(const std::string& name, const absl::Status& why) override { lost.emplace_back(name, why); }
  void OnConsumerEnded(const absl::Status& why) override { ended = why; }
  [[nodiscard]] std::vector<std::string> data() const {
    std::vector<std::string> all;
    for (const QueueItem& item : items) all.push_back(item.data);
    return all;
  }

  SimProcess process;
  std::unique_ptr<QueueConsumer> queue;
  std::vector<QueueItem> items;
  std::vector<std::pair<std::string, absl::Status>> lost;
  absl::Status ended;
};

class QueueTest : public ::testing::Test {
 protected:
  QueueTest() {
    core_.Start();
    producer_ = std::make_unique<SimProcess>(&core_, "producer");
    queue_ = std::make_unique<Queue>(producer_->session(), QueueOptions{.path = "/q", .items_max = 20, .producer = "p"});
  }
  ~QueueTest() override { queue_.reset(); }

  absl::StatusOr<std::string> Put(std::string data, PutOptions options = {}) {
    std::optional<absl::StatusOr<std::string>> put;
    queue_->Put(std::move(data), options, [&](absl::StatusOr<std::string> name) { put = std::move(name); });
    EXPECT_TRUE(RunUntil([&] { return put.has_value(); }));
    return *put;
  }
  absl::Status Acknowledge(Consumer& consumer, const std::string& name, std::vector<coord::Operation> writes = {}) {
    std::optional<absl::Status> done;
    consumer.queue->Acknowledge(name, std::move(writes), [&](const absl::Status& status) { done = status; });
    EXPECT_TRUE(RunUntil([&] { return done.has_value(); }));
    return *done;
  }
  absl::Status Return(Consumer& consumer, const std::string& name, base::Duration delay = base::Duration{0}) {
    std::optional<absl::Status> done;
    consumer.queue->Return(name, delay, [&](const absl::Status& status) { done = status; });
    EXPECT_TRUE(RunUntil([&] { return done.has_value(); }));
    return *done;
  }
  std::uint64_t Count() {
    std::optional<absl::StatusOr<std::uint64_t>> count;
    queue_->Count([&](absl::StatusOr<std::uint64_t> n) { count = n; });
    EXPECT_TRUE(RunUntil([&] { return count.has_value(); }));
    return **count;
  }
  bool RunUntil(const std::function<bool()>& condition, base::Duration limit = seconds(30)) {
    return core_.world.RunUntil(condition, limit);
  }
  void Settle() { core_.world.RunFor(milliseconds(300)); }

  SimCore core_;
  std::unique_ptr<SimProcess> producer_;
  std::unique_ptr<Queue> queue_;
};

TEST_F(QueueTest, HandsOutByPriorityThenInTheOrderInWhichTheyCame) {
  for (const auto& [data, priority] : std::vector<std::pair<std::string, std::uint32_t>>{{"a", 0}, {"b", 5}, {"c", 0}, {"d", 5}}) {
    ASSERT_TRUE(Put(data, {.priority = priority}).ok());
  }
  EXPECT_EQ(Count(), 4u);
  Consumer consumer(&core_, "c");
  for (std::size_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == i; }));
    Settle();
    ASSERT_EQ(consumer.items.size(), i) << "one in hand at a time";
    EXPECT_EQ(consumer.items.back().attempt, 1u);
    ASSERT_TRUE(Acknowledge(consumer, consumer.items.back().name).ok());
  }
  EXPECT_THAT(consumer.data(), ElementsAre("b", "d", "a", "c"));
  EXPECT_EQ(Count(), 0u);
  ASSERT_TRUE(Put("e").ok());
  EXPECT_TRUE(RunUntil([&] { return consumer.items.size() == 5; })) << "it waits for what comes";
}

TEST_F(QueueTest, SeveralConsumersShareTheWork) {
  std::vector<std::unique_ptr<Consumer>> all;
  for (int i = 0; i < 3; ++i) all.push_back(std::make_unique<Consumer>(&core_, absl::StrCat("c", i), 2));
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(Put(absl::StrCat(i)).ok());
  ASSERT_TRUE(RunUntil([&] { return all[0]->items.size() + all[1]->items.size() + all[2]->items.size() == 6; }));
  for (const auto& consumer : all) EXPECT_EQ(consumer->items.size(), 2u);
}

TEST_F(QueueTest, WhatADeadConsumerHadIsHandedOutAgain) {
  ASSERT_TRUE(Put("a").ok());
  auto first = std::make_unique<Consumer>(&core_, "c1");
  ASSERT_TRUE(RunUntil([&] { return first->items.size() == 1; }));
  Consumer second(&core_, "c2");
  Settle();
  EXPECT_THAT(second.items, IsEmpty());
  first->Kill();
  ASSERT_TRUE(RunUntil([&] { return second.items.size() == 1; }));
  EXPECT_EQ(second.items[0].attempt, 2u);
  EXPECT_GT(second.items[0].token, first->items[0].token);
}

// It was taken for dead, and wakes: what it writes with its acknowledgement is not written.
TEST_F(QueueTest, ThePausedConsumersAcknowledgementChangesNothing) {
  ASSERT_TRUE(Put("a").ok());
  Consumer first(&core_, "c1");
  ASSERT_TRUE(RunUntil([&] { return first.items.size() == 1; }));
  first.process.loop()->Pause();
  Consumer second(&core_, "c2");
  ASSERT_TRUE(RunUntil([&] { return second.items.size() == 1; }));
  ASSERT_TRUE(Acknowledge(second, second.items[0].name, {coord::Operation::Create("/result", "second")}).ok());
  first.process.loop()->Resume();
  std::optional<absl::Status> late;
  first.queue->Acknowledge(first.items[0].name, {coord::Operation::Create("/late", "first")},
                           [&](const absl::Status& status) { late = status; });
  ASSERT_TRUE(RunUntil([&] { return late.has_value() && !first.ended.ok(); }));
  EXPECT_FALSE(late->ok());
  ASSERT_EQ(first.lost.size(), 1u);
  EXPECT_EQ(core_.node->state().tree().Find("/late"), nullptr);
  EXPECT_EQ(Count(), 0u);
}

TEST_F(QueueTest, WhatIsReturnedComesAgainAfterItsDelay) {
  ASSERT_TRUE(Put("a").ok());
  Consumer consumer(&core_, "c");
  ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == 1; }));
  ASSERT_TRUE(Return(consumer, consumer.items[0].name).ok());
  ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == 2; }));
  EXPECT_EQ(consumer.items[1].attempt, 2u);
  ASSERT_TRUE(Return(consumer, consumer.items[1].name, seconds(5)).ok());
  core_.world.RunFor(seconds(4));
  EXPECT_EQ(consumer.items.size(), 2u);
  ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == 3; }));
  EXPECT_EQ(consumer.items[2].attempt, 3u);
}

TEST_F(QueueTest, ADelayedItemIsNotHandedOutBeforeItIsDue) {
  Consumer consumer(&core_, "c");
  ASSERT_TRUE(Put("later", {.priority = 9, .delay = seconds(5)}).ok());
  ASSERT_TRUE(Put("now").ok());
  ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == 1; }));
  EXPECT_THAT(consumer.data(), ElementsAre("now"));
  ASSERT_TRUE(Acknowledge(consumer, consumer.items[0].name).ok());
  core_.world.RunFor(seconds(4));
  EXPECT_EQ(consumer.items.size(), 1u);
  ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == 2; }));
}

TEST_F(QueueTest, AFullQueueRefuses) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Put(absl::StrCat(i)).ok());
  const auto refused = Put("one more");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("/q holds 20 items"));
  Consumer consumer(&core_, "c");
  ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == 1; }));
  ASSERT_TRUE(Acknowledge(consumer, consumer.items[0].name).ok());
  EXPECT_TRUE(Put("one more").ok());
}

TEST_F(QueueTest, ARefusedWriteLeavesTheItemInHand) {
  ASSERT_TRUE(Put("a").ok());
  Consumer consumer(&core_, "c");
  ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == 1; }));
  EXPECT_FALSE(Acknowledge(consumer, consumer.items[0].name, {coord::Operation::Set("/not/there", "")}).ok());
  EXPECT_EQ(consumer.queue->in_hand().size(), 1u);
  EXPECT_TRUE(Acknowledge(consumer, consumer.items[0].name).ok());
  EXPECT_TRUE(coord::IsNoNode(Acknowledge(consumer, consumer.items[0].name))) << "once";
  EXPECT_TRUE(coord::IsNoNode(Return(consumer, "never")));
}

TEST_F(QueueTest, AClaimThatSomebodyDeletesIsLost) {
  ASSERT_TRUE(Put("a").ok());
  Consumer consumer(&core_, "c");
  ASSERT_TRUE(RunUntil([&] { return consumer.items.size() == 1; }));
  consumer.queue->Stop();
  ASSERT_TRUE(producer_->Delete(absl::StrCat("/q/items/", consumer.items[0].name, "/claim")).ok());
  ASSERT_TRUE(RunUntil([&] { return !consumer.lost.empty(); }));
  EXPECT_TRUE(coord::IsNoNode(consumer.lost[0].second));
  Settle();
  EXPECT_EQ(consumer.items.size(), 1u) << "it takes no more";
}

}  // namespace
}  // namespace drover::recipes

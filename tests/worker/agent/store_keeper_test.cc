#include "worker/agent/store_keeper.h"

#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "tests/worker/agent/agent_fixture.h"

namespace drover::worker::agent {
namespace {

using testing::HasSubstr;

class StoreKeeperTest : public AgentTest {
 protected:
  std::unique_ptr<StoreKeeper> Keeper(const std::string& url, const std::string& marker = "m") {
    return std::make_unique<StoreKeeper>(
        master_->loop(), StoreKeeperOptions{.path = paths_.Store(), .url = url, .fresh_marker = marker},
        [this](const std::string& at) -> absl::StatusOr<std::unique_ptr<store::ObjectStore>> {
          ++opened_;
          if (at == "file:/broken") return absl::NotFoundError("no such directory");
          return std::make_unique<store::MemoryStore>(master_->loop(), &stores_[at]);
        },
        [this] { return master_->session(); });
  }
  absl::Status Use(StoreKeeper& keeper) {
    std::optional<absl::Status> result;
    keeper.Use([&](absl::StatusOr<store::ObjectStore*> store) { result = store.status(); });
    Await([&] { return result.has_value(); }, "the store");
    return *result;
  }

  int opened_ = 0;  // stores, by all keepers
};

TEST_F(StoreKeeperTest, APoolWithoutAStoreSaysSoUntilItHasOne) {
  const auto keeper = Keeper("");
  EXPECT_EQ(Use(*keeper).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(keeper->named());
  const auto founder = Keeper("file:/s");
  EXPECT_TRUE(Use(*founder).ok());
  EXPECT_TRUE(Use(*keeper).ok());
  EXPECT_TRUE(keeper->open());
}

TEST_F(StoreKeeperTest, OfTwoFoundersAtOnceBothHaveTheSameStore) {
  const auto one = Keeper("file:/s", "one");
  const auto two = Keeper("file:/s", "two");
  std::optional<absl::Status> second;
  two->Use([&](absl::StatusOr<store::ObjectStore*> store) { second = store.status(); });
  EXPECT_TRUE(Use(*one).ok());
  Await([&] { return second.has_value(); }, "the second");
  EXPECT_TRUE(second->ok()) << *second;
}

TEST_F(StoreKeeperTest, OfTwoFoundersOfDifferentStoresOneIsRefused) {
  const auto one = Keeper("file:/one", "one");
  const auto two = Keeper("file:/two", "two");
  std::optional<absl::Status> second;
  two->Use([&](absl::StatusOr<store::ObjectStore*> store) { second = store.status(); });
  const absl::Status first = Use(*one);
  Await([&] { return second.has_value(); }, "the second");
  EXPECT_NE(first.ok(), second->ok());
}

TEST_F(StoreKeeperTest, AnErrorIsNotForEver) {
  const auto broken = Keeper("file:/broken");
  const absl::Status status = Use(*broken);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("file:/broken"));
  EXPECT_FALSE(master_->Exists(paths_.Store())->stat.has_value());
}

TEST_F(StoreKeeperTest, AnOpenStoreIsNotAskedForAgainByAWaitOfTheFormerSession) {
  const auto one = Keeper("file:/s", "one");
  const auto two = Keeper("file:/s", "two");
  std::optional<absl::Status> first, second;
  one->Use([&](absl::StatusOr<store::ObjectStore*> store) { first = store.status(); });
  two->Use([&](absl::StatusOr<store::ObjectStore*> store) { second = store.status(); });
  core_.world.RunFor(std::chrono::milliseconds(50));
  ASSERT_TRUE(first.has_value());
  ASSERT_FALSE(second.has_value()) << "it does not wait to look again";
  two->SessionReplaced();
  Await([&] { return second.has_value(); }, "the answer");
  const int opened = opened_;
  core_.world.RunFor(std::chrono::seconds(1));
  EXPECT_EQ(opened_, opened);
}

TEST_F(StoreKeeperTest, AQuestionUnderWayIsAskedAgainOfTheNextSession) {
  EXPECT_TRUE(Use(*Keeper("file:/s")).ok());
  const auto keeper = Keeper("");
  core_.network.CutPair("master", "core");
  std::optional<absl::Status> result;
  keeper->Use([&](absl::StatusOr<store::ObjectStore*> store) { result = store.status(); });
  core_.world.RunFor(std::chrono::seconds(10));
  EXPECT_FALSE(result.has_value());
  core_.network.HealAll();
  Await([&] { return result.has_value() || master_->session()->state() == coord::SessionState::kExpired; }, "the expiry");
  ASSERT_FALSE(result.has_value());
  master_->OpenSession();
  keeper->SessionReplaced();
  Await([&] { return result.has_value(); }, "the answer");
  EXPECT_TRUE(result->ok()) << *result;
}

}  // namespace
}  // namespace drover::worker::agent

#include "master/server/pool_store.h"

#include <gtest/gtest.h>

#include "client/store/memory_store.h"
#include "master/records/codec.h"
#include "tests/master/fake/fake_session.h"
#include "tests/sim/sim_loop.h"

namespace drover::master::server {
namespace {

class PoolStoreTest : public ::testing::Test {
 protected:
  absl::Status Open(const std::string& url) {
    store_ = std::make_unique<PoolStore>(
        &loop_, PoolStoreOptions{.path = "/drover/p/store", .url = url, .fresh_marker = "fresh"},
        [this](const std::string&) { return std::make_unique<store::MemoryStore>(&loop_, &objects_); },
        [this] { return &session_; });
    absl::Status status = absl::UnknownError("not answered");
    store_->Open([&](absl::Status s) { status = std::move(s); });
    world_.RunFor(std::chrono::seconds(1));
    return status;
  }
  void Announce(const std::string& marker) {
    worker::v1::StoreInfo info;
    info.set_url("mem:");
    info.set_marker(marker);
    tree_.Create("/drover/p/store", records::Encode(info));
  }
  void Mark(const std::string& marker) {
    store::MemoryStore store(&loop_, &objects_);
    store::EnsureMarker(&store, marker, [](const absl::StatusOr<std::string>& m) { EXPECT_TRUE(m.ok()); });
    world_.RunFor(std::chrono::seconds(1));
  }

  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  testing::FakeTree tree_{&loop_};
  testing::FakeSession session_{&tree_};
  store::MemoryObjects objects_;
  std::unique_ptr<PoolStore> store_;
};

TEST_F(PoolStoreTest, TheFirstOneGivenIsAnnounced) {
  EXPECT_TRUE(Open("mem:").ok());
  EXPECT_NE(store_->store(), nullptr);
  ASSERT_NE(tree_.Find("/drover/p/store"), nullptr);
  const auto info = records::DecodeStoreInfo(tree_.Find("/drover/p/store")->data);
  EXPECT_EQ(info->url(), "mem:");
  EXPECT_EQ(info->marker(), "fresh");
}

TEST_F(PoolStoreTest, TheSameStoreIsTakenAndAnotherOneRefused) {
  Mark("theirs");
  Announce("theirs");
  EXPECT_TRUE(Open("").ok());
  EXPECT_NE(store_->store(), nullptr);
  tree_.Delete("/drover/p/store");
  Announce("another");
  EXPECT_EQ(Open("mem:").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->store(), nullptr);
}

TEST_F(PoolStoreTest, ASessionThatIsReplacedBeforeARetryDoesNotLookTwice) {
  int opened = 0;
  PoolStore store(
      &loop_, PoolStoreOptions{.path = "/drover/p/store", .url = "mem:", .fresh_marker = "fresh"},
      [&](const std::string&) {
        if (++opened == 1) Announce("fresh");  // another process is first: this one has to look again
        return std::make_unique<store::MemoryStore>(&loop_, &objects_);
      },
      [this] { return &session_; });
  store.Open([](const absl::Status& status) { EXPECT_TRUE(status.ok()) << status; });
  world_.RunFor(std::chrono::milliseconds(50));
  ASSERT_EQ(opened, 1);
  ASSERT_EQ(store.store(), nullptr) << "it waits before it looks again";
  store.SessionReplaced();
  world_.RunFor(std::chrono::milliseconds(50));
  const store::ObjectStore* settled = store.store();
  ASSERT_NE(settled, nullptr);
  world_.RunFor(std::chrono::seconds(1));
  EXPECT_EQ(store.store(), settled);
  EXPECT_EQ(opened, 2);
}

TEST_F(PoolStoreTest, WithoutOneItIsLookedForAgainWhenItIsNeeded) {
  EXPECT_TRUE(Open("").ok());
  EXPECT_EQ(store_->Use().status().code(), absl::StatusCode::kFailedPrecondition);
  world_.RunFor(std::chrono::seconds(1));
  Mark("theirs");
  Announce("theirs");
  EXPECT_FALSE(store_->Use().ok()) << "asked for now";
  world_.RunFor(std::chrono::seconds(1));
  EXPECT_TRUE(store_->Use().ok());
}

}  // namespace
}  // namespace drover::master::server

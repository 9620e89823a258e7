#include "master/pool/pool_store.h"

#include <gmock/gmock.h>

#include <map>
#include <optional>

#include "client/store/memory_store.h"
#include "master/records/codec.h"
#include "tests/client/store/hanging_store.h"
#include "tests/master/fake/fake_session.h"
#include "tests/sim/sim_loop.h"

namespace drover::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

class PoolStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<PoolStore> Make(const std::string& url, const std::string& marker = "fresh") {
    return std::make_unique<PoolStore>(
        &loop_, PoolStoreOptions{.path = kPath, .url = url, .fresh_marker = marker},
        [this](const std::string& at, bool create) -> absl::StatusOr<std::unique_ptr<store::ObjectStore>> {
          ++opened_;
          may_create_ = create;
          if (on_open_) on_open_();
          if (at == "file:/broken") return absl::NotFoundError("no such directory");
          return std::make_unique<store::HangingStore>(&loop_, &stores_[at], &hang_);
        },
        [this] { return session_.get(); });
  }
  // What Use says, once it has.
  std::shared_ptr<std::optional<absl::Status>> Ask(PoolStore& store) {
    auto answer = std::make_shared<std::optional<absl::Status>>();
    store.Use([answer](const absl::StatusOr<store::ObjectStore*>& opened) { *answer = opened.status(); });
    return answer;
  }
  absl::Status Use(PoolStore& store) {
    const auto answer = Ask(store);
    Run(seconds(1));
    return answer->value_or(absl::UnknownError("not answered"));
  }
  void Run(base::Duration time) { world_.RunFor(time); }
  void Announce(const std::string& url, const std::string& marker) {
    worker::v1::StoreInfo info;
    info.set_url(url);
    info.set_marker(marker);
    tree_.Create(kPath, records::Encode(info));
  }
  void Mark(const std::string& url, const std::string& marker) {
    store::MemoryStore store(&loop_, &stores_[url]);
    store::EnsureMarker(&store, marker, [](const absl::StatusOr<std::string>& m) { EXPECT_TRUE(m.ok()); });
    Run(seconds(1));
  }

  bool may_create_ = false;  // at the last opening
  static constexpr char kPath[] = "/drover/p/store";
  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  drover::testing::FakeTree tree_{&loop_};
  std::unique_ptr<drover::testing::FakeSession> session_ = std::make_unique<drover::testing::FakeSession>(&tree_);
  std::map<std::string, store::MemoryObjects> stores_;
  store::Hang hang_;
  std::function<void()> on_open_;
  int opened_ = 0;
};

TEST_F(PoolStoreTest, OnlyTheFirstStoreOfAPoolIsMade) {
  EXPECT_TRUE(Use(*Make("file:/a")).ok());
  EXPECT_TRUE(may_create_);
  // A mistyped path is refused, and nothing is left there.
  EXPECT_FALSE(Use(*Make("file:/b")).ok());
  EXPECT_FALSE(may_create_);
}

TEST_F(PoolStoreTest, TheFirstOneGivenIsAnnounced) {
  const auto store = Make("file:/s");
  EXPECT_TRUE(Use(*store).ok());
  EXPECT_NE(store->store(), nullptr);
  ASSERT_NE(tree_.Find(kPath), nullptr);
  const auto info = records::DecodeStoreInfo(tree_.Find(kPath)->data);
  EXPECT_EQ(info->url(), "file:/s");
  EXPECT_EQ(info->marker(), "fresh");
}

TEST_F(PoolStoreTest, TheSameStoreIsTakenAndAnotherOneRefused) {
  Mark("file:/s", "theirs");
  Announce("file:/s", "theirs");
  const auto same = Make("");
  EXPECT_TRUE(Use(*same).ok());
  EXPECT_NE(same->store(), nullptr);
  tree_.Delete(kPath);
  Announce("file:/s", "another");
  const auto other = Make("file:/s");
  EXPECT_EQ(Use(*other).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(other->store(), nullptr);
  EXPECT_FALSE(other->none()) << "that is no pool without a store";
}

TEST_F(PoolStoreTest, OfTwoFoundersAtOnceBothHaveTheSameStore) {
  const auto one = Make("file:/s", "one");
  const auto two = Make("file:/s", "two");
  const auto first = Ask(*one), second = Ask(*two);
  Run(seconds(1));
  EXPECT_TRUE(first->value().ok()) << **first;
  EXPECT_TRUE(second->value().ok()) << **second;
}

TEST_F(PoolStoreTest, OfTwoFoundersOfDifferentStoresOneIsRefused) {
  const auto one = Make("file:/one", "one");
  const auto two = Make("file:/two", "two");
  const auto first = Ask(*one), second = Ask(*two);
  Run(seconds(1));
  EXPECT_NE(first->value().ok(), second->value().ok());
}

TEST_F(PoolStoreTest, APoolWithoutAStoreSaysSoUntilItHasOne) {
  const auto store = Make("");
  EXPECT_EQ(store->Now().status().code(), absl::StatusCode::kUnavailable) << "nothing is known yet";
  EXPECT_EQ(Use(*store).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(store->none());
  EXPECT_EQ(store->Now().status().code(), absl::StatusCode::kFailedPrecondition);
  Run(seconds(1));
  Mark("file:/s", "theirs");
  Announce("file:/s", "theirs");
  EXPECT_FALSE(store->Now().ok()) << "asked for now";
  Run(seconds(1));
  EXPECT_TRUE(store->Now().ok());
}

TEST_F(PoolStoreTest, AnErrorIsNotForEver) {
  const auto store = Make("file:/broken");
  for (const int tries : {1, 2}) {
    const absl::Status status = Use(*store);
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(std::string(status.message()), HasSubstr("file:/broken"));
    EXPECT_EQ(opened_, tries);
  }
  EXPECT_EQ(tree_.Find(kPath), nullptr);
}

TEST_F(PoolStoreTest, AStoreThatDoesNotAnswerIsGivenUpAndAskedForAgainLater) {
  for (const bool first : {true, false}) {
    hang_.now = true;
    const auto store = Make("file:/s");
    const auto answer = Ask(*store);
    Run(seconds(9));
    EXPECT_FALSE(answer->has_value()) << first;
    Run(seconds(2));
    ASSERT_TRUE(answer->has_value()) << first;
    EXPECT_EQ((*answer)->code(), absl::StatusCode::kDeadlineExceeded);
    EXPECT_THAT(std::string((*answer)->message()),
                HasSubstr("object store file:/s does not answer: its marker could not be read within 10s"));
    EXPECT_EQ(store->store(), nullptr);
    hang_.kept.clear();
    hang_.now = false;
    EXPECT_TRUE(Use(*store).ok());
  }
}

TEST_F(PoolStoreTest, ASessionThatIsReplacedBeforeARetryDoesNotLookTwice) {
  on_open_ = [this] {
    if (opened_ == 1) Announce("file:/s", "fresh");  // another process is first: this one has to look again
  };
  const auto store = Make("file:/s");
  const auto answer = Ask(*store);
  Run(milliseconds(50));
  ASSERT_EQ(opened_, 1);
  ASSERT_FALSE(answer->has_value()) << "it waits before it looks again";
  store->SessionReplaced();
  Run(milliseconds(50));
  const store::ObjectStore* settled = store->store();
  ASSERT_NE(settled, nullptr);
  Run(seconds(1));
  EXPECT_EQ(store->store(), settled);
  EXPECT_EQ(opened_, 2);
}

TEST_F(PoolStoreTest, AQuestionUnderWayIsAskedAgainOfTheNextSession) {
  Mark("file:/s", "theirs");
  Announce("file:/s", "theirs");
  const auto store = Make("");
  session_->Expire();
  const auto answer = Ask(*store);
  Run(seconds(1));
  EXPECT_FALSE(answer->has_value());
  session_.reset();
  store->SessionReplaced();  // there is none for a while
  Run(seconds(1));
  EXPECT_FALSE(answer->has_value());
  session_ = std::make_unique<drover::testing::FakeSession>(&tree_);
  store->SessionReplaced();
  Run(seconds(1));
  ASSERT_TRUE(answer->has_value());
  EXPECT_TRUE((*answer)->ok()) << **answer;
}

}  // namespace
}  // namespace drover::pool

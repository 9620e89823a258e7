// Containers and nodes with a time to live, of a cluster whose leaders, clocks and programs change.
#include <gmock/gmock.h>

#include <string>

#include "gtest/gtest.h"
#include "tests/coord/server/cluster_fixture.h"

namespace drover::coord::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class ClusterLifetimeTest : public ClusterFixture {
 protected:
  void Begin(std::uint32_t level = base::kNewestFeatureLevel.value) {
    for (int id = 1; id <= 3; ++id) cluster_.levels[id] = level;
    leader_ = ClusterFixture::Begin();
    ASSERT_TRUE(cluster_.world.RunUntil([&] { return cluster_.node(leader_)->feature_level().value == level; }, seconds(30)));
    client_ = Connect("client", leader_, 60'000);
    client_->KeepContact(seconds(1));
  }
  void Create(const std::string& path, std::uint64_t ttl_ms, bool container = false) {
    v1::Create* create = client_->NewWrite()->mutable_create();
    create->set_path(path);
    create->set_ttl_ms(ttl_ms);
    create->set_container(container);
    client_->Flush();
    ASSERT_TRUE(client_->RunUntil([&] { return Has(leader_, path); }));
  }
  void Delete(const std::string& path) {
    client_->NewWrite()->mutable_delete_()->set_path(path);
    client_->Flush();
    ASSERT_TRUE(client_->RunUntil([&] { return !Has(leader_, path); }));
  }
  bool Has(int node, const std::string& path) { return cluster_.node(node)->state().tree().Find(path) != nullptr; }
  bool GoneEverywhere(const std::string& path) {
    for (int id = 1; id <= 3; ++id) {
      if (cluster_.running(id) && Has(id, path)) return false;
    }
    return true;
  }

  int leader_ = 0;
  std::unique_ptr<SimClient> client_;
};

TEST_F(ClusterLifetimeTest, TheLeaderDeletesThemOnAllNodesAndWatchersHear) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  client_->Watch("/");
  ASSERT_NO_FATAL_FAILURE(Create("/t", 3'000));
  ASSERT_NO_FATAL_FAILURE(Create("/c", 0, /*container=*/true));
  cluster_.world.RunFor(seconds(2));
  EXPECT_TRUE(Has(leader_, "/t"));
  EXPECT_TRUE(client_->RunUntil([&] { return GoneEverywhere("/t"); }, seconds(4)));
  EXPECT_TRUE(Has(leader_, "/c")) << "it has had no children";
  client_->CreateNow("/c/1", "");
  ASSERT_NO_FATAL_FAILURE(Delete("/c/1"));
  EXPECT_TRUE(client_->RunUntil([&] { return GoneEverywhere("/c"); }, seconds(4)));
  const auto heard = [&](const std::string& path) {
    return std::any_of(client_->events.begin(), client_->events.end(),
                       [&](const v1::Event& event) { return event.path() == path && event.type() == v1::Event::DELETED; });
  };
  EXPECT_TRUE(client_->RunUntil([&] { return heard("/t") && heard("/c"); }));
}

TEST_F(ClusterLifetimeTest, ANewLeaderGoesOnWithIt) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  ASSERT_NO_FATAL_FAILURE(Create("/t", 5'000));
  ASSERT_TRUE(cluster_.AwaitEqual());
  cluster_.Crash(leader_);
  ASSERT_NE(cluster_.AwaitLeader(), 0);
  EXPECT_TRUE(cluster_.world.RunUntil([&] { return GoneEverywhere("/t"); }, seconds(15)));
}

// Not by its own clock a leader decides, but by the cluster's.
TEST_F(ClusterLifetimeTest, AClockThatIsADayAheadEndsNothingEarly) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  ASSERT_NO_FATAL_FAILURE(Create("/t", 3'600'000));
  cluster_.loop(leader_).JumpWall(hours(24));
  cluster_.world.RunFor(seconds(30));
  EXPECT_TRUE(Has(leader_, "/t"));
  EXPECT_TRUE(Has(Other(leader_), "/t"));
}

TEST_F(ClusterLifetimeTest, AsLongAsAnOlderProgramIsThereTheyAreNotMade) {
  ASSERT_NO_FATAL_FAILURE(Begin(base::kLevelInConfigurations.value));
  std::optional<absl::StatusOr<base::Bytes>> answer;
  tree::CreateView create{"/t"};
  create.ttl_ms = 5;
  cluster_.node(leader_)->Execute(base::Bytes::Adopt(tree::EncodeCreate({}, create)),
                                  [&](absl::StatusOr<base::Bytes> bytes) { answer = std::move(bytes); });
  ASSERT_TRUE(client_->RunUntil([&] { return answer.has_value(); }));
  ASSERT_TRUE(answer->ok()) << answer->status();
  v1::Answer parsed;
  ASSERT_TRUE(parsed.ParseFromString((*answer)->ToString()));
  EXPECT_EQ(parsed.code(), v1::UNIMPLEMENTED);
  EXPECT_THAT(parsed.message(), ::testing::HasSubstr("feature level"));
  // A session's write is numbered, so it is done as everybody can.
  ASSERT_NO_FATAL_FAILURE(Create("/t", 5));
  cluster_.world.RunFor(seconds(10));
  EXPECT_TRUE(Has(leader_, "/t"));
  EXPECT_EQ(cluster_.node(leader_)->state().tree().Find("/t")->ttl_ms(), 0U);
}

}  // namespace
}  // namespace drover::coord::server

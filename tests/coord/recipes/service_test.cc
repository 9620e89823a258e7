// Service discovery and persistent nodes, against the real node in simulation.
#include "drover/recipes/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"
#include "drover/recipes/persistent_node.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

struct Server final : MemberObserver {
  Server(SimCore* core, const std::string& id, std::uint32_t weight = 1) : process(core, id, Options()) {
    registration = std::make_unique<ServiceRegistration>(
        process.loop(), process.session(), ServiceOptions{"/services", "search"},
        ServiceInstance{
            .id = id, .address = id + ":9000", .tags = {{"zone", "a"}}, .weight = weight, .healthy = true, .incarnation = {}},
        this);
  }
  ~Server() {
    registration.reset();
    process.Kill();
  }
  static coord::SessionOptions Options() {
    coord::SessionOptions options;
    options.timeout = seconds(2);
    return options;
  }
  void OnRegistered(base::Zxid) override { registered = true; }
  void OnNameTaken(const coord::Node&) override {}
  void OnLost(const absl::Status&) override { registered = false; }

  SimProcess process;
  std::unique_ptr<ServiceRegistration> registration;
  bool registered = false;
};

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() { core_.Start(); }
  bool RunUntil(const std::function<bool()>& condition) { return core_.world.RunUntil(condition, seconds(30)); }
  void Start(const std::string& id, std::uint32_t weight = 1) {
    servers_[id] = std::make_unique<Server>(&core_, id, weight);
    ASSERT_TRUE(RunUntil([&] { return servers_[id]->registered; }));
  }
  static std::vector<std::string> Ids(const ServiceDirectory& directory) {
    std::vector<std::string> ids;
    for (const ServiceInstance& instance : directory.instances()) ids.push_back(instance.id);
    return ids;
  }

  SimCore core_;
  std::map<std::string, std::unique_ptr<Server>> servers_;
};

TEST_F(ServiceTest, InstancesComeAndGoAndSayHowTheyAre) {
  SimProcess client(&core_, "client");
  ServiceDirectory directory(client.session(), "/services", "search", nullptr);
  ASSERT_TRUE(RunUntil([&] { return directory.synced(); }));
  EXPECT_FALSE(directory.Pick(7).has_value());
  EXPECT_FALSE(directory.PickFor("key").has_value());
  Start("s1");
  Start("s2");
  ASSERT_TRUE(RunUntil([&] { return directory.instances().size() == 2; }));
  EXPECT_THAT(Ids(directory), ElementsAre("s1", "s2"));
  EXPECT_EQ(directory.instances()[0].address, "s1:9000");
  EXPECT_EQ(directory.instances()[0].tags.at("zone"), "a");
  bool done = false;
  servers_["s1"]->registration->SetHealthy(false, [&](const absl::Status& status) { done = status.ok(); });
  ASSERT_TRUE(RunUntil([&] { return done && !directory.instances()[0].healthy; }));
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(directory.Pick(i)->id, "s2");
  servers_.erase("s2");
  ASSERT_TRUE(RunUntil([&] { return directory.instances().size() == 1; }));
  EXPECT_FALSE(directory.Pick(0).has_value()) << "the one that is left is not well";
}

TEST_F(ServiceTest, IsPickedByWeight) {
  Start("s1", 1);
  Start("s2", 3);
  Start("s3", 0);
  SimProcess client(&core_, "client");
  ServiceDirectory directory(client.session(), "/services", "search", nullptr);
  ASSERT_TRUE(RunUntil([&] { return directory.synced(); }));
  std::map<std::string, int> picked, hashed;
  for (int i = 0; i < 400; ++i) ++picked[directory.PickNext()->id];
  EXPECT_EQ(picked, (std::map<std::string, int>{{"s1", 100}, {"s2", 300}}));
  for (int i = 0; i < 4'000; ++i) ++hashed[directory.PickFor(absl::StrCat("key ", i))->id];
  EXPECT_EQ(hashed.count("s3"), 0u);
  EXPECT_NEAR(hashed["s1"], 1'000, 150);
}

TEST_F(ServiceTest, OfOneThatGoesOnlyItsOwnKeysMove) {
  for (const char* id : {"s1", "s2", "s3", "s4"}) Start(id);
  SimProcess client(&core_, "client");
  ServiceDirectory directory(client.session(), "/services", "search", nullptr);
  ASSERT_TRUE(RunUntil([&] { return directory.instances().size() == 4; }));
  std::map<int, std::string> before;
  for (int key = 0; key < 1'000; ++key) before[key] = directory.PickFor(absl::StrCat(key))->id;
  servers_.erase("s3");
  ASSERT_TRUE(RunUntil([&] { return directory.instances().size() == 3; }));
  for (int key = 0; key < 1'000; ++key) {
    const std::string now = directory.PickFor(absl::StrCat(key))->id;
    if (before[key] != "s3") {
      EXPECT_EQ(now, before[key]) << key;
    }
  }
}

TEST_F(ServiceTest, WhatIsNoInstanceIsLeftOut) {
  Start("s1");
  SimProcess client(&core_, "client");
  for (const char* wrong : {"", "{}", "[1]", R"({"address":7})", "\xff"}) {
    ASSERT_TRUE(client.Create(absl::StrCat("/services/search/x", std::string(wrong).size()), wrong).ok());
  }
  ServiceDirectory directory(client.session(), "/services", "search", nullptr);
  ASSERT_TRUE(RunUntil([&] { return directory.synced(); }));
  EXPECT_THAT(Ids(directory), ElementsAre("s1"));
  EXPECT_EQ(DecodeInstance("a", R"({"address":"h:1"})")->weight, 1u);
  EXPECT_EQ(DecodeInstance("a", R"({"address":"h:1","weight":-3,"tags":{"x":1}})")->tags.size(), 0u);
}

struct Presence final : PersistentNodeObserver {
  void OnPresent(base::Zxid czxid) override { present.push_back(czxid); }
  void OnAbsent(const absl::Status& why) override { absent.push_back(why); }
  std::vector<base::Zxid> present;
  std::vector<absl::Status> absent;
};

TEST_F(ServiceTest, APersistentNodeComesBackWheneverItIsGone) {
  coord::SessionOptions options;
  options.timeout = seconds(2);
  SimProcess process(&core_, "p", options);
  SimProcess other(&core_, "other");
  Presence presence;
  std::unique_ptr<coord::Session> again;  // outlives the node
  PersistentNode node(process.loop(), process.session(), {.path = "/hosts", .name = "h1", .data = "up"}, &presence);
  ASSERT_TRUE(RunUntil([&] { return presence.present.size() == 1; }));
  ASSERT_TRUE(other.Delete("/hosts/h1").ok());
  ASSERT_TRUE(RunUntil([&] { return presence.present.size() == 2; }));
  EXPECT_GT(presence.present[1], presence.present[0]);
  EXPECT_TRUE(coord::IsNoNode(presence.absent[0]));
  bool updated = false;
  node.Update("busy", [&](const absl::Status& status) { updated = status.ok(); });
  ASSERT_TRUE(RunUntil([&] { return updated; }));
  EXPECT_EQ(other.Get("/hosts/h1")->node.data, "busy");
  // Its session expires while it stands still.
  process.loop()->Pause();
  ASSERT_TRUE(RunUntil([&] { return core_.node->state().tree().Find("/hosts/h1") == nullptr; }));
  process.loop()->Resume();
  ASSERT_TRUE(RunUntil([&] { return presence.absent.size() == 2; }));
  again = coord::Session::Open(process.loop(), process.dialer(), {.endpoints = {SimCore::kAddress}});
  node.UseSession(again.get());
  ASSERT_TRUE(RunUntil([&] { return presence.present.size() == 3; }));
  EXPECT_EQ(other.Get("/hosts/h1")->node.data, "busy");
  bool removed = false;
  node.Remove([&](const absl::Status&) { removed = true; });
  ASSERT_TRUE(RunUntil([&] { return removed; }));
  core_.world.RunFor(seconds(5));
  EXPECT_FALSE(other.Exists("/hosts/h1")->stat.has_value());
}

}  // namespace
}  // namespace drover::recipes

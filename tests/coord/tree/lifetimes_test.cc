// Nodes that end by themselves: containers, and those with a time to live.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LifetimesTest : public testing::Test {
 protected:
  DecodedAnswer CreateContainer(absl::string_view path) {
    CreateView create{path};
    create.container = true;
    return machine_.Unary(EncodeCreate({}, create));
  }
  DecodedAnswer CreateMortal(absl::string_view path, std::uint64_t ttl_ms) {
    CreateView create{path, "data"};
    create.ttl_ms = ttl_ms;
    return machine_.Unary(EncodeCreate({}, create));
  }
  // As a leader would ask that looks at the state as it is.
  void Reap(const std::string& path) { machine_.Reap({{path, machine_.StatOf(path).czxid}}); }

  Machine machine_;
};

TEST_F(LifetimesTest, AContainerEndsWhenItHasHadChildrenAndHasNone) {
  EXPECT_EQ(CreateContainer("/c").code, Code::kOk);
  EXPECT_TRUE(machine_.StatOf("/c").container);
  EXPECT_EQ(machine_.StatOf("/c").ephemeral_owner, base::SessionId());
  Reap("/c");
  EXPECT_TRUE(machine_.Has("/c")) << "it may still be used for the first time";
  machine_.Create("/c/1");
  machine_.Create("/c/2");
  machine_.Delete("/c/1");
  Reap("/c");
  EXPECT_TRUE(machine_.Has("/c"));
  machine_.Delete("/c/2");
  machine_.TakeEvents();
  const base::Zxid before = machine_->last_zxid();
  Reap("/c");
  EXPECT_FALSE(machine_.Has("/c"));
  EXPECT_EQ(machine_->last_zxid(), before.Next());
  EXPECT_THAT(machine_.TakeEvents(), ElementsAre("6.0 deleted /c ''"));
}

TEST_F(LifetimesTest, ANodeWithATimeToLiveEndsWhenItWasNotSetForLonger) {
  machine_.now_ms = 1'000;
  EXPECT_EQ(CreateMortal("/t", 500).code, Code::kOk);
  EXPECT_EQ(machine_.StatOf("/t").ttl_ms, 500u);
  machine_.now_ms = 1'500;
  Reap("/t");
  EXPECT_TRUE(machine_.Has("/t")) << "not longer yet";
  machine_.Set("/t", "again");
  machine_.now_ms = 2'000;
  Reap("/t");
  EXPECT_TRUE(machine_.Has("/t"));
  machine_.now_ms = 2'001;
  Reap("/t");
  EXPECT_FALSE(machine_.Has("/t"));
}

TEST_F(LifetimesTest, ChildrenKeepANodeWithATimeToLiveAndDoNotRenewIt) {
  CreateMortal("/t", 500);
  machine_.Create("/t/child");
  machine_.now_ms += 10'000;
  Reap("/t");
  EXPECT_TRUE(machine_.Has("/t"));
  machine_.Delete("/t/child");
  Reap("/t");
  EXPECT_FALSE(machine_.Has("/t"));
}

TEST_F(LifetimesTest, OnlyTheNodeThatWasMeantIsReaped) {
  CreateMortal("/t", 1);
  const base::Zxid first = machine_.StatOf("/t").czxid;
  machine_.Delete("/t");
  CreateMortal("/t", 1);
  machine_.Create("/plain");
  machine_.now_ms += 1'000;
  machine_.TakeEvents();
  const base::Zxid before = machine_->last_zxid();
  machine_.Reap({{"/t", first}, {"/plain", machine_.StatOf("/plain").czxid}, {"/gone", base::Zxid(1)}, {"no path", base::Zxid(1)}});
  EXPECT_TRUE(machine_.Has("/t") && machine_.Has("/plain"));
  EXPECT_EQ(machine_->last_zxid(), before) << "what is not done takes no zxid";
  EXPECT_THAT(machine_.TakeEvents(), IsEmpty());
}

TEST_F(LifetimesTest, EachThatIsReapedHasItsOwnZxid) {
  CreateMortal("/a", 1);
  CreateMortal("/b", 1);
  machine_.now_ms += 1'000;
  machine_.TakeEvents();
  machine_.Reap({{"/a", machine_.StatOf("/a").czxid}, {"/b", machine_.StatOf("/b").czxid}});
  EXPECT_THAT(machine_.TakeEvents(), ElementsAre("3.0 deleted /a ''", "4.0 deleted /b ''"));
}

TEST_F(LifetimesTest, ANodeEndsInOneWay) {
  Client client(&machine_);
  for (const auto& [ephemeral, container, ttl_ms] :
       std::vector<std::tuple<bool, bool, std::uint64_t>>{{true, true, 0}, {true, false, 1}, {false, true, 1}}) {
    CreateView create{"/x"};
    create.ephemeral = ephemeral;
    create.container = container;
    create.ttl_ms = ttl_ms;
    EXPECT_EQ(client.Create(create).code, Code::kInvalidArgument);
  }
  EXPECT_EQ(CreateMortal("/x", std::uint64_t{1} << 48).code, Code::kInvalidArgument);
  EXPECT_EQ(CreateMortal("/x", (std::uint64_t{1} << 48) - 1).code, Code::kOk);
  machine_.now_ms = INT64_MAX / 2;
  Reap("/x");
  EXPECT_FALSE(machine_.Has("/x"));
}

TEST_F(LifetimesTest, SequentialOnesMayEndToo) {
  CreateView create{"/s-"};
  create.sequential = true;
  create.ttl_ms = 10;
  EXPECT_EQ(machine_.Unary(EncodeCreate({}, create)).path, "/s-0000000000");
  EXPECT_EQ(machine_.StatOf("/s-0000000000").ttl_ms, 10u);
}

TEST_F(LifetimesTest, ParentsThatAreMadeOnTheWayStay) {
  CreateView create{"/p/q/c"};
  create.parents = true;
  create.container = true;
  machine_.Unary(EncodeCreate({}, create));
  EXPECT_FALSE(machine_.StatOf("/p").container);
  EXPECT_FALSE(machine_.StatOf("/p/q").container);
  EXPECT_TRUE(machine_.StatOf("/p/q/c").container);
}

// A program that knows nothing of them makes a node that stays; so must all do, as long as there may be one.
TEST_F(LifetimesTest, BelowTheirLevelTheyAreNotKnown) {
  machine_->SetFeatureLevel(base::kLevelInConfigurations);
  EXPECT_EQ(CreateContainer("/c").code, Code::kOk);
  EXPECT_EQ(CreateMortal("/t", 5).code, Code::kOk);
  EXPECT_FALSE(machine_.StatOf("/c").container);
  EXPECT_EQ(machine_.StatOf("/t").ttl_ms, 0u);
}

}  // namespace
}  // namespace drover::coord::tree

#include "tests/rivals/resource_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "coord/base/random.h"
#include "tests/rivals/courier.h"
#include "tests/sim/sim_loop.h"
#include "tests/sim/sim_world.h"
#include "tests/support/await.h"

namespace drover::rivals {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ResourceServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Courier> Caller(const std::string& name) {
    return std::make_unique<Courier>(&loop_, &random_, server_.port(), name);
  }
  static Use Of(std::uint64_t token, bool fenced = true) {
    return {.resource = "mutex", .token = base::Zxid(token), .fenced = fenced};
  }
  // One at a time, so that the order is known.
  void Say(Courier* caller, const Report& report) {
    caller->Say(report);
    ++said_;
    ASSERT_TRUE(testing::Await([this] { return server_.Records().size() + server_.nonsense().size() == said_; }));
  }

  sim::SimWorld world_{1};
  sim::SimLoop loop_{&world_};
  base::SeededRandom random_{1};
  ResourceServer server_;
  std::size_t said_ = 0;
};

TEST_F(ResourceServerTest, RefusesOlderTokensOfWhatIsFenced) {
  const auto a = Caller("a");
  Say(a.get(), Of(5));
  Say(a.get(), Of(7));
  Say(a.get(), Of(5));
  Say(a.get(), Of(5, false));
  Say(a.get(), Of(7));
  std::vector<bool> accepted;
  for (const Record& record : server_.Records()) accepted.push_back(record.accepted);
  EXPECT_THAT(accepted, ElementsAre(true, true, false, true, true));
}

TEST_F(ResourceServerTest, KnowsWhichLifeSpeaksAndWhenItIsOver) {
  auto a = Caller("a");
  Say(a.get(), Number{1});
  a.reset();
  a = Caller("a");
  Say(a.get(), Number{2});
  const auto b = Caller("b");
  Say(b.get(), Number{3});
  std::vector<std::string> users;
  for (const Record& record : server_.Records()) users.push_back(record.user);
  EXPECT_THAT(users, ElementsAre("a.1", "a.2", "b.1"));
  EXPECT_EQ(server_.callers(), 2);
  a.reset();
  EXPECT_TRUE(testing::Await([this] { return server_.callers() == 1; }));
}

TEST_F(ResourceServerTest, WhatIsNoReportIsNotPassedOver) {
  const auto a = Caller("a");
  Say(a.get(), Hello{"b"});
  EXPECT_THAT(server_.nonsense(), ElementsAre("a.1: hello b"));
  EXPECT_THAT(server_.Records(), IsEmpty());
}

TEST_F(ResourceServerTest, AWriteThatIsDecidedComesLater) {
  const auto a = Caller("a");
  EXPECT_TRUE(a->Quiet("mutex"));
  a->Write(Of(5));
  EXPECT_FALSE(a->Quiet("mutex"));
  world_.RunFor(kTickMax);
  EXPECT_FALSE(a->Quiet("mutex")) << "longer than from tick to tick";
  world_.RunFor(std::chrono::seconds(2));
  EXPECT_TRUE(a->Quiet("mutex"));
  EXPECT_TRUE(testing::Await([this] { return !server_.Records().empty(); }));
}

}  // namespace
}  // namespace drover::rivals

// Membership, against the real node in simulation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "drover/recipes/membership.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kMembers[] = "/pool/workers";

struct Worker final : MemberObserver {
  Worker(SimCore* core, const std::string& host, const std::string& name, coord::SessionOptions options = {})
      : process(core, host, std::move(options)) {
    member = std::make_unique<Member>(process.loop(), process.session(),
                                      MemberOptions{.path = kMembers, .name = name, .data = host}, this);
  }
  ~Worker() { Kill(); }
  void Kill() {
    member.reset();
    process.Kill();
  }
  void OnRegistered(base::Zxid incarnation) override { registered.push_back(incarnation); }
  void OnWaiting(const coord::Node& holder) override { waits_for.push_back(holder.data); }
  void OnNameTaken(const coord::Node& holder) override { taken_by.push_back(holder.data); }
  void OnLost(const absl::Status& why) override { lost.push_back(why); }

  SimProcess process;
  std::unique_ptr<Member> member;
  std::vector<base::Zxid> registered;
  std::vector<std::string> waits_for;
  std::vector<std::string> taken_by;
  std::vector<absl::Status> lost;
};

struct ListNotes final : MemberListObserver {
  void OnListed() override { notes.push_back("listed"); }
  void OnJoined(const MemberInfo& member) override { notes.push_back("joined " + member.name); }
  void OnUpdated(const MemberInfo& member) override { notes.push_back("updated " + member.name + "=" + member.data); }
  void OnGone(const MemberInfo& member) override { notes.push_back("gone " + member.name); }
  void OnListEnded(const absl::Status& /*why*/) override { notes.push_back("ended"); }
  std::vector<std::string> notes;
};

class MemberTest : public ::testing::Test {
 protected:
  MemberTest() { core_.Start(); }
  bool RunUntil(const std::function<bool()>& condition, base::Duration limit = seconds(30)) {
    return core_.world.RunUntil(condition, limit);
  }
  void Settle() { core_.world.RunFor(milliseconds(100)); }

  SimCore core_;
};

TEST_F(MemberTest, WhoWaitsIsToldOfEachHolderOnce) {
  Worker first(&core_, "host1", "w1");
  ASSERT_TRUE(RunUntil([&] { return first.registered.size() == 1; }));
  Worker second(&core_, "host2", "w1");
  ASSERT_TRUE(RunUntil([&] { return second.waits_for.size() == 1; }));
  Worker third(&core_, "host3", "w1");
  ASSERT_TRUE(RunUntil([&] { return third.waits_for.size() == 1; }));
  EXPECT_THAT(second.waits_for, ElementsAre("host1"));
  EXPECT_THAT(second.taken_by, IsEmpty()) << "that takes longer";
  first.process.session()->Close([](const absl::Status&) {});
  ASSERT_TRUE(RunUntil([&] { return second.registered.size() + third.registered.size() == 1; }));
  Worker& late = second.registered.empty() ? second : third;
  ASSERT_TRUE(RunUntil([&] { return late.waits_for.size() == 2; }));
  EXPECT_THAT(late.waits_for, ElementsAre("host1", second.registered.empty() ? "host3" : "host2"));
  EXPECT_TRUE((second.registered.empty() ? third : second).waits_for.size() == 1);
}

TEST_F(MemberTest, RegistersAnEphemeralNodeWhoseCreationIsItsIncarnation) {
  Worker w(&core_, "host1", "w1");
  ASSERT_TRUE(RunUntil([&] { return w.registered.size() == 1; }));
  const auto got = w.process.Get("/pool/workers/w1");
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->node.data, "host1");
  EXPECT_EQ(got->node.stat.czxid, w.registered[0]);
  EXPECT_EQ(got->node.stat.ephemeral_owner, w.process.session()->id());
  EXPECT_EQ(w.member->incarnation(), w.registered[0]);
}

TEST_F(MemberTest, ATakenNameIsWaitedForAndReportedOnceAfterThreeTimeouts) {
  Worker first(&core_, "host1", "w1");
  ASSERT_TRUE(RunUntil([&] { return first.registered.size() == 1; }));
  Worker second(&core_, "host2", "w1", {.timeout = seconds(2)});
  core_.world.RunFor(seconds(5));
  EXPECT_EQ(second.member->state(), Member::State::kWaiting);
  EXPECT_THAT(second.taken_by, IsEmpty());
  core_.world.RunFor(seconds(2));
  EXPECT_THAT(second.taken_by, ElementsAre("host1"));
  core_.world.RunFor(seconds(60));
  EXPECT_THAT(second.taken_by, ElementsAre("host1"));
  EXPECT_THAT(first.lost, IsEmpty()) << "the holder is never touched";

  bool left = false;
  first.member->Leave([&](const absl::Status& status) { left = status.ok(); });
  ASSERT_TRUE(RunUntil([&] { return left && second.registered.size() == 1; }));
  EXPECT_GT(second.registered[0], first.registered[0]);
  EXPECT_THAT(first.lost, IsEmpty());
}

TEST_F(MemberTest, ANameOfADeadProcessIsFreeWhenItsSessionTimesOut) {
  Worker first(&core_, "host1", "w1", {.timeout = seconds(4)});
  ASSERT_TRUE(RunUntil([&] { return first.registered.size() == 1; }));
  first.Kill();
  Worker second(&core_, "host2", "w1");
  core_.world.RunFor(seconds(2));
  EXPECT_THAT(second.registered, IsEmpty());
  ASSERT_TRUE(RunUntil([&] { return second.registered.size() == 1; }, seconds(6)));
  EXPECT_THAT(second.taken_by, IsEmpty());
}

TEST_F(MemberTest, AfterAnExpiryItRejoinsAsAnotherIncarnation) {
  Worker w(&core_, "host1", "w1", {.timeout = seconds(2)});
  ASSERT_TRUE(RunUntil([&] { return w.registered.size() == 1; }));
  core_.network.CutPair("host1", SimCore::kHost);
  core_.world.RunFor(seconds(10));
  core_.network.HealAll();
  ASSERT_TRUE(RunUntil([&] { return w.lost.size() == 1; }));
  EXPECT_TRUE(coord::IsSessionExpired(w.lost[0])) << w.lost[0];
  EXPECT_EQ(w.member->incarnation(), base::Zxid());
  // The order that a worker uses: the new session first, then the member, then the old one goes.
  auto session = coord::Session::Open(w.process.loop(), w.process.dialer(), {.endpoints = {SimCore::kAddress}});
  w.member->Rejoin(session.get());
  ASSERT_TRUE(RunUntil([&] { return w.registered.size() == 2; }));
  EXPECT_GT(w.registered[1], w.registered[0]);
  w.member.reset();
}

TEST_F(MemberTest, ANodeDeletedByHandIsReportedAndMayBeRegisteredAnew) {
  Worker w(&core_, "host1", "w1");
  ASSERT_TRUE(RunUntil([&] { return w.registered.size() == 1; }));
  SimProcess admin(&core_, "admin");
  ASSERT_TRUE(admin.Delete("/pool/workers/w1").ok());
  ASSERT_TRUE(RunUntil([&] { return w.lost.size() == 1; }));
  EXPECT_TRUE(coord::IsNoNode(w.lost[0]));
  w.member->Rejoin(w.process.session());
  ASSERT_TRUE(RunUntil([&] { return w.registered.size() == 2; }));
}

TEST_F(MemberTest, AnOutageOfTheCoreLosesNothing) {
  Worker w(&core_, "host1", "w1");
  ASSERT_TRUE(RunUntil([&] { return w.registered.size() == 1; }));
  core_.Crash(sim::Survival::kEverything);
  core_.world.RunFor(seconds(20));
  core_.Start();
  core_.world.RunFor(seconds(10));
  EXPECT_EQ(w.member->state(), Member::State::kRegistered);
  EXPECT_THAT(w.lost, IsEmpty());
}

TEST_F(MemberTest, UpdatesReachTheNodeAlsoWhenMadeBeforeItIsThere) {
  Worker w(&core_, "host1", "w1");
  std::vector<std::string> done;
  w.member->Update("early", [&](const absl::Status& status) { done.push_back(status.ok() ? "early" : status.ToString()); });
  ASSERT_TRUE(RunUntil([&] { return done.size() == 1; }));
  EXPECT_EQ(w.process.Get("/pool/workers/w1")->node.data, "early");
  w.member->Update("late", [&](const absl::Status& status) { done.push_back(status.ok() ? "late" : status.ToString()); });
  ASSERT_TRUE(RunUntil([&] { return done.size() == 2; }));
  EXPECT_THAT(done, ElementsAre("early", "late"));
  EXPECT_EQ(w.process.Get("/pool/workers/w1")->node.data, "late");
  EXPECT_EQ(w.member->incarnation(), w.registered[0]);
}

TEST_F(MemberTest, AnUpdateNeverWritesIntoAnothersNode) {
  Worker w(&core_, "host1", "w1");
  ASSERT_TRUE(RunUntil([&] { return w.registered.size() == 1; }));
  SimProcess admin(&core_, "admin");
  core_.network.CutPair("host1", SimCore::kHost);  // so that it does not hear of it first
  ASSERT_TRUE(admin.Delete("/pool/workers/w1").ok());
  ASSERT_TRUE(admin.Create("/pool/workers/w1", "another").ok());
  std::optional<absl::Status> updated;
  w.member->Update("mine", [&](const absl::Status& status) { updated = status; });
  core_.network.HealAll();
  ASSERT_TRUE(RunUntil([&] { return updated.has_value() && w.lost.size() == 1; }));
  EXPECT_TRUE(coord::IsNoNode(*updated));
  EXPECT_EQ(admin.Get("/pool/workers/w1")->node.data, "another");
}

TEST_F(MemberTest, LeavingBeforeItIsRegisteredLeavesNothingBehind) {
  Worker w(&core_, "host1", "w1");
  bool left = false;
  w.member->Leave([&](const absl::Status& status) { left = status.ok(); });
  ASSERT_TRUE(RunUntil([&] { return left; }));
  SimProcess admin(&core_, "admin");
  EXPECT_FALSE(admin.Exists("/pool/workers/w1")->stat.has_value());
  EXPECT_THAT(w.registered, IsEmpty());
}

TEST_F(MemberTest, AListShowsWhoIsThereAndWhoComesAndGoes) {
  Worker w1(&core_, "host1", "w1");
  ASSERT_TRUE(RunUntil([&] { return w1.registered.size() == 1; }));
  SimProcess process(&core_, "watcher");
  ListNotes notes;
  MemberList list(process.session(), kMembers, &notes);
  ASSERT_TRUE(RunUntil([&] { return list.synced(); }));
  ASSERT_EQ(list.members().size(), 1U);
  EXPECT_EQ(list.members().at("w1").data, "host1");
  EXPECT_EQ(list.members().at("w1").incarnation, w1.registered[0]);

  Worker w2(&core_, "host2", "w2");
  ASSERT_TRUE(RunUntil([&] { return list.members().size() == 2; }));
  w1.member->Update("drained", [](const absl::Status&) {});
  ASSERT_TRUE(RunUntil([&] { return list.members().at("w1").data == "drained"; }));
  w2.member->Leave([](const absl::Status&) {});
  ASSERT_TRUE(RunUntil([&] { return list.members().size() == 1; }));
  EXPECT_THAT(notes.notes, ElementsAre("listed", "joined w2", "updated w1=drained", "gone w2"));
}

TEST_F(MemberTest, AListWhoseHistoryIsGoneIsReadAnew) {
  core_.Crash(sim::Survival::kEverything);
  core_.options.history.bytes_max = 500;
  core_.Start();
  SimProcess process(&core_, "watcher");
  ListNotes notes;
  MemberList list(process.session(), kMembers, &notes);
  ASSERT_TRUE(RunUntil([&] { return list.synced(); }));
  core_.network.CutPair("watcher", SimCore::kHost);
  SimProcess admin(&core_, "admin");
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(admin.Create(std::string(kMembers) + "/w" + std::to_string(i), "").ok());
  core_.network.HealAll();
  core_.network.Reset("watcher", SimCore::kHost);
  ASSERT_TRUE(RunUntil([&] { return list.members().size() == 20; }));
  EXPECT_THAT(notes.notes, ElementsAre("listed", "listed"));
}

}  // namespace
}  // namespace drover::recipes

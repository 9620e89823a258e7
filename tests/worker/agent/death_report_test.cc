#include "worker/agent/death_report.h"

#include <string>

#include "tests/worker/agent/agent_fixture.h"

namespace drover::worker::agent {
namespace {

using std::chrono::seconds;

class DeathReportTest : public AgentTest {
 protected:
  // Kills the worker and gives what its reaper was left with.
  LastWill KillWorker() {
    auto worker = StartWorker();
    AwaitReady(*worker);
    auto will = DecodeLastWill(worker->runner->will);
    EXPECT_TRUE(will.ok());
    will->endpoints = {coord::server::SimCore::kAddress};
    worker->Kill();
    return *will;
  }
  bool Registered() { return master_->Exists(paths_.Worker("w1"))->stat.has_value(); }
};

TEST_F(DeathReportTest, TheDeathStandsBeforeTheWorkerVanishes) {
  const LastWill will = KillWorker();
  ASSERT_TRUE(Registered());
  sim::SimLoop loop(&core_.world);
  const auto dialer = core_.network.NewDialer(&loop, "host1");
  bool done = false;
  const base::Instant before = core_.world.Now();
  DeathReport report(&loop, dialer.get(), will, [&] { done = true; });
  Await([&] { return done; }, "the report");
  EXPECT_LT(core_.world.Now() - before, seconds(1));
  EXPECT_FALSE(Registered());
  const auto died = master_->Get(paths_.Died("p1"));
  ASSERT_TRUE(died.ok());
  EXPECT_EQ(records::DecodeDied(died->node.data)->worker(), "w1");
}

TEST_F(DeathReportTest, ItWaitsForACoreThatIsAway) {
  const LastWill will = KillWorker();
  core_.Crash(sim::Survival::kEverything);
  sim::SimLoop loop(&core_.world);
  const auto dialer = core_.network.NewDialer(&loop, "host1");
  bool done = false;
  DeathReport report(&loop, dialer.get(), will, [&] { done = true; });
  core_.world.RunFor(seconds(60));
  EXPECT_FALSE(done);
  core_.Start();
  Await([&] { return done; }, "the report");
  EXPECT_TRUE(master_->Exists(paths_.Died("p1"))->stat.has_value());
  EXPECT_FALSE(Registered());
}

TEST_F(DeathReportTest, ACoreThatIsGoneForGoodIsGivenUp) {
  LastWill will = KillWorker();
  EXPECT_EQ(will.patience, std::chrono::minutes(15)) << "as the worker's options say";
  will.patience = seconds(30);
  core_.Crash(sim::Survival::kEverything);
  sim::SimLoop loop(&core_.world);
  const auto dialer = core_.network.NewDialer(&loop, "host1");
  int done = 0;
  DeathReport report(&loop, dialer.get(), will, [&] { ++done; });
  core_.world.RunFor(seconds(29));
  EXPECT_EQ(done, 0);
  core_.world.RunFor(seconds(60));
  EXPECT_EQ(done, 1);
}

TEST_F(DeathReportTest, ASessionThatHasEndedAlreadyIsFine) {
  const LastWill will = KillWorker();
  Await([&] { return !Registered(); }, "the expiry");
  sim::SimLoop loop(&core_.world);
  const auto dialer = core_.network.NewDialer(&loop, "host1");
  bool done = false;
  DeathReport report(&loop, dialer.get(), will, [&] { done = true; });
  Await([&] { return done; }, "the report");
}

}  // namespace
}  // namespace drover::worker::agent

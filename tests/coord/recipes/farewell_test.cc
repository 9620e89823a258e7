// A farewell to the real node in simulation.
#include "drover/recipes/farewell.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;

class FarewellTest : public ::testing::Test {
 protected:
  FarewellTest() {
    core_.Start();
    process_.emplace(&core_, "host1");
    EXPECT_TRUE(process_->RunUntil([&] { return process_->session()->state() == coord::SessionState::kConnected; }));
    // Some contacts later.
    core_.world.RunFor(seconds(20));
    farewell_ = std::make_unique<Farewell>(process_->loop(), [this] { return process_->session(); });
  }
  ~FarewellTest() override { farewell_.reset(); }

  // How long it waits at most, while nothing is answered.
  base::Duration Waits(FarewellOptions options = {}) {
    const base::Instant began = process_->loop()->Now();
    std::optional<base::Instant> over;
    farewell_->Wait(options, [&] { over = process_->loop()->Now(); });
    EXPECT_TRUE(process_->RunUntil([&] { return over.has_value(); }));
    return *over - began;
  }

  SimCore core_;
  std::optional<SimProcess> process_;
  std::unique_ptr<Farewell> farewell_;
};

TEST_F(FarewellTest, ACoreThatIsHeardOfIsGivenAllThePatience) {
  EXPECT_EQ(Waits(), seconds(5));
  EXPECT_EQ(Waits({.patience = seconds(11)}), seconds(11));
}

TEST_F(FarewellTest, ACoreThatHasBeenSilentForLongIsGivenTheLeast) {
  core_.network.CutPair("host1", "core");
  core_.world.RunFor(seconds(5));
  EXPECT_EQ(Waits(), milliseconds(1500));
  EXPECT_EQ(Waits({.patience = base::Duration(0)}), base::Duration(0));
}

TEST_F(FarewellTest, ACoreThatHasJustFallenSilentIsGivenTwoContactsMore) {
  core_.network.CutPair("host1", "core");
  const base::Instant heard = process_->session()->lease_deadline() - process_->session()->timeout();
  const base::Instant began = process_->loop()->Now();
  EXPECT_EQ(began + Waits() - heard, seconds(4));
}

TEST_F(FarewellTest, ACoreThatComesBackMeanwhileIsHeardOfAgain) {
  core_.Crash(sim::Survival::kEverything);
  core_.world.RunFor(seconds(5));
  std::optional<base::Instant> over;
  farewell_->Wait({}, [&] { over = process_->loop()->Now(); });
  core_.Start();
  core_.world.RunFor(seconds(4));
  EXPECT_FALSE(over.has_value());
}

TEST_F(FarewellTest, WithoutASessionItIsTheLeast) {
  farewell_ = std::make_unique<Farewell>(process_->loop(), [] { return nullptr; });
  EXPECT_EQ(Waits(), milliseconds(1500));
}

TEST_F(FarewellTest, AfterCancelNothingIsCalled) {
  farewell_->Wait({}, [] { FAIL(); });
  farewell_->Cancel();
  core_.world.RunFor(seconds(10));
}

}  // namespace
}  // namespace drover::recipes

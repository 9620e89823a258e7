// Closing a dead process's session from its ticket, against the real node in simulation.
#include "drover/coord/session_closer.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/coord/client/sim_process.h"

namespace drover::coord {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SessionCloserTest : public ::testing::Test {
 protected:
  SessionCloserTest() {
    core_.Start();
    worker_ = std::make_unique<SimProcess>(&core_, "worker", SessionOptions{.timeout = seconds(60)});
    EXPECT_TRUE(worker_->Create("/workers/w1", "", {.ephemeral = true, .parents = true}).ok());
    ticket_ = *worker_->session()->ticket();
    observer_ = std::make_unique<SimProcess>(&core_, "observer");
  }
  void Start() {
    dialer_ = core_.network.NewDialer(&loop_, "reaper");
    closer_ = SessionCloser::Start(&loop_, dialer_.get(), ticket_, {.endpoints = {server::SimCore::kAddress}},
                                   [this](const absl::Status& status) { done_ = status; });
  }
  bool There() { return observer_->Exists("/workers/w1")->stat.has_value(); }
  bool Done(base::Duration limit = seconds(10)) {
    return core_.world.RunUntil([this] { return done_.has_value(); }, limit);
  }

  server::SimCore core_;
  sim::SimLoop loop_{&core_.world};
  std::unique_ptr<SimProcess> worker_;
  std::unique_ptr<SimProcess> observer_;
  SessionTicket ticket_;
  std::unique_ptr<base::Dialer> dialer_;
  std::unique_ptr<SessionCloser> closer_;
  std::optional<absl::Status> done_;
};

TEST_F(SessionCloserTest, EndsTheSessionAndItsEphemeralsAtOnce) {
  worker_->Kill();
  ASSERT_TRUE(There()) << "its time-out is a minute";
  Start();
  ASSERT_TRUE(Done(milliseconds(100)));
  EXPECT_TRUE(done_->ok()) << *done_;
  EXPECT_FALSE(There());
}

TEST_F(SessionCloserTest, WritesOfTheDeadThatAreOnTheirWayDoNotMisleadIt) {
  // They are in the log and not applied when the session is resumed, so its grant does not know of them yet.
  core_.disk->Stall(milliseconds(200));
  for (int i = 0; i < 10; ++i) {
    worker_->session()->Set("/workers/w1", "x", std::nullopt, [](const absl::StatusOr<SetResult>&) {});
  }
  core_.world.RunFor(milliseconds(2));
  worker_->Kill();
  Start();
  ASSERT_TRUE(Done());
  EXPECT_TRUE(done_->ok()) << *done_;
  EXPECT_FALSE(There());
}

TEST_F(SessionCloserTest, WaitsForACoreThatIsDown) {
  worker_->Kill();
  core_.Crash(sim::Survival::kEverything);
  Start();
  EXPECT_FALSE(Done(seconds(20)));
  core_.Start();
  ASSERT_TRUE(Done(seconds(5)));
  EXPECT_TRUE(done_->ok()) << *done_;
  EXPECT_FALSE(There());
}

TEST_F(SessionCloserTest, ASessionThatHasEndedAlreadyIsClosed) {
  bool closed = false;
  worker_->session()->Close([&](const absl::Status&) { closed = true; });
  ASSERT_TRUE(worker_->RunUntil([&] { return closed; }));
  Start();
  ASSERT_TRUE(Done());
  EXPECT_TRUE(done_->ok()) << *done_;
}

TEST_F(SessionCloserTest, AWrongSecretIsRefused) {
  ticket_.secret[3] ^= 1;
  Start();
  ASSERT_TRUE(Done());
  EXPECT_EQ(RefusalOf(*done_), Code::kInvalidArgument);
  EXPECT_TRUE(There());
}

TEST_F(SessionCloserTest, DestroyedItStops) {
  core_.Crash(sim::Survival::kEverything);
  Start();
  core_.world.RunFor(milliseconds(100));
  closer_.reset();
  core_.Start();
  core_.world.RunFor(seconds(2));
  EXPECT_FALSE(done_.has_value());
  EXPECT_TRUE(There());
}

}  // namespace
}  // namespace drover::coord

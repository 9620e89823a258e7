#include "master/pool/outage_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "tests/coord/server/sim_core.h"
#include "tests/sim/sim_loop.h"

namespace drover::pool {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A process whose session tells an OutageLog what it sees, as a master's and a worker's do.
class OutageLogTest : public ::testing::Test, public coord::SessionObserver {
 protected:
  OutageLogTest() : dialer_(core_.network.NewDialer(&loop_, "host1")) {}

  void Open() {
    session_ = coord::Session::Open(&loop_, dialer_.get(), {.endpoints = {coord::server::SimCore::kAddress}});
    session_->AddObserver(this);
    log_.Opened();
  }
  void OnConnected() override { log_.Connected(); }
  void OnSuspended(const absl::Status& why) override { log_.Lost(why); }

  // The lines that it logs meanwhile.
  std::vector<std::string> During(base::Duration time) {
    ::testing::internal::CaptureStderr();
    core_.world.RunFor(time);
    std::vector<std::string> lines;
    const std::string logged = ::testing::internal::GetCapturedStderr();
    for (const absl::string_view line : absl::StrSplit(logged, '\n')) {
      const std::size_t at = line.find(" outage-test ");
      if (at != absl::string_view::npos) lines.emplace_back(line.substr(at + 13));
    }
    return lines;
  }

  coord::server::SimCore core_;
  sim::SimLoop loop_{&core_.world};
  std::unique_ptr<base::Dialer> dialer_;
  std::unique_ptr<coord::Session> session_;
  OutageLog log_{&loop_, process::Logger("outage-test"), {"core:1", "other:1"}, [this] { return session_.get(); }};
};

TEST_F(OutageLogTest, ACoreThatIsNotThereIsToldWithItsNodesAndWhyAndThenAtALowRate) {
  Open();
  EXPECT_THAT(During(seconds(2)),
              ElementsAre(AllOf(HasSubstr("the core cannot be reached"), HasSubstr("nodes=core:1,other:1"), HasSubstr("refused"))));
  EXPECT_THAT(During(seconds(25)), IsEmpty());
  EXPECT_THAT(During(seconds(61)), SizeIs(2));
  core_.Start();
  EXPECT_THAT(During(seconds(5)), ElementsAre(HasSubstr("the core is reached again")));
  EXPECT_THAT(During(seconds(60)), IsEmpty());
}

TEST_F(OutageLogTest, ACoreThatIsThereIsNotSpokenOf) {
  core_.Start();
  Open();
  EXPECT_THAT(During(seconds(60)), IsEmpty());
}

TEST_F(OutageLogTest, ABrokenLinkIsToldAtOnceAndAnotherSessionIsTheSameOutage) {
  core_.Start();
  Open();
  EXPECT_THAT(During(seconds(1)), IsEmpty());
  core_.Crash(sim::Survival::kEverything);
  EXPECT_THAT(During(milliseconds(100)), ElementsAre(HasSubstr("the core cannot be reached")));
  session_->RemoveObserver(this);
  Open();
  EXPECT_THAT(During(seconds(25)), IsEmpty());
  EXPECT_THAT(During(seconds(10)), ElementsAre(HasSubstr("the core cannot be reached")));
}

TEST_F(OutageLogTest, AfterStopNothingIsSaid) {
  Open();
  log_.Stop();
  EXPECT_THAT(During(seconds(60)), IsEmpty());
}

}  // namespace
}  // namespace drover::pool

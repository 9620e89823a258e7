#include "master/server/master.h"

#include <gtest/gtest.h>

#include "tests/master/server/server_fixture.h"

namespace drover::master::server {
namespace {

class MasterTest : public ServerFixture {
 protected:
  std::string Candidate() {
    for (const auto& [path, node] : tree_.nodes()) {
      if (paths_.Parse(path).kind == records::PathKind::kCandidate) return path;
    }
    return "";
  }
};

TEST_F(MasterTest, TheOnlyCandidateLeads) {
  Start();
  EXPECT_TRUE(master_->leading());
  EXPECT_EQ(master_->epoch(), tree_.Find(Candidate())->stat.czxid);
}

TEST_F(MasterTest, ACandidateBehindAnotherWaitsAndKnowsTheLeader) {
  worker::v1::CandidateInfo info;
  info.set_address("other:1");
  info.set_id("m0");
  tree_.Create(paths_.CandidatePrefix() + "0000000000", records::Encode(info));
  master_->Start();
  Run();
  EXPECT_FALSE(master_->serving());
  EXPECT_TRUE(master_->ready());
  ASSERT_EQ(master_->masters().size(), 2U);
  EXPECT_EQ(master_->masters()[0].address, "other:1");
  EXPECT_TRUE(master_->masters()[0].leader);
  EXPECT_FALSE(master_->masters()[0].self);
  tree_.Delete(paths_.CandidatePrefix() + "0000000000");
  Run();
  EXPECT_TRUE(master_->serving());
}

TEST_F(MasterTest, AMasterThatWasDeposedStandsAgainWithANewEpoch) {
  Start();
  const base::Zxid before = master_->epoch();
  tree_.Delete(Candidate());
  Run();
  EXPECT_TRUE(master_->serving());
  EXPECT_GT(master_->epoch(), before);
  EXPECT_EQ(sessions_, 1) << "its session lived";
}

TEST_F(MasterTest, AfterAnExpiryItBeginsAnewWithAFreshSessionAndView) {
  Start();
  SubmitOne(Spec("a"));
  session_->Expire();
  Run();
  EXPECT_EQ(sessions_, 2);
  EXPECT_TRUE(master_->serving());
  EXPECT_NE(master_->view().Find("a"), nullptr);
  EXPECT_EQ(SubmitOne(Spec("b")).outcome(), task::v1::DONE);
}

TEST_F(MasterTest, AStoppedMasterLeavesItsPlaceToTheNext) {
  Start();
  bool done = false;
  ::testing::internal::CaptureStderr();
  master_->Stop(std::chrono::seconds(1), [&] { done = true; });
  Run();
  const std::string logged = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(logged.find(" warning "), std::string::npos) << logged;
  EXPECT_TRUE(done);
  EXPECT_EQ(Candidate(), "");
  EXPECT_FALSE(master_->serving());
}

}  // namespace
}  // namespace drover::master::server

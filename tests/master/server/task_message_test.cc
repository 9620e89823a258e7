#include "master/server/task_message.h"

#include <gtest/gtest.h>

#include "tests/master/server/server_fixture.h"

namespace drover::master::server {
namespace {

class TaskMessageTest : public ServerFixture {
 protected:
  task::v1::Task Shown(const std::string& id) { return ToTask(*master_->view().Find(id), master_->view()); }
  task::v1::ExplainResponse Explained(const std::string& id) {
    return ToExplanation(*master_->view().Find(id), master_->view(), master_->planner().scheduler());
  }
};

TEST_F(TaskMessageTest, ATaskThatNeverRanHasNoExitCode) {
  Start();
  SubmitOne(Spec("a"));
  EXPECT_EQ(Shown("a").exit_code(), -1);
  EXPECT_EQ(Shown("a").fence(), 0U);
  EXPECT_EQ(Shown("a").attempt(), 0U);
  EXPECT_EQ(Shown("a").policy().queue(), "default");
}

TEST_F(TaskMessageTest, AStandingAttemptShowsTheFenceOfItsAssignmentAndAnEndedOneItsOwn) {
  Start();
  Join("w", 1);
  SubmitOne(Spec("a"));
  const std::uint64_t fence = tree_.Find(paths_.Assignment("w", "a"))->stat.czxid.value;
  EXPECT_EQ(Shown("a").state(), task::v1::ASSIGNED);
  EXPECT_EQ(Shown("a").fence(), fence);
  EXPECT_EQ(Shown("a").attempts(0).fence(), fence);
  EXPECT_EQ(Shown("a").worker(), "w");
  Finish("w", "a");
  EXPECT_EQ(Shown("a").state(), task::v1::SUCCEEDED);
  EXPECT_EQ(Shown("a").fence(), fence);
  EXPECT_EQ(Shown("a").worker(), "w");
  EXPECT_EQ(Shown("a").exit_code(), 0);
}

TEST_F(TaskMessageTest, EachStateIsExplained) {
  Start();
  SubmitOne(Spec("a"));
  EXPECT_EQ(Explained("a").sentence(), "no worker is there");
  Join("w", 1);
  Run();
  EXPECT_EQ(Explained("a").sentence(), "it was given to worker w, which has not said yet that it runs");
  SubmitOne(Spec("b"));
  EXPECT_EQ(Explained("b").sentence(), "all of the 1 workers that could run it are busy");
  ASSERT_EQ(Explained("b").workers_size(), 1);
  EXPECT_TRUE(Explained("b").workers(0).suits());
  task::v1::TaskSpec later = Spec("later");
  later.mutable_policy()->set_delay_ms(1'000);
  later.mutable_policy()->set_start_within_ms(1'000);
  SubmitOne(later);
  const std::string sentence = Explained("later").sentence();
  EXPECT_EQ(sentence.substr(0, 23), "it does not run before ");
  EXPECT_NE(sentence.find("; it fails at "), std::string::npos) << sentence;
  Finish("w", "a");
  EXPECT_EQ(Explained("a").sentence(), "it has ended: SUCCEEDED");
}

TEST_F(TaskMessageTest, ADamagedRecordSaysSo) {
  Start();
  tree_.Create(paths_.Task("a"), "\xff\xff");
  Run();
  EXPECT_EQ(Shown("a").id(), "a");
  EXPECT_FALSE(Shown("a").sentence().empty());
}

}  // namespace
}  // namespace drover::master::server

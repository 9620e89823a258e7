#include "client/cli/wait.h"

#include <gtest/gtest.h>

#include <sstream>

#include "absl/strings/match.h"
#include "tests/client/cli/scripted_client.h"

namespace drover::cli {
namespace {

using client::State;

class WaitTest : public ::testing::Test {
 protected:
  int Wait(const std::vector<std::string>& ids, Format format = Format::kTable) {
    Globals globals;
    Output output(format, &out_, &err_);
    const App::TasksMaker none = MakeTasks;
    return WaitFor(App{globals, output, none}, client_, ids, std::chrono::seconds(1));
  }
  ScriptedClient client_;
  std::ostringstream out_, err_;
};

TEST_F(WaitTest, AllSucceededIsZeroAndSilent) {
  client_.changes = {ScriptedClient::Make("a", State::kRunning), ScriptedClient::Make("b", State::kSucceeded),
                     ScriptedClient::Make("a", State::kSucceeded)};
  EXPECT_EQ(Wait({"a", "b"}), 0);
  EXPECT_EQ(out_.str() + err_.str(), "");
}

TEST_F(WaitTest, FailureGoesBeforeCancellationBeforeUnknown) {
  client_.changes = {ScriptedClient::Make("a", State::kCancelled), ScriptedClient::Make("b", State::kLost)};
  EXPECT_EQ(Wait({"a", "b", "c"}), 3);
  EXPECT_EQ(Wait({"a", "c"}), 4);
  EXPECT_EQ(Wait({"c"}), 6);
  EXPECT_TRUE(absl::StrContains(err_.str(), "there is no task c")) << err_.str();
}

TEST_F(WaitTest, TheTimeIsOver) {
  client_.changes = {ScriptedClient::Make("a", State::kRunning)};
  EXPECT_EQ(Wait({"a"}), 5);
  EXPECT_TRUE(absl::StrContains(err_.str(), "0 of 1")) << err_.str();
}

TEST_F(WaitTest, ATimeThatIsOverGoesBeforeAllElse) {
  client_.changes = {ScriptedClient::Make("a", State::kRunning), ScriptedClient::Make("b", State::kFailed),
                     ScriptedClient::Make("d", State::kCancelled)};
  EXPECT_EQ(Wait({"b", "a", "d", "c"}), 5);
  EXPECT_TRUE(absl::StrContains(err_.str(), "there is no task c")) << err_.str();
}

TEST_F(WaitTest, NobodyAnswers) {
  client_.changes = {ScriptedClient::Make("a", State::kRunning)};
  client_.watch_status = absl::UnavailableError("no master answered");
  EXPECT_EQ(Wait({"a"}), 7);
}

TEST_F(WaitTest, InJsonTheTasksComeInTheOrderAskedFor) {
  client_.changes = {ScriptedClient::Make("a", State::kSucceeded), ScriptedClient::Make("b", State::kSucceeded)};
  EXPECT_EQ(Wait({"b", "a"}, Format::kJson), 0);
  const Json json = Json::parse(out_.str());
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["id"], "b");
}

TEST_F(WaitTest, InJsonATimeThatIsOverStillShowsEachTaskAsItStood) {
  client_.changes = {ScriptedClient::Make("a", State::kRunning), ScriptedClient::Make("b", State::kSucceeded)};
  EXPECT_EQ(Wait({"a", "b"}, Format::kJson), 5);
  const Json json = Json::parse(out_.str());
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["state"], "RUNNING");
  EXPECT_EQ(json[1]["state"], "SUCCEEDED");
  EXPECT_EQ(Json::parse(err_.str())["error"]["code"], "DEADLINE_EXCEEDED");
}

}  // namespace
}  // namespace drover::cli

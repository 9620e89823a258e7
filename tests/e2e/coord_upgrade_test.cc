// A core is restarted node by node, and upgraded node by node, while clients write: no call of a client that retries fails; the
// feature level rises when the last node is there and not before; and from then on no older program starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "coord/base/feature_level.h"
#include "tests/e2e/e2e.h"
#include "tests/support/await.h"
#include "tests/support/ledger.h"

namespace drover::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kNewest = static_cast<int>(base::kNewestFeatureLevel.value);
const std::vector<std::string> kOlder = {"--feature-level-max", std::to_string(kNewest - 1)};

class CoordUpgradeTest : public ::testing::Test {
 protected:
  CoordUpgradeTest() {
    for (int id = 1; id <= 4; ++id) ports_[id] = FreePort();
  }
  [[nodiscard]] std::string Address(int id) const { return "127.0.0.1:" + std::to_string(ports_.at(id)); }
  [[nodiscard]] std::string Data(int id) const { return dir_ / ("coord-" + std::to_string(id)); }
  // Of the first three, which are the cluster.
  [[nodiscard]] std::string Addresses() const { return Address(1) + "," + Address(2) + "," + Address(3); }
  void Start(int id, const std::vector<std::string>& flags = {}) {
    std::string list;
    for (int member = 1; member <= 3; ++member) {
      list += (list.empty() ? "" : ",") + std::to_string(member) + "=" + Address(member);
    }
    std::vector<std::string> argv = {
        Binary("drover-coord"), "--id", std::to_string(id), "--data", Data(id), "--listen", Address(id)};
    if (id <= 3) {
      argv.insert(argv.end(), {"--initial-cluster", list});
    } else {
      argv.emplace_back("--join");
    }
    argv.insert(argv.end(), flags.begin(), flags.end());
    nodes_[id] =
        std::make_unique<Process>(argv, std::map<std::string, std::string>{}, dir_ / ("coord-" + std::to_string(id) + ".log"));
    nodes_[id]->Start();
  }
  CommandResult Drover(std::vector<std::string> args) {
    std::vector<std::string> argv = {Binary("drover"), "--coord", Addresses()};
    argv.insert(argv.end(), args.begin(), args.end());
    return RunCommand(argv);
  }
  nlohmann::json Status() {
    const CommandResult result = Drover({"cluster", "status", "-o", "json"});
    return result.exit_code == 0 ? nlohmann::json::parse(result.out) : nlohmann::json::array();
  }
  // All three of them.
  bool AwaitServing() {
    return Await([this] {
      int serving = 0;
      for (const nlohmann::json& node : Status()) serving += node.value("serving", false) ? 1 : 0;
      return serving == 3;
    });
  }
  std::vector<int> Levels() {
    std::vector<int> levels;
    for (const nlohmann::json& node : Status()) levels.push_back(node.value("feature_level", 0));
    return levels;
  }
  std::string Logs() {
    std::string all;
    for (const auto& [id, node] : nodes_) all += "---- node " + std::to_string(id) + "\n" + node->Log();
    return all;
  }
  // One node after the other, each when the one before serves again. `flags` of the new ones.
  void Roll(const Ledger& ledger, const std::vector<std::string>& flags, const std::vector<int>& levels_meanwhile) {
    for (int id = 1; id <= 3; ++id) {
      EXPECT_EQ(Levels(), levels_meanwhile) << "before node " << id << Logs();
      ASSERT_EQ(nodes_[id]->Terminate(), 0) << Logs();
      Start(id, flags);
      ASSERT_TRUE(AwaitServing()) << Logs();
      ASSERT_TRUE(ledger.AwaitMore(100)) << Logs();
    }
  }
  // Nothing was lost, and no call failed, not even for want of knowing what became of it.
  void ExpectUnharmed(Ledger* ledger) {
    ledger->Stop();
    EXPECT_THAT(ledger->Faults(), IsEmpty());
    EXPECT_EQ(ledger->unknown(), 0U) << Logs();
  }

  TemporaryDirectory dir_;
  std::map<int, int> ports_;
  std::map<int, std::unique_ptr<Process>> nodes_;
};

TEST_F(CoordUpgradeTest, ARollingRestartFailsNoCall) {
  for (int id = 1; id <= 3; ++id) Start(id);
  ASSERT_TRUE(AwaitServing()) << Logs();
  ASSERT_TRUE(Await([this] { return Levels() == std::vector<int>(3, kNewest); })) << Logs();
  Ledger ledger(Addresses(), 3);
  ASSERT_TRUE(ledger.AwaitMore(100));
  ASSERT_NO_FATAL_FAILURE(Roll(ledger, {}, std::vector<int>(3, kNewest)));
  ExpectUnharmed(&ledger);
}

TEST_F(CoordUpgradeTest, ARollingUpgradeFailsNoCallAndRaisesTheLevelAtItsEnd) {
  for (int id = 1; id <= 3; ++id) Start(id, kOlder);
  ASSERT_TRUE(AwaitServing()) << Logs();
  ASSERT_TRUE(Await([this] { return Levels() == std::vector<int>(3, kNewest - 1); })) << Logs();
  Ledger ledger(Addresses(), 3);
  ASSERT_TRUE(ledger.AwaitMore(100));
  // To the newer one and back, as long as not all are there.
  nodes_[1]->Terminate();
  Start(1);
  ASSERT_TRUE(AwaitServing()) << Logs();
  nodes_[1]->Terminate();
  Start(1, kOlder);
  ASSERT_TRUE(AwaitServing()) << Logs();
  ASSERT_NO_FATAL_FAILURE(Roll(ledger, {}, std::vector<int>(3, kNewest - 1)));
  ASSERT_TRUE(Await([this] { return Levels() == std::vector<int>(3, kNewest); })) << Logs();
  EXPECT_THAT(Logs(), HasSubstr("the feature level was raised"));
  ASSERT_TRUE(ledger.AwaitMore(100));

  nodes_[2]->Terminate();
  Start(2, kOlder);
  EXPECT_EQ(nodes_[2]->Wait(), 1);
  EXPECT_THAT(nodes_[2]->Log(), AllOf(HasSubstr("data directory " + Data(2) + " is at feature level " + std::to_string(kNewest)),
                                      HasSubstr("this program knows levels up to " + std::to_string(kNewest - 1) +
                                                ": start a newer drover-coord; nothing was changed")));
  Start(2);
  ASSERT_TRUE(AwaitServing()) << Logs();
  ASSERT_TRUE(ledger.AwaitMore(100));
  ExpectUnharmed(&ledger);

  Start(4, kOlder);
  const CommandResult added = Drover({"cluster", "member", "add", "4=" + Address(4)});
  EXPECT_EQ(added.exit_code, 8);
  EXPECT_THAT(added.err, HasSubstr("runs a program that knows feature levels up to " + std::to_string(kNewest - 1) +
                                   ", and the cluster is at " + std::to_string(kNewest)));
}

TEST_F(CoordUpgradeTest, TheLevelToPretendIsCheckedWhereverItIsGiven) {
  const auto run = [this](std::vector<std::string> flags, std::map<std::string, std::string> env = {}) {
    std::vector<std::string> argv = {Binary("drover-coord"), "--id", "1", "--data", Data(1), "--listen", "127.0.0.1:0"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    Process process(argv, std::move(env), dir_ / "refused.log");
    process.Start();
    return process.Wait();
  };
  EXPECT_EQ(run({"--feature-level-max", "0"}), 2);
  EXPECT_EQ(run({"--feature-level-max", std::to_string(kNewest + 1)}), 2);
  EXPECT_EQ(run({}, {{"DROVER_FEATURE_LEVEL_MAX", "9"}}), 2);
  WriteFile(dir_ / "conf", "feature-level-max = 9\n");
  EXPECT_EQ(run({"--config", dir_ / "conf"}), 2);
  EXPECT_THAT(ReadFile(dir_ / "refused.log"), HasSubstr("it must be 1 to " + std::to_string(kNewest)));
}

}  // namespace
}  // namespace drover::testing

// Members of a running core come and go by `drover cluster member`, while clients write: it grows, dead hosts are replaced one
// after the other, the leader is removed, a node that lost its disk is let in again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/e2e/e2e.h"
#include "tests/support/await.h"
#include "tests/support/ledger.h"

namespace drover::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CoordMemberTest : public ::testing::Test {
 protected:
  CoordMemberTest() {
    for (int id = 1; id <= 6; ++id) ports_[id] = FreePort();
  }
  [[nodiscard]] std::string Address(int id) const { return "127.0.0.1:" + std::to_string(ports_.at(id)); }
  [[nodiscard]] std::string Target(int id) const { return std::to_string(id) + "=" + Address(id); }
  [[nodiscard]] std::string Data(int id) const { return dir_ / ("coord-" + std::to_string(id)); }
  [[nodiscard]] std::string Addresses() const {
    std::string all;
    for (const auto& [id, port] : ports_) all += (all.empty() ? "" : ",") + Address(id);
    return all;
  }
  void Start(int id, const std::vector<std::string>& flags) {
    std::vector<std::string> argv = {Binary("drover-coord"),
                                     "--id",
                                     std::to_string(id),
                                     "--data",
                                     Data(id),
                                     "--listen",
                                     Address(id),
                                     "--http",
                                     "127.0.0.1:" + std::to_string(FreePort()),
                                     "--snapshot-bytes",
                                     "65536",
                                     "--segment-bytes",
                                     "65536"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    nodes_[id] =
        std::make_unique<Process>(argv, std::map<std::string, std::string>{}, dir_ / ("coord-" + std::to_string(id) + ".log"));
    nodes_[id]->Start();
  }
  // The first three.
  void StartFounders() {
    const std::string list = Target(1) + "," + Target(2) + "," + Target(3);
    for (int id = 1; id <= 3; ++id) Start(id, {"--initial-cluster", list});
  }
  CommandResult Drover(std::vector<std::string> args) {
    std::vector<std::string> argv = {Binary("drover"), "--coord", Addresses()};
    argv.insert(argv.end(), args.begin(), args.end());
    return RunCommand(argv);
  }
  void Succeeds(const std::vector<std::string>& args) {
    const CommandResult result = Drover(args);
    ASSERT_EQ(result.exit_code, 0) << ::testing::PrintToString(args) << result.out << result.err << Logs();
  }
  void Grow(int id) {
    Start(id, {"--join"});
    ASSERT_NO_FATAL_FAILURE(Succeeds({"cluster", "member", "add", Target(id)}));
    ASSERT_NO_FATAL_FAILURE(Succeeds({"cluster", "member", "promote", std::to_string(id), "--wait", "1m"}));
  }
  nlohmann::json Members() {
    const CommandResult result = Drover({"cluster", "member", "list", "-o", "json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out);
  }
  int Leader() {
    for (const nlohmann::json& member : Members()) {
      if (member.at("role") == "leader") return member.at("id").get<int>();
    }
    return 0;
  }
  std::string Logs() {
    std::string all;
    for (const auto& [id, node] : nodes_) all += "---- node " + std::to_string(id) + "\n" + node->Log();
    return all;
  }

  TemporaryDirectory dir_;
  std::map<int, int> ports_;
  std::map<int, std::unique_ptr<Process>> nodes_;
};

TEST_F(CoordMemberTest, OneGrowsToThreeUnderLoadAndOutlivesItsFirstNode) {
  Start(1, {});
  Ledger ledger(Addresses(), 3);
  ASSERT_TRUE(ledger.AwaitMore(200));
  Grow(2);
  Grow(3);
  ASSERT_TRUE(ledger.AwaitMore(100));
  EXPECT_EQ(Members().size(), 3u);
  nodes_[1]->Kill();
  ASSERT_TRUE(ledger.AwaitMore(100)) << Logs();
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
}

TEST_F(CoordMemberTest, HostsAreReplacedOneAfterTheOtherUnderLoad) {
  StartFounders();
  Ledger ledger(Addresses(), 3);
  ASSERT_TRUE(ledger.AwaitMore(100));
  for (int dead = 1; dead <= 3; ++dead) {
    nodes_[dead]->Kill();
    Grow(dead + 3);
    ASSERT_NO_FATAL_FAILURE(Succeeds({"cluster", "member", "remove", std::to_string(dead)}));
    ASSERT_TRUE(ledger.AwaitMore(50)) << Logs();
  }
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  // Whoever comes back and knows one of them is told.
  Start(3, {"--join"});
  EXPECT_EQ(nodes_[3]->Wait(), 1);
  EXPECT_THAT(nodes_[3]->Log(), HasSubstr("node 3 was removed from cluster"));
}

TEST_F(CoordMemberTest, TheLeaderIsRemovedAndEndsWithASentence) {
  StartFounders();
  Ledger ledger(Addresses(), 3);
  ASSERT_TRUE(ledger.AwaitMore(50));
  const int leader = Leader();
  ASSERT_NO_FATAL_FAILURE(Succeeds({"cluster", "member", "remove", std::to_string(leader)}));
  EXPECT_EQ(nodes_[leader]->Wait(), 1);
  EXPECT_THAT(nodes_[leader]->Log(), AllOf(HasSubstr("was removed from cluster"), HasSubstr("--join")));
  ASSERT_TRUE(ledger.AwaitMore(50)) << Logs();
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
  EXPECT_EQ(Members().size(), 2u);
  EXPECT_EQ(Drover({"cluster", "member", "remove", std::to_string(leader)}).exit_code, 6) << "it is gone";
}

// Who had its address alone was told that there was no leader, or shown what the removed one knew.
TEST_F(CoordMemberTest, WhoKnowsTheLeaderAloneRemovesItAndIsShownWhatTheNextOneSays) {
  StartFounders();
  ASSERT_TRUE(Await([&] { return Drover({"cluster", "member", "list"}).exit_code == 0; }));
  const int leader = Leader();
  const CommandResult result = RunCommand(
      {Binary("drover"), "--coord", Address(leader), "-o", "json", "cluster", "member", "remove", std::to_string(leader)});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json members = nlohmann::json::parse(result.out);
  ASSERT_EQ(members.size(), 2u);
  int leaders = 0;
  for (const nlohmann::json& member : members) leaders += member.at("role") == "leader" ? 1 : 0;
  EXPECT_EQ(leaders, 1) << members;
  EXPECT_EQ(nodes_[leader]->Wait(), 1);
}

TEST_F(CoordMemberTest, AWipedNodeIsReadmittedByOneCommandThoughItWasStartedAsEver) {
  StartFounders();
  Ledger ledger(Addresses(), 3);
  ASSERT_TRUE(ledger.AwaitMore(100));
  nodes_[2]->Kill();
  std::filesystem::remove_all(Data(2));
  const std::string list = Target(1) + "," + Target(2) + "," + Target(3);
  Start(2, {"--initial-cluster", list});
  EXPECT_EQ(nodes_[2]->Wait(), 1) << "its word must not count";
  EXPECT_THAT(nodes_[2]->Log(), HasSubstr("drover cluster member readmit 2"));
  Start(2, {"--initial-cluster", list, "--join"});
  ASSERT_NO_FATAL_FAILURE(Succeeds({"cluster", "member", "readmit", "2"}));
  ASSERT_TRUE(ledger.AwaitMore(50));
  // It counts again.
  nodes_[3]->Kill();
  ASSERT_TRUE(ledger.AwaitMore(50)) << Logs();
  ledger.Stop();
  EXPECT_THAT(ledger.Faults(), IsEmpty());
}

TEST_F(CoordMemberTest, WhatCannotBeIsSaidByExitCodes) {
  StartFounders();
  ASSERT_TRUE(Await([&] { return Drover({"cluster", "member", "list"}).exit_code == 0; }));
  EXPECT_EQ(Drover({"cluster", "member", "add", "4"}).exit_code, 2);
  EXPECT_EQ(Drover({"cluster", "member", "add", "four=127.0.0.1:1"}).exit_code, 2);
  EXPECT_EQ(Drover({"cluster", "member", "promote", "9"}).exit_code, 6);
  EXPECT_EQ(Drover({"cluster", "transfer-leader", "9"}).exit_code, 6);
  EXPECT_EQ(Drover({"cluster", "member", "add", "9=" + Address(1)}).exit_code, 8);
  EXPECT_EQ(Drover({"cluster", "member", "add", Target(1)}).exit_code, 0) << "it is so already";
  for (int id = 1; id <= 3; ++id) {
    const CommandResult readmitted = Drover({"cluster", "member", "readmit", std::to_string(id)});
    EXPECT_EQ(readmitted.exit_code, 0) << readmitted.err;
    EXPECT_THAT(readmitted.err, HasSubstr("node " + std::to_string(id) + " is a member with its own data directory"));
    EXPECT_THAT(readmitted.err, HasSubstr("there was nothing to readmit"));
  }
  const CommandResult unknown = Drover({"--request-timeout", "2s", "cluster", "member", "add", "6=nohost.invalid:7400"});
  EXPECT_EQ(unknown.exit_code, 7);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("node 6 does not answer at nohost.invalid:7400"), HasSubstr("name cannot be resolved")));
  const CommandResult nobody = Drover({"--request-timeout", "1s", "cluster", "member", "add", Target(6)});
  EXPECT_EQ(nobody.exit_code, 7);
  // Long enough for the leader to give up once, and not twice.
  const CommandResult why = Drover({"--request-timeout", "12s", "cluster", "member", "add", Target(6)});
  EXPECT_EQ(why.exit_code, 7);
  EXPECT_THAT(why.err, HasSubstr("node 6 does not answer at " + Address(6) + ": start it there"));
  const int leader = Leader();
  const int other = leader % 3 + 1;
  Succeeds({"cluster", "transfer-leader", std::to_string(other)});
  EXPECT_EQ(Leader(), other);
  Start(4, {"--join"});
  Succeeds({"cluster", "member", "add", Target(4)});
  ASSERT_TRUE(Await([&] { return Drover({"cluster", "status"}).out.find("learner") != std::string::npos; }));
  EXPECT_EQ(Drover({"cluster", "transfer-leader", "4"}).exit_code, 8);
  // A leader that is told to stop hands over; its end is no failure.
  EXPECT_EQ(nodes_[other]->Terminate(), 0);
  ASSERT_TRUE(Await([&] { return Leader() != 0 && Leader() != other; }));
}

}  // namespace
}  // namespace drover::testing

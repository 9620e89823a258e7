// `drover tree lock` with real processes: killed, paused, and with a core whose leader dies. What the lock protects checks tokens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

using ::testing::HasSubstr;

// A resource as a script: `write TOKEN WHO` is appended to its file unless a higher token was there before. flock makes it one at a
// time, and has nothing to do with who holds what.
class Resource {
 public:
  explicit Resource(Cluster* cluster)
      : script_(cluster->path("write")), file_(cluster->path("written")), refused_(cluster->path("refused")) {
    WriteFile(script_, R"(#!/bin/sh
exec 9>)" + file_ + R"(.lock; flock 9
newest=$(tail -n 1 )" + file_ +
                           R"( 2>/dev/null | cut -d' ' -f1)
if [ "$1" -lt "${newest:-0}" ]; then echo "$1 $2" >> )" +
                           refused_ + R"(; exit 1; fi
echo "$1 $2" >> )" + file_ +
                           "\n");
  }
  // A command that writes, and goes on when it is refused, until it has written `times`.
  [[nodiscard]] std::vector<std::string> Writer(const std::string& who, int times) const {
    return {"sh", "-c",
            "i=0; while [ $i -lt " + std::to_string(times) + " ]; do sh " + script_ + " $DROVER_LOCK_TOKEN " + who +
                "; i=$((i+1)); sleep 0.02; done"};
  }
  [[nodiscard]] std::vector<std::string> Written() const { return Lines(ReadFile(file_)); }
  [[nodiscard]] std::vector<std::string> Refused() const { return Lines(ReadFile(refused_)); }
  // Nobody was written after who came later, and each token is one's own.
  void Judge() const {
    std::uint64_t newest = 0;
    std::map<std::uint64_t, std::string> owners;
    for (const std::string& line : Written()) {
      const std::uint64_t token = std::stoull(line);
      const std::string who = line.substr(line.find(' ') + 1);
      EXPECT_GE(token, newest) << line;
      newest = token;
      EXPECT_EQ(owners.emplace(token, who).first->second, who) << "two used the token " << token;
    }
  }

 private:
  static void WriteFile(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  const std::string script_, file_, refused_;
};

class LockCommandTest : public ::testing::Test {
 protected:
  std::unique_ptr<Process> Start(const std::string& name, std::vector<std::string> flags, const std::vector<std::string>& command) {
    std::vector<std::string> argv = {Binary("drover"), "--coord", cluster_.coord_addresses(), "tree",
                                     "lock",           "/lock",   "--session-timeout",        "1s"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    argv.push_back("--");
    argv.insert(argv.end(), command.begin(), command.end());
    auto process = std::make_unique<Process>(std::move(argv), std::map<std::string, std::string>(), cluster_.path(name + ".log"));
    process->Start();
    return process;
  }
  std::size_t Places() {
    const CommandResult stat = cluster_.Drover({"tree", "ls", "/lock"});
    return stat.exit_code == 0 ? Lines(stat.out).size() : 0;
  }

  Cluster cluster_{CoreAlone()};
};

TEST_F(LockCommandTest, OneAfterTheOtherThoughHoldersAreKilledAndLeadersToo) {
  Resource resource(&cluster_);
  std::vector<std::unique_ptr<Process>> all;
  for (int i = 0; i < 4; ++i) {
    const std::string who = "p" + std::to_string(i);
    all.push_back(Start(who, {}, resource.Writer(who, i == 0 ? 100000 : 40)));
    ASSERT_TRUE(Await([&] { return Places() == static_cast<std::size_t>(i) + 1; }));
  }
  ASSERT_TRUE(Await([&] { return resource.Written().size() >= 5; }));
  const int leader = cluster_.AwaitCoordLeader();
  cluster_.coord(leader).Kill();
  all[0]->Kill();
  EXPECT_EQ(all[1]->Wait(), 0) << all[1]->Log();
  cluster_.coord(leader).Start();
  EXPECT_EQ(all[2]->Wait(), 0) << all[2]->Log();
  EXPECT_EQ(all[3]->Wait(), 0) << all[3]->Log();
  resource.Judge();
  std::set<std::string> who;
  for (const std::string& line : resource.Written()) who.insert(line.substr(line.find(' ') + 1));
  EXPECT_EQ(who.size(), 4u);
  EXPECT_TRUE(Await([&] { return cluster_.Drover({"tree", "stat", "/lock"}).exit_code == 6; })) << "a lock that nobody uses goes";
}

// The holder stands still past its session; its command does not, and is refused by what the lock protects. When the holder wakes
// it ends the command.
TEST_F(LockCommandTest, ThePausedHoldersCommandIsRefusedByItsToken) {
  Resource resource(&cluster_);
  auto paused = Start("paused", {}, resource.Writer("paused", 100000));
  ASSERT_TRUE(Await([&] { return resource.Written().size() >= 5; }));
  auto next = Start("next", {}, resource.Writer("next", 20));
  ASSERT_TRUE(Await([&] { return Places() == 2; }));
  paused->Signal(SIGSTOP);
  EXPECT_EQ(next->Wait(), 0) << next->Log();
  ASSERT_TRUE(Await([&] { return resource.Refused().size() >= 5; })) << "it writes with its old token";
  for (const std::string& line : resource.Refused()) EXPECT_THAT(line, HasSubstr("paused"));
  resource.Judge();
  paused->Signal(SIGCONT);
  EXPECT_EQ(paused->Wait(), 8);
  EXPECT_THAT(paused->Log(), HasSubstr("the lock is lost"));
}

TEST_F(LockCommandTest, WaitsAsLongAsItIsToldAndHandsOnExitCodesAndSignals) {
  EXPECT_EQ(cluster_.Drover({"tree", "lock", "/lock", "--", "sh", "-c", "exit 7"}).exit_code, 7);
  EXPECT_EQ(cluster_.Drover({"tree", "lock", "/lock", "--", "no-such-program"}).exit_code, 6);
  EXPECT_EQ(cluster_.Drover({"tree", "lock", "/lock", "--read", "--write", "--", "true"}).exit_code, 2);
  EXPECT_EQ(cluster_.Drover({"tree", "lock", "lock", "--", "true"}).exit_code, 2);
  auto holder = Start("holder", {}, {"sh", "-c", "trap 'echo stopped; exit 3' TERM; while :; do sleep 0.05; done"});
  ASSERT_TRUE(Await([&] { return Places() == 1; }));
  const CommandResult waited = cluster_.Drover({"tree", "lock", "/lock", "--wait", "300ms", "--", "true"});
  EXPECT_EQ(waited.exit_code, 5) << waited.err;
  EXPECT_THAT(waited.err, HasSubstr("/lock"));
  holder->Signal(SIGTERM);
  EXPECT_EQ(holder->Wait(), 3);
  EXPECT_THAT(holder->Log(), HasSubstr("stopped"));
}

TEST_F(LockCommandTest, ReadersAndPermits) {
  const std::vector<std::string> forever = {"sleep", "1000"};
  auto one = Start("one", {"--read"}, forever);
  auto two = Start("two", {"--read"}, forever);
  EXPECT_EQ(cluster_.Drover({"tree", "lock", "/lock", "--read", "--wait", "20s", "--", "true"}).exit_code, 0);
  ASSERT_TRUE(Await([&] { return Places() == 2; }));
  EXPECT_EQ(cluster_.Drover({"tree", "lock", "/lock", "--write", "--wait", "300ms", "--", "true"}).exit_code, 5);
  one->Kill();
  two->Kill();
  EXPECT_EQ(cluster_.Drover({"tree", "lock", "/lock", "--write", "--wait", "60s", "--", "true"}).exit_code, 0);
  EXPECT_EQ(cluster_.Drover({"tree", "lock", "/permits", "--permits", "2", "--", "true"}).exit_code, 0);
}

}  // namespace
}  // namespace drover::testing

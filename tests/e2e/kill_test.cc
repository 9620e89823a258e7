// Anything may be killed at any time: a worker, the elected master and the coordination node, while 500 tasks run.
#include <gtest/gtest.h>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

constexpr std::size_t kTasks = 500;

// Submits the tasks, kills one of each kind on the way, and returns all records once terminal.
nlohmann::json RunAndKill(Cluster& cluster, bool at_most_once) {
  std::vector<std::string> args = {"submit", "--each-line", "-"};
  if (at_most_once) args.push_back("--at-most-once");
  const std::vector<std::string> command = {"--", "sh", "-c", "sleep 0.1; echo $DROVER_TASK_ID >> " + cluster.path("file")};
  args.insert(args.end(), command.begin(), command.end());
  CommandOptions options;
  for (std::size_t i = 0; i < kTasks; ++i) options.input += std::to_string(i) + "\n";
  const CommandResult submitted = cluster.Drover(args, options);
  EXPECT_EQ(submitted.exit_code, 0) << submitted.err;
  EXPECT_EQ(Lines(submitted.out).size(), kTasks);

  auto done = [&] { return Lines(ReadFile(cluster.path("file"))).size(); };
  EXPECT_TRUE(Await([&] { return done() >= 50; }));
  cluster.worker(0).Kill();
  EXPECT_TRUE(Await([&] { return done() >= 120; }));
  const int elected = cluster.AwaitElectedMaster();
  cluster.master(elected).Kill();
  EXPECT_TRUE(Await([&] { return done() >= 200; }));
  cluster.coord().Kill();
  cluster.coord().Start();
  return cluster.AwaitAllTerminal(kTasks);
}

TEST(KillTest, AllTasksSucceedThoughOneOfEachKindIsKilled) {
  Cluster cluster;
  const nlohmann::json tasks = RunAndKill(cluster, false);
  EXPECT_EQ(CountStates(tasks), (std::map<std::string, int>{{"SUCCEEDED", kTasks}}));
  std::map<std::string, int> lines;
  for (const std::string& line : Lines(ReadFile(cluster.path("file")))) ++lines[line];
  EXPECT_EQ(lines.size(), kTasks) << "every task has left its line";
  ExpectPoolIsWell(cluster);
}

TEST(KillTest, NoAtMostOnceTaskRunsTwiceThoughOneOfEachKindIsKilled) {
  Cluster cluster;
  const nlohmann::json tasks = RunAndKill(cluster, true);
  std::map<std::string, int> lines;
  for (const std::string& line : Lines(ReadFile(cluster.path("file")))) EXPECT_EQ(++lines[line], 1) << line;
  ASSERT_EQ(tasks.size(), kTasks);
  for (const nlohmann::json& task : tasks) {
    const std::string state = task.at("state");
    if (state == "SUCCEEDED") {
      EXPECT_EQ(lines.count(task.at("id")), 1u) << task;
    } else {
      EXPECT_EQ(state, "LOST") << task;
      EXPECT_FALSE(task.at("reason").get<std::string>().empty()) << task;
    }
  }
  ExpectPoolIsWell(cluster);
}

}  // namespace
}  // namespace drover::testing

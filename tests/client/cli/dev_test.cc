// `drover dev` with real processes.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/await.h"
#include "tests/support/cluster.h"
#include "tests/support/process.h"

namespace drover::cli {
namespace {

using testing::Await;
using testing::Binary;
using testing::CommandResult;
using testing::RunCommand;

// A cluster in the background, as a user has it in another terminal.
class DevProcess {
 public:
  explicit DevProcess(const std::vector<std::string>& more)
      : process_(Argv(more), {{"TMPDIR", directory_.path()}}, directory_ / "dev.log") {
    process_.Start();
    const bool ready = Await([this] { return !Coord().empty() || !process_.running(); });
    EXPECT_TRUE(ready && process_.running()) << process_.Log();
  }

  // Ids and the pids that were printed last for them.
  [[nodiscard]] std::map<std::string, pid_t> Pids() const {
    std::map<std::string, pid_t> pids;
    std::istringstream lines(process_.Log());
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string id;
      pid_t pid = 0;
      if (words >> id >> pid && id.find('-') != std::string::npos) pids[id] = pid;
    }
    return pids;
  }
  [[nodiscard]] std::string Coord() const {
    const std::string mark = "export DROVER_COORD=";
    const std::string log = process_.Log();
    const std::size_t at = log.find(mark);
    const std::size_t end = at == std::string::npos ? at : log.find('\n', at);
    return end == std::string::npos ? "" : log.substr(at + mark.size(), end - at - mark.size());
  }
  testing::Process& process() { return process_; }
  [[nodiscard]] std::string directory() const { return directory_.path(); }

 private:
  static std::vector<std::string> Argv(const std::vector<std::string>& more) {
    std::vector<std::string> argv = {Binary("drover"), "dev"};
    argv.insert(argv.end(), more.begin(), more.end());
    return argv;
  }
  testing::TemporaryDirectory directory_;
  testing::Process process_;
};

TEST(DevTest, ACommandRunsInACompleteClusterAndItsExitCodeComesBack) {
  const CommandResult result = RunCommand(
      {Binary("drover"), "dev", "--masters", "2", "--workers", "2", "--", "sh", "-c", "drover -o json worker list; exit 5"});
  EXPECT_EQ(result.exit_code, 5) << result.err;
  // Standard output is the command's alone.
  const nlohmann::json workers = nlohmann::json::parse(result.out);
  EXPECT_EQ(workers.size(), 2u);
  EXPECT_NE(result.err.find("export DROVER_COORD="), std::string::npos);
}

TEST(DevTest, TheExampleProgramRuns) {
  const CommandResult result = RunCommand({Binary("drover"), "dev", "--masters", "1", "--workers", "1", "--", "sh", "-c",
                                           Binary("drover-example-run-many") + " $DROVER_COORD one two"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "one from worker-1\ntwo from worker-1\n");
}

TEST(DevTest, WhatDiesIsToldAndStaysDeadAndTheRestIsStopped) {
  DevProcess dev({"--masters", "1", "--workers", "2"});
  const std::map<std::string, pid_t> pids = dev.Pids();
  ASSERT_EQ(pids.size(), 4u) << dev.process().Log();
  kill(pids.at("worker-1"), SIGKILL);
  const std::string told = "worker-1 (pid " + std::to_string(pids.at("worker-1")) + ") died: signal 9";
  EXPECT_TRUE(Await([&] { return dev.process().Log().find(told) != std::string::npos; }));
  dev.process().Signal(SIGINT);
  EXPECT_EQ(dev.process().Wait(), 0) << dev.process().Log();
  EXPECT_EQ(dev.Pids(), pids) << "nothing was started again";
  for (const auto& [id, pid] : pids) EXPECT_FALSE(testing::Alive(pid)) << id;
}

TEST(DevTest, RestartStartsAgainWhatDied) {
  DevProcess dev({"--masters", "1", "--workers", "1", "--restart"});
  const std::map<std::string, pid_t> pids = dev.Pids();
  kill(pids.at("coord-1"), SIGKILL);
  EXPECT_TRUE(Await([&] { return dev.Pids().at("coord-1") != pids.at("coord-1"); })) << dev.process().Log();
  const CommandResult result = RunCommand({Binary("drover"), "--coord", dev.Coord(), "run", "--", "echo", "still here"});
  EXPECT_EQ(result.out, "still here\n") << result.err;
  EXPECT_EQ(dev.process().Terminate(), 0) << dev.process().Log();
}

TEST(DevTest, KilledItLeavesNoProcessBehind) {
  DevProcess dev({"--masters", "1", "--workers", "1"});
  const std::map<std::string, pid_t> pids = dev.Pids();
  dev.process().Kill();
  for (const auto& [id, pid] : pids) EXPECT_TRUE(Await([p = pid] { return !testing::Alive(p); })) << id;
}

TEST(DevTest, AClosedTerminalStopsItAndLeavesNothing) {
  DevProcess dev({"--masters", "1", "--workers", "1"});
  const std::map<std::string, pid_t> pids = dev.Pids();
  EXPECT_FALSE(std::filesystem::is_empty(dev.directory()));
  dev.process().Signal(SIGHUP);
  EXPECT_EQ(dev.process().Wait(), 0) << dev.process().Log();
  for (const auto& [id, pid] : pids) EXPECT_FALSE(testing::Alive(pid)) << id;
  for (const auto& entry : std::filesystem::directory_iterator(dev.directory())) EXPECT_FALSE(entry.is_directory()) << entry.path();
}

TEST(DevTest, DataThatWasAskedToBeKeptIsThereTheNextTime) {
  testing::TemporaryDirectory directory;
  const std::vector<std::string> dev = {Binary("drover"), "dev",           "--masters", "1", "--workers", "1",
                                        "--data",         directory / "d", "--"};
  auto run = [&dev](const std::vector<std::string>& command) {
    std::vector<std::string> argv = dev;
    argv.insert(argv.end(), command.begin(), command.end());
    return RunCommand(argv);
  };
  EXPECT_EQ(run({"drover", "submit", "--id", "kept", "--wait", "--", "echo", "hello"}).exit_code, 0);
  EXPECT_EQ(run({"drover", "logs", "kept"}).out, "hello\n");
}

TEST(DevTest, WhatAKilledOneLeftGoesWithTheNext) {
  testing::TemporaryDirectory directory;
  testing::Process killed({Binary("drover"), "dev", "--masters", "1", "--workers", "0"}, {{"TMPDIR", directory.path()}},
                          directory / "killed.log");
  killed.Start();
  ASSERT_TRUE(Await([&] { return killed.Log().find("export DROVER_COORD=") != std::string::npos; })) << killed.Log();
  killed.Kill();
  testing::CommandOptions options;
  options.env["TMPDIR"] = directory.path();
  // Its servers end by themselves, and may still be writing.
  EXPECT_TRUE(Await([&] {
    EXPECT_EQ(RunCommand({Binary("drover"), "dev", "--masters", "1", "--workers", "0", "--", "true"}, options).exit_code, 0);
    for (const auto& entry : std::filesystem::directory_iterator(directory.path())) {
      if (entry.path().filename().string().rfind("drover-dev-", 0) == 0) return false;
    }
    return true;
  }));
}

std::map<std::string, std::string> FilesIn(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    std::string& contents = files[entry.path().string()];
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    contents = std::string(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

TEST(DevTest, AWrongNumberOfCoordinationNodesIsRefusedAndHarmsNothing) {
  testing::TemporaryDirectory directory;
  const std::string data = directory / "d";
  auto run = [&data](const std::string& coords, const std::vector<std::string>& command) {
    std::vector<std::string> argv = {Binary("drover"), "dev", "--coords", coords, "--masters", "1",
                                     "--workers",      "1",   "--data",   data,   "--"};
    argv.insert(argv.end(), command.begin(), command.end());
    return RunCommand(argv);
  };
  EXPECT_EQ(run("3", {"drover", "submit", "--id", "kept", "--wait", "--", "echo", "hello"}).exit_code, 0);
  const auto before = FilesIn(data);
  for (const std::string wrong : {"1", "5"}) {
    const CommandResult refused = run(wrong, {"true"});
    EXPECT_EQ(refused.exit_code, 2) << refused.err;
    EXPECT_NE(refused.err.find("was made with --coords 3"), std::string::npos) << refused.err;
    EXPECT_EQ(FilesIn(data), before);
  }
  EXPECT_EQ(run("3", {"drover", "logs", "kept"}).out, "hello\n");
}

TEST(DevTest, WithoutDataNothingIsLeft) {
  testing::TemporaryDirectory directory;
  testing::CommandOptions options;
  options.env["TMPDIR"] = directory.path();
  EXPECT_EQ(RunCommand({Binary("drover"), "dev", "--masters", "1", "--workers", "1", "--", "true"}, options).exit_code, 0);
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

}  // namespace
}  // namespace drover::cli

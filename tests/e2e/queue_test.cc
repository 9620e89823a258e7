// Who runs next, and where: queues, keys and resources, with real processes.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

class QueueTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { cluster_ = std::make_unique<Cluster>(); }
  static void TearDownTestSuite() {
    ExpectPoolIsWell(*cluster_);
    cluster_.reset();
  }

  static std::string Submit(std::vector<std::string> options, std::vector<std::string> command) {
    options.insert(options.begin(), "submit");
    options.emplace_back("--");
    options.insert(options.end(), command.begin(), command.end());
    const CommandResult result = cluster_->Drover(options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Trimmed(result.out);
  }
  // Writes + when it starts and - before it ends.
  static std::vector<std::string> Witness(const std::string& file) {
    return {"sh", "-c", "echo + >> " + file + "; sleep 0.2; echo - >> " + file};
  }
  // The most that ran at the same time.
  static int Overlap(const std::string& file) {
    int running = 0, most = 0;
    for (const std::string& line : Lines(ReadFile(file))) {
      running += line == "+" ? 1 : -1;
      most = std::max(most, running);
    }
    EXPECT_EQ(running, 0);
    return most;
  }
  // Six tasks that witness, each with these options; then what they saw.
  static int OverlapOfSix(const std::string& name, const std::vector<std::string>& options) {
    const std::string file = cluster_->path(name);
    std::vector<std::string> wait = {"wait"};
    for (int i = 0; i < 6; ++i) wait.push_back(Submit(options, Witness(file)));
    EXPECT_EQ(cluster_->Drover(wait).exit_code, 0);
    EXPECT_EQ(Lines(ReadFile(file)).size(), 12U);
    return Overlap(file);
  }
  static nlohmann::json Queue(const std::string& name) {
    for (const nlohmann::json& queue : cluster_->Json({"queue", "list"})) {
      if (queue.at("name") == name) return queue;
    }
    return {};
  }

  static std::unique_ptr<Cluster> cluster_;
};
std::unique_ptr<Cluster> QueueTest::cluster_;

TEST_F(QueueTest, APausedQueueWaitsUntilItIsResumed) {
  ASSERT_EQ(cluster_->Drover({"queue", "pause", "held"}).exit_code, 0);
  const std::string id = Submit({"--queue", "held"}, {"true"});
  EXPECT_EQ(cluster_->Json({"explain", id}).at("sentence"), "its queue held is paused");
  EXPECT_EQ(cluster_->Drover({"run", "--", "true"}).exit_code, 0) << "others run";
  const nlohmann::json queue = Queue("held");
  EXPECT_EQ(queue.at("waiting"), 1);
  EXPECT_EQ(queue.at("running"), 0);
  EXPECT_EQ(queue.at("settings").at("paused"), true);
  ASSERT_EQ(cluster_->Drover({"queue", "resume", "held"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"queue", "delete", "held"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"queue", "delete", "held"}).exit_code, 6);
}

TEST_F(QueueTest, OfAQueueNoMoreRunThanItsCap) {
  ASSERT_EQ(cluster_->Drover({"queue", "set", "two", "--running-max", "2"}).exit_code, 0);
  EXPECT_EQ(OverlapOfSix("two", {"--queue", "two"}), 2);
}

TEST_F(QueueTest, OfAKeyNoMoreRunThanItsCap) {
  EXPECT_EQ(OverlapOfSix("key", {"--key", "db"}), 1);
}

TEST_F(QueueTest, AWorkersResourcesAreNotOversold) {
  const nlohmann::json workers = cluster_->Json({"worker", "list"});
  const double cpus = workers.at(0).at("resources").at("cpu").at("total");
  EXPECT_LE(OverlapOfSix("cpu", {"--resource", "cpu=" + std::to_string(static_cast<int>(cpus))}), static_cast<int>(workers.size()));
  const std::string id = Submit({"--resource", "gpu=1"}, {"true"});
  EXPECT_TRUE(Await([&] {
    return cluster_->Json({"explain", id}).at("sentence") == "no worker has all the labels and resources it asks for";
  }));
  EXPECT_EQ(cluster_->Json({"explain", id}).at("workers").at(0).at("sentence"), "has only 0 of 1 gpu");
  EXPECT_EQ(cluster_->Drover({"cancel", id}).exit_code, 0);
}

TEST_F(QueueTest, AFullQueueRefusesForNowAndTakesAgainLater) {
  ASSERT_EQ(cluster_->Drover({"queue", "set", "small", "--waiting-max", "1"}).exit_code, 0);
  ASSERT_EQ(cluster_->Drover({"queue", "pause", "small"}).exit_code, 0);
  const std::string first = Submit({"--queue", "small"}, {"true"});
  const CommandResult refused = cluster_->Drover({"--request-timeout", "500ms", "submit", "--queue", "small", "--", "true"});
  EXPECT_EQ(refused.exit_code, 8) << refused.err;
  EXPECT_NE(refused.err.find("queue small is full: 1 of its tasks wait"), std::string::npos) << refused.err;
  // One that waits for room gets it.
  std::string second;
  std::thread submission([&] { second = Submit({"--queue", "small"}, {"true"}); });
  EXPECT_EQ(cluster_->Drover({"queue", "resume", "small"}).exit_code, 0);
  submission.join();
  EXPECT_EQ(cluster_->Drover({"wait", first, second}).exit_code, 0);
}

TEST_F(QueueTest, TasksRunAfterTheOnesTheyDependOn) {
  const std::string flag = cluster_->path("first-may-fail");
  const std::string first = Submit({}, {"sh", "-c", "until [ -e " + flag + " ]; do sleep 0.05; done; exit 9"});
  const std::string never = Submit({"--after", first}, {"true"});
  const std::string cleanup = Submit({"--after", first + ":failure"}, {"echo", "cleaned"});
  const std::string report = Submit({"--after", cleanup, "--after", never + ":end"}, {"true"});
  const nlohmann::json waits = cluster_->Json({"status", report});
  EXPECT_EQ(waits.at("state"), "WAITING");
  EXPECT_EQ(waits.at("waits_for").size(), 2U) << waits;
  const std::string sentence = cluster_->Json({"explain", cleanup}).at("sentence");
  EXPECT_EQ(sentence.find("it waits for task " + first), 0U) << sentence;
  std::ofstream(flag).close();
  EXPECT_EQ(cluster_->Drover({"wait", report}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", never}).exit_code, 4);
  EXPECT_EQ(cluster_->Json({"status", never}).at("sentence"), "task " + first + ", on which it depends, has FAILED");
  EXPECT_EQ(cluster_->Drover({"logs", cleanup}).out, "cleaned\n");
  const CommandResult refused = cluster_->Drover({"submit", "--after", "nobody", "--", "true"});
  EXPECT_EQ(refused.exit_code, 8);
  EXPECT_NE(refused.err.find("task nobody, on which it depends, is not there"), std::string::npos) << refused.err;
}

TEST_F(QueueTest, AScheduleSubmitsItsTaskAgainAndAgain) {
  const auto schedule = [](const std::string& name) {
    for (const nlohmann::json& s : cluster_->Json({"schedule", "list"})) {
      if (s.at("name") == name) return s;
    }
    return nlohmann::json();
  };
  const std::vector<std::string> create = {"schedule", "create", "often", "--every", "1s", "--", "echo", "again"};
  ASSERT_EQ(cluster_->Drover(create).exit_code, 0);
  EXPECT_EQ(cluster_->Drover(create).exit_code, 0) << "the same once more";
  EXPECT_EQ(cluster_->Drover({"schedule", "create", "often", "--every", "2s", "--", "true"}).exit_code, 8);
  ASSERT_TRUE(Await([&] { return schedule("often").at("fired") >= 2; }));
  ASSERT_EQ(cluster_->Drover({"schedule", "pause", "often"}).exit_code, 0);
  const nlohmann::json paused = schedule("often");
  EXPECT_EQ(paused.at("paused"), true);
  EXPECT_TRUE(paused.at("next_at").is_null());
  const std::string last = paused.at("last_task");
  EXPECT_EQ(cluster_->Drover({"wait", last}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"logs", last}).out, "again\n");
  const CommandResult run = cluster_->Drover({"schedule", "run", "often"});
  EXPECT_EQ(cluster_->Drover({"wait", Trimmed(run.out)}).exit_code, 0) << run.err;
  // Each of its tasks is there once, and no more than it has counted.
  EXPECT_EQ(cluster_->Json({"list", "--name", "often"}).size(), paused.at("fired").get<std::size_t>() + 1);
  EXPECT_EQ(cluster_->Drover({"schedule", "delete", "often"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"schedule", "delete", "often"}).exit_code, 6);

  ASSERT_EQ(cluster_
                ->Drover({"schedule", "create", "nightly", "--cron", "30 2 * * mon-fri", "--time-zone", "Europe/Berlin",
                          "--no-overlap", "--", "true"})
                .exit_code,
            0);
  EXPECT_TRUE(schedule("nightly").at("next_at").is_string());
  EXPECT_EQ(cluster_->Drover({"schedule", "delete", "nightly"}).exit_code, 0);
  EXPECT_EQ(cluster_->Json({"schedule", "create", "x", "--cron", "@daily", "--dry-run", "--", "true"}).size(), 5U);
  const CommandResult wrong = cluster_->Drover({"schedule", "create", "x", "--cron", "61 * * * *", "--", "true"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.err.find("the minute \"61\" is no list"), std::string::npos) << wrong.err;
  EXPECT_EQ(cluster_->Drover({"schedule", "create", "x", "--cron", "@daily", "--time-zone", "Mars/Base", "--", "true"}).exit_code,
            8);
}

TEST_F(QueueTest, ADrainedWorkersTasksEndAndThenItIsEmpty) {
  const auto state = [](const std::string& worker) {
    for (const nlohmann::json& w : cluster_->Json({"worker", "list"})) {
      if (w.at("id") == worker) return w.at("state").get<std::string>();
    }
    return std::string("gone");
  };
  const std::string flag = cluster_->path("may-end");
  const std::string id = Submit({}, {"sh", "-c", "until [ -e " + flag + " ]; do sleep 0.05; done"});
  ASSERT_TRUE(Await([&] { return cluster_->Json({"status", id}).at("state") == "RUNNING"; }));
  const std::string worker = cluster_->Json({"status", id}).at("worker");
  ASSERT_EQ(cluster_->Drover({"worker", "drain", worker, "--reason", "new disk"}).exit_code, 0);
  EXPECT_EQ(state(worker), "DRAINING");
  EXPECT_EQ(cluster_->Drover({"worker", "drain", worker, "--wait", "--wait-timeout", "300ms"}).exit_code, 5);
  std::ofstream(flag) << "x";
  EXPECT_EQ(cluster_->Drover({"worker", "drain", worker, "--wait"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 0);
  EXPECT_EQ(state(worker), "DRAINED");
  EXPECT_EQ(cluster_->Drover({"worker", "undrain", worker}).exit_code, 0);
  EXPECT_EQ(state(worker), "READY");
  EXPECT_EQ(cluster_->Drover({"worker", "undrain", worker}).exit_code, 6);
  EXPECT_EQ(cluster_->Drover({"worker", "drain", "nobody"}).exit_code, 6);
}

TEST_F(QueueTest, WhatADrainedWorkerRunsPastTheDeadlineRunsElsewhere) {
  const std::string id = Submit({}, {"sh", "-c", "echo $DROVER_WORKER; exec sleep 1000"});
  ASSERT_TRUE(Await([&] { return cluster_->Json({"status", id}).at("state") == "RUNNING"; }));
  const std::string worker = cluster_->Json({"status", id}).at("worker");
  ASSERT_EQ(cluster_->Drover({"worker", "drain", worker, "--deadline", "0s", "--wait"}).exit_code, 0);
  ASSERT_TRUE(Await([&] { return cluster_->Json({"status", id}).at("attempt") == 2; }));
  const nlohmann::json task = cluster_->Json({"status", id});
  EXPECT_NE(task.at("worker"), worker);
  EXPECT_EQ(task.at("attempts").at(0).at("state"), "LOST");
  EXPECT_EQ(cluster_->Drover({"cancel", id}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"worker", "undrain", worker}).exit_code, 0);
}

TEST_F(QueueTest, WhatCannotBeIsRefusedByName) {
  const auto refused = [](const std::vector<std::string>& arguments) {
    const CommandResult result = cluster_->Drover(arguments);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    return result.err;
  };
  EXPECT_NE(refused({"queue", "set", "q", "--weight", "0"}).find("--weight: 0 is out of range"), std::string::npos);
  EXPECT_NE(refused({"queue", "set", "q", "--rate", "nan"}).find("no number of starts per second"), std::string::npos);
  EXPECT_NE(refused({"queue", "set", "a/b", "--weight", "1"}).find("\"a/b\" will not do"), std::string::npos);
  EXPECT_NE(refused({"submit", "--require", "zone in eu", "--", "true"}).find("\"zone in eu\" will not do"), std::string::npos);
  EXPECT_NE(refused({"submit", "--resource", "cpu=much", "--", "true"}).find("--resource cpu: \"much\" is no amount"),
            std::string::npos);
  EXPECT_NE(refused({"submit", "--key-max", "2", "--", "true"}).find("--key-max needs --key"), std::string::npos);
}

TEST_F(QueueTest, AnArrayRunsItsProgramOnceForEachIndex) {
  const std::string file = cluster_->path("array");
  const std::string mended = cluster_->path("array-mended");
  const std::string id = Submit({"--array", "0-8:2,11-20%6"}, {"sh", "-c",
                                                               "echo $DROVER_ARRAY_INDEX >> " + file +
                                                                   "; echo I am $DROVER_ARRAY_INDEX of $DROVER_ARRAY_ID; " +
                                                                   "[ $DROVER_ARRAY_INDEX != 12 ] || [ -e " + mended + " ]"});
  const CommandResult waited = cluster_->Drover({"wait", id, "--progress"});
  EXPECT_EQ(waited.exit_code, 3) << waited.err;
  EXPECT_NE(waited.err.find("15 of 15 ended: 14 SUCCEEDED, 1 FAILED"), std::string::npos) << waited.err;
  const nlohmann::json status = cluster_->Json({"status", id});
  EXPECT_EQ(status.at("reason"), "ELEMENTS");
  EXPECT_EQ(status.at("array").at("unsuccessful"), nlohmann::json({"12"}));
  EXPECT_EQ(cluster_->Json({"list", "--array", id}).size(), 15U);
  EXPECT_EQ(cluster_->Json({"list", "--array", id, "--state", "FAILED"}).at(0).at("id"), id + ":12");
  for (const nlohmann::json& task : cluster_->Json({"list"})) EXPECT_EQ(task.at("id").get<std::string>().find(':'), std::string::npos);
  EXPECT_EQ(cluster_->Drover({"logs", id + ":13"}).out, "I am 13 of " + id + "\n");
  EXPECT_EQ(cluster_->Drover({"logs", id}).exit_code, 8);
  EXPECT_EQ(cluster_->Drover({"logs", "-f", id}).exit_code, 8);
  EXPECT_EQ(cluster_->Drover({"retry", "--array", id}).exit_code, 2);
  EXPECT_EQ(cluster_->Drover({"run", "--array", "0-3", "--", "true"}).exit_code, 2);
  EXPECT_EQ(cluster_->Drover({"status", id + ":21"}).exit_code, 6);
  // What failed runs anew, and nothing else does.
  std::ofstream(mended).close();
  EXPECT_EQ(cluster_->Drover({"retry", id}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 0);
  std::vector<std::string> ran = Lines(ReadFile(file));
  std::sort(ran.begin(), ran.end());
  EXPECT_EQ(ran, (std::vector<std::string>{"0", "11", "12", "12", "13", "14", "15", "16", "17", "18", "19", "2", "20", "4", "6", "8"}));
}

TEST_F(QueueTest, AnArrayOfAMillionIsCancelledAsAWhole) {
  const std::string id = Submit({"--array", "0-999999"}, {"sleep", "600"});
  ASSERT_TRUE(Await([&] { return cluster_->Json({"status", id}).at("array").at("under_way") >= 4; }));
  EXPECT_EQ(cluster_->Drover({"cancel", id, "--reason", "enough"}).exit_code, 0);
  EXPECT_EQ(cluster_->Drover({"wait", id}).exit_code, 4);
  const nlohmann::json status = cluster_->Json({"status", id});
  EXPECT_EQ(status.at("array").at("cancelled"), 1'000'000) << status;
  EXPECT_EQ(status.at("sentence"), "enough");
  EXPECT_EQ(cluster_->Json({"status", id + ":999999"}).at("state"), "CANCELLED");
  EXPECT_EQ(cluster_->Drover({"submit", "--array", "9-3", "--", "true"}).exit_code, 2);
  EXPECT_EQ(cluster_->Drover({"submit", "--array", "0-1000000", "--", "true"}).exit_code, 8);
}

}  // namespace
}  // namespace drover::testing

// The core goes away for 20 s and comes back on its data.
#include <gtest/gtest.h>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

TEST(OutageTest, AKeepTaskRunsThroughAndAStopTaskIsDeadBeforeTheLeaseEnds) {
  ClusterOptions options;
  options.masters = 1;
  options.workers = 1;
  Cluster cluster(options);
  const std::string go = cluster.path("go");
  const std::string keep =
      Trimmed(cluster
                  .Drover({"submit", "--on-disconnect", "keep", "--", "sh", "-c",
                           "echo $$ >> " + cluster.path("keep") + "; until [ -e " + go + " ]; do sleep 0.05; done; echo kept"})
                  .out);
  const std::string stop = Trimmed(cluster
                                       .Drover({"submit", "--on-disconnect", "stop", "--", "sh", "-c",
                                                "echo $$ >> " + cluster.path("stop") + "; exec sleep 1000"})
                                       .out);
  ASSERT_TRUE(Await([&] { return !ReadFile(cluster.path("keep")).empty() && !ReadFile(cluster.path("stop")).empty(); }));
  const pid_t keep_pid = std::stoi(ReadFile(cluster.path("keep")));
  const pid_t stop_pid = std::stoi(ReadFile(cluster.path("stop")));

  cluster.coord().Kill();
  const auto killed = std::chrono::steady_clock::now();
  // Nobody is there who could tell it: it is its worker's lease that ends.
  EXPECT_TRUE(Await([&] { return !Alive(stop_pid); }));
  // The session's time-out counts from the last acknowledged contact, which was before the kill.
  EXPECT_LT(std::chrono::steady_clock::now() - killed, std::chrono::seconds(6));
  Last(std::chrono::seconds(20) -
       (std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - killed)));
  EXPECT_TRUE(Alive(keep_pid));
  cluster.coord().Start();

  WriteFile(go, "");
  EXPECT_EQ(cluster.Drover({"wait", keep}).exit_code, 0);
  const nlohmann::json kept = cluster.Json({"status", keep});
  EXPECT_EQ(kept.at("attempt"), 1) << "the same attempt, never killed";
  EXPECT_EQ(cluster.Drover({"logs", keep}).out, "kept\n");
  // The stopped one is run again, once the core can be told.
  EXPECT_TRUE(Await([&] { return Lines(ReadFile(cluster.path("stop"))).size() >= 2; }));
  EXPECT_EQ(cluster.Drover({"cancel", stop}).exit_code, 0);
  EXPECT_EQ(cluster.Drover({"wait", stop}).exit_code, 4);
}

TEST(OutageTest, WhatWasAcknowledgedIsThereAfterAKillAtAnyMoment) {
  Cluster cluster(CoreAlone(1));
  ASSERT_TRUE(Await([&] { return cluster.Drover({"tree", "create", "/n", "0"}).exit_code == 0; }));
  for (int i = 1; i <= 20; ++i) {
    ASSERT_EQ(cluster.Drover({"tree", "set", "/n", std::to_string(i)}).exit_code, 0);
    cluster.coord().Kill();
    cluster.coord().Start();
    EXPECT_EQ(cluster.Drover({"tree", "get", "/n"}).out, std::to_string(i)) << "after kill " << i;
  }
}

}  // namespace
}  // namespace drover::testing

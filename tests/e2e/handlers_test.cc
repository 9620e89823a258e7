// Programs that are workers themselves: what their handlers do, and what becomes of them when a handler does not return.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>

#include "tests/e2e/e2e.h"

namespace drover::testing {
namespace {

class HandlersTest : public ::testing::Test {
 protected:
  HandlersTest() : cluster_(Options()) {}
  static ClusterOptions Options() {
    ClusterOptions options;
    options.workers = 1;
    return options;
  }
  Process& StartHandlers(const std::string& name) {
    workers_.push_back(std::make_unique<Process>(
        std::vector<std::string>{Binary("drover-example-handlers"), cluster_.coord_address(), name},
        std::map<std::string, std::string>{{"TMPDIR", cluster_.path("work")}}, cluster_.path(name + ".log")));
    workers_.back()->Start();
    EXPECT_TRUE(Await([&] { return Has(name); })) << workers_.back()->Log();
    return *workers_.back();
  }
  bool Has(const std::string& name) {
    for (const nlohmann::json& worker : cluster_.Json({"worker", "list"})) {
      if (worker.at("id") == name) return true;
    }
    return false;
  }
  std::string Submit(const std::string& handler, const std::string& input, std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"submit", "--handler", handler, "--input", input});
    const CommandResult submitted = cluster_.Drover(options);
    EXPECT_EQ(submitted.exit_code, 0) << submitted.err;
    return Trimmed(submitted.out);
  }
  nlohmann::json Ended(const std::string& id) {
    static_cast<void>(cluster_.Drover({"wait", id}));
    return cluster_.Json({"status", id});
  }
  bool RunsOn(const std::string& id, const std::string& worker) {
    const nlohmann::json task = cluster_.Json({"status", id});
    return task.at("state") == "RUNNING" && task.at("worker") == worker;
  }

  Cluster cluster_;
  std::vector<std::unique_ptr<Process>> workers_;
};

TEST_F(HandlersTest, TheyReturnResultsWriteAndSayHowFarTheyAre) {
  Process& worker = StartHandlers("h0");
  const std::string shout = Submit("shout", "hello");
  EXPECT_EQ(Ended(shout).at("result"), "HELLO");
  EXPECT_EQ(cluster_.Drover({"run", "--handler", "shout", "--input", "loud"}).out, "LOUD");
  const std::string count = Submit("count", "20");
  EXPECT_TRUE(Await([&] { return !cluster_.Json({"status", count}).at("progress").is_null(); }));
  EXPECT_EQ(cluster_.Json({"status", count}).at("progress").at("text"), "counting");
  EXPECT_EQ(Ended(count).at("result"), "counted to 20");
  EXPECT_EQ(Lines(cluster_.Drover({"logs", count}).out).size(), 20U);
  // Errors are failures of the task, with their words.
  const nlohmann::json failed = Ended(Submit("fail", "no luck"));
  EXPECT_EQ(failed.at("state"), "FAILED");
  EXPECT_EQ(failed.at("sentence"), "UNAVAILABLE: no luck");
  EXPECT_EQ(failed.at("exit_code"), 14);
  EXPECT_EQ(Ended(Submit("fail", "again", {"--retries", "2", "--retry-backoff", "100ms"})).at("attempt"), 3);
  EXPECT_EQ(Ended(Submit("throw", "ouch")).at("sentence"), "INTERNAL: exception: ouch");
  EXPECT_EQ(Ended(Submit("count", "x")).at("sentence"), "INVALID_ARGUMENT: the input is no number");
  // Programs go to whom runs programs, and a handler that nobody has is waited for.
  EXPECT_EQ(cluster_.Drover({"run", "--", "sh", "-c", "echo $DROVER_WORKER"}).out, "w0\n");
  const std::string nobodys = Submit("nobodys", "x");
  EXPECT_EQ(cluster_.Json({"explain", nobodys}).at("sentence"), "no worker has all the labels it asks for");
  EXPECT_EQ(cluster_.Drover({"cancel", nobodys}).exit_code, 0);
  EXPECT_EQ(worker.Terminate(), 0) << worker.Log();
  EXPECT_FALSE(Has("h0"));
}

TEST_F(HandlersTest, OneThatStopsWhenItIsToldToEndsAlone) {
  Process& worker = StartHandlers("h0");
  const std::string count = Submit("count", "1000");
  ASSERT_TRUE(Await([&] { return RunsOn(count, "h0"); }));
  EXPECT_EQ(cluster_.Drover({"cancel", count, "--reason", "enough"}).exit_code, 0);
  EXPECT_EQ(Ended(count).at("state"), "CANCELLED");
  EXPECT_EQ(Ended(Submit("count", "1000", {"--time-limit", "300ms"})).at("reason"), "TIME_LIMIT");
  EXPECT_TRUE(worker.running());
  EXPECT_EQ(Ended(Submit("shout", "still here")).at("result"), "STILL HERE");
}

TEST_F(HandlersTest, OneThatDoesNotReturnEndsItsProgramAndTheRestRunsElsewhere) {
  Process& worker = StartHandlers("h0");
  const std::string beside = Submit("count", "60");
  const std::string hangs = Submit("hang", "x", {"--time-limit", "200ms"});
  ASSERT_TRUE(Await([&] { return RunsOn(beside, "h0"); }));
  StartHandlers("h1");
  // Its end is its own, and the only one that it needs.
  const nlohmann::json hung = Ended(hangs);
  EXPECT_EQ(hung.at("state"), "FAILED") << hung;
  EXPECT_EQ(hung.at("reason"), "TIME_LIMIT") << hung;
  EXPECT_EQ(hung.at("attempt"), 1) << hung;
  ASSERT_TRUE(Await([&] { return !worker.running(); })) << "it was not killed";
  EXPECT_TRUE(workers_[1]->running()) << "and nobody else";
  const nlohmann::json ended = Ended(beside);
  EXPECT_EQ(ended.at("state"), "SUCCEEDED") << ended;
  EXPECT_EQ(ended.at("result"), "counted to 60");
  EXPECT_EQ(ended.at("worker"), "h1");
}

TEST_F(HandlersTest, OneThatMustNotOutliveItsLeaseDoesNotThoughItsProgramIsPaused) {
  Process& worker = StartHandlers("h0");
  const std::string count = Submit("count", "300", {"--on-disconnect", "stop"});
  ASSERT_TRUE(Await([&] { return RunsOn(count, "h0"); }));
  worker.Signal(SIGSTOP);
  // Its session has not ended by then, so nobody else can have begun.
  ASSERT_TRUE(Await([&] { return !worker.running(); }));
  EXPECT_TRUE(Has("h0") || cluster_.Json({"status", count}).at("attempts").size() == 1);
  StartHandlers("h1");
  EXPECT_EQ(Ended(count).at("state"), "SUCCEEDED");
}

}  // namespace
}  // namespace drover::testing

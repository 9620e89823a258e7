#include "client/cli/task_flags.h"

#include <gtest/gtest.h>

#include <sstream>

namespace drover::cli {
namespace {

absl::StatusOr<client::TaskSpec> Parse(const std::vector<std::string>& args) {
  process::OptionSet options("drover", "test");
  TaskFlags flags;
  flags.AddTo(&options);
  std::ostringstream out;
  bool done = false;
  if (absl::Status s = options.ParseFrom(
          args, [](const std::string&) { return std::nullopt; }, out, &done);
      !s.ok())
    return s;
  return flags.Spec();
}

TEST(TaskFlagsTest, EveryOptionReachesTheSpec) {
  auto spec = Parse({"--id",    "i",     "--name", "n",    "--queue",      "q",  "--priority", "9", "--env",           "A=1",
                     "--env",   "B=x=y", "--cwd",  "/tmp", "--time-limit", "2m", "--retries",  "3", "--on-disconnect", "stop",
                     "--label", "k=v",   "--",     "echo", "--name",       "{}"});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->id, "i");
  EXPECT_EQ(spec->name, "n");
  EXPECT_EQ(spec->queue, "q");
  EXPECT_EQ(spec->priority, 9);
  EXPECT_EQ(spec->env, (std::map<std::string, std::string>{{"A", "1"}, {"B", "x=y"}}));
  EXPECT_EQ(spec->cwd, "/tmp");
  EXPECT_EQ(spec->time_limit, std::chrono::minutes(2));
  EXPECT_EQ(spec->retries, 3);
  EXPECT_EQ(spec->retry_backoff, std::chrono::seconds(1)) << "the default";
  EXPECT_EQ(spec->on_disconnect, client::OnDisconnect::kStop);
  EXPECT_EQ(spec->labels, (std::map<std::string, std::string>{{"k", "v"}}));
  EXPECT_EQ(spec->argv, (std::vector<std::string>{"echo", "--name", "{}"}));
}

TEST(TaskFlagsTest, Defaults) {
  auto spec = Parse({"--", "true"});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->id, "");
  EXPECT_EQ(spec->priority, 0);
  EXPECT_EQ(spec->time_limit.count(), 0);
  EXPECT_FALSE(spec->at_most_once);
  EXPECT_EQ(spec->on_disconnect, client::OnDisconnect::kKeep);
}

TEST(TaskFlagsTest, AtMostOnceIsNeverStartedAgain) {
  EXPECT_TRUE(Parse({"--at-most-once", "--", "true"})->at_most_once);
  EXPECT_EQ(Parse({"--retry-backoff", "0s", "--", "true"})->retry_backoff.count(), 0);
  EXPECT_EQ(Parse({"--retry-backoff", "90s", "--", "true"})->retry_backoff, std::chrono::seconds(90));
  EXPECT_TRUE(Parse({"--at-most-once", "--retries", "0", "--", "true"}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Parse({"--at-most-once", "--retries", "1", "--", "true"}).status()));
}

TEST(TaskFlagsTest, WhatItWaitsForReachesTheSpec) {
  const auto spec = Parse({"--after", "a", "--after", "b:failure", "--", "true"});
  ASSERT_TRUE(spec.ok()) << spec.status();
  ASSERT_EQ(spec->dependencies.size(), 2U);
  EXPECT_EQ(spec->dependencies[0].condition, client::Dependency::Condition::kSuccess);
  EXPECT_EQ(spec->dependencies[1].task, "b");
  EXPECT_EQ(spec->dependencies[1].condition, client::Dependency::Condition::kFailure);
  EXPECT_EQ(Parse({"--after", "a:soon", "--", "true"}).status().message(),
            "--after: \"soon\" is no way to end: one of success, failure and end");
}

TEST(TaskFlagsTest, TimesAndExitCodesReachTheSpec) {
  auto spec = Parse({"--start-at", "2026-01-31T13:00:00+01:00", "--start-within", "5m", "--deadline", "2026-01-31T13:00:00.5Z",
                     "--total-limit", "1h", "--retries", "2", "--retry-on", "75,137", "--", "true"});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->start_at_ms, 1'769'860'800'000);
  EXPECT_EQ(spec->start_within, std::chrono::minutes(5));
  EXPECT_EQ(spec->deadline_ms, 1'769'864'400'500);
  EXPECT_EQ(spec->total_limit, std::chrono::hours(1));
  EXPECT_EQ(spec->retry_exit_codes, (std::vector<int>{75, 137}));
  EXPECT_EQ(Parse({"--delay", "90s", "--", "true"})->delay, std::chrono::seconds(90));
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{"--start-at", "tomorrow"},
                                                                                     {"--deadline", "2026-01-31"},
                                                                                     {"--deadline", ""},
                                                                                     {"--delay", "400d"},
                                                                                     {"--delay", "9000h"},
                                                                                     {"--retry-on", "75,"},
                                                                                     {"--retry-on", "256"},
                                                                                     {"--retry-on", "75"}}) {
    std::vector<std::string> args = wrong;
    args.insert(args.end(), {"--", "true"});
    EXPECT_TRUE(absl::IsInvalidArgument(Parse(args).status())) << wrong[0] << " " << wrong[1] << ": " << Parse(args).status();
  }
}

TEST(TaskFlagsTest, WhatBecomesOfATaskThatIsThereIsOfATaskWithAnId) {
  EXPECT_EQ(Parse({"--id", "i", "--", "true"})->if_exists, client::IfExists::kSameOnly);
  EXPECT_EQ(Parse({"--id", "i", "--if-exists", "reject", "--", "true"})->if_exists, client::IfExists::kReject);
  EXPECT_EQ(Parse({"--id", "i", "--if-exists", "use", "--", "true"})->if_exists, client::IfExists::kUseExisting);
  EXPECT_EQ(Parse({"--id", "i", "--if-exists", "rerun-failed", "--", "true"})->if_exists, client::IfExists::kRerunFailed);
  EXPECT_TRUE(absl::IsInvalidArgument(Parse({"--if-exists", "reject", "--", "true"}).status()));
}

TEST(TaskFlagsTest, AnEmptyValueOfAScriptIsAUsageErrorNotADefault) {
  for (const char* option : {"--id", "--cwd", "--stdin"}) {
    const absl::Status status = Parse({option, "", "--", "true"}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << option << ": " << status;
    EXPECT_NE(status.message().find(option), absl::string_view::npos) << status;
    EXPECT_NE(status.message().find("is empty"), absl::string_view::npos) << status;
  }
}

TEST(TaskFlagsTest, WhatTheServiceWouldRefuseIsRefusedHere) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--label", "-bad=x", "--", "true"},   {"--label", "a=\xff", "--", "true"},
      {"--queue", "no queue", "--", "true"}, {"--name", "\xff\xfe", "--", "true"},
      {"--env", "A=\xff", "--", "true"},     {"--", "echo", "\xff"},
      {"--cwd", "here", "--", "true"},       {"--", ""},
  };
  for (const auto& args : wrong) {
    const absl::Status status = Parse(args).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << args[0] << " " << args[1] << ": " << status;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(Parse({"--name", std::string(129, 'n'), "--", "true"}).status()));
}

TEST(TaskFlagsTest, EveryPlaceholderInEveryArgumentIsReplacedOnce) {
  client::TaskSpec spec;
  spec.argv = {"{}", "a{}b{}", "none", "{ }"};
  EXPECT_EQ(ForLine(spec, "x{}").argv, (std::vector<std::string>{"x{}", "ax{}bx{}", "none", "{ }"}));
  EXPECT_EQ(ForLine(spec, "").argv, (std::vector<std::string>{"", "ab", "none", "{ }"}));
}

}  // namespace
}  // namespace drover::cli

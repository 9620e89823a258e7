#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/app.h"
#include "tests/client/cli/scripted_client.h"
#include "tests/client/store/temp_directory.h"

namespace drover::cli {
namespace {

class SubmitTest : public ::testing::Test {
 protected:
  int Submit(std::vector<std::string> args, Format format = Format::kTable) {
    process::OptionSet root("drover", "test");
    Commands commands;
    AddSubmitCommand(&root, &commands);
    args.insert(args.begin(), "submit");
    bool done = false;
    const absl::Status parsed = root.ParseFrom(
        args, [](const std::string&) { return std::nullopt; }, out_, &done);
    EXPECT_TRUE(parsed.ok()) << parsed;
    Globals globals;
    Output output(format, &out_, &err_);
    const App::TasksMaker make = [this](const Globals&) -> absl::StatusOr<std::unique_ptr<client::TaskClient>> {
      return std::make_unique<Shared>(&client_);
    };
    return commands[0].run(App{globals, output, make});
  }
  std::string File(const std::string& data) {
    const std::string path = directory_.path() + "/lines";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << data;
    return path;
  }

  // Hands every call on, so that the test keeps what the command is given.
  class Shared final : public ScriptedClient {
   public:
    explicit Shared(ScriptedClient* to) : to_(to) {}
    absl::StatusOr<std::vector<client::SubmitResult>> SubmitAll(std::vector<client::TaskSpec>* specs) override {
      return to_->SubmitAll(specs);
    }
    absl::Status Watch(const std::vector<std::string>& ids, const OnTask& on_task, const OnMissing& on_missing,
                       std::optional<std::chrono::steady_clock::time_point> deadline, std::stop_token stop) override {
      return to_->Watch(ids, on_task, on_missing, deadline, stop);
    }

   private:
    ScriptedClient* const to_;
  };

  store::TempDirectory directory_;
  ScriptedClient client_;
  std::ostringstream out_, err_;
};

TEST_F(SubmitTest, PrintsTheIdAlone) {
  EXPECT_EQ(Submit({"--id", "mine", "--", "echo"}), 0);
  EXPECT_EQ(out_.str(), "mine\n");
  EXPECT_EQ(err_.str(), "");
  out_.str("");
  EXPECT_EQ(Submit({"--id", "mine", "--", "echo"}, Format::kJson), 0);
  EXPECT_EQ(out_.str(), "{\"id\":\"mine\"}\n");
}

TEST_F(SubmitTest, ARefusalExitsEightAndSaysWhy) {
  client_.refused = {"bad"};
  EXPECT_EQ(Submit({"--id", "mine", "--", "echo", "bad"}), 8);
  EXPECT_EQ(out_.str(), "");
  EXPECT_TRUE(absl::StrContains(err_.str(), "mine")) << err_.str();
}

TEST_F(SubmitTest, EachLineIsATask) {
  EXPECT_EQ(Submit({"--each-line", File("one\ntwo words\n"), "--", "echo", "<{}>", "{}{}"}), 0);
  EXPECT_EQ(out_.str(), "t1\nt2\n");
  ASSERT_EQ(client_.batches.size(), 1u);
  EXPECT_EQ(client_.batches[0][0].argv, (std::vector<std::string>{"echo", "<one>", "oneone"}));
  EXPECT_EQ(client_.batches[0][1].argv, (std::vector<std::string>{"echo", "<two words>", "two wordstwo words"}));
}

TEST_F(SubmitTest, TenThousandLinesGoInBatches) {
  std::string lines;
  for (int i = 0; i < 10'000; ++i) absl::StrAppend(&lines, i, "\n");
  EXPECT_EQ(Submit({"--each-line", File(lines), "--", "echo", "{}"}), 0);
  ASSERT_EQ(client_.batches.size(), 10u);
  for (const auto& batch : client_.batches) EXPECT_EQ(batch.size(), 1000u);
  EXPECT_EQ(client_.batches[9][999].argv[1], "9999");
  const std::string out = out_.str();
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 10'000);
}

TEST_F(SubmitTest, AListOfIdsIsOneArray) {
  EXPECT_EQ(Submit({"--each-line", File("a\nb\n"), "--", "echo"}, Format::kJson), 0);
  EXPECT_EQ(out_.str(), "[{\"id\":\"t1\"},{\"id\":\"t2\"}]\n");
}

TEST_F(SubmitTest, RefusedLinesAreNamedAndTheOthersSubmitted) {
  client_.refused = {"b"};
  EXPECT_EQ(Submit({"--each-line", File("a\nb\nc\n"), "--", "echo", "{}"}), 8);
  EXPECT_EQ(out_.str(), "t1\nt3\n");
  EXPECT_TRUE(absl::StrContains(err_.str(), "line 2 was refused: no")) << err_.str();
  EXPECT_TRUE(absl::StrContains(err_.str(), "1 of 3 lines")) << err_.str();
}

TEST_F(SubmitTest, InJsonTheErrorNamesTheFirstRefusedLine) {
  client_.refused = {"b", "c"};
  EXPECT_EQ(Submit({"--each-line", File("a\nb\nc\n"), "--", "echo", "{}"}, Format::kJson), 8);
  EXPECT_EQ(out_.str(), "[{\"id\":\"t1\"}]\n");
  const Json error = Json::parse(err_.str()).at("error");
  EXPECT_EQ(error.at("message"), "2 of 3 lines were refused; line 2 was refused: no");
}

TEST_F(SubmitTest, WhenTheMastersGoAwayItSaysHowFarItGot) {
  client_.fail_submit_after = 1;
  std::string lines;
  for (int i = 0; i < 1500; ++i) lines += "x\n";
  EXPECT_EQ(Submit({"--each-line", File(lines), "--", "echo"}), 7);
  EXPECT_TRUE(absl::StrContains(err_.str(), "after 1000 lines")) << err_.str();
}

TEST_F(SubmitTest, TasksOfAFileGoTogether) {
  EXPECT_EQ(Submit({"--queue", "q", "--from-json", File(R"([{"id": "a", "command": ["x"]}, {"command": ["y"], "queue": "r"}])")}),
            0);
  ASSERT_EQ(client_.batches.size(), 1u);
  EXPECT_EQ(client_.batches[0][0].queue, "q");
  EXPECT_EQ(client_.batches[0][1].queue, "r");
  EXPECT_EQ(out_.str(), "a\nt1\n");
}

TEST_F(SubmitTest, WhereATaskOfAFileIsWrongNothingFromItsBatchOnIsSubmitted) {
  std::string tasks;
  for (int i = 0; i < 1500; ++i) tasks += "{\"command\": [\"true\"]}\n";
  EXPECT_EQ(Submit({"--from-json", File(tasks + "{\"command\": [\"true\"], \"retries\": -1}")}), 2);
  EXPECT_EQ(client_.batches.size(), 1u);
  EXPECT_TRUE(absl::StrContains(err_.str(), "task 1501: ")) << err_.str();
  EXPECT_TRUE(absl::StrContains(err_.str(), "; nothing after task 1000 was submitted")) << err_.str();
}

// A script would submit them a second time.
TEST_F(SubmitTest, WhatWasAcceptedBeforeAnErrorIsPrintedInJsonToo) {
  std::string tasks;
  for (int i = 0; i < 1000; ++i) tasks += "{\"command\": [\"true\"]}\n";
  EXPECT_EQ(Submit({"--from-json", File(tasks + "{")}, Format::kJson), 2);
  EXPECT_EQ(Json::parse(out_.str()).size(), 1000u);
}

TEST_F(SubmitTest, ADryRunSeesWhatTasksSayOfEachOther) {
  const auto refusal = [this](const std::string& tasks) {
    err_.str("");
    EXPECT_EQ(Submit({"--dry-run", "--from-json", File(tasks)}), 2) << tasks;
    return err_.str();
  };
  const std::string a = R"({"id": "a", "command": ["x"]})";
  EXPECT_TRUE(absl::StrContains(refusal(a + R"({"id": "a", "command": ["y"]})"), "task 2: another one before it has the id a"));
  EXPECT_TRUE(
      absl::StrContains(refusal(R"({"id": "b", "command": ["x"], "after": "a"})" + a), "task 2: what depends on it, number 1"));
  EXPECT_TRUE(
      absl::StrContains(refusal(R"({"id": "b", "command": ["x"], "after": "b"})"), "task 1: a task does not depend on itself"));
  EXPECT_TRUE(absl::StrContains(refusal(R"({"command": ["x"], "deadline": "2020-01-01T00:00:00Z"})"), "its deadline is over"));
  EXPECT_EQ(Submit({"--dry-run", "--from-json", File(a + a + R"({"command": ["y"], "after": ["a", "elsewhere"]})")}), 0)
      << err_.str();
  EXPECT_TRUE(client_.batches.empty());
}

TEST_F(SubmitTest, ADryRunOnlyLooks) {
  EXPECT_EQ(Submit({"--dry-run", "--from-json", File(R"({"command": ["x"]}{"command": ["y"]})")}), 0);
  EXPECT_EQ(out_.str(), "2 tasks would be submitted\n");
  EXPECT_EQ(Submit({"--dry-run", "--each-line", File("a\n"), "--", "echo"}, Format::kJson), 0);
  EXPECT_EQ(Submit({"--dry-run", "--", "echo"}), 0);
  EXPECT_EQ(out_.str(), "2 tasks would be submitted\n{\"tasks\":1}\n1 task would be submitted\n");
  EXPECT_EQ(Submit({"--dry-run", "--from-json", File("{}")}), 2);
  EXPECT_TRUE(absl::StrContains(err_.str(), "task 1: it has no \"command\"; nothing was submitted")) << err_.str();
  EXPECT_TRUE(client_.batches.empty());
}

TEST_F(SubmitTest, AnEmptyFileIsNoTask) {
  EXPECT_EQ(Submit({"--each-line", File(""), "--wait", "--", "echo"}), 0);
  EXPECT_EQ(out_.str(), "");
  EXPECT_TRUE(client_.batches.empty());
}

TEST_F(SubmitTest, WaitTellsHowTheyEnded) {
  client_.changes = {ScriptedClient::Make("t1", client::State::kSucceeded), ScriptedClient::Make("t2", client::State::kFailed)};
  EXPECT_EQ(Submit({"--each-line", File("a\nb\n"), "--wait", "--", "echo"}), 3);
  EXPECT_EQ(out_.str(), "t1\nt2\n");
  EXPECT_TRUE(absl::StrContains(err_.str(), "t2 FAILED")) << err_.str();
}

TEST_F(SubmitTest, WaitInJsonShowsTheTasksAlone) {
  client_.changes = {ScriptedClient::Make("mine", client::State::kCancelled)};
  EXPECT_EQ(Submit({"--id", "mine", "--wait", "--", "echo"}, Format::kJson), 4);
  const Json tasks = Json::parse(out_.str());
  ASSERT_EQ(tasks.size(), 1u);
  EXPECT_EQ(tasks[0]["state"], "CANCELLED");
}

}  // namespace
}  // namespace drover::cli

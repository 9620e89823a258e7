#include "client/cli/task_json.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/client/store/temp_directory.h"

namespace drover::cli {
namespace {

absl::StatusOr<client::TaskSpec> Of(const std::string& text, const TaskFlags& base = {}) {
  return TaskOfJson(base, Json::parse(text));
}
std::string Refusal(const std::string& text) {
  return std::string(Of(text).status().message());
}

TEST(TaskJsonTest, EveryOptionHasItsName) {
  const auto spec =
      Of(R"({"id": "a", "command": ["echo", "--name", 7], "retries": 3, "time_limit": "2m", "env": {"A": 1, "B": "x=y"},
      "label": {"k": "v"}, "retry_on": [75, 137], "after": ["b", "c:end"], "require": "gpu", "resource": {"cpu": "0.5"},
      "retry_backoff": "0", "name": null, "queue": "q", "on_disconnect": "stop", "stdin": "in\nput", "array": "0-9%2"})");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->id, "a");
  EXPECT_EQ(spec->argv, (std::vector<std::string>{"echo", "--name", "7"}));
  EXPECT_EQ(spec->retries, 3);
  EXPECT_EQ(spec->time_limit, std::chrono::minutes(2));
  EXPECT_EQ(spec->env, (std::map<std::string, std::string>{{"A", "1"}, {"B", "x=y"}}));
  EXPECT_EQ(spec->labels.at("k"), "v");
  EXPECT_EQ(spec->retry_exit_codes, (std::vector<int>{75, 137}));
  ASSERT_EQ(spec->dependencies.size(), 2U);
  EXPECT_EQ(spec->dependencies[1].condition, client::Dependency::Condition::kEnd);
  EXPECT_EQ(spec->rules, (std::vector<std::string>{"gpu"}));
  EXPECT_EQ(spec->resources.at("cpu"), 500);
  EXPECT_EQ(spec->retry_backoff.count(), 0);
  EXPECT_EQ(spec->queue, "q");
  EXPECT_EQ(spec->on_disconnect, client::OnDisconnect::kStop);
  EXPECT_EQ(spec->stdin_data, "in\nput");
  EXPECT_EQ(spec->array, "0-9%2");
  EXPECT_TRUE(Of(R"({"command": ["true"], "at_most_once": true})")->at_most_once);
  EXPECT_FALSE(Of(R"({"command": ["true"], "at_most_once": false})")->at_most_once);
}

TEST(TaskJsonTest, WhatItDoesNotSayIsAsTheBaseSays) {
  TaskFlags base;
  base.queue = "q";
  base.retries = 2;
  base.env = {{"A", "1"}};
  const auto spec = Of(R"({"command": ["true"], "retries": 0})", base);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->queue, "q");
  EXPECT_EQ(spec->retries, 0);
  EXPECT_EQ(spec->env.at("A"), "1");
}

TEST(TaskJsonTest, WhatIsWrongIsNamed) {
  EXPECT_EQ(Refusal("[]"), "a task is an object: {\"command\": [\"echo\", \"hello\"]}");
  EXPECT_EQ(Refusal("{}"), "it has no \"command\"");
  EXPECT_EQ(Refusal(R"({"command": "true"})"), "\"command\" is no list");
  EXPECT_EQ(Refusal(R"({"command": ["true"], "help": true})"), "\"help\" is nothing that a task has");
  EXPECT_EQ(Refusal(R"({"command": ["true"], "-x": 1})"), "\"-x\" is nothing that a task has");
  EXPECT_EQ(Refusal(R"({"command": ["true"], "env": {"A": [1]}})"), "\"env.A\" has a value that is neither text nor a number");
  EXPECT_EQ(Refusal(R"({"command": ["true"], "stdin": 1})"), "\"stdin\" is no text");
  for (const char* number : {"1.10", "1e3", "12345678901234567890123"}) {
    EXPECT_EQ(Refusal(std::string(R"({"command": ["echo", )") + number + "]}"),
              "\"command\" has a number that is no whole one, or too large: give it as text");
  }
  EXPECT_EQ(Refusal(R"({"command": ["true"], "env": {"A=B": "1"}})"), "\"env\" has a name with a = in it");
  EXPECT_EQ(Refusal(R"({"command": ["true"], "stdin_file": "-"})"), "\"stdin_file\" is no file: give \"stdin\", or a file's name");
  for (const char* text : {R"({"command": ["true"], "retriess": 1})", R"({"command": ["true"], "retries": -1})",
                           R"({"command": ["true"], "time_limit": 5})", R"({"command": ["true"], "id": "a/b"})",
                           R"({"command": ["true"], "retries": [1, 2]})", R"({"command": ["true"], "at_most_once": "yes"})"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Of(text).status())) << text << Of(text).status();
  }
}

class JsonReaderTest : public ::testing::Test {
 protected:
  // "1 2 3", and what it ends with
  std::string Read(const std::string& text) {
    const std::string path = directory_.path() + "/tasks";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
    auto reader = JsonReader::Open(path);
    if (!reader.ok()) return std::string(reader.status().message());
    std::string shown;
    while (true) {
      Json value;
      const auto next = reader->Next(&value);
      if (!next.ok()) return shown + "! " + std::string(next.status().message()).substr(0, 50);
      if (!*next) return shown;
      shown += value.dump() + " ";
    }
  }
  store::TempDirectory directory_;
};

TEST_F(JsonReaderTest, AListOrOneAfterTheOther) {
  EXPECT_EQ(Read(""), "");
  EXPECT_EQ(Read(" \n"), "");
  EXPECT_EQ(Read("{\"a\":1}\n{\"b\":2}\n"), "{\"a\":1} {\"b\":2} ");
  EXPECT_EQ(Read("{\"a\":\n 1}{\"b\":2}"), "{\"a\":1} {\"b\":2} ");
  EXPECT_EQ(Read("[]"), "");
  EXPECT_EQ(Read(" [ {\"a\":1} , {\"b\":[2]} ] \n"), "{\"a\":1} {\"b\":[2]} ");
}

TEST_F(JsonReaderTest, WhereItIsNoJsonItSaysSo) {
  EXPECT_EQ(Read("{\"a\":1} {\"a\":").substr(0, 26), "{\"a\":1} ! this is no JSON:");
  EXPECT_EQ(Read("[{\"a\":1}"), "{\"a\":1} ! the list of tasks has neither a comma nor its end ");
  EXPECT_EQ(Read("[{\"a\":1}{}]"), "{\"a\":1} ! the list of tasks has neither a comma nor its end ");
  EXPECT_EQ(Read("[{\"a\":1}] x"), "{\"a\":1} ! something stands behind the list of tasks");
  EXPECT_EQ(Read("[{\"a\":1},]").substr(0, 10), "{\"a\":1} ! ");
  EXPECT_EQ(Read("echo hello").substr(0, 19), "! this is no JSON: ");
}

}  // namespace
}  // namespace drover::cli

// Values, counters and configuration, against the real node in simulation.
#include "drover/recipes/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"
#include "tests/coord/client/sim_process.h"

namespace drover::recipes {
namespace {

using coord::SimProcess;
using coord::server::SimCore;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ValueTest : public ::testing::Test {
 protected:
  ValueTest() { core_.Start(); }
  bool RunUntil(const std::function<bool()>& condition) { return core_.world.RunUntil(condition, seconds(60)); }
  absl::StatusOr<std::int64_t> Add(Counter* counter, std::int64_t delta) {
    std::optional<absl::StatusOr<std::int64_t>> result;
    counter->Add(delta, [&](absl::StatusOr<std::int64_t> r) { result = std::move(r); });
    EXPECT_TRUE(RunUntil([&] { return result.has_value(); }));
    return *result;
  }

  SimCore core_;
};

TEST_F(ValueTest, NoAdditionOfManyIsLostAndEachGetsAnotherNumber) {
  constexpr int kProcesses = 5, kEach = 20;
  std::vector<std::unique_ptr<SimProcess>> processes;
  std::vector<std::unique_ptr<Counter>> counters;
  std::set<std::int64_t> got;
  int answers = 0;
  for (int i = 0; i < kProcesses; ++i) {
    processes.push_back(std::make_unique<SimProcess>(&core_, absl::StrCat("p", i)));
    counters.push_back(std::make_unique<Counter>(processes.back()->session(), "/deep/down/counter"));
    for (int j = 0; j < kEach; ++j) {
      counters.back()->Add(1, [&](const absl::StatusOr<std::int64_t>& number) {
        ASSERT_TRUE(number.ok()) << number.status();
        got.insert(*number);
        ++answers;
      });
    }
  }
  ASSERT_TRUE(RunUntil([&] { return answers == kProcesses * kEach; }));
  EXPECT_EQ(got.size(), static_cast<std::size_t>(kProcesses * kEach));
  EXPECT_EQ(*got.rbegin(), kProcesses * kEach);
  EXPECT_EQ(processes[0]->Get("/deep/down/counter")->node.data, "100");
}

TEST_F(ValueTest, ACounterSaysWhatItCannotCount) {
  SimProcess process(&core_, "p");
  Counter counter(process.session(), "/c");
  EXPECT_EQ(*Add(&counter, std::numeric_limits<std::int64_t>::max()), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Add(&counter, 1).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(*Add(&counter, -7), std::numeric_limits<std::int64_t>::max() - 7);
  ASSERT_TRUE(process.Set("/c", "many").ok());
  const absl::Status none = Add(&counter, 1).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(none.message()), HasSubstr("/c holds no number"));
  EXPECT_EQ(process.Get("/c")->node.data, "many");
}

TEST_F(ValueTest, AnUpdateThatLeavesItAsItIsWritesNothing) {
  SimProcess process(&core_, "p");
  AtomicValue value(process.session(), "/v");
  std::optional<UpdateResult> result;
  const auto update = [&](AtomicValue::Change change) {
    result.reset();
    value.Update(std::move(change), [&](absl::StatusOr<UpdateResult> r) {
      ASSERT_TRUE(r.ok()) << r.status();
      result = *std::move(r);
    });
    EXPECT_TRUE(RunUntil([&] { return result.has_value(); }));
  };
  update([](const std::optional<std::string>& now) -> std::optional<std::string> {
    EXPECT_FALSE(now.has_value());
    return std::nullopt;
  });
  EXPECT_FALSE(result->changed);
  EXPECT_FALSE(process.Exists("/v")->stat.has_value());
  update([](const std::optional<std::string>&) -> std::optional<std::string> { return "1"; });
  EXPECT_TRUE(result->changed);
  EXPECT_FALSE(result->before.has_value());
  update([](const std::optional<std::string>& now) -> std::optional<std::string> { return *now + "2"; });
  EXPECT_EQ(result->before, "1");
  EXPECT_EQ(result->after, "12");
  EXPECT_EQ(process.Get("/v")->node.stat.mzxid, result->zxid);
}

// Deleted and made again it has the same version, and is another one.
TEST_F(ValueTest, ANodeThatWasMadeAnewMeanwhileIsSeen) {
  SimProcess process(&core_, "p");
  SimProcess other(&core_, "other");
  ASSERT_TRUE(process.Create("/v", "old").ok());
  AtomicValue value(process.session(), "/v");
  int calls = 0;
  std::optional<UpdateResult> result;
  value.Update(
      [&](const std::optional<std::string>& now) -> std::optional<std::string> {
        if (++calls == 1) {
          EXPECT_EQ(now, "old");
          // Behind its back, before it writes.
          other.session()->Delete("/v", std::nullopt, [](const absl::StatusOr<coord::DeleteResult>&) {});
          other.session()->Create("/v", "new", {}, [](const absl::StatusOr<coord::CreateResult>&) {});
          core_.world.RunFor(milliseconds(0));
        }
        return *now + "+";
      },
      [&](absl::StatusOr<UpdateResult> r) { result = *std::move(r); });
  ASSERT_TRUE(RunUntil([&] { return result.has_value(); }));
  core_.world.RunFor(milliseconds(100));
  const std::string now = process.Get("/v")->node.data;
  EXPECT_TRUE(now == "new+" || now == "new") << now;  // before or behind both, never in between
}

struct Listener final : ConfigListener {
  void OnValue(const std::optional<coord::Node>& value) override { heard.push_back(value ? value->data : "(none)"); }
  void OnConfigEnded(const absl::Status& why) override { ended = why; }
  std::vector<std::string> heard;
  absl::Status ended;
};

TEST_F(ValueTest, AConfigurationTellsEveryListenerTheSame) {
  SimProcess writer(&core_, "writer");
  SimProcess reader(&core_, "reader");
  Listener one, two;
  ConfigValue at_writer(writer.session(), "/app/config", &one);
  ConfigValue at_reader(reader.session(), "/app/config", &two);
  ASSERT_TRUE(RunUntil([&] { return one.heard.size() == 1 && two.heard.size() == 1; }));
  std::vector<absl::StatusOr<coord::Stat>> set;
  const auto note = [&](absl::StatusOr<coord::Stat> stat) { set.push_back(std::move(stat)); };
  at_writer.Set("a", std::nullopt, note);
  at_writer.Set("b", std::nullopt, note);
  ASSERT_TRUE(RunUntil([&] { return set.size() == 2; }));
  at_reader.Set("c", set[1]->version, note);
  ASSERT_TRUE(RunUntil([&] { return set.size() == 3; }));
  at_writer.Set("d", set[1]->version, note);
  ASSERT_TRUE(RunUntil([&] { return set.size() == 4; }));
  EXPECT_TRUE(coord::IsBadVersion(set[3].status())) << "somebody else has edited it meanwhile";
  ASSERT_TRUE(writer.Create("/app/config/child", "").ok());
  ASSERT_TRUE(writer.Delete("/app/config/child").ok());
  ASSERT_TRUE(writer.Delete("/app/config").ok());
  ASSERT_TRUE(RunUntil([&] { return one.heard.size() == 5 && two.heard.size() == 5; }));
  EXPECT_THAT(one.heard, ElementsAre("(none)", "a", "b", "c", "(none)"));
  EXPECT_EQ(two.heard, one.heard);
  bool closed = false;
  reader.session()->Close([&](const absl::Status&) { closed = true; });
  ASSERT_TRUE(RunUntil([&] { return closed && !two.ended.ok(); }));
}

}  // namespace
}  // namespace drover::recipes

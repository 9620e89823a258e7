#include "tests/bench/load.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "coord/base/mutex.h"
#include "coord/transport/cq_loop.h"

namespace drover::bench {
namespace {

// Answers everything on a loop of its own; each client sees how many of its requests are out.
class FakeClients final : public Clients {
 public:
  explicit FakeClients(int count) : out_(static_cast<std::size_t>(count)) {}

  int count() const override { return static_cast<int>(out_.size()); }
  void Run(int /*client*/, absl::AnyInvocable<void()> task) override { thread_.loop()->PostFromAnyThread(std::move(task)); }
  void Issue(int client, Operation operation, const std::string& key, const std::string& /*value*/, Done done) override {
    const int out = ++out_[static_cast<std::size_t>(client)];
    if (most_out != nullptr && out > *most_out) *most_out = out;
    if (asked != nullptr) asked->emplace_back(operation, key);
    thread_.loop()->Post([this, client, done = std::move(done)]() mutable {
      --out_[static_cast<std::size_t>(client)];
      done(answer);
    });
  }

  absl::Status answer;
  std::atomic<int>* most_out = nullptr;
  std::vector<std::pair<Operation, std::string>>* asked = nullptr;

 private:
  std::vector<int> out_;
  transport::LoopThread thread_;  // last: it runs what uses the rest
};

const std::vector<std::string>& Keys() {
  static const std::vector<std::string> keys = KeyNames(7);
  return keys;
}

LoadSpec Spec(int window) {
  LoadSpec spec;
  spec.window = window;
  spec.keys = &Keys();
  spec.measure = std::chrono::milliseconds(50);
  return spec;
}

TEST(LoadTest, EveryClientKeepsItsWindowFull) {
  std::atomic<int> most_out = 0;
  auto clients = std::make_unique<FakeClients>(3);
  clients->most_out = &most_out;
  const auto measured = RunLoad(std::move(clients), Spec(16));
  ASSERT_TRUE(measured.ok()) << measured.status();
  EXPECT_EQ(most_out, 16);
  EXPECT_GT(measured->per_second, 0);
  EXPECT_GT(measured->p99_us, 0);
  EXPECT_LE(measured->p50_us, measured->p99_us);
}

TEST(LoadTest, ARequestThatIsRefusedFailsTheMeasurement) {
  auto clients = std::make_unique<FakeClients>(2);
  clients->answer = absl::UnavailableError("no quorum");
  const auto measured = RunLoad(std::move(clients), Spec(4));
  EXPECT_EQ(measured.status(), absl::UnavailableError("no quorum"));
}

TEST(LoadTest, EachKeyIsWrittenOnce) {
  std::vector<std::pair<Operation, std::string>> asked;
  FakeClients clients(1);
  clients.asked = &asked;
  const std::vector<std::string> keys = KeyNames(1'000);
  ASSERT_TRUE(ForEachKey(&clients, keys, Operation::kCreate, "x").ok());
  ASSERT_EQ(asked.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(asked[i], std::make_pair(Operation::kCreate, keys[i]));
}

TEST(LoadTest, AKeyThatCannotBeWrittenIsTold) {
  FakeClients clients(1);
  clients.answer = absl::InternalError("full");
  EXPECT_EQ(ForEachKey(&clients, Keys(), Operation::kSet, "x"), absl::InternalError("full"));
}

TEST(LoadTest, AMeasurementGoesOnUntilWhatItWaitsFor) {
  LoadSpec spec = Spec(4);
  int begun = 0;
  std::uint64_t answered = 0;
  spec.measure = base::Duration(0);
  spec.at_begin = [&] { ++begun; };
  spec.until = [&](std::uint64_t so_far) { return (answered = so_far) >= 5'000; };
  const auto measured = RunLoad(std::make_unique<FakeClients>(2), spec);
  ASSERT_TRUE(measured.ok()) << measured.status();
  EXPECT_EQ(begun, 1);
  EXPECT_GE(answered, 5'000u);
  EXPECT_GT(measured->largest_gap_us, 0);
}

TEST(LoadTest, EveryClientTakesItsShareOfManyRequests) {
  std::vector<std::pair<Operation, std::string>> asked;
  FakeClients clients(3);
  clients.asked = &asked;
  Requests requests;
  requests.count = 1'000;
  requests.key = [](std::size_t i) { return "/" + std::to_string(i); };
  requests.value = [](std::size_t i) { return RandomText(i, 10); };
  ASSERT_TRUE(MakeRequests(&clients, requests).ok());
  ASSERT_EQ(asked.size(), 1'000u);
  for (std::size_t i = 0; i < asked.size(); ++i) EXPECT_EQ(asked[i].second, "/" + std::to_string(i));
}

}  // namespace
}  // namespace drover::bench

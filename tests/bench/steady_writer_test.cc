#include "tests/bench/steady_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/await.h"

namespace drover::bench {
namespace {

using ::testing::HasSubstr;

// Answers as told, at once; or keeps requests for later.
class LateClients final : public Clients {
 public:
  int count() const override { return 2; }
  void Run(int /*client*/, absl::AnyInvocable<void()> task) override { task(); }
  void Issue(int client, Operation operation, const std::string& key, const std::string& value, Done done) override {
    EXPECT_EQ(operation, Operation::kSet);
    EXPECT_EQ(key, "/bench/k00000");
    EXPECT_EQ(value, "v");
    base::MutexLock lock(&mu_);
    ++made_[client];
    if (holding_) {
      held_.push_back(std::move(done));
    } else {
      done(answer_);
    }
  }

  void Answer(absl::Status answer) {
    base::MutexLock lock(&mu_);
    answer_ = std::move(answer);
  }
  void Hold() {
    base::MutexLock lock(&mu_);
    holding_ = true;
  }
  // Acknowledges what was held, and from here on everything.
  void Release() {
    base::MutexLock lock(&mu_);
    holding_ = false;
    for (Done& done : held_) done(absl::OkStatus());
    held_.clear();
  }
  int made(int client) {
    base::MutexLock lock(&mu_);
    return made_[client];
  }
  std::size_t held() {
    base::MutexLock lock(&mu_);
    return held_.size();
  }

 private:
  base::Mutex mu_;
  absl::Status answer_ ABSL_GUARDED_BY(mu_);
  bool holding_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<Done> held_ ABSL_GUARDED_BY(mu_);
  int made_[2] ABSL_GUARDED_BY(mu_) = {0, 0};
};

constexpr int kRate = 10'000;

TEST(SteadyWriterTest, ClientsWriteInTurn) {
  auto owned = std::make_unique<LateClients>();
  LateClients& clients = *owned;
  SteadyWriter writer(std::move(owned), KeyNames(1), "v", kRate);
  ASSERT_TRUE(testing::Await([&] { return clients.made(0) > 5 && clients.made(1) > 5; }));
  writer.Stop();
  EXPECT_LE(std::abs(clients.made(0) - clients.made(1)), 1);
  EXPECT_EQ(writer.acknowledged(), static_cast<std::size_t>(clients.made(0) + clients.made(1)));
  EXPECT_EQ(writer.failed(), 0u);
}

TEST(SteadyWriterTest, WritesGoOnWhileNoneIsAnswered) {
  auto owned = std::make_unique<LateClients>();
  LateClients& clients = *owned;
  clients.Hold();
  SteadyWriter writer(std::move(owned), KeyNames(1), "v", kRate);
  EXPECT_TRUE(testing::Await([&] { return clients.held() > 10; }));
  EXPECT_EQ(writer.acknowledged(), 0u);
  writer.Stop();
  clients.Release();
}

TEST(SteadyWriterTest, AnAnswerToAnEarlierWriteDoesNotCount) {
  auto owned = std::make_unique<LateClients>();
  LateClients& clients = *owned;
  clients.Hold();
  SteadyWriter writer(std::move(owned), KeyNames(1), "v", kRate);
  ASSERT_TRUE(testing::Await([&] { return clients.held() > 3; }));
  writer.Stop();  // so all that is held is of before
  std::thread release([&] { clients.Release(); });
  const auto acknowledged = writer.AwaitAcknowledged(std::chrono::milliseconds(20));
  release.join();
  EXPECT_EQ(acknowledged.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(SteadyWriterTest, TheNextAcknowledgementIsWaitedFor) {
  auto owned = std::make_unique<LateClients>();
  LateClients& clients = *owned;
  clients.Answer(absl::UnavailableError("no leader"));
  SteadyWriter writer(std::move(owned), KeyNames(1), "v", kRate);
  ASSERT_TRUE(testing::Await([&] { return writer.failed() > 3; }));
  const auto asked = SteadyWriter::Clock::now();
  std::thread mend([&] { clients.Answer(absl::OkStatus()); });
  const auto acknowledged = writer.AwaitAcknowledged(testing::kDeadline);
  mend.join();
  ASSERT_TRUE(acknowledged.ok()) << acknowledged.status();
  EXPECT_GE(*acknowledged, asked);
}

TEST(SteadyWriterTest, WhoeverWaitsInVainHearsTheLastAnswer) {
  auto owned = std::make_unique<LateClients>();
  LateClients& clients = *owned;
  clients.Answer(absl::UnavailableError("no leader"));
  SteadyWriter writer(std::move(owned), KeyNames(1), "v", kRate);
  absl::Status status;
  ASSERT_TRUE(testing::Await([&] {
    status = writer.AwaitAcknowledged(std::chrono::milliseconds(20)).status();
    return status.message().find("no leader") != absl::string_view::npos;
  })) << status;
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace drover::bench

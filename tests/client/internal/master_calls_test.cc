#include "client/internal/master_calls.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/client/internal/fakes.h"

namespace drover::client {
namespace {

class MasterCallsTest : public ::testing::Test {
 protected:
  MasterCalls Make(std::vector<std::string> given = {}) {
    return MasterCalls({std::move(given), "default", std::chrono::seconds(30), std::chrono::seconds(10)}, &directory_, &masters_,
                       &waiter_, &random_);
  }
  // A call that answers by the address it came to.
  absl::Status Ask(MasterCalls* calls, Idempotency idempotency = Idempotency::kSafe) {
    return calls->Run(idempotency, [this](TaskStub* stub, const CallLimits&) {
      std::string address = "?";
      for (const char* known : {"a:1", "b:2", "c:3"}) {
        if (masters_.at(known).get() == stub) address = known;
      }
      asked_.push_back(address);
      const auto answer = answers_.find(address);
      return answer == answers_.end() ? absl::UnavailableError("failed to connect to all addresses") : answer->second;
    });
  }

  FakeDirectory directory_;
  FakeMasters masters_;
  FakeWaiter waiter_;
  base::SeededRandom random_{1};
  std::map<std::string, absl::Status> answers_;
  std::vector<std::string> asked_;
};

TEST_F(MasterCallsTest, TheElectedOneIsAskedFirstAndRemembered) {
  directory_.masters = std::vector<std::string>{"a:1", "b:2"};
  answers_["a:1"] = absl::OkStatus();
  MasterCalls calls = Make();
  EXPECT_TRUE(Ask(&calls).ok());
  EXPECT_TRUE(Ask(&calls).ok());
  EXPECT_EQ(asked_, (std::vector<std::string>{"a:1", "a:1"}));
  EXPECT_EQ(directory_.lookups, 1);
}

TEST_F(MasterCallsTest, TheNextOneIsAskedAtOnceWhenOneIsGone) {
  directory_.masters = std::vector<std::string>{"a:1", "b:2"};
  answers_["b:2"] = absl::OkStatus();
  MasterCalls calls = Make();
  EXPECT_TRUE(Ask(&calls).ok());
  EXPECT_EQ(waiter_.waits(), 0);
  EXPECT_TRUE(Ask(&calls).ok());
  EXPECT_EQ(asked_, (std::vector<std::string>{"a:1", "b:2", "b:2"}));
}

TEST_F(MasterCallsTest, AfterAWholeRoundTheTreeIsAskedAnew) {
  directory_.masters = std::vector<std::string>{"a:1", "b:2"};
  answers_["c:3"] = absl::OkStatus();
  MasterCalls calls = Make();
  absl::Status status = calls.Run(Idempotency::kSafe, [this](TaskStub* stub, const CallLimits&) {
    if (stub == masters_.at("b:2").get()) directory_.masters = std::vector<std::string>{"c:3"};
    return stub == masters_.at("c:3").get() ? absl::OkStatus() : absl::UnavailableError("gone");
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(directory_.lookups, 2);
}

TEST_F(MasterCallsTest, GivenMastersAreNeverLookedUp) {
  answers_["b:2"] = absl::OkStatus();
  MasterCalls calls = Make({"a:1", "b:2"});
  EXPECT_TRUE(Ask(&calls).ok());
  EXPECT_EQ(directory_.lookups, 0);
}

TEST_F(MasterCallsTest, AnAnswerIsNotTriedAgain) {
  answers_["a:1"] = absl::InvalidArgumentError("bad");
  MasterCalls calls = Make({"a:1", "b:2"});
  EXPECT_TRUE(absl::IsInvalidArgument(Ask(&calls)));
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(MasterCallsTest, WhatMayNotHappenTwiceIsTriedOnce) {
  MasterCalls calls = Make({"a:1", "b:2"});
  EXPECT_TRUE(absl::IsUnavailable(Ask(&calls, Idempotency::kOnce)));
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(MasterCallsTest, WhenTheTimeIsOverTheMessageSaysWhoWasTried) {
  MasterCalls calls = Make({"a:1", "b:2"});
  const Clock::time_point begin = waiter_.Now();
  const absl::Status status = Ask(&calls);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "within 30 s")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "a:1 (cannot connect")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "b:2 (cannot connect")) << status;
  EXPECT_EQ(waiter_.Now() - begin, std::chrono::seconds(30));
  EXPECT_LT(asked_.size(), 200u);
}

TEST_F(MasterCallsTest, ATreeThatIsSilentInTheEndDoesNotHideWhatItSaidBefore) {
  MasterCalls calls({{}, "default", std::chrono::milliseconds(30), std::chrono::seconds(10)}, &directory_, &masters_, &waiter_,
                    &random_);
  directory_.masters = absl::UnavailableError("no coordination node answered: c:1 (cannot connect: Connection refused)");
  directory_.later.emplace(absl::DeadlineExceededError("no coordination node answered: c:1 (no answer in time)"));
  const absl::Status status = Ask(&calls);
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "Connection refused")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "no answer in time")) << status;
}

TEST_F(MasterCallsTest, NoMasterInTheTreeIsSaidAsSuch) {
  MasterCalls calls = Make();
  const absl::Status status = Ask(&calls);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_TRUE(absl::StrContains(status.message(), "no master is registered in pool default")) << status;
}

TEST_F(MasterCallsTest, AStreamThatLivedOutItsTimeWithNewsIsOpenedAnewAtTheSameMaster) {
  MasterCalls calls = Make({"a:1", "b:2"});
  int tries = 0;
  const absl::Status status =
      calls.RunStream(std::chrono::seconds(15), Deadline::max(), {},
                      [&](TaskStub* stub, const CallLimits& limits, MasterCalls::News* news) -> absl::Status {
                        EXPECT_EQ(stub, masters_.at("a:1").get());
                        EXPECT_EQ(limits.deadline, waiter_.Now() + std::chrono::seconds(15));
                        *news = MasterCalls::News::kProgress;
                        waiter_.Advance(std::chrono::seconds(15));
                        return ++tries < 10 ? absl::DeadlineExceededError("") : absl::OkStatus();
                      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(tries, 10);  // 150 s: longer than the time-out of a request
}

TEST_F(MasterCallsTest, AStreamWithoutNewsIsTakenToTheNextMasterAndGivenUpInTime) {
  MasterCalls calls = Make({"a:1", "b:2"});
  std::vector<TaskStub*> asked;
  const absl::Status status = calls.RunStream(std::chrono::seconds(15), Deadline::max(), {},
                                              [&](TaskStub* stub, const CallLimits&, MasterCalls::News*) -> absl::Status {
                                                asked.push_back(stub);
                                                waiter_.Advance(std::chrono::seconds(15));
                                                return absl::DeadlineExceededError("");
                                              });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(asked, (std::vector<TaskStub*>{masters_.at("a:1").get(), masters_.at("b:2").get()}));
}

TEST_F(MasterCallsTest, AQuietStreamMovesToTheNextMasterForAnyTime) {
  MasterCalls calls = Make({"a:1", "b:2"});
  std::vector<TaskStub*> asked;
  const absl::Status status = calls.RunStream(std::chrono::seconds(15), Deadline::max(), {},
                                              [&](TaskStub* stub, const CallLimits&, MasterCalls::News* news) -> absl::Status {
                                                asked.push_back(stub);
                                                if (asked.size() == 9) return absl::OkStatus();
                                                *news = MasterCalls::News::kQuiet;
                                                waiter_.Advance(std::chrono::seconds(15));
                                                return absl::DeadlineExceededError("");
                                              });
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(asked.size(), 9u);
  for (std::size_t i = 1; i < asked.size(); ++i) EXPECT_NE(asked[i], asked[i - 1]);
}

TEST_F(MasterCallsTest, TheCallersDeadlineIsNoOutage) {
  MasterCalls calls = Make({"a:1"});
  const Deadline deadline = waiter_.Now() + std::chrono::seconds(2);
  const absl::Status status = calls.RunStream(std::chrono::seconds(15), deadline, {},
                                              [&](TaskStub*, const CallLimits& limits, MasterCalls::News* news) -> absl::Status {
                                                EXPECT_EQ(limits.deadline, deadline);
                                                *news = MasterCalls::News::kProgress;
                                                waiter_.Advance(std::chrono::seconds(2));
                                                return absl::DeadlineExceededError("");
                                              });
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST_F(MasterCallsTest, AStoppedStreamIsCancelled) {
  MasterCalls calls = Make({"a:1"});
  std::stop_source source;
  const absl::Status status = calls.RunStream(std::chrono::seconds(15), Deadline::max(), source.get_token(),
                                              [&](TaskStub*, const CallLimits&, MasterCalls::News*) -> absl::Status {
                                                source.request_stop();
                                                return absl::CancelledError("");
                                              });
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

}  // namespace
}  // namespace drover::client

#include "client/internal/retry.h"

#include <gtest/gtest.h>

namespace drover::client {
namespace {

TEST(RetryTest, OnlyWhatMayPassIsTriedAgain) {
  for (const absl::Status& s :
       {absl::UnavailableError(""), absl::DeadlineExceededError(""), absl::CancelledError(""), absl::AbortedError("")}) {
    EXPECT_TRUE(MayRetry(s, Idempotency::kSafe)) << s;
    EXPECT_FALSE(MayRetry(s, Idempotency::kOnce)) << s;
  }
  for (const absl::Status& s : {absl::InvalidArgumentError(""), absl::NotFoundError(""), absl::ResourceExhaustedError(""),
                                absl::FailedPreconditionError(""), absl::UnimplementedError(""), absl::InternalError("")}) {
    EXPECT_FALSE(MayRetry(s, Idempotency::kSafe)) << s;
  }
}

TEST(RetryTest, PausesGrowToASecondAndStayWithinTheirStep) {
  base::SeededRandom random(1);
  Backoff backoff(&random);
  for (int step : {20, 40, 80, 160, 320, 640, 1000, 1000, 1000}) {
    const auto pause = backoff.Next().count();
    EXPECT_GE(pause, step / 2);
    EXPECT_LE(pause, step);
  }
  backoff.Reset();
  EXPECT_LE(backoff.Next().count(), 20);
}

TEST(RetryTest, TheTrailNamesEachOnceWithWhatCameBackLast) {
  Trail trail;
  EXPECT_TRUE(trail.empty());
  trail.Add("a:1", absl::UnavailableError("x: Connection refused"));
  trail.Add("b:2", absl::DeadlineExceededError("Deadline Exceeded"));
  trail.Add("a:1", absl::UnavailableError("stopping"));
  EXPECT_EQ(trail.Describe(), "a:1 (stopping, 2 times), b:2 (no answer in time)");
}

TEST(RetryTest, ATryThatRanOutOfTimeDoesNotHideWhatAnEarlierOneMet) {
  Trail trail;
  trail.Add("a:1", absl::UnavailableError("failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed to "
                                          "connect to remote host: Connection refused"));
  trail.Add("a:1", absl::DeadlineExceededError("Deadline Exceeded"));
  EXPECT_EQ(trail.Describe(), "a:1 (cannot connect: Connection refused, then no answer in time, 2 times)");
  trail.Add("b:2", absl::DeadlineExceededError("no connection in time"));
  trail.Add("a:1", absl::UnavailableError("not elected"));
  EXPECT_EQ(trail.Describe(), "a:1 (not elected, 3 times), b:2 (no connection in time)");
}

}  // namespace
}  // namespace drover::client

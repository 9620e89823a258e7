#include "coord/client/redial.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace drover::coord::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::pair<std::size_t, std::int64_t>> Take(Redial* redial, int n) {
  std::vector<std::pair<std::size_t, std::int64_t>> dials;
  for (int i = 0; i < n; ++i) {
    const Redial::Dial dial = redial->Next();
    dials.emplace_back(dial.endpoint, base::ToMillis(dial.delay));
  }
  return dials;
}

TEST(RedialTest, EachOnceAtOnceThenOneAtATimeWithAPauseThatGrowsByRounds) {
  Redial redial(3, 1, milliseconds(20), seconds(1));
  using Dials = std::vector<std::pair<std::size_t, std::int64_t>>;
  EXPECT_EQ(Take(&redial, 9), (Dials{{1, 0}, {2, 0}, {0, 0}, {1, 20}, {2, 20}, {0, 20}, {1, 30}, {2, 30}, {0, 30}}));
  Take(&redial, 60);
  EXPECT_EQ(redial.Next().delay, seconds(1)) << "it stops growing";
}

TEST(RedialTest, ALinkThatWorkedIsFollowedByTheNextEndpointAtOnce) {
  Redial redial(3, 0, milliseconds(20), seconds(1));
  Take(&redial, 8);
  redial.OnAttached(0);
  redial.OnWorking();
  using Dials = std::vector<std::pair<std::size_t, std::int64_t>>;
  EXPECT_EQ(Take(&redial, 4), (Dials{{1, 0}, {2, 0}, {0, 0}, {1, 20}}));
}

TEST(RedialTest, ALinkThatNeverWorkedDoesNotResetThePause) {
  Redial redial(1, 0, milliseconds(20), seconds(1));
  Take(&redial, 5);
  redial.OnAttached(0);
  EXPECT_GT(redial.Next().delay, milliseconds(20));
}

}  // namespace
}  // namespace drover::coord::client

#include "master/state/take_back.h"

#include <gtest/gtest.h>

namespace drover::master::state {
namespace {

using Kind = TakeBackDecision::Kind;
constexpr std::int64_t kNow = 1'000'000;
constexpr std::int64_t kLostAfter = 600'000;

struct Case {
  const char* name;
  bool at_most_once;
  task::v1::State state;
  bool stands;
  bool died;
  bool cancel;
  std::int64_t lost_since;
  std::uint32_t losses;
  Kind kind;
  bool count_loss;
  task::v1::State end;
};

TEST(TakeBackTest, EveryCaseIsDecidedAsPromised) {
  constexpr auto kAssigned = task::v1::ASSIGNED;
  constexpr auto kRunning = task::v1::RUNNING;
  constexpr auto kNone = task::v1::STATE_UNSPECIFIED;
  const Case cases[] = {
      {"its worker is there", false, kRunning, true, false, false, 0, 0, Kind::kLeave, false, kNone},
      {"its worker came back", true, kRunning, true, false, false, 5, 0, Kind::kNoteLost, false, kNone},
      {"at least once, cut off", false, kRunning, false, false, false, 0, 0, Kind::kReady, false, kNone},
      {"at least once, died", false, kRunning, false, true, false, 0, 0, Kind::kReady, true, kNone},
      {"at least once, died before it was reported running", false, kAssigned, false, true, false, 0, 3, Kind::kReady, true, kNone},
      {"fifth death", false, kRunning, false, true, false, 0, 4, Kind::kEnd, true, task::v1::FAILED},
      {"four deaths and a cut", false, kRunning, false, false, false, 0, 4, Kind::kReady, false, kNone},
      {"at most once, not started, died", true, kAssigned, false, true, false, 0, 4, Kind::kReady, false, kNone},
      {"at most once, not started, cut off", true, kAssigned, false, false, false, 0, 0, Kind::kReady, false, kNone},
      {"at most once, started, died", true, kRunning, false, true, false, 0, 0, Kind::kEnd, true, task::v1::LOST},
      {"at most once, started, cut off", true, kRunning, false, false, false, 0, 0, Kind::kNoteLost, false, kNone},
      {"at most once, away a while", true, kRunning, false, false, false, kNow - kLostAfter + 1, 0, Kind::kWait, false, kNone},
      {"at most once, away too long", true, kRunning, false, false, false, kNow - kLostAfter, 0, Kind::kEnd, false, task::v1::LOST},
      {"at most once, away, then known dead", true, kRunning, false, true, false, kNow - 1, 0, Kind::kEnd, true, task::v1::LOST},
      {"cancelled, died", false, kRunning, false, true, true, 0, 0, Kind::kEnd, false, task::v1::CANCELLED},
      {"cancelled, cut off", false, kRunning, false, false, true, 0, 0, Kind::kEnd, false, task::v1::CANCELLED},
      {"cancelled, at most once, died", true, kRunning, false, true, true, 0, 0, Kind::kEnd, false, task::v1::CANCELLED},
      {"cancelled, at most once, cut off", true, kRunning, false, false, true, 0, 0, Kind::kNoteLost, false, kNone},
  };
  for (const Case& c : cases) {
    worker::v1::TaskRecord record;
    record.mutable_policy()->set_at_most_once(c.at_most_once);
    record.set_state(c.state);
    record.set_losses(c.losses);
    worker::v1::Assignment assignment;
    assignment.set_cancel(c.cancel);
    assignment.set_lost_since(c.lost_since);
    const TakeBackDecision decision = DecideTakeBack({.worker_stands = c.stands,
                                                      .died = c.died,
                                                      .record = &record,
                                                      .assignment = &assignment,
                                                      .fence = 77,
                                                      .worker = "w",
                                                      .now_ms = kNow,
                                                      .passed_ms = kNow,
                                                      .wall_ms = kNow + 1,
                                                      .lost_after_ms = kLostAfter});
    EXPECT_EQ(decision.kind, c.kind) << c.name;
    EXPECT_EQ(decision.count_loss, c.count_loss) << c.name;
    if (decision.kind == Kind::kEnd) {
      EXPECT_EQ(decision.end.state, c.end) << c.name;
      EXPECT_EQ(decision.end.fence, 77U) << c.name;
      EXPECT_EQ(decision.end.finished_at_ms, kNow + 1) << c.name;
      EXPECT_EQ(decision.relies_on_died, c.died) << c.name;
    }
    if (decision.kind == Kind::kNoteLost) {
      EXPECT_EQ(decision.since_ms, c.stands ? 0 : kNow) << c.name;
    }
  }
}

}  // namespace
}  // namespace drover::master::state

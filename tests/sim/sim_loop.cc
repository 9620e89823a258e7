#include "tests/sim/sim_loop.h"

#include <algorithm>
#include <utility>

namespace drover::sim {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

// amount * numerator / denominator without overflow, rounded down.
base::Duration Scale(base::Duration amount, std::int64_t numerator, std::int64_t denominator) {
  __extension__ using Wide = __int128;
  return base::Duration(static_cast<std::int64_t>(static_cast<Wide>(amount.count()) * numerator / denominator));
}

}  // namespace

SimLoop::SimLoop(SimWorld* world, Options options)
    : world_(world),
      wall_start_(options.wall_start),
      started_(world->Now()),
      rate_since_(world->Now()),
      clock_then_(world->Now() + options.boot_offset),
      rate_ppm_(options.rate_ppm) {}

base::Instant SimLoop::Now() const {
  return clock_then_ + Scale(world_->Now() - rate_since_, kMillion + rate_ppm_, kMillion);
}

base::WallTime SimLoop::WallNow() const {
  return base::WallTime(wall_start_.value + base::ToMillis(world_->Now() - started_ + wall_jumps_));
}

base::TimerId SimLoop::After(base::Duration delay, base::Task task) {
  base::Duration true_delay = delay;
  // Never early by this clock, so one nanosecond for the rounding.
  if (rate_ppm_ != 0) true_delay = Scale(delay, kMillion, kMillion + rate_ppm_) + base::Duration(1);
  return base::TimerId(world_->Schedule(this, true_delay, std::move(task)));
}

void SimLoop::Cancel(base::TimerId timer) {
  world_->Cancel(timer.value);
  const auto held = std::find_if(held_.begin(), held_.end(), [&](const Held& h) { return h.id == timer.value; });
  if (held == held_.end()) return;
  const Held dropped = std::move(*held);  // destroyed after it has left the list
  held_.erase(held);
}

void SimLoop::Resume() {
  if (!paused_) return;
  paused_ = false;
  // A nanosecond apart: they keep their order and their ids, so that one of them can still cancel another.
  base::Instant at = world_->Now();
  for (Held& held : std::exchange(held_, {})) {
    world_->Insert(at, held.id, SimWorld::Event{this, std::move(held.task)});
    at += base::Duration(1);
  }
}

void SimLoop::Stop() {
  if (stopped_) return;
  stopped_ = true;
  world_->Forget(this);
  std::exchange(held_, {}).clear();
}

void SimLoop::SetRate(std::int64_t rate_ppm) {
  clock_then_ = Now();
  rate_since_ = world_->Now();
  rate_ppm_ = rate_ppm;
}

}  // namespace drover::sim

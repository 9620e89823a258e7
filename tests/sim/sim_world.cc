#include "tests/sim/sim_world.h"

#include <utility>
#include <vector>

#include "coord/base/check.h"
#include "tests/sim/sim_loop.h"

namespace drover::sim {

base::Duration SimWorld::Between(base::Duration min, base::Duration max) {
  DROVER_CHECK(min <= max) << min.count() << " > " << max.count();
  return min + base::Duration(static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>((max - min).count()) + 1)));
}

SimWorld::EventId SimWorld::Schedule(SimLoop* loop, base::Duration delay, base::Task task) {
  const EventId id = ++last_id_;
  if (loop != nullptr && loop->stopped_) return id;
  if (delay < base::Duration::zero()) delay = base::Duration::zero();
  Insert(now_ + delay, id, Event{loop, std::move(task)});
  return id;
}

void SimWorld::Insert(base::Instant at, EventId id, Event event) {
  events_.emplace(Key(at, id), std::move(event));
  times_.emplace(id, at);
}

void SimWorld::Cancel(EventId id) {
  const auto time = times_.find(id);
  if (time == times_.end()) return;
  const auto event = events_.find(Key(time->second, id));
  // Moved out first: destroying what it captured may call back into this object.
  const Event dropped = std::move(event->second);
  events_.erase(event);
  times_.erase(time);
}

bool SimWorld::Step() {
  if (events_.empty()) return false;
  const auto first = events_.begin();
  const auto [at, id] = first->first;
  Event event = std::move(first->second);
  events_.erase(first);
  times_.erase(id);
  now_ = at;
  if (event.loop != nullptr && event.loop->paused_) {
    event.loop->held_.push_back({id, std::move(event.task)});
    return true;
  }
  ++events_run_;
  event.task();
  return true;
}

bool SimWorld::RunUntil(const std::function<bool()>& condition, base::Duration limit) {
  const base::Instant end = now_ + limit;
  while (!condition()) {
    if (events_.empty() || events_.begin()->first.first > end) {
      now_ = end;
      return condition();
    }
    Step();
  }
  return true;
}

void SimWorld::RunFor(base::Duration duration) {
  const base::Instant end = now_ + duration;
  while (!events_.empty() && events_.begin()->first.first <= end) Step();
  now_ = end;
}

void SimWorld::Forget(SimLoop* loop) {
  std::vector<base::Task> dropped;
  for (auto event = events_.begin(); event != events_.end();) {
    if (event->second.loop != loop) {
      ++event;
      continue;
    }
    dropped.push_back(std::move(event->second.task));
    times_.erase(event->first.second);
    event = events_.erase(event);
  }
}

}  // namespace drover::sim

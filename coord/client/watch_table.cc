#include "coord/client/watch_table.h"

#include <algorithm>
#include <vector>

#include "coord/client/reply.h"

namespace drover::coord::client {

WatchId WatchTable::Add(std::string path, WatchOptions options, WatchListener* listener, RequestQueue::Key behind) {
  const WatchId id(next_watch_++);
  Watch& watch = watches_[id];
  watch.path = std::move(path);
  watch.kind = options.kind;
  watch.with_data = options.with_data;
  watch.listener = listener;
  watch.behind = behind;
  if (options.after.has_value()) {
    MoveTo(&watch, *options.after);
    outgoing_.emplace_back(id, true);
  } else {
    waiting_.push_back(id);
  }
  return id;
}

void WatchTable::Arm(Watch* watch) {
  if (ToResume(*watch)) --to_resume_;
  watch->armed = true;
}

void WatchTable::MoveTo(Watch* watch, Position position) {
  if (!watch->armed && !watch->position.has_value()) ++to_resume_;
  watch->position = position;
}

void WatchTable::Erase(Watches::iterator watch) {
  if (ToResume(watch->second)) --to_resume_;
  watches_.erase(watch);
}

void WatchTable::Remove(WatchId id) {
  const auto watch = watches_.find(id);
  if (watch == watches_.end()) return;
  Erase(watch);
  // The service may not have heard of it on this stream.
  const auto outgoing = std::find(outgoing_.begin(), outgoing_.end(), std::pair(id, true));
  const auto waiting = std::find(waiting_.begin(), waiting_.end(), id);
  if (outgoing != outgoing_.end()) {
    outgoing_.erase(outgoing);
  } else if (waiting != waiting_.end()) {
    waiting_.erase(waiting);
  } else {
    outgoing_.emplace_back(id, false);
  }
}

void WatchTable::StartStream(std::size_t endpoint) {
  endpoint_ = endpoint;
  outgoing_.clear();
  waiting_.clear();
  asked_.clear();
  put_off_.clear();
  progress_ = Zxid();
  to_resume_ = 0;
  for (auto& [id, watch] : watches_) {
    watch.armed = false;
    if (ToResume(watch)) {
      ++to_resume_;
      outgoing_.emplace_back(id, true);
    } else {
      waiting_.push_back(id);
    }
  }
}

void WatchTable::Append(WatchId id, std::string* frame) {
  Watch& watch = watches_.at(id);
  watch.resuming = watch.position.has_value();
  const std::uint64_t ask = next_ask_++;
  asked_.emplace(ask, id);
  AppendIdentified(frame, ask | kIdBit,
                   EncodeAddWatch(id.value, watch.path, static_cast<std::uint32_t>(watch.kind), watch.with_data, watch.position));
}

std::uint64_t WatchTable::Fill(std::string* frame, std::uint64_t credits, RequestQueue::Key next_to_send) {
  std::uint64_t sent = 0;
  while (!outgoing_.empty() && sent < credits) {
    const auto [id, arm] = outgoing_.front();
    outgoing_.pop_front();
    if (arm && !watches_.contains(id)) continue;  // compacted or refused since it was to be asked for again
    if (arm) {
      Append(id, frame);
    } else {
      AppendIdentified(frame, next_ask_++ | kIdBit, EncodeRemoveWatch(id.value));
    }
    ++sent;
  }
  for (; !waiting_.empty() && sent < credits && Barrier() <= next_to_send; ++sent) {
    Append(waiting_.front(), frame);
    waiting_.pop_front();
  }
  return sent;
}

void WatchTable::OnAnswer(const AnswerView& answer) {
  const auto asked = asked_.find(answer.id & ~kIdBit);
  if (asked == asked_.end()) return;
  const WatchId id = asked->second;
  asked_.erase(asked);
  const auto found = watches_.find(id);
  if (found == watches_.end()) return;  // removed meanwhile
  Watch& watch = found->second;

  if (answer.code == Code::kCompacted && watch.resuming) {
    watch.compacted_at.insert(endpoint_);
    return;
  }
  if (answer.code == Code::kUnavailable) {
    put_off_.push_back(id);
    return;
  }
  if (answer.code != Code::kOk) {
    WatchListener* listener = watch.listener;
    Erase(found);
    listener->OnEnded(StatusOf(answer));
    return;
  }
  Arm(&watch);
  watch.compacted_at.clear();
  // Of a resumed watch the position is that of the last event replayed; the next bookmark moves it on.
  const Position now{answer.zxid, Position::kAll};
  if (!watch.resuming && (!watch.position.has_value() || *watch.position < now)) MoveTo(&watch, now);
  progress_ = Zxid();
  if (!std::exchange(watch.announced, true)) watch.listener->OnArmed(answer.zxid);
}

void WatchTable::AskAgain() {
  for (const WatchId id : std::exchange(put_off_, {})) {
    if (watches_.count(id) > 0) outgoing_.emplace_back(id, true);
  }
}

void WatchTable::OnEvent(const EventView& view) {
  const std::shared_ptr<const bool> alive = alive_;
  const Position at = view.event.position();
  for (const std::uint64_t number : view.watches) {
    const auto found = watches_.find(WatchId(number));
    if (found == watches_.end()) continue;
    Watch& watch = found->second;
    if (watch.position.has_value() && at <= *watch.position) continue;
    MoveTo(&watch, at);
    WatchListener* const listener = watch.listener;
    // Data that another watch of this session asked for comes to all of them at once.
    const bool without_data = !watch.with_data && !view.event.data.empty();
    if (HearsOnce(watch.kind)) Erase(found);  // as the service has done
    if (without_data) {
      Event event = view.event;
      event.data.clear();
      listener->OnEvent(event);
    } else {
      listener->OnEvent(view.event);
    }
    if (!*alive) return;
  }
}

void WatchTable::OnProgress(Zxid zxid) {
  if (zxid <= progress_) return;
  progress_ = zxid;
  const Position all{zxid, Position::kAll};
  const std::shared_ptr<const bool> alive = alive_;
  WatchId last;
  // A listener may change the table: look for the next one by id.
  for (auto next = watches_.begin(); next != watches_.end(); next = watches_.upper_bound(last)) {
    last = next->first;
    Watch& watch = next->second;
    if (!watch.armed || (watch.position.has_value() && all <= *watch.position)) continue;
    MoveTo(&watch, all);
    watch.listener->OnProgress(zxid);
    if (!*alive) return;
  }
}

std::optional<std::size_t> WatchTable::EndpointToTry(std::size_t current) const {
  for (const auto& [id, watch] : watches_) {
    if (watch.compacted_at.count(current) == 0) continue;
    for (std::size_t step = 1; step < endpoints_; ++step) {
      const std::size_t endpoint = (current + step) % endpoints_;
      if (watch.compacted_at.count(endpoint) == 0) return endpoint;
    }
  }
  return std::nullopt;
}

void WatchTable::OnUnreachable(std::size_t endpoint) {
  for (auto& [id, watch] : watches_) {
    if (!watch.compacted_at.empty()) watch.compacted_at.insert(endpoint);
  }
}

void WatchTable::ReportCompacted() {
  const std::shared_ptr<const bool> alive = alive_;
  WatchId last;
  for (auto next = watches_.begin(); next != watches_.end(); next = watches_.upper_bound(last)) {
    last = next->first;
    if (next->second.compacted_at.size() < endpoints_) continue;
    WatchListener* listener = next->second.listener;
    Erase(next);
    listener->OnCompacted();
    if (!*alive) return;
  }
}

void WatchTable::EndAll(const absl::Status& why) {
  const std::shared_ptr<const bool> alive = alive_;
  outgoing_.clear();
  waiting_.clear();
  asked_.clear();
  while (!watches_.empty()) {
    WatchListener* listener = watches_.begin()->second.listener;
    Erase(watches_.begin());
    listener->OnEnded(why);
    if (!*alive) return;
  }
}

}  // namespace drover::coord::client

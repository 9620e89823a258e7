#include "coord/tree/watches.h"

#include <algorithm>
#include <new>
#include <tuple>
#include <utility>

#include "coord/tree/path.h"

namespace drover::coord::tree {
namespace {

// Components of a valid path; 0 of the root.
std::size_t DepthOf(absl::string_view path) {
  return path.size() == 1 ? 0 : static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

}  // namespace

bool Hears(WatchKind kind, absl::string_view watched, EventType type, absl::string_view path) {
  if (kind == WatchKind::kPersistentRecursive) return true;
  const bool child = type != EventType::kChanged && path.size() > 1 && path != watched && ParentOf(path) == watched;
  if (path != watched) return child && kind != WatchKind::kOnce;
  return kind != WatchKind::kOnceChildren || type == EventType::kDeleted;
}

bool MayBeTold(WatchKind kind, absl::string_view watched, const Event& event, const Asker& watcher) {
  const bool of_child = kind != WatchKind::kPersistentRecursive && event.path() != watched;
  return of_child ? event.ParentMayBeRead(watcher) : event.NodeMayBeRead(watcher);
}

WatchTable::Watched::Owned WatchTable::Watched::New(absl::string_view path) {
  return Owned(new (::operator new(sizeof(Watched) + path.size())) Watched(path));
}

WatchTable::Watched::Watched(absl::string_view path) : path_bytes_(path.size()) {
  path.copy(reinterpret_cast<char*>(this + 1), path.size());
}

void WatchTable::Watched::Free::operator()(Watched* watched) const {
  watched->~Watched();
  ::operator delete(watched);
}

Code WatchTable::Add(StreamId stream, std::uint64_t watch_id, absl::string_view path, std::uint32_t kind, bool with_data) {
  if (kind == static_cast<std::uint32_t>(WatchKind::kUnspecified) || !IsPath(path)) return Code::kInvalidArgument;
  if (kind > static_cast<std::uint32_t>(WatchKind::kOnceChildren)) return Code::kUnimplemented;
  const auto [place_of_id, is_new] = by_stream_[stream].try_emplace(watch_id, nullptr);
  if (!is_new) return Code::kInvalidArgument;

  auto at = by_path_.find(path);
  if (at == by_path_.end()) {
    at = by_path_.insert(Watched::New(path)).first;
    const std::size_t depth = DepthOf(path);
    if (paths_at_depth_.size() <= depth) paths_at_depth_.resize(depth + 1);
    ++paths_at_depth_[depth];
  }
  Watched* const watched = place_of_id->second = at->get();
  const auto place = std::find_if(watched->watches.begin(), watched->watches.end(), [&](const Watch& other) {
    return std::tie(other.stream, other.id) > std::tie(stream, watch_id);
  });
  watched->watches.insert(place, Watch{stream, watch_id, static_cast<WatchKind>(kind), with_data});
  ++size_;
  return Code::kOk;
}

void WatchTable::RemoveAt(Watched* watched, StreamId stream, std::uint64_t watch_id) {
  watched->watches.erase(std::find_if(watched->watches.begin(), watched->watches.end(),
                                      [&](const Watch& other) { return other.stream == stream && other.id == watch_id; }));
  --size_;
  if (!watched->watches.empty()) return;
  --paths_at_depth_[DepthOf(watched->path())];
  while (!paths_at_depth_.empty() && paths_at_depth_.back() == 0) paths_at_depth_.pop_back();
  by_path_.erase(by_path_.find(watched->path()));
}

bool WatchTable::Remove(StreamId stream, std::uint64_t watch_id) {
  const auto streams = by_stream_.find(stream);
  if (streams == by_stream_.end()) return false;
  const auto watch = streams->second.find(watch_id);
  if (watch == streams->second.end()) return false;
  RemoveAt(watch->second, stream, watch_id);
  streams->second.erase(watch);
  if (streams->second.empty()) by_stream_.erase(streams);
  return true;
}

void WatchTable::RemoveStream(StreamId stream) {
  const auto streams = by_stream_.find(stream);
  if (streams == by_stream_.end()) return;
  for (const auto& [watch_id, watched] : streams->second) RemoveAt(watched, stream, watch_id);
  by_stream_.erase(streams);
}

std::size_t WatchTable::size(StreamId stream) const {
  const auto streams = by_stream_.find(stream);
  return streams == by_stream_.end() ? 0 : streams->second.size();
}

void WatchTable::Gather(const Event& event, AskerOf asker_of) {
  matched_.clear();
  const absl::string_view path = event.path();
  std::size_t end = 0;  // of the prefix with `depth` components
  for (std::size_t depth = 0; depth < paths_at_depth_.size(); ++depth) {
    if (depth > 0) {
      if (end == path.size() || path.size() == 1) break;
      end = std::min(path.find('/', end + 1), path.size());
    }
    if (paths_at_depth_[depth] == 0) continue;
    const auto at = by_path_.find(depth == 0 ? path.substr(0, 1) : path.substr(0, end));
    if (at == by_path_.end()) continue;
    const absl::string_view watched = (*at)->path();
    for (Watch watch : (*at)->watches) {
      if (!Hears(watch.kind, watched, event.type(), path)) continue;
      if (event.restricted()) {
        const Asker asker = asker_of(watch.stream);
        if (!MayBeTold(watch.kind, watched, event, asker)) continue;
        watch.with_data = watch.with_data && event.NodeMayBeRead(asker);
      }
      matched_.push_back(watch);
    }
  }
  std::sort(matched_.begin(), matched_.end(),
            [](const Watch& a, const Watch& b) { return std::tie(a.stream, a.id) < std::tie(b.stream, b.id); });
}

void WatchTable::Match(absl::Span<const Event> events, absl::FunctionRef<void(const Delivery&)> deliver, AskerOf asker_of) {
  if (size_ == 0) return;
  for (const Event& event : events) {
    Gather(event, asker_of);
    for (std::size_t i = 0; i < matched_.size();) {
      Delivery delivery{matched_[i].stream, &event, false, {}};
      ids_.clear();
      for (; i < matched_.size() && matched_[i].stream == delivery.stream; ++i) {
        delivery.with_data |= matched_[i].with_data;
        ids_.push_back(matched_[i].id);
      }
      delivery.watch_ids = ids_;
      deliver(delivery);
    }
    for (const Watch& watch : matched_) {
      if (HearsOnce(watch.kind)) (void)Remove(watch.stream, watch.id);
    }
  }
}

}  // namespace drover::coord::tree

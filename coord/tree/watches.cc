#include "coord/tree/watches.h"

#include <algorithm>
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

Code WatchTable::Add(StreamId stream, std::uint64_t watch_id, absl::string_view path, std::uint32_t kind, bool with_data) {
  if (kind == static_cast<std::uint32_t>(WatchKind::kUnspecified) || !IsPath(path)) return Code::kInvalidArgument;
  if (kind != static_cast<std::uint32_t>(WatchKind::kPersistentRecursive)) return Code::kUnimplemented;
  const bool is_new = by_stream_[stream].try_emplace(watch_id, path).second;
  if (!is_new) return Code::kInvalidArgument;

  std::vector<Watch>& watches = by_path_[path];
  if (watches.empty()) {
    const std::size_t depth = DepthOf(path);
    if (paths_at_depth_.size() <= depth) paths_at_depth_.resize(depth + 1);
    ++paths_at_depth_[depth];
  }
  const auto place = std::find_if(watches.begin(), watches.end(), [&](const Watch& other) {
    return std::tie(other.stream, other.id) > std::tie(stream, watch_id);
  });
  watches.insert(place, Watch{stream, watch_id, with_data});
  ++size_;
  return Code::kOk;
}

void WatchTable::RemoveAt(absl::string_view path, StreamId stream, std::uint64_t watch_id) {
  const auto at = by_path_.find(path);
  std::vector<Watch>& watches = at->second;
  watches.erase(std::find_if(watches.begin(), watches.end(),
                             [&](const Watch& other) { return other.stream == stream && other.id == watch_id; }));
  --size_;
  if (!watches.empty()) return;
  by_path_.erase(at);
  --paths_at_depth_[DepthOf(path)];
  while (!paths_at_depth_.empty() && paths_at_depth_.back() == 0) paths_at_depth_.pop_back();
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
  for (const auto& [watch_id, path] : streams->second) RemoveAt(path, stream, watch_id);
  by_stream_.erase(streams);
}

std::size_t WatchTable::size(StreamId stream) const {
  const auto streams = by_stream_.find(stream);
  return streams == by_stream_.end() ? 0 : streams->second.size();
}

void WatchTable::Gather(absl::string_view path) {
  matched_.clear();
  std::size_t end = 0;  // of the prefix with `depth` components
  for (std::size_t depth = 0; depth < paths_at_depth_.size(); ++depth) {
    if (depth > 0) {
      if (end == path.size() || path.size() == 1) break;
      end = std::min(path.find('/', end + 1), path.size());
    }
    if (paths_at_depth_[depth] == 0) continue;
    const auto at = by_path_.find(depth == 0 ? path.substr(0, 1) : path.substr(0, end));
    if (at != by_path_.end()) matched_.insert(matched_.end(), at->second.begin(), at->second.end());
  }
  std::sort(matched_.begin(), matched_.end(),
            [](const Watch& a, const Watch& b) { return std::tie(a.stream, a.id) < std::tie(b.stream, b.id); });
}

void WatchTable::Match(absl::Span<const Event> events, absl::FunctionRef<void(const Delivery&)> deliver) {
  if (size_ == 0) return;
  for (const Event& event : events) {
    Gather(event.path());
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
  }
}

}  // namespace drover::coord::tree

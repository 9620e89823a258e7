// Who wants to hear of which path: the watches of one node's streams. Not replicated; a stream's watches go with the stream.
//
// A watch sees the events that are matched after it was added; what came before it is Replay's (history.h). Adding a watch and
// replaying its history within one event of the loop leaves no gap and nothing twice.
// Cost: an event is looked up once for each depth at which anything at all is watched; nothing where nothing is watched.
// Threads: one.
#ifndef DROVER_COORD_TREE_WATCHES_H_
#define DROVER_COORD_TREE_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coord/base/strong.h"
#include "coord/tree/code.h"
#include "coord/tree/event.h"

namespace drover::coord::tree {

// A stream of this process; numbered by whoever makes them.
using StreamId = base::Strong<struct StreamIdTag>;

// One event for one stream, whatever the number of its watches that match: what AppendEventItem takes.
struct Delivery {
  StreamId stream;
  const Event* event;
  bool with_data;                             // one of the watches asked for data
  absl::Span<const std::uint64_t> watch_ids;  // ascending, at least one
};

class WatchTable {
 public:
  // kOk; kInvalidArgument for a path that is none, kind 0, or an id that the stream uses already; kUnimplemented for another kind.
  [[nodiscard]] Code Add(StreamId stream, std::uint64_t watch_id, absl::string_view path, std::uint32_t kind, bool with_data);
  // False if the stream has no such watch.
  bool Remove(StreamId stream, std::uint64_t watch_id);
  void RemoveStream(StreamId stream);

  // Calls `deliver` for each event in order, and for each of its streams by id. What it is given ends with the call. `deliver` may
  // not change the table.
  void Match(absl::Span<const Event> events, absl::FunctionRef<void(const Delivery&)> deliver);

  [[nodiscard]] std::size_t size() const { return size_; }  // watches in all
  [[nodiscard]] std::size_t size(StreamId stream) const;

 private:
  struct Watch {
    StreamId stream;
    std::uint64_t id;
    bool with_data;
  };
  using PathWatches = absl::flat_hash_map<std::string, std::vector<Watch>>;

  void RemoveAt(absl::string_view path, StreamId stream, std::uint64_t watch_id);
  void Gather(absl::string_view path);

  // Of each path, sorted by (stream, id). Looked up, never iterated.
  PathWatches by_path_;
  absl::btree_map<StreamId, absl::btree_map<std::uint64_t, std::string>> by_stream_;
  // [d]: paths with d components that are watched.
  std::vector<std::size_t> paths_at_depth_;
  std::size_t size_ = 0;

  // Reused from event to event.
  std::vector<Watch> matched_;
  std::vector<std::uint64_t> ids_;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_WATCHES_H_

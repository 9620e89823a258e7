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
#include <memory>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coord/base/strong.h"
#include "coord/tree/code.h"
#include "coord/tree/event.h"

namespace drover::coord::tree {

// Gone after its first event.
[[nodiscard]] constexpr bool HearsOnce(WatchKind kind) {
  return kind == WatchKind::kOnce || kind == WatchKind::kOnceChildren;
}
// Whether a watch of this kind on `watched` hears of what happened at `path`, which is at or below it.
[[nodiscard]] bool Hears(WatchKind kind, absl::string_view watched, EventType type, absl::string_view path);
// Whether `watcher` may be told of an event that this watch of it hears: who may read the node is; and, by a watch of `watched` and
// its children, who may read `watched` is told that a child came or went. Its data is for who may read the child.
[[nodiscard]] bool MayBeTold(WatchKind kind, absl::string_view watched, const Event& event, const Asker& watcher);

// A stream of this process; numbered by whoever makes them.
using StreamId = base::Strong<struct StreamIdTag>;

// One event for one stream, whatever the number of its watches that match: what AppendEventItem takes.
struct Delivery {
  StreamId stream;
  const Event* event;
  bool with_data;                             // one of the watches asked for data, and it may be told
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
  // not change the table. Watches that hear once are gone after the event that they heard: not after one that they may not be told.
  // `asker_of` is asked where not everybody may be.
  using AskerOf = absl::FunctionRef<Asker(StreamId)>;
  void Match(absl::Span<const Event> events, absl::FunctionRef<void(const Delivery&)> deliver, AskerOf asker_of = Nobody);

  [[nodiscard]] std::size_t size() const { return size_; }  // watches in all
  [[nodiscard]] std::size_t size(StreamId stream) const;

 private:
  struct Watch {
    StreamId stream;
    std::uint64_t id;
    WatchKind kind;
    bool with_data;
  };
  // The watches of one path, sorted by (stream, id). On its own, for whoever has one of them points at it; the path's bytes follow
  // it in the same block, for there may be millions.
  class Watched {
   public:
    struct Free {
      void operator()(Watched* watched) const;
    };
    using Owned = std::unique_ptr<Watched, Free>;
    static Owned New(absl::string_view path);

    [[nodiscard]] absl::string_view path() const { return {reinterpret_cast<const char*>(this + 1), path_bytes_}; }

    absl::InlinedVector<Watch, 1> watches;

   private:
    explicit Watched(absl::string_view path);
    ~Watched() = default;

    const std::size_t path_bytes_;
  };
  struct PathHash {
    using is_transparent = void;
    std::size_t operator()(absl::string_view path) const { return absl::Hash<absl::string_view>()(path); }
    std::size_t operator()(const Watched::Owned& watched) const { return (*this)(watched->path()); }
  };
  struct PathEqual {
    using is_transparent = void;
    static absl::string_view Of(absl::string_view path) { return path; }
    static absl::string_view Of(const Watched::Owned& watched) { return watched->path(); }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Of(a) == Of(b);
    }
  };

  static Asker Nobody(StreamId /*stream*/) { return {}; }
  void RemoveAt(Watched* watched, StreamId stream, std::uint64_t watch_id);
  void Gather(const Event& event, AskerOf asker_of);

  // Looked up, never iterated.
  absl::flat_hash_set<Watched::Owned, PathHash, PathEqual> by_path_;
  absl::btree_map<StreamId, absl::btree_map<std::uint64_t, Watched*>> by_stream_;
  // [d]: paths with d components that are watched.
  std::vector<std::size_t> paths_at_depth_;
  std::size_t size_ = 0;

  // Reused from event to event.
  std::vector<Watch> matched_;
  std::vector<std::uint64_t> ids_;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_WATCHES_H_

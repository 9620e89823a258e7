// A view of a subtree, kept current by a recursive watch with data.
//
// SubtreeFollower keeps nothing itself: it hands a listener everything needed to build a view of any shape. SubtreeCache is the
// simplest such view: a sorted map of nodes.
//
// How a follower reads: it arms the watch, then reads pages; each page has its own zxid, and an event counts for a path only if
// newer than the page that held the path (an event for a path whose page is still to come is in that page). When the last page is
// in, the view is the state of one zxid. Reconnects go unnoticed: the watch resumes from its position. If no node can resume it any
// more (their histories are bounded), the listener gets OnReset(kCompacted) and everything anew.
//
// Threads: all on the session's loop. A follower must be destroyed before its session; destroying it inside its listener's
// callbacks is allowed.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SUBTREE_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SUBTREE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"

namespace drover::coord {

enum class ResetCause { kFirst, kCompacted };

class SubtreeListener {
 public:
  // A reading begins: forget all nodes. What the view shows is not current until OnSynced.
  virtual void OnReset(ResetCause cause) = 0;
  // A node of a page, in PathLess order while a page lasts. `zxid` is the page's.
  virtual void OnNode(const Node& node, Zxid zxid) = 0;
  // A change after the page that held the node, or after the reading. During a reading a deletion may name a node never shown.
  virtual void OnEvent(const Event& event) = 0;
  // The reading is complete: the view is the state at `zxid`. Once after each OnReset.
  virtual void OnSynced(Zxid zxid) = 0;
  // After OnSynced: the view has reached `zxid`; nothing up to it is missing. Only grows.
  virtual void OnProgress(Zxid /*zxid*/) {}
  // The session ended. Last event.
  virtual void OnEnded(const absl::Status& /*why*/) {}

 protected:
  ~SubtreeListener() = default;
};

struct SubtreeOptions {
  std::string path = "/";
  bool with_data = true;
  std::uint32_t page_nodes = 0;  // 0: as many as a page holds
  // Pages from the state of the node at hand, no older than the armed watch: quick, and no load on the leader.
  bool local_reads = true;
};

class SubtreeFollower {
 public:
  static std::unique_ptr<SubtreeFollower> Start(Session* session, SubtreeOptions options, SubtreeListener* listener);
  virtual ~SubtreeFollower() = default;

  // The first reading, or one after a reset, is complete.
  [[nodiscard]] virtual bool synced() const = 0;
  // Everything up to it has been delivered; 0 while not synced.
  [[nodiscard]] virtual Zxid zxid() const = 0;
};

// All nodes of a subtree in memory.
class SubtreeCache final : private SubtreeListener {
 public:
  struct Less {
    using is_transparent = void;
    bool operator()(absl::string_view a, absl::string_view b) const { return PathLess(a, b); }
  };
  using Nodes = std::map<std::string, Node, Less>;

  class Listener {
   public:
    // Anything changed. While not synced() the map is being filled. `event` is null where the change is a reading (complete, or
    // begun anew) and else what changed one node.
    virtual void OnCacheChanged(const Event* event) = 0;
    virtual void OnCacheProgress(Zxid /*zxid*/) {}
    virtual void OnCacheEnded(const absl::Status& /*why*/) {}

   protected:
    ~Listener() = default;
  };

  // `listener` may be null.
  SubtreeCache(Session* session, SubtreeOptions options, Listener* listener);
  ~SubtreeCache();
  SubtreeCache(const SubtreeCache&) = delete;
  SubtreeCache& operator=(const SubtreeCache&) = delete;

  [[nodiscard]] bool synced() const { return follower_->synced(); }
  [[nodiscard]] Zxid zxid() const { return follower_->zxid(); }
  [[nodiscard]] const Nodes& nodes() const { return nodes_; }
  // Null if there is none.
  [[nodiscard]] const Node* Find(absl::string_view path) const;

 private:
  void OnReset(ResetCause cause) override;
  void OnNode(const Node& node, Zxid zxid) override;
  void OnEvent(const Event& event) override;
  void OnSynced(Zxid zxid) override;
  void OnProgress(Zxid zxid) override;
  void OnEnded(const absl::Status& why) override;

  Listener* const listener_;
  const std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // a listener may destroy this in a callback
  Nodes nodes_;
  std::unique_ptr<SubtreeFollower> follower_;
};

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SUBTREE_H_

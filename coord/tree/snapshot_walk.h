// Takes a snapshot of a state machine in small steps while it goes on applying.
//
// What comes out are parts (drover.peer.v1.SnapshotPart) that together say what the state was when the walk began. The walk goes
// through sessions, then nodes in list order; what is changed before the walk has come to it is saved first, as it was (image.h).
// Memory: of the state, nothing is copied but what is changed ahead of the walk; parts are the caller's as soon as it takes them.
// Threads: the state machine's.
#ifndef DROVER_COORD_TREE_SNAPSHOT_WALK_H_
#define DROVER_COORD_TREE_SNAPSHOT_WALK_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/container/btree_map.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/tree/image.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::tree {

class SnapshotWalk final : private ImageSink {
 public:
  // `machine` must outlive the walk; it has one at a time. `taken`: now, for people; 0 if nobody knows.
  explicit SnapshotWalk(StateMachine* machine, base::WallTime taken = base::WallTime());
  ~SnapshotWalk();
  SnapshotWalk(const SnapshotWalk&) = delete;
  SnapshotWalk& operator=(const SnapshotWalk&) = delete;

  // Visits up to `things` further nodes and sessions, fewer if the part has `bytes` by then. False: that was all, the part taken
  // next is the last.
  bool Step(std::size_t things, std::size_t bytes);

  // A part that is as long as this is closed, whoever has filled it.
  static constexpr std::size_t kPartBytesMax = std::size_t{4} << 20;

  // Bytes of what can be taken: what Step has visited, and what was changed meanwhile.
  [[nodiscard]] std::size_t part_bytes() const { return full_.size() * kPartBytesMax + part_.size(); }
  [[nodiscard]] bool finished() const { return phase_ == Phase::kFinished; }
  // The part; the next one begins. What was changed meanwhile may have filled several: the oldest, and has_more_parts.
  [[nodiscard]] std::string TakePart();
  [[nodiscard]] bool has_more_parts() const { return !full_.empty(); }

  [[nodiscard]] base::Zxid zxid() const { return zxid_; }       // of the image
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }  // told so far
  [[nodiscard]] std::uint64_t saved() const { return saved_; }  // of those, because they were about to be changed

 private:
  enum class Phase { kSessions, kNodes, kFinished };

  void OnNode(const Node& node) override;
  void OnSession(const Session& session) override;
  std::size_t StepSessions(std::size_t things, std::size_t bytes);
  std::size_t StepNodes(std::size_t things, std::size_t bytes);
  void Finish();
  void CloseFullPart();
  // The list's number in this snapshot, which the part tells at its first use.
  std::uint64_t NumberOf(const Acl& acl);

  StateMachine* const machine_;
  const base::Zxid zxid_;
  Phase phase_ = Phase::kSessions;
  bool stepping_ = false;
  base::SessionId session_;       // the last one visited
  std::string path_;              // of the last node visited; empty: none yet
  std::deque<std::string> full_;  // parts that are closed
  std::string part_;
  std::string before_;  // path of the node before in the part
  std::string scratch_;
  std::uint64_t sessions_ = 0;
  std::uint64_t nodes_ = 0;
  std::uint64_t saved_ = 0;
  absl::btree_map<std::string, std::uint64_t> acls_;  // those told, by their encodings
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_SNAPSHOT_WALK_H_

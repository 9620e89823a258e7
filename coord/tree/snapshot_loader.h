// Makes a state machine from the parts of a snapshot.
//
// Trusts nothing: whatever the parts hold, it gives a whole state machine or DATA_LOSS with what is wrong.
// Threads: one; any, for what it makes belongs to nobody yet.
#ifndef DROVER_COORD_TREE_SNAPSHOT_LOADER_H_
#define DROVER_COORD_TREE_SNAPSHOT_LOADER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/time.h"
#include "coord/tree/options.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::tree {

class SnapshotLoader {
 public:
  explicit SnapshotLoader(const Options& options);

  // The next part, in the order in which they were taken. After an error the loader is of no use any more.
  absl::Status Add(absl::string_view part);
  // After the last part.
  absl::StatusOr<std::unique_ptr<StateMachine>> Finish();
  // As SnapshotWalk was told; 0: not known. From the first part on.
  [[nodiscard]] base::WallTime taken() const { return taken_; }

 private:
  absl::Status AddHead(absl::string_view head);
  absl::Status AddSession(absl::string_view session);
  absl::Status AddAcl(absl::string_view acl);
  absl::Status AddNode(absl::string_view node);
  absl::Status AddTotals(absl::string_view totals);
  // The parent of the node at path_, which shares so many bytes with the path of the one before, whose size is given. Null if there
  // is none.
  const Node* FindParent(std::size_t shared, std::size_t before_size);

  std::unique_ptr<StateMachine> machine_;
  base::WallTime taken_;
  bool has_head_ = false;
  bool has_totals_ = false;
  std::uint64_t nodes_ = 0;
  std::string path_;                  // of the node before in this part
  std::vector<const Node*> on_path_;  // the nodes on it, the root first
  SessionState session_;              // reused
  std::vector<AclNumber> acls_;       // [number in the snapshot - 1]; each used until all nodes are there
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_SNAPSHOT_LOADER_H_

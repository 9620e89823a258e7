// From a data directory to a node's beginning: identity, log, configuration.
#ifndef DROVER_COORD_SERVER_RECOVERY_H_
#define DROVER_COORD_SERVER_RECOVERY_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/feature_level.h"
#include "coord/base/file_system.h"
#include "coord/base/random.h"
#include "coord/log/log.h"
#include "coord/log/snapshots.h"
#include "coord/raft/raft.h"
#include "coord/server/log_writer.h"
#include "coord/server/start_progress.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::server {

struct Recovery {
  Disk disk;
  base::Incarnation incarnation;
  base::ClusterId cluster;
  base::FeatureLevel promised;  // by the directory
  base::Bytes founding;         // the configuration with which the cluster began; empty: added, and not told yet
  raft::Recovered raft;         // its tail is what lies behind the commit index known
  // Of the newest snapshot that is whole; without one, null and index 0: all is replayed from the log.
  std::unique_ptr<tree::StateMachine> state;
  raft::SnapshotPoint snapshot;
  std::vector<raft::Index> snapshots;  // that are in the directory, up to that one
};

// Where a recovery by force (coord/backup) makes what is to take the place of `directory`: beside it.
[[nodiscard]] std::string RecoveringDirectory(const std::string& directory);
// FAILED_PRECONDITION: there is no node's directory, but one beside it that a recovery has made and not put there any more.
[[nodiscard]] absl::Status CheckRecovered(base::FileSystem* files, const std::string& directory);

// Opens the directory and makes it this node's if it is empty. Blocking.
// FAILED_PRECONDITION: locked, or another node's, or as CheckRecovered, or as CheckRestoreEnded (seed.h). UNIMPLEMENTED: promised
// to programs that know more than `known`.
absl::StatusOr<std::unique_ptr<log::DataDirectory>> OpenDirectory(base::FileSystem* files, base::Random* random,
                                                                  const std::string& path, base::NodeId id,
                                                                  base::FeatureLevel known = base::kNewestFeatureLevel);

// For log::Options: refuses configurations above the level `known`, in words that name the directory `path`.
[[nodiscard]] std::function<absl::Status(absl::string_view)> LevelCheck(std::string path, base::FeatureLevel known);

// The log of an open directory that has no snapshot. Blocking. As log::Log::Open; NOT_FOUND: there is none, and
// `cluster_if_new` is 0.
absl::StatusOr<std::unique_ptr<log::Log>> OpenLog(log::DataDirectory* directory, base::ClusterId cluster_if_new,
                                                  const log::Options& options);

// Promises the cluster's feature level, and then writes the first entry of an empty log: the members with which its cluster begins.
// The same in the logs of all of them, so it counts as committed. Does nothing if it is there already. Blocking.
// FAILED_PRECONDITION: the log is another cluster's.
absl::Status FoundLog(log::DataDirectory* directory, log::Log* log, const raft::Configuration& configuration);

// Begins the log of a node that was added to the cluster of `log`: it has no entries, and is told from one that is yet to be
// founded by its term. Does nothing to a log that has begun. Blocking.
absl::Status JoinLog(log::Log* log);

// Of what found no space, the sentence that says what to do: free some, `then`. Any other status as it is.
absl::Status OfFullDisk(const absl::Status& status, const std::string& directory,
                        absl::string_view then = "then start this node again; nothing is lost");

// Opens the directory of node `id`. An empty one begins a cluster of its own with a random id, of which this node, reached at
// `address`, is the one voter. Blocking. FAILED_PRECONDITION: locked, another node's, or of a cluster that this incarnation of the
// node was never a member of. RESOURCE_EXHAUSTED: no space to begin with; free some, then once more. Otherwise as log::Log::Open.
// UNIMPLEMENTED: promised to, or written by, a program that knows more than `known`; nothing was touched.
// `opened`: the same directory and its log, if they are open already; then there is no snapshot.
absl::StatusOr<Recovery> Recover(base::FileSystem* files, base::Random* random, const std::string& directory, base::NodeId id,
                                 const std::string& address, const log::Options& options, const tree::Options& tree,
                                 const StartMeter::Tell& progress = nullptr, Disk opened = {},
                                 base::FeatureLevel known = base::kNewestFeatureLevel);

// The state that a snapshot's file says, checked from end to end. Blocking. NOT_FOUND, FAILED_PRECONDITION, DATA_LOSS: as
// log::SnapshotReader. UNIMPLEMENTED: of a level above `known`.
absl::StatusOr<std::unique_ptr<tree::StateMachine>> LoadSnapshot(log::SnapshotReader* reader, const tree::Options& tree,
                                                                 const StartMeter::Tell& progress = nullptr,
                                                                 base::FeatureLevel known = base::kNewestFeatureLevel);

// The entries from `first` up to `last`, in order. DATA_LOSS: what was whole at Recover is not any more.
absl::Status ReplayLog(log::Log* log, raft::Index first, raft::Index last, absl::FunctionRef<void(const raft::Entry&)> apply);

// Bits that are not 0.
std::uint64_t NextNotZero(base::Random* random);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_RECOVERY_H_

// The state that a cluster is to begin with: put into an empty data directory by a restore, taken up when the cluster is founded.
//
// A seed is a snapshot's file (coord/log/FORMAT.md) under the name founding.snap. Its head names the new cluster, and its members
// with their addresses, but not their incarnations: those are heard when all of them have answered (Formation). Then it is written
// anew as the founder's first snapshot, with the members as they are. From there on the directory is that of a node like any other,
// and the seed is removed. Blocking; before the loop starts, or while nobody is served.
#ifndef DROVER_COORD_SERVER_SEED_H_
#define DROVER_COORD_SERVER_SEED_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/file_system.h"
#include "coord/base/ids.h"
#include "coord/base/random.h"
#include "coord/base/time.h"
#include "coord/log/data_directory.h"
#include "coord/log/log.h"
#include "coord/raft/configuration.h"
#include "coord/server/initial_cluster.h"
#include "coord/tree/state_machine.h"

namespace drover::coord::server {

struct Seed {
  base::ClusterId cluster;
  InitialMembers members;                                       // the first of them founds
  base::FeatureLevel feature_level = base::kFirstFeatureLevel;  // of the cluster whose state it is, and so of the new one
};

// A directory that a restore has begun on has a mark, made before anything else and removed when all the rest is durable: a process
// that is killed in between would else leave what a node takes for an empty directory, and founds a cluster without the state from.
// The mark is inside, for the directory may be a mount point, which nothing can be renamed to.
//
// Makes directory and mark, where needed; durable when it returns OK. A directory that is not there comes into being with its mark:
// it is made as `<directory>.restoring`, which stays if the process is killed then.
[[nodiscard]] absl::Status MarkRestore(base::FileSystem* files, const std::string& directory);
// Durable when it returns OK; after an error the mark may be there or not.
[[nodiscard]] absl::Status UnmarkRestore(base::FileSystem* files, const std::string& directory);
// FAILED_PRECONDITION: there is a mark; the words say what to do. A directory that is not there, or cannot be read, has none.
[[nodiscard]] absl::Status CheckRestoreEnded(base::FileSystem* files, const std::string& directory);
// The name of a file that a restore makes, LOCK and mark included.
[[nodiscard]] bool IsOfRestore(absl::string_view name);
// Removes all of them but LOCK and mark. FAILED_PRECONDITION: another process is at work there.
[[nodiscard]] absl::Status ClearRestore(base::FileSystem* files, const std::string& directory);

// Nothing if the directory has none, or is not there. FAILED_PRECONDITION: as CheckRestoreEnded. DATA_LOSS: damaged. UNIMPLEMENTED:
// a newer program's.
[[nodiscard]] absl::StatusOr<std::optional<Seed>> FindSeed(base::FileSystem* files, const std::string& directory);

// Reads the seed that FindSeed found from end to end. DATA_LOSS: damaged.
[[nodiscard]] absl::Status VerifySeed(base::FileSystem* files, const std::string& directory);

// Durable when it returns OK; after an error there is none. `taken`: of the backup that it comes from. RESOURCE_EXHAUSTED: the disk
// is full.
[[nodiscard]] absl::Status WriteSeed(base::FileSystem* files, base::Random* random, const std::string& directory, const Seed& seed,
                                     tree::StateMachine* state, base::WallTime taken);

// Founds the seed's cluster with `founders`, who are its members: a log without entries, and the first snapshot. May be repeated
// until a node was opened from it.
[[nodiscard]] absl::Status FoundFromSeed(log::DataDirectory* directory, const raft::Configuration& founders,
                                         const log::Options& options);
// It was taken up. If that fails, the next start does it.
void RemoveSeed(base::FileSystem* files, const std::string& directory);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SEED_H_

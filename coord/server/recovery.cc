#include "coord/server/recovery.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"

namespace drover::coord::server {
namespace {

constexpr std::size_t kReplayBytes = 4U << 20;

std::uint64_t NextNotZero(base::Random* random) {
  std::uint64_t bits = 0;
  while (bits == 0) bits = random->Next();
  return bits;
}

absl::StatusOr<Recovery> Begin(base::FileSystem* files, base::Random* random, const std::string& path, base::NodeId id,
                               const std::string& address, const log::Options& options) {
  DROVER_ASSIGN_OR_RETURN(auto directory, log::DataDirectory::Open(files, path));
  if (!directory->identity()) {
    DROVER_RETURN_IF_ERROR(directory->CreateIdentity(id, base::Incarnation(NextNotZero(random))));
  }
  const log::Identity identity = *directory->identity();
  if (identity.node != id) {
    return absl::FailedPreconditionError(absl::StrCat("data directory ", path, " is that of node ", identity.node.value,
                                                      ", not of node ", id.value, ": give that id, or another directory"));
  }
  log::Options log_options = options;
  log_options.cluster_if_new = identity.cluster == base::ClusterId() ? base::ClusterId(NextNotZero(random)) : identity.cluster;
  DROVER_ASSIGN_OR_RETURN(auto log, log::Log::Open(directory.get(), log_options));

  Recovery recovery;
  recovery.incarnation = identity.incarnation;
  recovery.raft.hard_state = log->hard_state();
  recovery.raft.last = log->last_index();
  recovery.raft.last_term = log->TermAt(log->last_index());
  recovery.raft.commit = recovery.raft.last;  // the one voter's durable entries are committed
  if (log->last_index() == raft::Index()) {
    recovery.raft.configuration = raft::Configuration{log->cluster(), {raft::Member{id, identity.incarnation, address, true}}};
  } else if (log->configurations().empty()) {
    return absl::DataLossError(absl::StrCat("the log in ", path, " does not say who belongs to its cluster"));
  } else {
    DROVER_ASSIGN_OR_RETURN(recovery.raft.configuration, raft::DecodeConfiguration(log->configurations().rbegin()->second.view()));
  }

  const raft::Configuration& configuration = recovery.raft.configuration;
  const raft::Member* self = configuration.Find(id);
  if (configuration.cluster != log->cluster() || self == nullptr || self->incarnation != identity.incarnation) {
    return absl::FailedPreconditionError(absl::StrCat("the log in ", path, " is of a cluster that this node is no member of"));
  }
  if (!configuration.IsSoleVoter(id, identity.incarnation)) {
    return absl::UnimplementedError(
        absl::StrCat("the log in ", path, " is of a cluster with several voters; this version runs one"));
  }
  recovery.disk.directory = std::move(directory);
  recovery.disk.log = std::move(log);
  return recovery;
}

}  // namespace

absl::StatusOr<Recovery> Recover(base::FileSystem* files, base::Random* random, const std::string& path, base::NodeId id,
                                 const std::string& address, const log::Options& options) {
  absl::StatusOr<Recovery> recovery = Begin(files, random, path, id, address, options);
  if (!absl::IsResourceExhausted(recovery.status())) return recovery;
  return absl::ResourceExhaustedError(absl::StrCat("the disk of data directory ", path, " is full (", recovery.status().message(),
                                                   "): free some space there, then start this node again; nothing is lost"));
}

absl::Status ReplayLog(log::Log* log, absl::FunctionRef<void(const raft::Entry&)> apply) {
  for (raft::Index at = log->first_index(); at <= log->last_index();) {
    DROVER_ASSIGN_OR_RETURN(const std::vector<raft::Entry> entries, log->Read(at, kReplayBytes));
    for (const raft::Entry& entry : entries) apply(entry);
    at = entries.back().index.Next();
  }
  return absl::OkStatus();
}

}  // namespace drover::coord::server

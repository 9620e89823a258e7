#include "coord/server/recovery.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"

namespace drover::coord::server {
namespace {

constexpr std::size_t kReplayBytes = 4U << 20;

absl::StatusOr<std::map<raft::Index, raft::Configuration>> Configurations(const log::Log& log, const std::string& path) {
  std::map<raft::Index, raft::Configuration> configurations;
  for (const auto& [index, bytes] : log.configurations()) {
    DROVER_ASSIGN_OR_RETURN(configurations[index], raft::DecodeConfiguration(bytes.view()));
  }
  if (configurations.empty()) {
    return absl::DataLossError(absl::StrCat("the log in ", path, " does not say who belongs to its cluster"));
  }
  return configurations;
}

bool WasEverMember(const std::map<raft::Index, raft::Configuration>& configurations, base::NodeId id,
                   base::Incarnation incarnation) {
  return std::any_of(configurations.begin(), configurations.end(), [&](const auto& c) {
    const raft::Member* self = c.second.Find(id);
    return self != nullptr && self->incarnation == incarnation;
  });
}

}  // namespace

std::uint64_t NextNotZero(base::Random* random) {
  std::uint64_t bits = 0;
  while (bits == 0) bits = random->Next();
  return bits;
}

absl::StatusOr<std::unique_ptr<log::DataDirectory>> OpenDirectory(base::FileSystem* files, base::Random* random,
                                                                  const std::string& path, base::NodeId id) {
  DROVER_ASSIGN_OR_RETURN(auto directory, log::DataDirectory::Open(files, path));
  if (!directory->identity()) {
    DROVER_RETURN_IF_ERROR(directory->CreateIdentity(id, base::Incarnation(NextNotZero(random))));
  }
  if (directory->identity()->node != id) {
    return absl::FailedPreconditionError(absl::StrCat("data directory ", path, " is that of node ",
                                                      directory->identity()->node.value, ", not of node ", id.value,
                                                      ": give that id, or another directory"));
  }
  return directory;
}

absl::StatusOr<std::unique_ptr<log::Log>> OpenLog(log::DataDirectory* directory, base::ClusterId cluster_if_new,
                                                  const log::Options& options) {
  log::Options log_options = options;
  log_options.cluster_if_new = cluster_if_new;
  return log::Log::Open(directory, log_options);
}

absl::Status FoundLog(log::Log* log, const raft::Configuration& configuration) {
  if (log->cluster() != configuration.cluster) {
    return absl::FailedPreconditionError(
        absl::StrCat("the log is of cluster ", log->cluster().value, ", not of cluster ", configuration.cluster.value));
  }
  if (log->last_index() != raft::Index()) return absl::OkStatus();
  log::AppendRequest first;
  first.hard_state = raft::HardState{raft::Term(1), base::NodeId()};
  first.entries.push_back({raft::Term(1), raft::Index(1), raft::EntryKind::kConfig, raft::EncodeConfiguration(configuration)});
  first.commit = raft::Index(1);
  return log->Append(first);
}

namespace {

absl::StatusOr<Recovery> Begin(base::FileSystem* files, base::Random* random, const std::string& path, base::NodeId id,
                               const std::string& address, const log::Options& options) {
  DROVER_ASSIGN_OR_RETURN(auto directory, OpenDirectory(files, random, path, id));
  const log::Identity identity = *directory->identity();
  // Of a crash in the midst of founding, the log may have its cluster already and the identity not.
  const base::ClusterId cluster = identity.cluster.value != 0 ? identity.cluster : base::ClusterId(NextNotZero(random));
  DROVER_ASSIGN_OR_RETURN(auto log, OpenLog(directory.get(), cluster, options));
  DROVER_RETURN_IF_ERROR(
      FoundLog(log.get(), raft::Configuration{log->cluster(), {raft::Member{id, identity.incarnation, address, true}}}));

  Recovery recovery;
  recovery.incarnation = identity.incarnation;
  recovery.cluster = log->cluster();
  raft::Recovered& raft = recovery.raft;
  DROVER_ASSIGN_OR_RETURN(raft.configurations, Configurations(*log, path));
  if (!WasEverMember(raft.configurations, id, identity.incarnation)) {
    return absl::FailedPreconditionError(absl::StrCat("the log in ", path, " is of a cluster that this node is no member of"));
  }
  raft.hard_state = log->hard_state();
  const raft::Index before = log->first_index().Previous();
  raft.terms = raft::TermRuns(before, log->TermAt(before));
  for (raft::Index at = log->first_index(); at <= log->last_index(); at = at.Next()) raft.terms.Append(log->TermAt(at));
  const raft::Configuration& newest = raft.configurations.rbegin()->second;
  // One voter's durable entries are committed. Of several, what was known when the log's segment was begun; entry 1 always.
  raft.commit = newest.IsSoleVoter(id, identity.incarnation) ? log->last_index()
                                                             : std::min(std::max(log->commit(), raft::Index(1)), log->last_index());
  for (raft::Index at = raft.commit.Next(); at <= log->last_index();) {
    DROVER_ASSIGN_OR_RETURN(std::vector<raft::Entry> entries, log->Read(at, kReplayBytes));
    at = entries.back().index.Next();
    for (raft::Entry& entry : entries) raft.tail.push_back(std::move(entry));
  }
  if (log->first_index() == raft::Index(1)) {
    DROVER_ASSIGN_OR_RETURN(const std::vector<raft::Entry> first, log->Read(raft::Index(1), 1));
    recovery.founding = first.front().payload;
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

absl::Status ReplayLog(log::Log* log, raft::Index last, absl::FunctionRef<void(const raft::Entry&)> apply) {
  for (raft::Index at = log->first_index(); at <= last;) {
    DROVER_ASSIGN_OR_RETURN(const std::vector<raft::Entry> entries, log->Read(at, kReplayBytes));
    for (const raft::Entry& entry : entries) {
      if (entry.index <= last) apply(entry);
    }
    at = entries.back().index.Next();
  }
  return absl::OkStatus();
}

}  // namespace drover::coord::server

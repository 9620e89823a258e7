#include "coord/server/recovery.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/log/snapshot_file.h"
#include "coord/server/seed.h"
#include "coord/tree/snapshot_loader.h"

namespace drover::coord::server {
namespace {

constexpr std::size_t kReplayBytes = 4U << 20;

absl::StatusOr<std::map<raft::Index, raft::Configuration>> Configurations(const log::Log& log, const std::string& path) {
  std::map<raft::Index, raft::Configuration> configurations;
  for (const auto& [index, bytes] : log.configurations()) {
    DROVER_ASSIGN_OR_RETURN(configurations[index], raft::DecodeConfiguration(bytes.view()));
  }
  // Of a node that was added and has received nothing yet, there are none.
  if (configurations.empty() && log.last_index() != raft::Index()) {
    return absl::DataLossError(absl::StrCat("the log in ", path, " does not say who belongs to its cluster"));
  }
  return configurations;
}

}  // namespace

std::uint64_t NextNotZero(base::Random* random) {
  std::uint64_t bits = 0;
  while (bits == 0) bits = random->Next();
  return bits;
}

std::string RecoveringDirectory(const std::string& directory) {
  std::string path = directory;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path + ".recovering";
}

absl::Status CheckRecovered(base::FileSystem* files, const std::string& directory) {
  const auto is_node = [files](const std::string& path) {
    const absl::StatusOr<std::vector<std::string>> names = files->List(path);
    return names.ok() && std::find(names->begin(), names->end(), "identity") != names->end();
  };
  const std::string making = RecoveringDirectory(directory);
  if (is_node(directory) || !is_node(making)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "there is no node's directory at ", directory, ", but ", making,
      ": drover-coord recover was interrupted while it put that in its place. Do it by hand (mv -T ", making, " ", directory,
      "), then start this node; or move it elsewhere, if it is not wanted. The directory as it was is kept under a name that "
      "begins "
      "with ",
      directory, ".before-recover-"));
}

absl::StatusOr<std::unique_ptr<log::DataDirectory>> OpenDirectory(base::FileSystem* files, base::Random* random,
                                                                  const std::string& path, base::NodeId id,
                                                                  base::FeatureLevel known) {
  DROVER_RETURN_IF_ERROR(CheckRecovered(files, path));
  DROVER_ASSIGN_OR_RETURN(auto directory, log::DataDirectory::Open(files, path));
  // Under the lock: from here on no restore can begin.
  DROVER_RETURN_IF_ERROR(CheckRestoreEnded(files, path));
  if (directory->identity()) {
    DROVER_RETURN_IF_ERROR(base::CheckFeatureLevel(absl::StrCat("data directory ", path), directory->identity()->promised, known));
  }
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

std::function<absl::Status(absl::string_view)> LevelCheck(std::string path, base::FeatureLevel known) {
  return [path = std::move(path), known](absl::string_view bytes) {
    const absl::StatusOr<raft::Configuration> configuration = raft::DecodeConfiguration(bytes);
    if (absl::IsUnimplemented(configuration.status())) {
      return base::Annotate(configuration.status(), absl::StrCat("data directory ", path));
    }
    if (!configuration.ok()) return absl::OkStatus();  // damage is told by whoever needs it
    return base::CheckFeatureLevel(absl::StrCat("data directory ", path), configuration->feature_level, known);
  };
}

absl::StatusOr<std::unique_ptr<log::Log>> OpenLog(log::DataDirectory* directory, base::ClusterId cluster_if_new,
                                                  const log::Options& options) {
  log::Options log_options = options;
  log_options.cluster_if_new = cluster_if_new;
  return log::Log::Open(directory, log_options);
}

absl::StatusOr<std::unique_ptr<tree::StateMachine>> LoadSnapshot(log::SnapshotReader* reader, const tree::Options& tree,
                                                                 const StartMeter::Tell& progress, base::FeatureLevel known) {
  // What is not a configuration at all is told by whoever needs it.
  const absl::StatusOr<raft::Configuration> configuration = raft::DecodeConfiguration(reader->head().at.configuration.view());
  if (absl::IsUnimplemented(configuration.status())) return configuration.status();
  const base::FeatureLevel level = configuration.ok() ? configuration->feature_level : base::kFirstFeatureLevel;
  DROVER_RETURN_IF_ERROR(base::CheckFeatureLevel("the snapshot", level, known));
  tree::SnapshotLoader loader(tree);
  StartMeter meter(StartPhase::kSnapshot, reader->bytes(), progress);
  while (true) {
    meter.At(reader->bytes_read());
    DROVER_ASSIGN_OR_RETURN(const std::optional<std::string> part, reader->Next());
    if (part) {
      DROVER_RETURN_IF_ERROR(loader.Add(*part));
      continue;
    }
    DROVER_ASSIGN_OR_RETURN(auto state, loader.Finish());
    state->SetFeatureLevel(level);
    return state;
  }
}

namespace {

// FoundLog or JoinLog was done.
bool HasBegun(const log::Log& log) {
  return log.hard_state().term != raft::Term() || log.last_index() != raft::Index();
}

}  // namespace

absl::Status FoundLog(log::DataDirectory* directory, log::Log* log, const raft::Configuration& configuration) {
  if (log->cluster() != configuration.cluster) {
    return absl::FailedPreconditionError(
        absl::StrCat("the log is of cluster ", log->cluster().value, ", not of cluster ", configuration.cluster.value));
  }
  if (log->last_index() != raft::Index()) return absl::OkStatus();
  DROVER_RETURN_IF_ERROR(directory->Promise(configuration.feature_level));
  log::AppendRequest first;
  first.hard_state = raft::HardState{raft::Term(1), base::NodeId()};
  first.entries.push_back({raft::Term(1), raft::Index(1), raft::EntryKind::kConfig, raft::EncodeConfiguration(configuration)});
  first.commit = raft::Index(1);
  return log->Append(first);
}

absl::Status JoinLog(log::Log* log) {
  if (HasBegun(*log)) return absl::OkStatus();
  log::AppendRequest begin;
  begin.hard_state = raft::HardState{raft::Term(1), base::NodeId()};
  return log->Append(begin);
}

namespace {

struct Loaded {
  log::SnapshotHead head;
  std::unique_ptr<tree::StateMachine> state;
};

absl::StatusOr<Loaded> Load(const log::DataDirectory& directory, raft::Index index, const tree::Options& tree,
                            const StartMeter::Tell& progress, base::FeatureLevel known) {
  const std::string path = directory.PathOf(log::SnapshotName(index));
  DROVER_ASSIGN_OR_RETURN(const auto reader, log::SnapshotReader::Open(directory.fs(), path, directory.identity()->cluster));
  DROVER_ASSIGN_OR_RETURN(auto state, LoadSnapshot(reader.get(), tree, progress, known));
  return Loaded{reader->head(), std::move(state)};
}

// The newest snapshot that is whole, and the log from there on. One that is damaged is passed over if an older one is left and the
// log still leads on from that.
absl::Status LoadAndOpenLog(log::DataDirectory* directory, base::ClusterId cluster_if_new, const log::Options& options,
                            const tree::Options& tree, const StartMeter::Tell& progress, base::FeatureLevel known,
                            Recovery* recovery, log::SnapshotHead* head) {
  DROVER_ASSIGN_OR_RETURN(recovery->snapshots, log::ListSnapshots(directory->fs(), directory->path()));
  absl::Status damage;
  log::Options log_options = options;
  log_options.cluster_if_new = cluster_if_new;
  for (; !recovery->snapshots.empty(); recovery->snapshots.pop_back()) {
    absl::StatusOr<Loaded> loaded = Load(*directory, recovery->snapshots.back(), tree, progress, known);
    if (loaded.ok()) {
      recovery->snapshot = loaded->head.at;
      recovery->state = std::move(loaded->state);
      *head = loaded->head;
      log_options.snapshot_index = head->at.index;
      log_options.snapshot_term = head->at.term;
      break;
    }
    if (!absl::IsDataLoss(loaded.status())) return loaded.status();
    if (damage.ok()) damage = loaded.status();
  }
  absl::StatusOr<std::unique_ptr<log::Log>> log = log::Log::Open(directory, log_options);
  // That the log does not reach back is then a consequence.
  if (!damage.ok() && absl::IsDataLoss(log.status())) return damage;
  DROVER_RETURN_IF_ERROR(log.status());
  recovery->disk.log = *std::move(log);
  return absl::OkStatus();
}

// A snapshot may be ahead of the log: this disk was behind what was applied when it was taken, or it came from another node and the
// process died before the log had noted it. What it says is committed all the same, so the log goes on behind it.
absl::Status FollowSnapshot(const log::SnapshotHead& head, log::Log* log) {
  const raft::SnapshotPoint& at = head.at;
  if (at.index == raft::Index()) return absl::OkStatus();
  if (log->last_index() >= at.index && log->TermAt(at.index) == at.term) return absl::OkStatus();
  log::AppendRequest request;
  if (at.term > log->hard_state().term) request.hard_state = raft::HardState{at.term, base::NodeId()};
  request.restart = at;
  request.commit = at.index;
  return log->Append(request);
}

}  // namespace

absl::StatusOr<Recovery> Recover(base::FileSystem* files, base::Random* random, const std::string& path, base::NodeId id,
                                 const std::string& address, const log::Options& options, const tree::Options& tree,
                                 const StartMeter::Tell& progress, Disk opened, base::FeatureLevel known) {
  std::unique_ptr<log::DataDirectory> directory = std::move(opened.directory);
  if (directory == nullptr) {
    DROVER_ASSIGN_OR_RETURN(directory, OpenDirectory(files, random, path, id, known));
  }
  const log::Identity& identity = *directory->identity();
  // Of a crash in the midst of founding, the log may have its cluster already and the identity not.
  const base::ClusterId cluster = identity.cluster.value != 0 ? identity.cluster : base::ClusterId(NextNotZero(random));
  Recovery recovery;
  log::SnapshotHead head;
  DROVER_RETURN_IF_ERROR(log::RemoveUnfinishedSnapshots(directory->fs(), directory->path()));
  if (opened.log != nullptr) {
    recovery.disk.log = std::move(opened.log);
  } else {
    log::Options checked = options;
    checked.check_configuration = LevelCheck(path, known);
    DROVER_RETURN_IF_ERROR(LoadAndOpenLog(directory.get(), cluster, checked, tree, progress, known, &recovery, &head));
  }
  log::Log* const log = recovery.disk.log.get();
  DROVER_RETURN_IF_ERROR(FollowSnapshot(head, log));
  if (!HasBegun(*log)) {
    DROVER_RETURN_IF_ERROR(FoundLog(
        directory.get(), log, raft::Configuration{log->cluster(), {raft::Member{id, identity.incarnation, address, true}}, known}));
  }

  recovery.incarnation = identity.incarnation;
  recovery.cluster = log->cluster();
  recovery.promised = identity.promised;
  raft::Recovered& raft = recovery.raft;
  DROVER_ASSIGN_OR_RETURN(raft.configurations, Configurations(*log, path));
  raft.hard_state = log->hard_state();
  // Where earlier segments are gone and a truncation reached back behind the first that is left, the term before the first entry is
  // not known. That entry is part of a snapshot, and so the log may as well begin behind it.
  raft::Index before = log->first_index().Previous();
  if (before != raft::Index() && log->TermAt(before) == raft::Term()) before = before.Next();
  raft.terms = raft::TermRuns(before, log->TermAt(before));
  for (raft::Index at = before.Next(); at <= log->last_index(); at = at.Next()) raft.terms.Append(log->TermAt(at));
  const raft::Configuration newest = raft.configurations.empty() ? raft::Configuration() : raft.configurations.rbegin()->second;
  // One voter's durable entries are committed. Of several, what was known when the log's segment was begun; entry 1 always.
  const raft::Index known_committed = std::max({log->commit(), recovery.snapshot.index, raft::Index(1)});
  raft.commit = newest.IsSoleVoter(id, identity.incarnation) ? log->last_index() : std::min(known_committed, log->last_index());
  for (raft::Index at = raft.commit.Next(); at <= log->last_index();) {
    DROVER_ASSIGN_OR_RETURN(std::vector<raft::Entry> entries, log->Read(at, kReplayBytes));
    at = entries.back().index.Next();
    for (raft::Entry& entry : entries) raft.tail.push_back(std::move(entry));
  }
  if (recovery.state != nullptr) {
    recovery.founding = head.founding;
  } else if (log->last_index() != raft::Index()) {
    DROVER_ASSIGN_OR_RETURN(const std::vector<raft::Entry> first, log->Read(raft::Index(1), 1));
    recovery.founding = first.front().payload;
  }
  recovery.disk.directory = std::move(directory);
  return recovery;
}

absl::Status OfFullDisk(const absl::Status& status, const std::string& directory, absl::string_view then) {
  if (!absl::IsResourceExhausted(status)) return status;
  return absl::ResourceExhaustedError(
      absl::StrCat("the disk of data directory ", directory, " is full (", status.message(), "): free some space there, ", then));
}

absl::Status ReplayLog(log::Log* log, raft::Index first, raft::Index last, absl::FunctionRef<void(const raft::Entry&)> apply) {
  for (raft::Index at = first; at <= last;) {
    DROVER_ASSIGN_OR_RETURN(const std::vector<raft::Entry> entries, log->Read(at, kReplayBytes));
    for (const raft::Entry& entry : entries) {
      if (entry.index <= last) apply(entry);
    }
    at = entries.back().index.Next();
  }
  return absl::OkStatus();
}

}  // namespace drover::coord::server

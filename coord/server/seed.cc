#include "coord/server/seed.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "coord/base/status.h"
#include "coord/log/snapshot_file.h"
#include "coord/server/recovery.h"
#include "coord/tree/snapshot_walk.h"

namespace drover::coord::server {
namespace {

constexpr char kName[] = "founding.snap";
constexpr char kUnfinished[] = "founding.snap.tmp";
constexpr char kRestoringMark[] = "restoring";
constexpr char kLock[] = "LOCK";
// By a restore, besides LOCK and mark.
constexpr const char* kMade[] = {kName, kUnfinished, "identity", "identity.tmp"};
constexpr std::size_t kPartBytes = 1U << 20;
constexpr std::size_t kAll = SIZE_MAX;

constexpr absl::string_view kWhatToDo = "The restored state in this directory is damaged: empty the directory and restore again.";

// Where a new cluster's state stands in its log: behind the first entry, which names the members and which all of them write.
constexpr raft::Index kFounding{1};
constexpr raft::Index kState{2};
constexpr raft::Term kFirstTerm{1};

log::SnapshotHead HeadOf(base::ClusterId cluster, std::uint64_t id, const raft::Configuration& members) {
  const base::Bytes configuration = raft::EncodeConfiguration(members);
  return log::SnapshotHead{cluster, id, {kState, kFirstTerm, kFounding, configuration}, configuration};
}

bool Has(const std::vector<std::string>& names, const char* name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status Write(log::SnapshotWriter* writer, tree::SnapshotWalk* walk) {
  bool more = true;
  while (more) {
    more = walk->Step(kAll, kPartBytes);
    do {
      DROVER_RETURN_IF_ERROR(writer->Add(walk->TakePart()));
    } while (walk->part_bytes() > 0);
  }
  return writer->Finish();
}

absl::Status CopyParts(log::SnapshotReader* reader, log::SnapshotWriter* writer) {
  while (true) {
    DROVER_ASSIGN_OR_RETURN(const std::optional<std::string> part, reader->Next());
    if (!part) return writer->Finish();
    DROVER_RETURN_IF_ERROR(writer->Add(*part));
  }
}

}  // namespace

namespace {

absl::Status MakeMarked(base::FileSystem* files, const std::string& directory) {
  DROVER_RETURN_IF_ERROR(files->MakeDirectory(directory));
  const auto mark = files->Open(absl::StrCat(directory, "/", kRestoringMark), base::OpenMode::kCreate);
  if (!absl::IsAlreadyExists(mark.status())) DROVER_RETURN_IF_ERROR(mark.status());
  return files->SyncDirectory(directory);  // also of one that a process made which died before it was durable
}

}  // namespace

absl::Status MarkRestore(base::FileSystem* files, const std::string& directory) {
  if (absl::IsNotFound(files->List(directory).status())) {
    // It is never there without its mark: made under another name first.
    const std::string making = absl::StrCat(absl::StripSuffix(directory, "/"), ".restoring");
    DROVER_RETURN_IF_ERROR(MakeMarked(files, making));
    DROVER_RETURN_IF_ERROR(files->Rename(making, directory));
  }
  return MakeMarked(files, directory);
}

absl::Status UnmarkRestore(base::FileSystem* files, const std::string& directory) {
  DROVER_RETURN_IF_ERROR(files->Remove(absl::StrCat(directory, "/", kRestoringMark)));
  return files->SyncDirectory(directory);
}

absl::Status CheckRestoreEnded(base::FileSystem* files, const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = files->List(directory);
  if (!names.ok()) return absl::OkStatus();  // what is wrong with the directory is told when it is opened
  // The unfinished seed is a mark, too.
  if (!Has(*names, kRestoringMark) && !Has(*names, kUnfinished)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "a restore into data directory ", directory,
      " was interrupted, and no node starts there: give drover cluster snapshot restore again, with the same --data; or "
      "empty the directory, if the node is to begin without the backup"));
}

bool IsOfRestore(absl::string_view name) {
  return name == kLock || name == kRestoringMark || std::find(std::begin(kMade), std::end(kMade), name) != std::end(kMade);
}

absl::Status ClearRestore(base::FileSystem* files, const std::string& directory) {
  const auto path = [&directory](absl::string_view name) { return absl::StrCat(directory, "/", name); };
  DROVER_ASSIGN_OR_RETURN(const auto locked, files->Lock(path(kLock)));
  for (const char* const name : kMade) {
    if (const absl::Status removed = files->Remove(path(name)); !absl::IsNotFound(removed)) DROVER_RETURN_IF_ERROR(removed);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Seed>> FindSeed(base::FileSystem* files, const std::string& directory) {
  DROVER_RETURN_IF_ERROR(CheckRestoreEnded(files, directory));
  const absl::StatusOr<std::vector<std::string>> names = files->List(directory);
  if (!names.ok() || !Has(*names, kName)) return std::nullopt;
  const std::string path = absl::StrCat(directory, "/", kName);
  DROVER_ASSIGN_OR_RETURN(const auto reader, log::SnapshotReader::Open(files, path, std::nullopt, kWhatToDo));
  absl::StatusOr<raft::Configuration> members = raft::DecodeConfiguration(reader->head().founding.view());
  if (absl::IsUnimplemented(members.status())) return base::Annotate(members.status(), path);
  if (!members.ok() || members->members.empty()) return log::Damage(path, 0, "it names no members", kWhatToDo);
  return Seed{reader->head().cluster, MembersOf(*members), members->feature_level};
}

absl::Status VerifySeed(base::FileSystem* files, const std::string& directory) {
  DROVER_ASSIGN_OR_RETURN(const auto reader,
                          log::SnapshotReader::Open(files, absl::StrCat(directory, "/", kName), std::nullopt, kWhatToDo));
  while (true) {
    DROVER_ASSIGN_OR_RETURN(const std::optional<std::string> part, reader->Next());
    if (!part) return absl::OkStatus();
  }
}

absl::Status WriteSeed(base::FileSystem* files, base::Random* random, const std::string& directory, const Seed& seed,
                       tree::StateMachine* state, base::WallTime taken) {
  raft::Configuration members{seed.cluster, {}, state->feature_level()};
  for (const auto& [id, address] : seed.members) members.members.push_back({id, base::Incarnation(), address, true});
  log::SnapshotWriter::Options options;
  options.name = kName;
  const log::SnapshotHead head = HeadOf(seed.cluster, NextNotZero(random), members);
  DROVER_ASSIGN_OR_RETURN(const auto writer, log::SnapshotWriter::Begin(files, directory, head, options));
  tree::SnapshotWalk walk(state, taken);
  const absl::Status written = Write(writer.get(), &walk);
  if (!written.ok()) writer->Discard();
  return written;
}

absl::Status FoundFromSeed(log::DataDirectory* directory, const raft::Configuration& founders, const log::Options& options) {
  DROVER_RETURN_IF_ERROR(directory->Promise(founders.feature_level));
  // The log first: with it the directory is of the seed's cluster, and of no other, whatever happens. Until there is the snapshot,
  // a start begins again from the seed; from then on it goes on from the snapshot.
  {
    DROVER_ASSIGN_OR_RETURN(const auto log, OpenLog(directory, founders.cluster, options));
    DROVER_RETURN_IF_ERROR(JoinLog(log.get()));
  }
  base::FileSystem* const files = directory->fs();
  DROVER_ASSIGN_OR_RETURN(const auto reader,
                          log::SnapshotReader::Open(files, directory->PathOf(kName), founders.cluster, kWhatToDo));
  const log::SnapshotHead head = HeadOf(founders.cluster, reader->head().id, founders);
  DROVER_ASSIGN_OR_RETURN(const auto writer, log::SnapshotWriter::Begin(files, directory->path(), head, {}));
  const absl::Status copied = CopyParts(reader.get(), writer.get());
  if (!copied.ok()) writer->Discard();
  return copied;
}

void RemoveSeed(base::FileSystem* files, const std::string& directory) {
  if (files->Remove(absl::StrCat(directory, "/", kName)).ok()) (void)files->SyncDirectory(directory);
}

}  // namespace drover::coord::server

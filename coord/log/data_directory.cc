#include "coord/log/data_directory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/checksum.h"
#include "coord/base/disk_version.h"
#include "coord/base/status.h"
#include "coord/log/frame.h"
#include "coord/log/segment.h"
#include "coord/log/snapshot_file.h"

namespace drover::coord::log {
namespace {

constexpr absl::string_view kIdentityMagic = "DROVERID";
// Of a directory that has promised nothing beyond the first level, and of others: what reads version 1 alone refuses these.
constexpr std::uint32_t kVersion = 1;
constexpr std::uint32_t kVersionWithPromise = 2;
static_assert(kVersionWithPromise == base::kDiskVersion);
static_assert(kFormatVersion <= base::kDiskVersion && kSnapshotVersion <= base::kDiskVersion);
constexpr std::size_t kBytes = 48;

constexpr char kLockName[] = "LOCK";
constexpr char kName[] = "identity";
constexpr char kTemporaryName[] = "identity.tmp";

}  // namespace

std::string EncodeIdentity(const Identity& identity) {
  std::string contents(kIdentityMagic.data(), kIdentityMagic.size());
  const bool promises = identity.promised > base::kFirstFeatureLevel;
  PutU32(promises ? kVersionWithPromise : kVersion, &contents);
  PutU32(promises ? identity.promised.value : 0, &contents);
  PutU64(identity.node.value, &contents);
  PutU64(identity.incarnation.value, &contents);
  PutU64(identity.cluster.value, &contents);
  PutU64(base::Checksum(contents), &contents);
  return contents;
}

absl::StatusOr<Identity> DecodeIdentity(absl::string_view contents) {
  if (contents.size() >= 12 && contents.substr(0, kIdentityMagic.size()) == kIdentityMagic &&
      GetU32(contents, 8) > base::kDiskVersion) {
    return absl::FailedPreconditionError(absl::StrCat("identity format version ", GetU32(contents, 8),
                                                      "; this program reads versions up to ", base::kDiskVersion,
                                                      ": use the newer program"));
  }
  const absl::Status damaged = absl::DataLossError(absl::StrCat("the identity of this node is damaged. ", kLostIdentity));
  if (contents.size() != kBytes || contents.substr(0, kIdentityMagic.size()) != kIdentityMagic ||
      GetU64(contents, kBytes - 8) != base::Checksum(contents.substr(0, kBytes - 8))) {
    return damaged;
  }
  const std::uint32_t version = GetU32(contents, 8);
  if (version < kVersion) return damaged;
  Identity identity{base::NodeId(GetU64(contents, 16)), base::Incarnation(GetU64(contents, 24)),
                    base::ClusterId(GetU64(contents, 32))};
  if (version < kVersionWithPromise) return identity;
  identity.promised = base::FeatureLevel(GetU32(contents, 12));
  if (identity.promised <= base::kFirstFeatureLevel) return damaged;  // it would be of version 1
  return identity;
}

absl::Status MissingIdentity(const std::string& directory) {
  return absl::DataLossError(absl::StrCat(directory, "/", kName, " is missing, but there is a log. ", kLostIdentity));
}

absl::Status MissingLog(const std::string& directory) {
  return Damage(directory, 0, "this node has had a log, and it is gone");
}

DataDirectory::DataDirectory(base::FileSystem* fs, std::string path, std::unique_ptr<base::FileLock> lock)
    : fs_(fs), path_(std::move(path)), lock_(std::move(lock)) {}

absl::StatusOr<std::unique_ptr<DataDirectory>> DataDirectory::Open(base::FileSystem* fs, const std::string& path) {
  DROVER_RETURN_IF_ERROR(fs->MakeDirectory(path));
  absl::StatusOr<std::unique_ptr<base::FileLock>> locked = fs->Lock(path + "/" + kLockName);
  if (absl::IsFailedPrecondition(locked.status())) {
    return absl::FailedPreconditionError(absl::StrCat(
        locked.status().message(), ": a directory is of one process; stop that one, or give this one another directory"));
  }
  DROVER_ASSIGN_OR_RETURN(std::unique_ptr<base::FileLock> lock, std::move(locked));
  std::unique_ptr<DataDirectory> directory(new DataDirectory(fs, path, std::move(lock)));
  const absl::StatusOr<std::unique_ptr<base::File>> file = fs->Open(directory->PathOf(kName), base::OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return directory;
  DROVER_RETURN_IF_ERROR(file.status());
  DROVER_ASSIGN_OR_RETURN(const std::string contents, (*file)->ReadAt(0, kBytes + 1));
  absl::StatusOr<Identity> identity = DecodeIdentity(contents);
  if (!identity.ok()) return base::Annotate(identity.status(), directory->PathOf(kName));
  directory->identity_ = *identity;
  // A process that died after its rename may have left it un-synced; whoever has read it must be able to rely on it.
  DROVER_RETURN_IF_ERROR(fs->SyncDirectory(path));
  return directory;
}

absl::Status DataDirectory::CreateIdentity(base::NodeId node, base::Incarnation incarnation) {
  if (identity_)
    return absl::FailedPreconditionError(absl::StrCat(PathOf(kName), " exists already: an identity is never replaced"));
  if (node.value == 0 || incarnation.value == 0) return absl::InvalidArgumentError("node id and incarnation must not be 0");
  DROVER_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs_->List(path_));
  if (std::any_of(names.begin(), names.end(), [](const std::string& name) { return ParseSegmentName(name).has_value(); })) {
    return MissingIdentity(path_);
  }
  return Write(Identity{node, incarnation, base::ClusterId()});
}

absl::Status DataDirectory::AdoptCluster(base::ClusterId cluster) {
  if (!identity_) return absl::FailedPreconditionError(absl::StrCat(path_, " has no identity yet"));
  if (identity_->cluster == cluster) return absl::OkStatus();
  if (identity_->cluster.value != 0) {
    return absl::FailedPreconditionError(absl::StrCat(path_, " belongs to another cluster already"));
  }
  Identity next = *identity_;
  next.cluster = cluster;
  return Write(next);
}

absl::Status DataDirectory::Promise(base::FeatureLevel level) {
  if (!identity_) return absl::FailedPreconditionError(absl::StrCat(path_, " has no identity yet"));
  if (identity_->promised >= level) return absl::OkStatus();
  Identity next = *identity_;
  next.promised = level;
  return Write(next);
}

absl::Status DataDirectory::MendIdentity() {
  if (!identity_) return absl::FailedPreconditionError(absl::StrCat(path_, " has no identity yet"));
  const absl::StatusOr<std::unique_ptr<base::File>> file = fs_->Open(PathOf(kName), base::OpenMode::kRead);
  if (file.ok()) {
    const absl::StatusOr<std::string> contents = (*file)->ReadAt(0, kBytes + 1);
    if (contents.ok() && *contents == EncodeIdentity(*identity_)) return absl::OkStatus();
  }
  return Write(*identity_);
}

absl::Status DataDirectory::Write(const Identity& identity) {
  const std::string temporary = PathOf(kTemporaryName);
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<base::File> file, base::CreateAnew(fs_, temporary));
  DROVER_RETURN_IF_ERROR(file->WriteAt(0, EncodeIdentity(identity)));
  DROVER_RETURN_IF_ERROR(file->Sync());
  DROVER_RETURN_IF_ERROR(fs_->Rename(temporary, PathOf(kName)));
  DROVER_RETURN_IF_ERROR(fs_->SyncDirectory(path_));
  identity_ = identity;
  return absl::OkStatus();
}

}  // namespace drover::coord::log

#include "coord/log/snapshot_file.h"

#include <zstd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/checksum.h"
#include "coord/base/status.h"

namespace drover::coord::log {
namespace {

constexpr absl::string_view kSnapshotMagic = "DROVRSNP";
constexpr std::uint32_t kPartMagic = 0x50535244;  // "DRSP"
constexpr std::uint32_t kEndMagic = 0x45535244;   // "DRSE"
constexpr std::uint64_t kHeadBytes = 64;          // without the configurations and the checksum
constexpr std::uint64_t kPartHeadBytes = 24;
constexpr std::uint64_t kEndBytes = 24;
constexpr std::uint64_t kConfigurationBytesMax = 1U << 20;
// What zstd stores takes at least four bytes for each block, and a block stands for at most 128 KiB.
constexpr std::uint64_t kBytesForEachStoredMax = (std::uint64_t{128} << 10) / 4;

// Of a file that is no snapshot: what it looks like, if that is known; words to be appended.
absl::string_view Looks(absl::string_view begin) {
  if (absl::StartsWith(begin, "\x28\xb5\x2f\xfd") || absl::StartsWith(begin, "\x1f\x8b")) {
    return " but something compressed: decompress it, and try what is in it";
  }
  if (absl::StartsWith(begin, "DRFR")) return " but a segment of a log, of which drover-coord log verify reads the whole directory";
  if (absl::StartsWith(begin, R"({"format":"drover-subtree")"))
    return " but what drover tree export has written, for drover tree import";
  return "";
}

std::string EncodeHead(const SnapshotHead& head) {
  std::string out(kSnapshotMagic.data(), kSnapshotMagic.size());
  PutU32(kSnapshotVersion, &out);
  PutU32(static_cast<std::uint32_t>(head.at.configuration.size()), &out);
  PutU64(head.cluster.value, &out);
  PutU64(head.id, &out);
  PutU64(head.at.index.value, &out);
  PutU64(head.at.term.value, &out);
  PutU64(head.at.configuration_index.value, &out);
  PutU32(static_cast<std::uint32_t>(head.founding.size()), &out);
  PutU32(0, &out);
  for (const base::Bytes& configuration : {head.at.configuration, head.founding}) {
    out.append(configuration.view().data(), configuration.size());
    out.resize(Padded(out.size()));
  }
  PutU64(base::Checksum(out), &out);
  return out;
}

std::uint64_t Link(std::uint64_t chain, std::uint64_t checksum) {
  std::string both;
  PutU64(chain, &both);
  PutU64(checksum, &both);
  return base::Checksum(both);
}

// Of a part: where it belongs (the snapshot's id and its number), its head and its bytes.
std::uint64_t PartChecksum(std::uint64_t id, std::uint64_t number, absl::string_view head, absl::string_view stored) {
  std::string place;
  PutU64(id, &place);
  PutU64(number, &place);
  return base::Checksum({place, head, stored});
}

}  // namespace

std::string SnapshotName(raft::Index index) {
  return absl::StrFormat("snapshot-%016x.snap", index.value);
}

std::optional<raft::Index> ParseSnapshotName(absl::string_view name) {
  std::uint64_t index = 0;
  if (!absl::StartsWith(name, "snapshot-") || !absl::EndsWith(name, ".snap") || name.size() != 30) return std::nullopt;
  if (!absl::SimpleHexAtoi(name.substr(9, 16), &index) || SnapshotName(raft::Index(index)) != name) return std::nullopt;
  return raft::Index(index);
}

// Writing ---------------------------------------------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<SnapshotWriter>> SnapshotWriter::Begin(base::FileSystem* fs, const std::string& directory,
                                                                      const SnapshotHead& head, const Options& options) {
  std::unique_ptr<SnapshotWriter> writer(new SnapshotWriter(fs, directory, head, options));
  DROVER_ASSIGN_OR_RETURN(writer->file_, base::CreateAnew(fs, writer->path_ + ".tmp"));
  const std::string encoded = EncodeHead(head);
  writer->chain_ = GetU64(encoded, encoded.size() - 8);
  const absl::Status written = writer->Write(encoded);
  if (!written.ok()) writer->Discard();
  DROVER_RETURN_IF_ERROR(written);
  return writer;
}

void SnapshotWriter::Discard() {
  if (finished_ || file_ == nullptr) return;
  file_.reset();
  (void)fs_->Remove(path_ + ".tmp");
}

absl::Status SnapshotWriter::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::uint64_t>(bytes.size(), synced_ + options_.sync_bytes - at_);
    DROVER_RETURN_IF_ERROR(file_->WriteAt(at_, bytes.substr(0, size)));
    at_ += size;
    bytes.remove_prefix(size);
    if (at_ - synced_ < options_.sync_bytes) continue;
    DROVER_RETURN_IF_ERROR(file_->Sync());
    synced_ = at_;
  }
  return absl::OkStatus();
}

absl::Status SnapshotWriter::Add(absl::string_view part) {
  if (part.size() > kSnapshotPartBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a part of ", part.size(), " bytes; at most ", kSnapshotPartBytesMax, " fit"));
  }
  scratch_.clear();
  scratch_.resize(kPartHeadBytes + ZSTD_compressBound(part.size()));
  const std::size_t stored = ZSTD_compress(scratch_.data() + kPartHeadBytes, scratch_.size() - kPartHeadBytes, part.data(),
                                           part.size(), options_.zstd_level);
  if (ZSTD_isError(stored) != 0) return absl::InternalError(absl::StrCat("zstd: ", ZSTD_getErrorName(stored)));
  std::string head;
  PutU32(kPartMagic, &head);
  PutU32(static_cast<std::uint32_t>(stored), &head);
  PutU64(part.size(), &head);
  const std::uint64_t checksum = PartChecksum(head_.id, parts_, head, absl::string_view(scratch_).substr(kPartHeadBytes, stored));
  PutU64(checksum, &head);
  scratch_.replace(0, kPartHeadBytes, head);
  scratch_.resize(kPartHeadBytes + stored);
  scratch_.resize(Padded(scratch_.size()));
  ++parts_;
  chain_ = Link(chain_, checksum);
  return Write(scratch_);
}

absl::Status SnapshotWriter::Finish() {
  std::string end;
  PutU32(kEndMagic, &end);
  PutU32(0, &end);
  PutU64(parts_, &end);
  PutU64(Link(chain_, parts_), &end);
  DROVER_RETURN_IF_ERROR(file_->WriteAt(at_, end));
  at_ += end.size();
  DROVER_RETURN_IF_ERROR(file_->Sync());
  DROVER_RETURN_IF_ERROR(fs_->Rename(path_ + ".tmp", path_));
  finished_ = true;
  return fs_->SyncDirectory(directory_);
}

// Reading ---------------------------------------------------------------------------------------------------------------------

absl::Status SnapshotReader::Damaged(absl::string_view what) const {
  return Damage(path_, at_, what, what_to_do_);
}

absl::StatusOr<std::string> SnapshotReader::ReadExactly(std::uint64_t size, absl::string_view what) {
  if (size > size_ - at_) return Damaged(absl::StrCat("the file ends within ", what));
  DROVER_ASSIGN_OR_RETURN(std::string bytes, file_->ReadAt(at_, size));
  if (bytes.size() != size) return Damaged(absl::StrCat("the file ends within ", what));
  return bytes;
}

absl::StatusOr<std::unique_ptr<SnapshotReader>> SnapshotReader::Open(base::FileSystem* fs, const std::string& path,
                                                                     std::optional<base::ClusterId> cluster,
                                                                     absl::string_view what_to_do) {
  DROVER_ASSIGN_OR_RETURN(std::unique_ptr<base::File> file, fs->Open(path, base::OpenMode::kRead));
  DROVER_ASSIGN_OR_RETURN(const std::uint64_t size, file->Size());
  std::unique_ptr<SnapshotReader> reader(new SnapshotReader(std::move(file), path, size, what_to_do));
  DROVER_RETURN_IF_ERROR(reader->ReadHead(cluster));
  return reader;
}

absl::Status SnapshotReader::ReadHead(std::optional<base::ClusterId> cluster) {
  DROVER_ASSIGN_OR_RETURN(const std::string fixed, ReadExactly(kHeadBytes, "its head"));
  if (fixed.substr(0, kSnapshotMagic.size()) != kSnapshotMagic)
    return Damaged(absl::StrCat("this is not the head of a snapshot", Looks(fixed)));
  // The version before the checksum: a newer one may have another head.
  const std::uint32_t version = GetU32(fixed, 8);
  const std::uint64_t configuration = GetU32(fixed, 12);
  if (version > kSnapshotVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, ": snapshot format version ", version, "; this program reads version ", kSnapshotVersion,
                     ": use the newer program that wrote it, or a later one, to look at it, to restore it and to run its cluster"));
  }
  const std::uint64_t founding = GetU32(fixed, 56);
  if (std::max(configuration, founding) > kConfigurationBytesMax) return Damaged("its head is damaged");
  const std::uint64_t founding_at = Padded(kHeadBytes + configuration);
  const std::uint64_t size = Padded(founding_at + founding) + 8;
  DROVER_ASSIGN_OR_RETURN(const std::string bytes, ReadExactly(size, "its head"));
  const std::uint64_t checksum = GetU64(bytes, size - 8);
  if (version == 0 || checksum != base::Checksum(absl::string_view(bytes).substr(0, size - 8)))
    return Damaged("its head is damaged");
  head_.cluster = base::ClusterId(GetU64(bytes, 16));
  head_.id = GetU64(bytes, 24);
  head_.at.index = raft::Index(GetU64(bytes, 32));
  head_.at.term = raft::Term(GetU64(bytes, 40));
  head_.at.configuration_index = raft::Index(GetU64(bytes, 48));
  head_.at.configuration = base::Bytes::Copy(absl::string_view(bytes).substr(kHeadBytes, configuration));
  head_.founding = base::Bytes::Copy(absl::string_view(bytes).substr(founding_at, founding));
  if (cluster && head_.cluster != *cluster) {
    return absl::FailedPreconditionError(absl::StrCat(path_, " is a snapshot of another cluster"));
  }
  at_ = size;
  chain_ = checksum;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> SnapshotReader::Next() {
  if (ended_) return std::nullopt;
  DROVER_ASSIGN_OR_RETURN(const std::string head, ReadExactly(kPartHeadBytes, "a part or its end"));
  if (GetU32(head, 0) == kEndMagic) {
    if (GetU64(head, 8) != parts_ || GetU64(head, 16) != Link(chain_, parts_)) return Damaged("its end is not that of these parts");
    if (GetU32(head, 4) != 0) return Damaged("its end is damaged");
    if (at_ + kEndBytes != size_) return Damaged("something stands behind its end");
    ended_ = true;
    return std::nullopt;
  }
  const std::uint64_t stored_bytes = GetU32(head, 4);
  const std::uint64_t bytes = GetU64(head, 8);
  const std::uint64_t checksum = GetU64(head, 16);
  if (GetU32(head, 0) != kPartMagic || bytes > kSnapshotPartBytesMax || bytes > kBytesForEachStoredMax * stored_bytes) {
    return Damaged("this is not the head of a part");
  }
  at_ += kPartHeadBytes;
  DROVER_ASSIGN_OR_RETURN(const std::string padded, ReadExactly(Padded(stored_bytes), "a part"));
  const absl::string_view stored = absl::string_view(padded).substr(0, stored_bytes);
  if (PartChecksum(head_.id, parts_, absl::string_view(head).substr(0, 16), stored) != checksum) {
    at_ -= kPartHeadBytes;
    return Damaged("a part is damaged");
  }
  // No checksum covers the padding.
  if (padded.find_first_not_of('\0', stored_bytes) != std::string::npos) {
    at_ -= kPartHeadBytes;
    return Damaged("the padding of a part is damaged");
  }
  // Before there is room made for it.
  if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != bytes) return Damaged("a part cannot be decompressed");
  std::string part(bytes, '\0');
  const std::size_t got = ZSTD_decompress(part.data(), part.size(), stored.data(), stored.size());
  if (ZSTD_isError(got) != 0 || got != bytes) return Damaged("a part cannot be decompressed");
  at_ += padded.size();
  ++parts_;
  chain_ = Link(chain_, checksum);
  return part;
}

}  // namespace drover::coord::log

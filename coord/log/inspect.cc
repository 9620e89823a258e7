#include "coord/log/inspect.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "coord/base/status.h"
#include "coord/log/log_state.h"
#include "coord/log/scan.h"
#include "coord/log/snapshot_file.h"
#include "coord/log/snapshots.h"

namespace drover::coord::log {
namespace {

class Inspector final : public ScanVisitor {
 public:
  Inspector(InspectVisitor* visitor, Inspection* result) : visitor_(visitor), result_(result) {}

  absl::Status OnSegment(const SegmentReader& segment) override {
    ++result_->segments;
    result_->cluster = segment.header().cluster;
    visitor_->OnSegment(segment.path(), segment.header());
    return state_.ApplySegment(segment.header());
  }
  absl::Status OnFrame(const Frame& frame) override { return Visit(frame, true); }
  absl::Status Visit(const Frame& frame, bool proven) {
    ++result_->frames;
    result_->entries_written += frame.header.entry_count;
    visitor_->OnFrame(frame, proven);
    if (frame.header.entry_count > 0) {
      DROVER_RETURN_IF_ERROR(ForEachEntry(frame, [&](const raft::Entry& entry) { visitor_->OnEntry(entry); }));
    }
    return state_.ApplyFrame(frame);
  }
  [[nodiscard]] const LogState& state() const { return state_; }

 private:
  InspectVisitor* const visitor_;
  Inspection* const result_;
  LogState state_;
};

absl::Status ReadIdentity(base::FileSystem* fs, const std::string& path, std::optional<Identity>* identity) {
  const absl::StatusOr<std::unique_ptr<base::File>> file = fs->Open(path, base::OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return absl::OkStatus();
  DROVER_RETURN_IF_ERROR(file.status());
  DROVER_ASSIGN_OR_RETURN(const std::string contents, (*file)->ReadAt(0, 4096));
  absl::StatusOr<Identity> decoded = DecodeIdentity(contents);
  if (!decoded.ok()) return base::Annotate(decoded.status(), path);
  *identity = *decoded;
  return absl::OkStatus();
}

// From end to end.
absl::StatusOr<Inspection::Snapshot> ReadSnapshot(base::FileSystem* fs, const std::string& path, raft::Index index,
                                                  std::optional<base::ClusterId> cluster) {
  DROVER_ASSIGN_OR_RETURN(const auto reader, SnapshotReader::Open(fs, path, cluster, ""));
  while (true) {
    DROVER_ASSIGN_OR_RETURN(const std::optional<std::string> part, reader->Next());
    if (!part) return Inspection::Snapshot{index, reader->bytes(), reader->parts()};
  }
}

absl::Status InspectSnapshots(base::FileSystem* fs, const std::string& directory, std::optional<base::ClusterId> cluster,
                              Inspection* result) {
  DROVER_ASSIGN_OR_RETURN(const std::vector<raft::Index> indices, ListSnapshots(fs, directory));
  for (const raft::Index index : indices) {
    const auto read = ReadSnapshot(fs, absl::StrCat(directory, "/", SnapshotName(index)), index, cluster);
    if (absl::IsNotFound(read.status())) continue;  // the node that runs there has dropped it meanwhile
    if (absl::IsDataLoss(read.status())) {
      result->damaged_snapshots.push_back(read.status());
      continue;
    }
    DROVER_RETURN_IF_ERROR(read.status());
    result->snapshots.push_back(*read);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Inspection> Inspect(base::FileSystem* fs, const std::string& directory, InspectVisitor* visitor) {
  Inspection result;
  DROVER_RETURN_IF_ERROR(ReadIdentity(fs, directory + "/identity", &result.identity));
  std::optional<base::ClusterId> cluster;
  if (result.identity && result.identity->cluster.value != 0) cluster = result.identity->cluster;
  Inspector inspector(visitor, &result);
  DROVER_ASSIGN_OR_RETURN(const std::vector<std::string> before, fs->List(directory));
  const absl::StatusOr<Scanned> scan = Scan(fs, directory, cluster, &inspector);
  if (!scan.ok()) {
    DROVER_ASSIGN_OR_RETURN(const std::vector<std::string> after, fs->List(directory));
    for (const std::string& name : before) {
      if (ParseSegmentName(name) && !std::binary_search(after.begin(), after.end(), name)) {
        return absl::AbortedError(
            absl::StrCat("the node that runs in ", directory, " has removed ", name, " meanwhile: try again"));
      }
    }
    if (absl::IsNotFound(scan.status()) && cluster) return MissingLog(directory);
    return scan.status();
  }
  const Scanned& scanned = *scan;
  if (cluster && !HasBegun(inspector.state(), scanned)) return MissingLog(directory);
  if (scanned.tail.unproven) {
    DROVER_RETURN_IF_ERROR(inspector.Visit(*scanned.tail.unproven, false));
    result.notes.push_back(absl::StrCat("the last frame, at offset ", scanned.tail.unproven->ref.offset, " of ",
                                        SegmentName(scanned.tail.unproven->ref.segment),
                                        ", is whole but may not have been synced"));
  }
  if (scanned.tail.mark) DROVER_RETURN_IF_ERROR(inspector.Visit(*scanned.tail.mark, false));
  if (scanned.tail.torn_at) {
    result.notes.push_back(absl::StrCat("a torn write at offset ", *scanned.tail.torn_at, " of ",
                                        SegmentName(scanned.chain.back().number), " does not count"));
  }
  for (const std::string& name : scanned.stale) result.notes.push_back(absl::StrCat(name, " is superseded and does not count"));
  result.hard_state = inspector.state().hard_state();
  result.first_index = inspector.state().first_index();
  result.last_index = inspector.state().last_index();
  result.commit = inspector.state().commit();
  for (const std::string& name : scanned.spares) result.notes.push_back(absl::StrCat(name, " waits to become a segment"));
  DROVER_RETURN_IF_ERROR(InspectSnapshots(fs, directory, cluster, &result));
  const absl::Status begins = CheckBeginning(directory, scanned, result.first_index,
                                             result.snapshots.empty() ? raft::Index() : result.snapshots.back().index);
  // That the log does not reach back far enough may be a consequence.
  if (!begins.ok()) {
    if (result.damaged_snapshots.empty()) return begins;
    return absl::DataLossError(absl::StrCat(result.damaged_snapshots.back().message(), ". ", kDamagedLog));
  }
  // Rightly so only of a node that died just then: its disk was behind what it had applied, or a snapshot had come from another
  // node.
  if (!result.snapshots.empty() && result.snapshots.back().index > result.last_index) {
    result.notes.push_back(absl::StrCat("the log ends with entry ", result.last_index.value,
                                        ", before the newest snapshot, that up to entry ", result.snapshots.back().index.value,
                                        ": unless this node died as it took or received that, the last segments are missing"));
  }
  // A new node's identity is written before its log: one that was not there a moment ago may be.
  if (!result.identity) DROVER_RETURN_IF_ERROR(ReadIdentity(fs, directory + "/identity", &result.identity));
  if (!result.identity) return MissingIdentity(directory);
  return result;
}

std::string WithoutAdvice(const absl::Status& refusal) {
  absl::string_view words = refusal.message();
  for (const absl::string_view advice : {kDamagedLog, kLostIdentity}) {
    if (absl::ConsumeSuffix(&words, advice)) absl::ConsumeSuffix(&words, ". ");
  }
  return std::string(words);
}

}  // namespace drover::coord::log

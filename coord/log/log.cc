#include "coord/log/log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/base/hooks.h"
#include "coord/base/status.h"

namespace drover::coord::log {
namespace {

// Builds the state that the proven frames of a directory describe.
class StateBuilder final : public ScanVisitor {
 public:
  explicit StateBuilder(LogState* state) : state_(state) {}
  absl::Status OnSegment(const SegmentReader& segment) override { return state_->ApplySegment(segment.header()); }
  absl::Status OnFrame(const Frame& frame) override { return state_->ApplyFrame(frame); }

 private:
  LogState* const state_;
};

}  // namespace

Log::Log(DataDirectory* directory, const Options& options, base::ClusterId cluster)
    : directory_(directory),
      fs_(directory->fs()),
      options_(options),
      cluster_(cluster),
      spares_(fs_, directory->path(),
              {.files_max = options.spares_max,
               .file_bytes_min = options.segment_bytes / 2,
               .file_bytes_max = options.segment_bytes,
               .step_bytes = options.spare_step_bytes}),
      remains_(fs_, options.shrink_step_bytes) {}

// Opening ---------------------------------------------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<Log>> Log::Open(DataDirectory* directory, const Options& options) {
  if (!directory->identity()) return absl::FailedPreconditionError(absl::StrCat(directory->path(), " has no identity yet"));
  std::optional<base::ClusterId> cluster;
  if (directory->identity()->cluster.value != 0) cluster = directory->identity()->cluster;
  LogState state;
  StateBuilder builder(&state);
  const absl::StatusOr<Scanned> scanned = Scan(directory->fs(), directory->path(), cluster, &builder);
  if (!scanned.ok() && !absl::IsNotFound(scanned.status())) return scanned.status();
  std::unique_ptr<Log> log;
  if (scanned.ok() && HasBegun(state, *scanned)) {
    log.reset(new Log(directory, options, scanned->chain.front().cluster));
    log->state_ = std::move(state);
    DROVER_RETURN_IF_ERROR(log->Recover(*scanned));
    DROVER_RETURN_IF_ERROR(directory->AdoptCluster(log->cluster_));
    return log;
  }
  if (cluster) return MissingLog(directory->path());
  if (options.cluster_if_new.value == 0) return absl::NotFoundError("no log has begun yet");
  log.reset(new Log(directory, options, options.cluster_if_new));
  // Of a process that died before it had written anything, perhaps of another cluster that was to be joined.
  if (scanned.ok()) {
    for (const SegmentHeader& header : scanned->chain) log->RemoveQuietly(SegmentName(header.number));
    for (const std::string& name : scanned->stale) log->RemoveQuietly(name);
  }
  DROVER_RETURN_IF_ERROR(log->state_.ApplySegment(SegmentHeader{}));
  DROVER_RETURN_IF_ERROR(log->BeginSegment(1, FrameRef{}, FrameHeader{}, nullptr));
  return log;
}

absl::Status Log::Recover(const Scanned& scanned) {
  const SegmentHeader& last = scanned.chain.back();
  const std::optional<Frame> unproven = DROVER_BREAK("cut-proven-frame") ? std::nullopt : scanned.tail.unproven;
  LogState whole = state_;
  if (unproven) DROVER_RETURN_IF_ERROR(whole.ApplyFrame(*unproven));
  DROVER_RETURN_IF_ERROR(CheckBeginning(directory_->path(), scanned, whole.first_index(), options_.snapshot_index));
  for (const auto& [index, configuration] : whole.configurations()) {
    if (options_.check_configuration) DROVER_RETURN_IF_ERROR(options_.check_configuration(configuration.view()));
  }
  // A last segment without a proven frame is superseded whole, so that restarts do not pile up empty ones.
  const bool supersede = scanned.tail.header_only;
  for (const SegmentHeader& header : scanned.chain) {
    if (supersede && header.number == last.number) break;
    Segment& segment = segments_[header.number];
    segment.path = directory_->PathOf(SegmentName(header.number));
    DROVER_ASSIGN_OR_RETURN(segment.file, fs_->Open(segment.path, base::OpenMode::kRead));
    DROVER_ASSIGN_OR_RETURN(segment.bytes, segment.file->Size());
  }
  const FrameRef previous = supersede ? last.previous : scanned.tail.proven;
  // Never behind the old tail: a torn write or a frame that was never synced lies there. If that frame is whole it may have been
  // acknowledged, so it goes on in the new segment, and is synced before anybody relies on it.
  if (unproven) {
    std::string frame = StartFrame();
    frame.append(unproven->payload.view().data(), unproven->payload.size());
    DROVER_RETURN_IF_ERROR(BeginSegment(scanned.highest_number + 1, previous, unproven->header, &frame));
  } else {
    DROVER_RETURN_IF_ERROR(BeginSegment(scanned.highest_number + 1, previous, FrameHeader{}, nullptr));
  }
  state_.NoteBaseTerm(options_.snapshot_index, options_.snapshot_term);
  if (supersede) RemoveQuietly(SegmentName(last.number));
  for (const std::string& name : scanned.stale) RemoveQuietly(name);
  // Only now: the directory was synced, so that no crash brings such a file back as a segment.
  for (const std::string& name : scanned.spares) spares_.Adopt(name);
  return absl::OkStatus();
}

// Writing ---------------------------------------------------------------------------------------------------------------------

absl::Status Log::Check(const AppendRequest& request) const {
  const raft::HardState now = hard_state();
  const raft::HardState next = request.hard_state.value_or(now);
  if (next.term < now.term) return absl::InvalidArgumentError("the term would go back");
  if (next.term == now.term && now.vote.value != 0 && next.vote != now.vote) {
    return absl::InvalidArgumentError("a second vote in one term");
  }
  raft::Index last = last_index();
  raft::Term term = TermAt(last);
  std::uint64_t bytes = 0;
  if (request.restart) {
    const Restart& restart = *request.restart;
    if (request.truncate_from) return absl::InvalidArgumentError("a restart leaves nothing to truncate");
    if (restart.index.value == 0 || restart.index < commit()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a restart after entry ", restart.index.value, " of a log that is committed up to ", commit().value));
    }
    if (restart.term.value == 0 || restart.term > next.term) {
      return absl::InvalidArgumentError(
          absl::StrCat("a restart after an entry of term ", restart.term.value, " in a log of term ", next.term.value));
    }
    if (restart.configuration_index.value == 0 || restart.configuration_index > restart.index) {
      return absl::InvalidArgumentError(
          absl::StrCat("a restart after entry ", restart.index.value, " without a configuration from before"));
    }
    last = restart.index;
    term = restart.term;
    bytes += kRestartHeaderBytes + Padded(restart.configuration.size());
  }
  if (request.truncate_from) {
    if (*request.truncate_from > last || *request.truncate_from < first_index()) {
      return absl::InvalidArgumentError(
          absl::StrCat("truncation from ", request.truncate_from->value, ", which is not in the log"));
    }
    if (*request.truncate_from <= commit()) {
      return absl::InvalidArgumentError(
          absl::StrCat("truncation from ", request.truncate_from->value, " of a log that is committed up to ", commit().value));
    }
    last = request.truncate_from->Previous();
    term = TermAt(last);
  }
  for (const raft::Entry& entry : request.entries) {
    if (entry.index != last.Next()) {
      return absl::InvalidArgumentError(absl::StrCat("entry ", entry.index.value, " does not follow ", last.value));
    }
    if (entry.term < term || entry.term > next.term || entry.term.value == 0) {
      return absl::InvalidArgumentError(absl::StrCat("entry ", entry.index.value, " of term ", entry.term.value, " behind term ",
                                                     term.value, " in a log of term ", next.term.value));
    }
    last = entry.index;
    term = entry.term;
    bytes += kEntryHeaderBytes + Padded(entry.payload.size());
  }
  if (bytes > kPayloadBytesMax) return absl::InvalidArgumentError("more than 2 GiB in one append");
  return absl::OkStatus();
}

absl::Status Log::Append(const AppendRequest& request) {
  DROVER_RETURN_IF_ERROR(poison_);
  DROVER_RETURN_IF_ERROR(Check(request));
  // What is committed behind a truncation are the entries that replace the present ones; and a snapshot's history is another one.
  if (!request.restart) {
    state_.NoteCommit(request.truncate_from ? std::min(request.commit, request.truncate_from->Previous()) : request.commit);
  }
  const bool loses = request.truncate_from && DROVER_BREAK("truncate-loses-vote");
  const raft::HardState next = loses ? hard_state() : request.hard_state.value_or(hard_state());
  if (request.entries.empty() && !request.truncate_from && !request.restart && next == hard_state()) return absl::OkStatus();
  std::string frame = StartFrame();
  std::uint64_t bytes = kFrameHeaderBytes;
  for (const raft::Entry& entry : request.entries) bytes += kEntryHeaderBytes + Padded(entry.payload.size());
  frame.reserve(bytes);
  if (request.restart) AppendRestart(*request.restart, &frame);
  for (const raft::Entry& entry : request.entries) AppendEntry(entry, &frame);
  raft::Index first = request.truncate_from.value_or(last_index().Next());
  if (request.restart) first = request.restart->index.Next();
  const FrameHeader header{.type = request.restart ? FrameType::kRestart : FrameType::kBatch,
                           .truncates = request.truncate_from.has_value(),
                           .hard_state = next,
                           .first_index = first,
                           .entry_count = static_cast<std::uint32_t>(request.entries.size())};
  DROVER_RETURN_IF_ERROR(WriteFrame(header, &frame));
  state_.NoteCommit(request.commit);
  // Behind the first frame: a directory that knows its cluster and has no log has lost it.
  if (directory_->identity()->cluster.value != 0) return absl::OkStatus();
  const absl::Status adopted = directory_->AdoptCluster(cluster_);
  return adopted.ok() ? adopted : Poison(adopted);
}

absl::Status Log::Prove() {
  DROVER_RETURN_IF_ERROR(poison_);
  if (proven_ || tail_unclean_) return absl::OkStatus();
  std::string frame = StartFrame();
  const FrameHeader header{.type = FrameType::kProof, .hard_state = hard_state(), .first_index = last_index().Next()};
  return WriteFrame(header, &frame);
}

absl::Status Log::WriteFrame(const FrameHeader& header, std::string* frame) {
  const bool full = has_frames_ && end_ + frame->size() > options_.segment_bytes && header.type != FrameType::kProof;
  if (full || tail_unclean_) return BeginSegment(segments_.rbegin()->first + 1, last_synced_, header, frame);
  DROVER_RETURN_IF_ERROR(Reserve(end_ + frame->size()));
  const std::uint64_t number = segments_.rbegin()->first;
  base::File* const file = segments_.rbegin()->second.file.get();
  const FrameRef ref{.segment = number, .offset = end_, .checksum = SealFrame({cluster_, number, end_}, header, frame)};
  if (const absl::Status written = file->WriteAt(end_, *frame); !written.ok()) {
    if (!absl::IsResourceExhausted(written)) return Poison(written);
    // Nobody knows how much of it is there. Nothing is ever written over or behind it; a next segment's header leaves it out.
    tail_unclean_ = true;
    return written;
  }
  if (const absl::Status synced = DROVER_BREAK("skip-fsync") ? absl::OkStatus() : file->Sync(); !synced.ok()) return Poison(synced);
  last_synced_ = ref;
  end_ += frame->size();
  has_frames_ = true;
  proven_ = header.type == FrameType::kProof;
  Applied(header, *frame, ref);
  return absl::OkStatus();
}

void Log::DropSpares() {
  spares_.Drop();
  remains_.Drop();
}

absl::Status Log::Reserve(std::uint64_t bytes) {
  Segment& segment = segments_.rbegin()->second;
  if (bytes <= segment.bytes) return absl::OkStatus();
  const std::uint64_t step = std::min(std::max(segment.bytes, options_.allocate_first_bytes), options_.allocate_step_bytes);
  const std::uint64_t ample = std::max(bytes, std::min(segment.bytes + step, options_.segment_bytes));
  std::uint64_t size = ample;
  absl::Status status = segment.file->Allocate(size);
  if (absl::IsResourceExhausted(status) && (ample > bytes || spares_.files() > 0 || !remains_.empty())) {
    DropSpares();
    size = bytes;
    status = segment.file->Allocate(size);
  }
  if (absl::IsResourceExhausted(status)) return status;  // at most zeros have been written
  if (!status.ok()) return Poison(status);
  segment.bytes = size;
  return absl::OkStatus();
}

absl::Status Log::BeginSegment(std::uint64_t number, const FrameRef& previous, const FrameHeader& header, std::string* frame) {
  FrameRef last;
  std::string contents = EncodeSegmentHeader(state_.NextHeader(cluster_, number, previous), &last);
  if (frame != nullptr) {
    const std::uint64_t offset = contents.size();
    last = {.segment = number, .offset = offset, .checksum = SealFrame({cluster_, number, offset}, header, frame)};
    contents += *frame;
  }
  const std::string name = SegmentName(number);
  std::string temporary = directory_->PathOf(name + ".tmp");
  Segment segment{
      .file = nullptr,
      .path = directory_->PathOf(name),
      .bytes = std::max<std::uint64_t>(contents.size(), std::min(options_.allocate_first_bytes, options_.segment_bytes))};
  // Under its own name a segment has a durable header and first frame from the start, so that one without is damaged.
  const auto write = [&]() -> absl::Status {
    if (std::optional<Spares::Ready> spare = spares_.Use()) {
      temporary = std::move(spare->path);
      segment.file = std::move(spare->file);
      segment.bytes = std::max<std::uint64_t>(contents.size(), spare->bytes);
      return segment.file->WriteAt(0, contents);
    }
    DROVER_ASSIGN_OR_RETURN(segment.file, base::CreateAnew(fs_, temporary));
    DROVER_RETURN_IF_ERROR(segment.file->WriteAt(0, contents));
    return segment.file->Allocate(segment.bytes);
  };
  const std::size_t spares = spares_.files();
  absl::Status status = write();
  if (status.ok()) {
    if (const absl::Status synced = segment.file->Sync(); !synced.ok()) return Poison(synced);
    status = fs_->Rename(temporary, segment.path);
  }
  // Somebody has removed the spare that it was to be.
  if (absl::IsNotFound(status) && spares_.files() < spares) return BeginSegment(number, previous, header, frame);
  if (absl::IsResourceExhausted(status)) {  // nothing refers to it yet
    (void)fs_->Remove(temporary);
    if (spares_.files() == 0 && remains_.empty()) return status;
    DropSpares();
    return BeginSegment(number, previous, header, frame);
  }
  if (!status.ok()) return Poison(status);
  const absl::Status named = DROVER_BREAK("forget-dir-sync") ? absl::OkStatus() : fs_->SyncDirectory(directory_->path());
  if (!named.ok()) return Poison(named);

  segments_[number] = std::move(segment);
  end_ = contents.size();
  last_synced_ = last;
  has_frames_ = frame != nullptr;
  proven_ = frame == nullptr;
  tail_unclean_ = false;
  if (frame != nullptr) Applied(header, *frame, last);
  return absl::OkStatus();
}

void Log::Applied(const FrameHeader& header, const std::string& frame, const FrameRef& ref) {
  const Frame applied{.header = header,
                      .payload = base::Bytes(nullptr, absl::string_view(frame).substr(kFrameHeaderBytes)),  // ApplyFrame keeps none
                      .ref = ref,
                      .size = frame.size()};
  const absl::Status status = state_.ApplyFrame(applied);
  DROVER_CHECK(status.ok()) << "a frame was written that recovery would refuse: " << status;
}

absl::Status Log::Poison(const absl::Status& status) {
  // Never the code of a full disk: that would invite the caller to go on.
  poison_ = absl::InternalError(
      absl::StrCat("the log cannot be trusted after this error, the process must end and recover: ", status.message()));
  return poison_;
}

// Reading and dropping --------------------------------------------------------------------------------------------------------

absl::StatusOr<Frame> Log::ReadExtent(const Extent& extent) {
  const auto segment = segments_.find(extent.frame.segment);
  DROVER_CHECK(segment != segments_.end()) << "segment " << extent.frame.segment;
  if (read_last_ && read_last_->ref == extent.frame) return *read_last_;
  DROVER_ASSIGN_OR_RETURN(std::string bytes, segment->second.file->ReadAt(extent.frame.offset, extent.frame_bytes));
  const base::Bytes owned = base::Bytes::Adopt(std::move(bytes));
  std::optional<SealedHeader> sealed;
  if (owned.size() == extent.frame_bytes) {
    sealed = ParseHeader({cluster_, extent.frame.segment, extent.frame.offset}, owned.view());
  }
  if (!sealed || sealed->checksum != extent.frame.checksum || !PayloadIsWhole(*sealed, owned.view().substr(kFrameHeaderBytes))) {
    return Damage(segment->second.path, extent.frame.offset, "a frame was damaged after it had been written");
  }
  read_last_ = Frame{.header = sealed->header,
                     .payload = owned.Share(owned.view().substr(kFrameHeaderBytes)),
                     .ref = extent.frame,
                     .size = extent.frame_bytes};
  return *read_last_;
}

absl::StatusOr<std::vector<raft::Entry>> Log::Read(raft::Index first, std::size_t max_bytes) {
  DROVER_RETURN_IF_ERROR(poison_);
  if (first < first_index() || first > last_index()) {
    return absl::OutOfRangeError(
        absl::StrCat("entry ", first.value, " is not in the log of ", first_index().value, " to ", last_index().value));
  }
  std::vector<raft::Entry> entries;
  std::size_t bytes = 0;
  for (raft::Index index = first; index <= last_index();) {
    const Extent* const extent = state_.Find(index);
    DROVER_CHECK(extent != nullptr) << "entry " << index;
    DROVER_ASSIGN_OR_RETURN(const Frame frame, ReadExtent(*extent));
    bool full = false;
    DROVER_RETURN_IF_ERROR(ForEachEntry(frame, [&](raft::Entry entry) {
      if (full || entry.index < index || entry.index > extent->last()) return;
      bytes += entry.payload.size();
      full = !entries.empty() && bytes > max_bytes;
      if (!full) entries.push_back(std::move(entry));
    }));
    if (full) break;
    index = extent->last().Next();
  }
  return entries;
}

absl::Status Log::Compact(raft::Index before) {
  DROVER_RETURN_IF_ERROR(poison_);
  // Extents lie in the order of their indices, so everything below the segment of the first one still needed can go.
  std::uint64_t keep = segments_.rbegin()->first;
  for (const Extent& extent : state_.extents()) {
    if (extent.last() < before) continue;
    keep = extent.frame.segment;
    break;
  }
  if (segments_.begin()->first == keep) return absl::OkStatus();
  read_last_.reset();
  while (segments_.begin()->first < keep) {
    auto& [number, segment] = *segments_.begin();
    const absl::Status dropped = spares_.Wants(segment.bytes)
                                     ? spares_.Take(segment.path, number, segment.bytes)
                                     : remains_.Remove(segment.path, std::move(segment.file), segment.bytes);
    // Of a file that somebody has removed already, nothing is left to do.
    if (!dropped.ok() && !absl::IsNotFound(dropped)) return Poison(dropped);
    segments_.erase(segments_.begin());
  }
  state_.DropSegmentsBelow(keep);
  if (const absl::Status synced = fs_->SyncDirectory(directory_->path()); !synced.ok()) return Poison(synced);
  return absl::OkStatus();
}

absl::StatusOr<bool> Log::Recycle() {
  DROVER_RETURN_IF_ERROR(poison_);
  if (spares_.filled()) {
    remains_.Shrink();
    return !remains_.empty();
  }
  // A file system that copies what it overwrites may have no space for that, and somebody may have removed the file; the spare is
  // gone then, and not needed.
  const absl::Status filled = spares_.Fill();
  if (!filled.ok() && !absl::IsResourceExhausted(filled) && !absl::IsNotFound(filled)) return Poison(filled);
  return !spares_.filled() || !remains_.empty();
}

std::uint64_t Log::bytes() const {
  std::uint64_t sum = spares_.bytes() + remains_.bytes();
  for (const auto& [number, segment] : segments_) sum += segment.bytes;
  return sum;
}

}  // namespace drover::coord::log

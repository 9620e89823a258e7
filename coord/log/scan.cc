#include "coord/log/scan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/log/spares.h"

namespace drover::coord::log {
namespace {

// An open segment. Heap-allocated, for the reader points to the file.
struct OpenSegment {
  std::unique_ptr<base::File> file;
  std::optional<SegmentReader> reader;
};

absl::StatusOr<OpenSegment> OpenNumber(base::FileSystem* fs, const std::string& directory, std::uint64_t number,
                                       std::optional<base::ClusterId> cluster) {
  OpenSegment open;
  const std::string path = absl::StrCat(directory, "/", SegmentName(number));
  DROVER_ASSIGN_OR_RETURN(open.file, fs->Open(path, base::OpenMode::kRead));
  DROVER_ASSIGN_OR_RETURN(open.reader, SegmentReader::Open(open.file.get(), path, number, cluster));
  return open;
}

// Visits the frames of a segment that has a successor, up to the one that the successor names.
absl::Status ScanClosed(SegmentReader* reader, const FrameRef& last, ScanVisitor* visitor) {
  FrameRef at = reader->header_frame().ref;
  std::uint64_t end = reader->header_frame().end();
  while (at.offset < last.offset) {
    DROVER_ASSIGN_OR_RETURN(const SegmentReader::Result result, reader->ReadFrame(end));
    if (!result.frame) return Damage(reader->path(), end, "a frame is damaged that was synced before the next segment began");
    DROVER_RETURN_IF_ERROR(visitor->OnFrame(*result.frame));
    at = result.frame->ref;
    end = result.frame->end();
  }
  if (at != last) return Damage(reader->path(), last.offset, "this is not the frame that the next segment follows");
  return absl::OkStatus();
}

// At `end` of the last segment begins no whole frame: nothing, a torn write, or damage?
absl::Status JudgeEnd(SegmentReader* reader, std::uint64_t end, std::optional<std::uint64_t> broken_end, Tail* tail) {
  DROVER_ASSIGN_OR_RETURN(const std::optional<std::uint64_t> byte, reader->FindNonZero(end));
  if (!byte) return absl::OkStatus();
  // Frames are written one at a time, each after the one before was synced: behind a torn one there is nothing.
  DROVER_ASSIGN_OR_RETURN(const std::optional<std::uint64_t> later, reader->FindFrame(end + 8));
  if (later) {
    return Damage(reader->path(), end,
                  absl::StrCat("a frame is damaged that was synced, as the frame at offset ", *later, " behind it proves"));
  }
  if (broken_end) {
    DROVER_ASSIGN_OR_RETURN(const std::optional<std::uint64_t> behind, reader->FindNonZero(*broken_end));
    if (behind) {
      return Damage(reader->path(), end,
                    absl::StrCat("a frame is damaged that was synced, as the bytes from offset ", *behind, " on behind it prove"));
    }
  }
  tail->torn_at = end;
  return absl::OkStatus();
}

absl::StatusOr<Tail> ScanLast(SegmentReader* reader, ScanVisitor* visitor) {
  Tail tail;
  tail.proven = reader->header_frame().ref;
  tail.header_only = true;
  Frame last;  // nothing proves it yet
  bool has_last = false;
  std::uint64_t end = reader->header_frame().end();
  while (true) {
    DROVER_ASSIGN_OR_RETURN(SegmentReader::Result result, reader->ReadFrame(end));
    if (!result.frame) {
      absl::Status judged = JudgeEnd(reader, end, result.broken_end, &tail);
      // A node that runs may have been writing here meanwhile: what was half a frame is then a whole one, which others follow.
      if (!judged.ok() || tail.torn_at) {
        DROVER_RETURN_IF_ERROR(reader->Refresh());
        DROVER_ASSIGN_OR_RETURN(result, reader->ReadFrame(end));
      }
      if (!result.frame) {
        if (has_last) tail.unproven = last;
        if (last.header.type == FrameType::kProof) tail.mark = last;
        if (!judged.ok()) return judged;
        return tail;
      }
      tail.torn_at.reset();
    }
    if (has_last) {
      DROVER_RETURN_IF_ERROR(visitor->OnFrame(last));
      tail.proven = last.ref;
      tail.header_only = false;
    }
    last = *result.frame;
    has_last = last.header.type != FrameType::kProof;
    end = last.end();
  }
}

}  // namespace

absl::StatusOr<Scanned> Scan(base::FileSystem* fs, const std::string& directory, std::optional<base::ClusterId> cluster,
                             ScanVisitor* visitor) {
  DROVER_ASSIGN_OR_RETURN(const std::vector<std::string> names, fs->List(directory));
  Scanned scanned;
  std::set<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const std::optional<std::uint64_t> number = ParseSegmentName(name)) numbers.insert(*number);
    if (absl::StartsWith(name, "segment-") && absl::EndsWith(name, ".tmp")) scanned.stale.push_back(name);
    if (IsSpareName(name)) scanned.spares.push_back(name);
  }
  if (numbers.empty()) return absl::NotFoundError(absl::StrCat(directory, " holds no log"));
  scanned.highest_number = *numbers.rbegin();
  if (scanned.highest_number == UINT64_MAX) {
    return Damage(absl::StrCat(directory, "/", SegmentName(scanned.highest_number)), 0, "no segment can come behind it");
  }

  // Backwards along the headers: each names the frame it follows.
  std::uint64_t number = scanned.highest_number;
  while (true) {
    DROVER_ASSIGN_OR_RETURN(const OpenSegment open, OpenNumber(fs, directory, number, cluster));
    scanned.chain.push_back(open.reader->header());
    numbers.erase(number);
    const std::uint64_t previous = open.reader->header().previous.segment;
    if (previous >= number) return Damage(open.reader->path(), 0, "it follows a later segment");
    if (numbers.count(previous) == 0) break;
    number = previous;
  }
  std::reverse(scanned.chain.begin(), scanned.chain.end());
  for (const std::uint64_t skipped : numbers) scanned.stale.push_back(SegmentName(skipped));

  for (std::size_t i = 0; i < scanned.chain.size(); ++i) {
    DROVER_ASSIGN_OR_RETURN(OpenSegment open, OpenNumber(fs, directory, scanned.chain[i].number, cluster));
    DROVER_RETURN_IF_ERROR(visitor->OnSegment(*open.reader));
    if (i + 1 < scanned.chain.size()) {
      DROVER_RETURN_IF_ERROR(ScanClosed(&*open.reader, scanned.chain[i + 1].previous, visitor));
    } else {
      DROVER_ASSIGN_OR_RETURN(scanned.tail, ScanLast(&*open.reader, visitor));
    }
  }
  return scanned;
}

bool HasBegun(const LogState& state, const Scanned& scanned) {
  return state.hard_state().term != raft::Term() || state.last_index() != raft::Index() || scanned.tail.unproven.has_value();
}

absl::Status CheckBeginning(const std::string& directory, const Scanned& scanned, raft::Index first_index, raft::Index snapshot) {
  if (first_index <= snapshot.Next()) return absl::OkStatus();
  const SegmentHeader& front = scanned.chain.front();
  std::string what = absl::StrCat("the log begins with entry ", first_index.value, ", needed are those from ",
                                  snapshot.Next().value, ": earlier segments are missing");
  if (front.previous.segment != 0) absl::StrAppend(&what, ", up to ", SegmentName(front.previous.segment));
  return Damage(absl::StrCat(directory, "/", SegmentName(front.number)), 0, what);
}

}  // namespace drover::coord::log

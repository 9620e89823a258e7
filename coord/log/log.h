// The write-ahead log of a node: term, vote and entries, in append-only segments (FORMAT.md).
//
// What Append has acknowledged survives the loss of power at any instant, and a torn write never hides it. Damage to it is told
// from a torn write and refused; the node is then treated as wiped.
//
// Threads: blocking; one thread at a time: a disk executor's, or the main thread before the loop starts. The accessors read
// memory only and follow the same rule.
#ifndef DROVER_COORD_LOG_LOG_H_
#define DROVER_COORD_LOG_LOG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/file_system.h"
#include "coord/base/ids.h"
#include "coord/log/data_directory.h"
#include "coord/log/frame.h"
#include "coord/log/log_state.h"
#include "coord/log/remains.h"
#include "coord/log/scan.h"
#include "coord/log/spares.h"
#include "coord/raft/types.h"

namespace drover::coord::log {

struct Options {
  // The cluster that an empty directory founds or joins; 0: an empty directory is NOT_FOUND.
  base::ClusterId cluster_if_new;
  // The caller has a snapshot up to here and needs the entries after it. 0: all from the first.
  raft::Index snapshot_index;
  // Its term, for a log that was truncated back to there does not always know it. 0: not known.
  raft::Term snapshot_term;
  // A segment ends before the frame that would take it beyond this; a larger frame has a segment to itself.
  std::uint64_t segment_bytes = 64 << 20;
  // Space is reserved and zero-filled in steps: the first one small, so that restarts cost little, then doubling up to the last.
  std::uint64_t allocate_first_bytes = 64 << 10;
  std::uint64_t allocate_step_bytes = 4 << 20;
  // At most so many dropped segments are kept as spares for later ones, and zero-filled in steps of so much.
  std::size_t spares_max = 2;
  std::uint64_t spare_step_bytes = 4 << 20;
  // The space of the others is given back in steps of so much.
  std::uint64_t shrink_step_bytes = 8 << 20;
  // Asked by Open of each configuration that counts, before anything is written; what is not OK ends it. May be empty.
  std::function<absl::Status(absl::string_view)> check_configuration;
};

// All of it becomes durable together or not at all.
struct AppendRequest {
  std::optional<raft::HardState> hard_state;
  // Entries from here on (a conflict's) are void. Given exactly if the log holds this index; never one that is committed.
  std::optional<raft::Index> truncate_from;
  // A snapshot up to its index was installed and synced: all that the log holds is void, and it goes on behind that index. For a
  // snapshot that the log does not lead to; not below commit(), and not together with `truncate_from`. Segments that have become
  // void with it are dropped by the next Compact.
  std::optional<Restart> restart;
  // Contiguous; the first follows what is left of the log. Terms never fall and do not exceed the hard state's.
  std::vector<raft::Entry> entries;
  // What the caller knows to be committed of the log with this request in it. It is kept in memory and in the headers of later
  // segments, decides which configurations those repeat, and is refused to be truncated.
  raft::Index commit;
};

class Log {
 public:
  // Recovers the log, or founds it in a new directory (whose identity must exist). `directory` must outlive it. When it returns,
  // everything it shows is durable.
  // NOT_FOUND: no log, and no `cluster_if_new`. FAILED_PRECONDITION: another cluster's, or a newer format. UNIMPLEMENTED: entries
  // of a kind that only newer programs know; nothing was touched. DATA_LOSS: damaged;
  // the words say where and what to do. RESOURCE_EXHAUSTED: no space for the segment that recovery writes; free some and retry.
  static absl::StatusOr<std::unique_ptr<Log>> Open(DataDirectory* directory, const Options& options);

  // Durable when it returns OK. One write and one sync, however much is in it. An empty request does nothing.
  // INVALID_ARGUMENT: the request breaks a rule above; no effect. RESOURCE_EXHAUSTED: the disk is full; nothing is acknowledged,
  // and Append may be tried again when there is space (until then the log reads well; after a crash the entries may show up all the
  // same). Any other error poisons the log: nothing is known about the disk any more, every later call fails, and the process must
  // exit.
  absl::Status Append(const AppendRequest& request);

  // For an idle moment: writes and syncs a mark that the last frame was synced, so that later damage to that frame cannot be taken
  // for a torn write. Does nothing if there is such a mark. Errors as Append.
  absl::Status Prove();

  // Entries from `first` on, in order: at least one, and further ones while their payloads stay below `max_bytes`. The payloads
  // share the memory of the frames read. OUT_OF_RANGE: not in [first_index, last_index]. DATA_LOSS: damaged since it was written.
  // Replay:  for (Index i = log->first_index(); i <= log->last_index();) { auto part = log->Read(i, 1 << 20); ... i += part.size();
  // }
  absl::StatusOr<std::vector<raft::Entry>> Read(raft::Index first, std::size_t max_bytes);

  // Drops the segments that hold only entries below `before`: every member holds these, and the caller has them in a synced
  // snapshot. Some of the files are kept as spares, the others removed. Whole segments only: first_index() may stay below `before`,
  // and what is left reads as ever. Costs a rename or removal for each, and one sync of the directory. A file that is gone already
  // is no error; others poison.
  absl::Status Compact(raft::Index before);

  // One bounded step of giving back the space of segments that were removed, or of turning spares into files that the next segments
  // can use: after Compact, between appends, until it returns false (nothing left to do). Without it new segments are new files.
  // Errors poison.
  absl::StatusOr<bool> Recycle();

  [[nodiscard]] base::ClusterId cluster() const { return cluster_; }
  [[nodiscard]] const raft::HardState& hard_state() const { return state_.hard_state(); }
  // first_index = last_index + 1 if there are no entries.
  [[nodiscard]] raft::Index first_index() const { return state_.first_index(); }
  [[nodiscard]] raft::Index last_index() const { return state_.last_index(); }
  // Of an entry in the log, or of the one before its first; 0 where it is not known and of Index 0.
  [[nodiscard]] raft::Term TermAt(raft::Index index) const { return state_.TermAt(index); }
  // At least so far the entries are committed: the most that Append was told, or, after Open, that the headers of segments tell.
  [[nodiscard]] raft::Index commit() const { return state_.commit(); }
  // The last configuration committed by then, also if its entry was dropped, and all later ones in the log, by their indices.
  [[nodiscard]] const std::map<raft::Index, base::Bytes>& configurations() const { return state_.configurations(); }
  // Space taken on the disk, by spares and by what is left of removed segments, too.
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::size_t segments() const { return segments_.size(); }
  [[nodiscard]] std::size_t spares() const { return spares_.files(); }
  [[nodiscard]] bool poisoned() const { return !poison_.ok(); }

 private:
  struct Segment {
    std::unique_ptr<base::File> file;
    std::string path;
    std::uint64_t bytes = 0;  // allocated
  };

  Log(DataDirectory* directory, const Options& options, base::ClusterId cluster);

  // What Scan found, made into the beginning of a new segment.
  absl::Status Recover(const Scanned& scanned);
  [[nodiscard]] absl::Status Check(const AppendRequest& request) const;
  // Makes segment `number`, which follows frame `previous`; with `frame`, if not null, as its first. In a filled spare if there is
  // one.
  absl::Status BeginSegment(std::uint64_t number, const FrameRef& previous, const FrameHeader& header, std::string* frame);
  // Appends `frame` to the last segment, or begins a new one with it, and syncs.
  absl::Status WriteFrame(const FrameHeader& header, std::string* frame);
  // For their space.
  void DropSpares();
  // Makes the last segment's file at least `bytes` long, in doubling steps.
  absl::Status Reserve(std::uint64_t bytes);
  absl::StatusOr<Frame> ReadExtent(const Extent& extent);
  void Applied(const FrameHeader& header, const std::string& frame, const FrameRef& ref);
  absl::Status Poison(const absl::Status& status);
  // Left-overs: if it fails, the next recovery tries again.
  void RemoveQuietly(const std::string& name) { (void)fs_->Remove(directory_->PathOf(name)); }

  DataDirectory* const directory_;
  base::FileSystem* const fs_;
  const Options options_;
  const base::ClusterId cluster_;
  LogState state_;
  Spares spares_;
  Remains remains_;
  std::map<std::uint64_t, Segment> segments_;  // the chain; the last one is written to
  std::uint64_t end_ = 0;                      // where the next frame goes in it
  FrameRef last_synced_;                       // what a next segment follows
  bool has_frames_ = false;                    // the last segment has more than its header
  bool proven_ = true;                         // the next recovery can tell that last_synced_ was synced
  bool tail_unclean_ = false;                  // a write failed at end_: the next frame needs a new segment
  std::optional<Frame> read_last_;             // a frame larger than a reader's pieces is read once
  absl::Status poison_;
};

}  // namespace drover::coord::log

#endif  // DROVER_COORD_LOG_LOG_H_

// Where things are in the tree: /drover/<pool>/... The only place that spells these names.
#ifndef DROVER_MASTER_RECORDS_PATHS_H_
#define DROVER_MASTER_RECORDS_PATHS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace drover::records {

// Metadata of a call of TaskService: the pool that it is of. Without it that is the first one that the master stands for.
inline constexpr char kPoolKey[] = "drover-pool";

enum class PathKind {
  kOther,
  kCandidate,   // masters/c-<seq>; name = c-<seq>
  kWorker,      // workers/<worker>; name = worker
  kTask,        // tasks/<task>; name = task
  kAssignment,  // assign/<worker>/<task>; name = task, worker = worker
  kAssignees,   // assign/<worker>; name = worker
  kDied,        // died/<process id>; name = process id
  kDrain,       // drain/<worker>; name = worker
  kQueue,       // queues/<queue>; name = queue
  kSchedule,    // schedules/<schedule>; name = schedule
  kArrayChunk,  // arrays/<task>/<chunk>; name = task, chunk = its number
  kHorizon,
  kStore,
};

// What a path of the pool means. The views point into the path that was parsed.
struct PathParts {
  PathKind kind = PathKind::kOther;
  absl::string_view name;
  absl::string_view worker;
  std::uint32_t chunk = 0;
};

// The paths of one pool. Immutable; any thread.
class PoolPaths {
 public:
  // `pool` must satisfy IsName (task_id.h).
  explicit PoolPaths(absl::string_view pool);

  [[nodiscard]] const std::string& pool() const { return pool_; }
  // /drover/<pool>: what a recursive watch covers.
  [[nodiscard]] const std::string& root() const { return root_; }

  [[nodiscard]] std::string Masters() const;
  // Create it sequential: the core appends ten digits.
  [[nodiscard]] std::string CandidatePrefix() const;
  [[nodiscard]] std::string Workers() const;
  [[nodiscard]] std::string Worker(absl::string_view worker) const;
  [[nodiscard]] std::string Tasks() const;
  [[nodiscard]] std::string Task(absl::string_view task) const;
  [[nodiscard]] std::string Assign() const;
  // Parent of a worker's assignments. Made with the first of them; may be missing.
  [[nodiscard]] std::string Assignees(absl::string_view worker) const;
  [[nodiscard]] std::string Assignment(absl::string_view worker, absl::string_view task) const;
  [[nodiscard]] std::string DiedAll() const;
  [[nodiscard]] std::string Died(absl::string_view process_id) const;
  [[nodiscard]] std::string Drain(absl::string_view worker) const;
  [[nodiscard]] std::string Queue(absl::string_view queue) const;
  [[nodiscard]] std::string Schedule(absl::string_view schedule) const;
  // Parent of an array's chunks. Made with the first of them; may be missing.
  [[nodiscard]] std::string ArrayChunks(absl::string_view task) const;
  [[nodiscard]] std::string ArrayChunk(absl::string_view task, std::uint32_t chunk) const;
  [[nodiscard]] std::string Horizon() const;
  [[nodiscard]] std::string Store() const;

  // kOther for what is not of this pool or has no meaning of its own.
  [[nodiscard]] PathParts Parse(absl::string_view path) const;

 private:
  std::string pool_;
  std::string root_;
};

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_PATHS_H_

// coord/log: a whole data directory, as inspection reads it and as recovery does. The two agree, and what recovery has made of a
// directory is read by the next one as it was left.
// An input: directory_input.h.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/check.h"
#include "coord/base/status.h"
#include "coord/log/data_directory.h"
#include "coord/log/inspect.h"
#include "coord/log/log.h"
#include "tests/fuzz/directory_input.h"
#include "tests/fuzz/input.h"
#include "tests/sim/sim_file_system.h"

namespace drover::fuzz {
namespace {

using namespace coord::log;  // NOLINT
namespace raft = coord::raft;

constexpr char kDirectory[] = "data";

struct Held {
  raft::HardState hard_state;
  raft::Index first;
  std::vector<raft::Entry> entries;
};

absl::StatusOr<Held> Read(Log* log) {
  Held held{log->hard_state(), log->first_index(), {}};
  for (raft::Index at = log->first_index(); at <= log->last_index();) {
    DROVER_ASSIGN_OR_RETURN(const std::vector<raft::Entry> part, log->Read(at, 100));
    DROVER_CHECK(!part.empty());
    for (const raft::Entry& entry : part) {
      DROVER_CHECK(entry.index == at);
      at = at.Next();
      held.entries.push_back(entry);
    }
  }
  return held;
}

absl::StatusOr<Held> Recover(sim::SimFileSystem* files, raft::Index snapshot) {
  DROVER_ASSIGN_OR_RETURN(const auto directory, DataDirectory::Open(files, kDirectory));
  Options options;
  options.snapshot_index = snapshot;
  options.segment_bytes = 4096;
  options.allocate_first_bytes = 256;
  options.allocate_step_bytes = 512;
  options.spare_step_bytes = 512;
  options.shrink_step_bytes = 512;
  DROVER_ASSIGN_OR_RETURN(const auto log, Log::Open(directory.get(), options));
  DROVER_ASSIGN_OR_RETURN(Held held, Read(log.get()));
  // It can be written on.
  AppendRequest request;
  const raft::Index next(log->last_index().value + 1);
  if (held.hard_state.term.value > 0 && next.value > 0) {
    request.entries.push_back({held.hard_state.term, next, raft::EntryKind::kData, base::Bytes::Copy("one more")});
    const absl::Status appended = log->Append(request);
    DROVER_CHECK(appended.ok()) << appended.ToString();
    held.entries.push_back(request.entries.front());
  }
  return held;
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  drover::sim::SimFileSystem files(1);
  FillDirectory(Input(data, size), &files);
  InspectVisitor nobody;
  const absl::StatusOr<Inspection> inspection = Inspect(&files, kDirectory, &nobody);
  if (!inspection.ok()) CheckRefusal(inspection.status());
  const raft::Index snapshot =
      inspection.ok() && !inspection->snapshots.empty() ? inspection->snapshots.back().index : raft::Index();
  const absl::StatusOr<Held> held = Recover(&files, snapshot);
  if (!held.ok()) CheckRefusal(held.status());
  if (inspection.ok()) {
    DROVER_CHECK(held.ok()) << held.status().ToString();
    DROVER_CHECK(inspection->commit <= inspection->last_index);
    DROVER_CHECK(inspection->first_index == held->first && inspection->hard_state == held->hard_state);
  }
  if (!held.ok()) return 0;
  files.Crash(drover::sim::Survival::kNothing);
  const absl::StatusOr<Inspection> after = Inspect(&files, kDirectory, &nobody);
  if (inspection.ok()) DROVER_CHECK(after.ok()) << after.status().ToString();
  const absl::StatusOr<Held> again = Recover(&files, snapshot);
  DROVER_CHECK(again.ok()) << again.status().ToString();
  DROVER_CHECK(again->hard_state == held->hard_state && again->first == held->first);
  DROVER_CHECK(again->entries.size() >= held->entries.size());
  for (std::size_t i = 0; i < held->entries.size(); ++i) DROVER_CHECK(again->entries[i] == held->entries[i]);
  return 0;
}

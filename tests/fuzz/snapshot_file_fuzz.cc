// coord/log/snapshot_file.h, coord/backup/backup_file.h and coord/server/seed.h: one file, read as a snapshot, as a backup, and as
// the state that a new cluster begins with.
//
// An input is how many parts get right checksums (1 byte; all beyond 254), then the file.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/backup/backup_file.h"
#include "coord/base/check.h"
#include "coord/base/status.h"
#include "coord/log/snapshot_file.h"
#include "coord/server/seed.h"
#include "coord/tree/invariants.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/log_repair.h"
#include "tests/sim/sim_file_system.h"

namespace drover::fuzz {
namespace {

using namespace coord::log;  // NOLINT

constexpr char kDirectory[] = "data";
constexpr char kPath[] = "data/founding.snap";

struct Snapshot {
  SnapshotHead head;
  std::vector<std::string> parts;
};

absl::StatusOr<Snapshot> Read(sim::SimFileSystem* files, const std::string& path) {
  DROVER_ASSIGN_OR_RETURN(const auto reader, SnapshotReader::Open(files, path, std::nullopt));
  Snapshot snapshot{reader->head(), {}};
  while (true) {
    const std::uint64_t before = reader->bytes_read();
    DROVER_CHECK(before <= reader->bytes());
    DROVER_ASSIGN_OR_RETURN(std::optional<std::string> part, reader->Next());
    if (!part) return snapshot;
    DROVER_CHECK(part->size() <= kSnapshotPartBytesMax && reader->bytes_read() > before);
    snapshot.parts.push_back(*std::move(part));
  }
}

void CheckWritten(sim::SimFileSystem* files, const Snapshot& snapshot) {
  const auto writer = SnapshotWriter::Begin(files, kDirectory, snapshot.head, {.name = "again"});
  DROVER_CHECK(writer.ok());
  for (const std::string& part : snapshot.parts) DROVER_CHECK((*writer)->Add(part).ok());
  DROVER_CHECK((*writer)->Finish().ok());
  const absl::StatusOr<Snapshot> again = Read(files, "data/again");
  DROVER_CHECK(again.ok()) << again.status().ToString();
  DROVER_CHECK(again->head == snapshot.head && again->parts == snapshot.parts);
}

void Check(sim::SimFileSystem* files) {
  const std::size_t size = files->Read(kPath).size();
  absl::StatusOr<Snapshot> snapshot;
  {
    // A part that is all one byte is some 32,768 times as long as what is stored; a vector doubles.
    const AllocationBound bound(size, 3 * 32768);
    snapshot = Read(files, kPath);
  }
  if (snapshot.ok()) {
    CheckWritten(files, *snapshot);
  } else {
    CheckRefusal(snapshot.status());
  }
  const absl::StatusOr<coord::backup::Backup> backup = coord::backup::ReadBackup(files, kPath);
  if (backup.ok()) {
    DROVER_CHECK(snapshot.ok());
    const absl::Status sound = coord::tree::CheckInvariants(*backup->state);
    DROVER_CHECK(sound.ok()) << sound.ToString();
    DROVER_CHECK(backup->parts == snapshot->parts.size() && backup->bytes == size);
  } else {
    CheckRefusal(backup.status());
  }
  const auto seed = coord::server::FindSeed(files, kDirectory);
  if (!seed.ok()) {
    CheckRefusal(seed.status());
  } else {
    DROVER_CHECK(seed->has_value() && !(*seed)->members.empty());
  }
  const absl::Status verified = coord::server::VerifySeed(files, kDirectory);
  DROVER_CHECK(verified.ok() == snapshot.ok());
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  Input input(data, size);
  const std::size_t parts = input.Byte();
  std::string file(input.Rest());
  drover::sim::SimFileSystem files(1);
  DROVER_CHECK(files.MakeDirectory(kDirectory).ok());
  files.Write(kPath, file);
  Check(&files);
  RepairSnapshot(parts, &file);
  files.Write(kPath, file);
  Check(&files);
  return 0;
}

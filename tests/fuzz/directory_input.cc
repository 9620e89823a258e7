#include "tests/fuzz/directory_input.h"

#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "coord/log/data_directory.h"
#include "coord/log/segment.h"
#include "coord/log/snapshot_file.h"
#include "tests/fuzz/log_repair.h"

namespace drover::fuzz {

using namespace coord::log;  // NOLINT

void FillDirectory(Input input, sim::SimFileSystem* files) {
  DROVER_CHECK(files->MakeDirectory("data").ok());
  FrameChecksums known;
  for (std::size_t left = input.Byte() % 5; left > 0; --left) {
    const std::uint8_t byte = input.Byte();
    const std::uint64_t number = byte == UINT8_MAX ? UINT64_MAX : byte;
    const std::size_t repaired = input.Byte();
    std::string file(input.Piece());
    RepairSegment(kDirectoryCluster, number, repaired, &known, &file);
    files->Write(absl::StrCat("data/", SegmentName(number)), file);
  }
  const std::string other(input.Piece());
  if (!other.empty() && !absl::StrContains(other, '/')) files->Write(absl::StrCat("data/", other), "");
  files->Write("data/identity", EncodeIdentity({base::NodeId(1), base::Incarnation(77), kDirectoryCluster}));
  const std::size_t parts = input.Byte();
  std::string snapshot(input.Rest());
  if (snapshot.size() < 64) return;
  for (int i = 0; i < 8; ++i) snapshot[16 + i] = static_cast<char>(kDirectoryCluster.value >> (8 * i));
  RepairSnapshot(parts, &snapshot);
  files->Write(absl::StrCat("data/", SnapshotName(coord::raft::Index(GetU64(snapshot, 32)))), snapshot);
}

}  // namespace drover::fuzz

// coord/tree/snapshot_loader.h: the parts of a snapshot become a sound state, or are refused.
//
// An input is parts in pieces (input.h).
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coord/base/check.h"
#include "coord/tree/invariants.h"
#include "coord/tree/snapshot_loader.h"
#include "coord/tree/snapshot_walk.h"
#include "coord/tree/state_machine.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord::tree;  // NOLINT

absl::StatusOr<std::unique_ptr<StateMachine>> Load(const std::vector<absl::string_view>& parts) {
  SnapshotLoader loader{Options()};
  for (const absl::string_view part : parts) {
    const absl::Status added = loader.Add(part);
    if (!added.ok()) return added;
  }
  return loader.Finish();
}

std::string Walk(StateMachine* machine) {
  SnapshotWalk walk(machine);
  while (walk.Step(SIZE_MAX, SIZE_MAX)) {
  }
  DROVER_CHECK(!walk.has_more_parts());
  return walk.TakePart();
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  std::vector<absl::string_view> parts;
  for (Input input(data, size); !input.empty();) parts.push_back(input.Piece());
  absl::StatusOr<std::unique_ptr<StateMachine>> machine;
  {
    const AllocationBound bound(size, 1024);
    machine = Load(parts);
  }
  if (!machine.ok()) {
    DROVER_CHECK(absl::IsDataLoss(machine.status())) << machine.status().ToString();
    CheckRefusal(machine.status());
    return 0;
  }
  const absl::Status sound = CheckInvariants(**machine);
  DROVER_CHECK(sound.ok()) << sound.ToString();
  const std::string once = Walk(machine->get());
  const absl::StatusOr<std::unique_ptr<StateMachine>> again = Load({once});
  DROVER_CHECK(again.ok()) << again.status().ToString();
  DROVER_CHECK((*again)->Digest() == (*machine)->Digest());
  DROVER_CHECK(Walk(again->get()) == once);
  return 0;
}

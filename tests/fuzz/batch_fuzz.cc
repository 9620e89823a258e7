// coord/tree/views.h and state_machine.h: batches, which are what log entries carry, applied to a state.
//
// An input is a byte for the cluster's feature level, then batches in pieces (input.h). After each the state's invariants hold,
// refused and malformed commands included; two replicas agree; and a snapshot of the state is the state.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/base/check.h"
#include "coord/base/feature_level.h"
#include "coord/tree/invariants.h"
#include "coord/tree/silent_sink.h"
#include "coord/tree/snapshot_loader.h"
#include "coord/tree/snapshot_walk.h"
#include "coord/tree/state_machine.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

using namespace coord::tree;  // NOLINT

// Small, so that bounds are met.
Options SmallOptions() {
  Options options;
  options.data_bytes_max = 512;
  options.path_bytes_max = 128;
  options.operations_max = 16;
  options.transaction_bytes_max = 2048;
  options.subtree_nodes_max = 8;
  options.acl_entries_max = 4;
  options.quotas_max = 4;
  options.identities_max = 2;
  options.tree_bytes_max = 32 << 10;
  options.sessions_max = 4;
  options.window_max = 8;
  options.kept_bytes_max = 512;
  return options;
}

std::unique_ptr<StateMachine> Copy(StateMachine* machine) {
  SnapshotLoader loader(machine->options());
  SnapshotWalk walk(machine);
  bool more = true;
  while (more) {
    more = walk.Step(5, 1024);
    do {
      const absl::Status added = loader.Add(walk.TakePart());
      DROVER_CHECK(added.ok()) << added.ToString();
    } while (walk.part_bytes() > 0);
  }
  absl::StatusOr<std::unique_ptr<StateMachine>> copy = loader.Finish();
  DROVER_CHECK(copy.ok()) << copy.status().ToString();
  return *std::move(copy);
}

void CheckViews(absl::string_view batch) {
  BatchView view;
  if (!BatchView::Parse(batch, &view)) return;
  std::size_t count = 0;
  absl::string_view bytes;
  for (base::RepeatedBytes commands = view.commands(); commands.Next(&bytes); ++count) {
    CommandView command;
    if (!CommandView::Parse(bytes, &command)) continue;
    DROVER_CHECK(Within(command.body, bytes) && Within(command.address, bytes));
    ExpireSessionsView expire;
    if (command.kind == CommandKind::kExpire && ExpireSessionsView::Parse(command.body, &expire)) {
      std::vector<base::SessionId> ids;
      expire.AppendIds(&ids);
      DROVER_CHECK(ids.size() <= command.body.size());
    }
  }
  DROVER_CHECK(count == view.command_count);
  (void)view.OnlyKnownCommands();
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  namespace raft = drover::coord::raft;
  Input input(data, size);
  const drover::base::FeatureLevel level(1 + input.Byte() % drover::base::kNewestFeatureLevel.value);
  StateMachine one(SmallOptions());
  auto two = std::make_unique<StateMachine>(SmallOptions());
  one.SetFeatureLevel(level);
  two->SetFeatureLevel(level);
  SilentSink sink;
  while (!input.empty()) {
    const absl::string_view batch = input.Piece();
    CheckViews(batch);
    const absl::Status applied = one.Apply(raft::Term(1), batch, &sink);
    if (!applied.ok()) CheckRefusal(applied);
    DROVER_CHECK(two->Apply(raft::Term(1), batch, &sink) == applied);
    const absl::Status sound = CheckInvariants(one);
    DROVER_CHECK(sound.ok()) << sound.ToString();
    DROVER_CHECK(one.Digest() == two->Digest());
    // From here on the second replica goes on from a snapshot.
    two = Copy(two.get());
    two->SetFeatureLevel(level);
    DROVER_CHECK(one.Digest() == two->Digest());
    if (absl::IsUnimplemented(applied)) return 0;  // a node ends here
  }
  return 0;
}

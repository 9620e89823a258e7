// The load that all parts share, and the znodes that it is put on.
#include <utility>

#include "coord/base/status.h"
#include "tests/bench/scale/parts.h"

namespace drover::bench {
namespace {

constexpr int kClients = 4;
constexpr int kWindow = 64;

}  // namespace

absl::Status FillZnodes(System* system, const Flags& flags) {
  DROVER_ASSIGN_OR_RETURN(const int leader, system->AwaitSettled(ScaleCluster::kSettleLimit));
  DROVER_ASSIGN_OR_RETURN(const std::unique_ptr<Clients> clients, system->Connect(kClients, leader));
  DROVER_RETURN_IF_ERROR(ForEachKey(clients.get(), {kKeyRoot}, Operation::kCreate, ""));
  Requests directories;
  directories.count = (flags.znodes + kKeysPerDirectory - 1) / kKeysPerDirectory;
  directories.key = DirectoryName;
  directories.value = [](std::size_t) { return std::string(); };
  DROVER_RETURN_IF_ERROR(MakeRequests(clients.get(), std::move(directories)));
  Requests znodes;
  znodes.count = flags.znodes;
  znodes.key = DeepKeyName;
  znodes.value = [bytes = flags.data_bytes](std::size_t i) { return RandomText(i, bytes); };
  return base::Annotate(MakeRequests(clients.get(), std::move(znodes)), system->name());
}

LoadSpec FullLoad(const Flags& flags, const std::vector<std::string>& keys) {
  LoadSpec spec;
  spec.window = kWindow;
  spec.keys = &keys;
  spec.value = std::string(flags.data_bytes, 'x');
  spec.random_values = true;
  spec.warm_up = flags.warm_up;
  spec.measure = flags.measure;
  return spec;
}

absl::StatusOr<Measurement> RunFullLoad(System* system, LoadSpec spec) {
  // Of several nodes one may be down: then the leader is the one that says so.
  int leader = 0;
  for (int node = 0; node < system->nodes(); ++node) {
    const absl::StatusOr<NodeState> state = system->State(node);
    if (state.ok() && state->leads) leader = node;
  }
  DROVER_ASSIGN_OR_RETURN(std::unique_ptr<Clients> clients, system->Connect(kClients, leader));
  return RunLoad(std::move(clients), spec);
}

}  // namespace drover::bench

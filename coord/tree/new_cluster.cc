#include "coord/tree/new_cluster.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/tree/silent_sink.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {
namespace {

std::uint64_t ZxidByTheClock(base::WallTime now) {
  const std::int64_t seconds = std::max<std::int64_t>(now.value / 1'000, 0);
  return std::min(static_cast<std::uint64_t>(seconds), kZxidEnd / kZxidsPerSecond) * kZxidsPerSecond;
}

}  // namespace

absl::StatusOr<LeftBehind> BeginNewCluster(StateMachine* machine, base::WallTime now) {
  LeftBehind left;
  left.zxid = machine->last_zxid();
  left.sessions = machine->sessions().size();
  for (const auto& [session, nodes] : machine->tree().ephemerals()) left.ephemerals += nodes.size();
  const std::uint64_t clock = ZxidByTheClock(now);
  const std::uint64_t leapt = clock > left.zxid.value ? clock : left.zxid.value + kZxidLeap;
  if (left.zxid.value >= kZxidEnd || leapt + left.sessions >= kZxidEnd) {
    return absl::OutOfRangeError(absl::StrCat("its zxid is ", left.zxid.value, "; raised to ", leapt,
                                              " it would not stay below 2^53: is this machine's clock right?"));
  }
  machine->RaiseZxid(base::Zxid(leapt));
  std::vector<base::SessionId> sessions;
  for (const auto& [id, session] : machine->sessions().all()) sessions.push_back(id);
  if (sessions.empty()) return left;
  const raft::Term term(1);
  BatchBuilder batch;
  batch.AddExpire(term, sessions);
  SilentSink nobody;
  const absl::Status applied = machine->Apply(term, batch.Finish().view(), &nobody);
  DROVER_CHECK(applied.ok() && machine->sessions().size() == 0) << applied;
  return left;
}

}  // namespace drover::coord::tree

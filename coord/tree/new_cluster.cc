#include "coord/tree/new_cluster.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/check.h"
#include "coord/tree/silent_sink.h"
#include "coord/tree/views.h"

namespace drover::coord::tree {

absl::StatusOr<LeftBehind> BeginNewCluster(StateMachine* machine) {
  LeftBehind left;
  left.zxid = machine->last_zxid();
  left.sessions = machine->sessions().size();
  for (const auto& [session, nodes] : machine->tree().ephemerals()) left.ephemerals += nodes.size();
  const std::uint64_t needed = kZxidLeap + left.sessions;
  if (left.zxid.value >= kZxidEnd || kZxidEnd - left.zxid.value <= needed) {
    return absl::OutOfRangeError(absl::StrCat("its zxid is ", left.zxid.value, "; raised by 2^40 it would not stay below 2^53"));
  }
  machine->RaiseZxid(base::Zxid(left.zxid.value + kZxidLeap));
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

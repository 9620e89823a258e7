#include "coord/tree/snapshot_walk.h"

#include <algorithm>
#include <utility>

#include "coord/base/hooks.h"
#include "coord/base/wire.h"

namespace drover::coord::tree {
namespace {

std::size_t SharedPrefix(absl::string_view a, absl::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first -
                                  a.begin());
}

}  // namespace

SnapshotWalk::SnapshotWalk(StateMachine* machine, base::WallTime taken) : machine_(machine), zxid_(machine->last_zxid()) {
  base::WireWriter out(&part_);
  const std::size_t mark = out.Open(1);
  out.Varint(1, zxid_.value);
  out.Signed(2, machine->time().value);
  out.Signed(3, taken.value);
  out.Close(mark);
  machine_->BeginImage(this);
}

SnapshotWalk::~SnapshotWalk() {
  if (!finished()) machine_->EndImage();
}

bool SnapshotWalk::Step(std::size_t things, std::size_t bytes) {
  stepping_ = true;
  if (phase_ == Phase::kSessions) things -= StepSessions(things, bytes);
  if (phase_ == Phase::kNodes) StepNodes(things, bytes);
  stepping_ = false;
  return !finished();
}

std::size_t SnapshotWalk::StepSessions(std::size_t things, std::size_t bytes) {
  const SessionTable::Map& all = machine_->sessions().all();
  std::size_t visited = 0;
  for (auto it = all.upper_bound(session_); it != all.end(); ++it) {
    if (visited == things || part_bytes() >= bytes) return visited;
    machine_->Save(*it->second);
    session_ = it->first;
    ++visited;
  }
  phase_ = Phase::kNodes;
  return visited;
}

std::size_t SnapshotWalk::StepNodes(std::size_t things, std::size_t bytes) {
  const Node& root = machine_->tree().root();
  SubtreeCursor cursor = path_.empty() ? SubtreeCursor(root, "/") : SubtreeCursor(root, "/", path_);
  std::size_t visited = 0;
  for (; cursor.node() != nullptr; cursor.Next()) {
    if (visited == things || part_bytes() >= bytes) {
      return visited;
    }
    machine_->Save(cursor.node());
    path_.assign(cursor.path().data(), cursor.path().size());
    ++visited;
  }
  Finish();
  return visited;
}

void SnapshotWalk::Finish() {
  phase_ = Phase::kFinished;
  machine_->EndImage();
  base::WireWriter out(&part_);
  const std::size_t mark = out.Open(4);
  out.Varint(1, sessions_);
  out.Varint(2, nodes_);
  out.Close(mark);
}

std::string SnapshotWalk::TakePart() {
  if (!full_.empty()) {
    std::string part = std::move(full_.front());
    full_.pop_front();
    return part;
  }
  before_.clear();
  return std::exchange(part_, {});
}

void SnapshotWalk::CloseFullPart() {
  if (part_.size() < kPartBytesMax) return;
  before_.clear();
  full_.push_back(std::exchange(part_, {}));
}

void SnapshotWalk::OnSession(const Session& session) {
  ++sessions_;
  base::WireWriter out(&part_);
  const std::size_t mark = out.Open(2);
  out.Varint(1, session.id().value);
  out.Bytes(2, session.secret());
  out.Varint(3, session.timeout_ms());
  out.Varint(4, session.disconnect_grace_ms());
  out.Bytes(5, session.name());
  if (DROVER_BREAK("snapshot-forgets-answers")) {
    out.Varint(6, session.last_write());
    return out.Close(mark);
  }
  out.Varint(6, session.seen());
  for (std::uint64_t n = session.seen() + 1; n <= session.last_write(); ++n) out.BytesAlways(7, session.KeptAnswer(n).view());
  for (const Identity& identity : session.identities()) AppendIdentity(8, identity, &out);
  out.Bytes(9, session.address());
  out.Close(mark);
  CloseFullPart();
}

std::uint64_t SnapshotWalk::NumberOf(const Acl& acl) {
  const auto [at, is_new] = acls_.try_emplace(acl.encoded(), acls_.size() + 1);
  if (!is_new) return at->second;
  base::WireWriter out(&part_);
  const std::size_t mark = out.Open(5);
  out.Varint(1, at->second);
  out.BytesAlways(2, acl.encoded());
  out.Close(mark);
  return at->second;
}

void SnapshotWalk::OnNode(const Node& node) {
  ++nodes_;
  if (!stepping_) ++saved_;
  node.PathTo(&scratch_);
  const std::size_t shared = SharedPrefix(before_, scratch_);
  const NodeState state = node.state();
  const Tree& tree = machine_->tree();
  const std::uint64_t acl = state.acl == kOpenAcl ? 0 : NumberOf(tree.AclOf(node));
  const Quota quota = tree.QuotaOf(node);
  base::WireWriter out(&part_);
  const std::size_t mark = out.Open(3);
  out.Varint(1, shared);
  out.Bytes(2, absl::string_view(scratch_).substr(shared));
  out.Bytes(3, node.data());
  out.Varint(4, state.czxid.value);
  out.Varint(5, state.mzxid.value - state.czxid.value);
  out.Varint(6, state.pzxid.value - state.czxid.value);
  out.Signed(7, state.ctime.value);
  out.Signed(8, state.mtime.value - state.ctime.value);
  out.Varint(9, state.version);
  out.Varint(10, state.aversion);
  out.Varint(11, state.children_created);
  out.Varint(12, state.ephemeral_owner.value);
  out.Varint(13, state.container ? 1 : 0);
  out.Varint(14, state.ttl_ms);
  out.Varint(15, acl);
  out.Varint(16, quota.nodes_max);
  out.Varint(17, quota.bytes_max);
  out.Close(mark);
  std::swap(before_, scratch_);
  CloseFullPart();
}

}  // namespace drover::coord::tree

#include "coord/tree/snapshot_loader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/base/wire.h"
#include "coord/tree/path.h"

namespace drover::coord::tree {
namespace {

using base::WireReader;
using base::WireType;

absl::Status Wrong(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the snapshot is damaged: ", what));
}

}  // namespace

SnapshotLoader::SnapshotLoader(const Options& options) : machine_(std::make_unique<StateMachine>(options)) {}

absl::Status SnapshotLoader::Add(absl::string_view part) {
  path_.clear();
  on_path_.assign(1, &machine_->tree().root());
  WireReader in(part);
  while (in.Next()) {
    if (has_totals_) return Wrong("something stands behind the totals");
    if (!has_head_ && !in.Is(1, WireType::kBytes)) return Wrong("it does not begin with its head");
    if (in.Is(1, WireType::kBytes)) DROVER_RETURN_IF_ERROR(AddHead(in.bytes()));
    if (in.Is(2, WireType::kBytes)) DROVER_RETURN_IF_ERROR(AddSession(in.bytes()));
    if (in.Is(3, WireType::kBytes)) DROVER_RETURN_IF_ERROR(AddNode(in.bytes()));
    if (in.Is(4, WireType::kBytes)) DROVER_RETURN_IF_ERROR(AddTotals(in.bytes()));
    if (in.Is(5, WireType::kBytes)) DROVER_RETURN_IF_ERROR(AddAcl(in.bytes()));
  }
  return in.ok() ? absl::OkStatus() : Wrong("a part cannot be read");
}

absl::Status SnapshotLoader::AddHead(absl::string_view head) {
  if (has_head_) return Wrong("it has two heads");
  has_head_ = true;
  WireReader in(head);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) machine_->last_zxid_ = base::Zxid(in.number());
    if (in.Is(2, WireType::kVarint)) machine_->time_ = base::WallTime(static_cast<std::int64_t>(in.number()));
    if (in.Is(3, WireType::kVarint)) taken_ = base::WallTime(static_cast<std::int64_t>(in.number()));
  }
  return in.ok() ? absl::OkStatus() : Wrong("its head cannot be read");
}

absl::Status SnapshotLoader::AddSession(absl::string_view session) {
  session_ = SessionState();
  WireReader in(session);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) session_.id = base::SessionId(in.number());
    if (in.Is(2, WireType::kBytes)) {
      if (in.bytes().size() != session_.secret.size()) return Wrong("a session's secret has another length");
      std::copy(in.bytes().begin(), in.bytes().end(), session_.secret.begin());
    }
    if (in.Is(3, WireType::kVarint)) session_.timeout_ms = static_cast<std::uint32_t>(in.number());
    if (in.Is(4, WireType::kVarint)) session_.disconnect_grace_ms = static_cast<std::uint32_t>(in.number());
    if (in.Is(5, WireType::kBytes)) session_.name = in.bytes();
    if (in.Is(6, WireType::kVarint)) session_.seen = in.number();
    if (in.Is(7, WireType::kBytes)) session_.kept_answers.push_back(in.bytes());
    if (in.Is(8, WireType::kBytes) && !ParseIdentity(in.bytes(), &session_.identities.emplace_back())) {
      return Wrong("an identity cannot be read");
    }
    if (in.Is(9, WireType::kBytes)) session_.address = in.bytes();
  }
  if (!in.ok()) return Wrong("a session cannot be read");
  if (session_.id == base::SessionId() || session_.id.value > machine_->last_zxid().value) {
    return Wrong(absl::StrCat("session ", session_.id.value, " is newer than it"));
  }
  if (!machine_->sessions_.Restore(session_)) return Wrong(absl::StrCat("session ", session_.id.value, " is there twice"));
  return absl::OkStatus();
}

const Node* SnapshotLoader::FindParent(std::size_t shared, std::size_t before_size) {
  const absl::string_view path = path_;
  const std::size_t end = path.rfind('/');
  // Those on the path before stay that are wholly in what is shared: the slash behind them too, or the path before ended with them.
  std::size_t depth = 0;
  std::size_t at = 0;
  while (at < end && depth + 1 < on_path_.size()) {
    const std::size_t slash = path.find('/', at + 1);
    if (slash >= shared && !(slash == shared && slash == before_size)) break;
    at = slash;
    ++depth;
  }
  on_path_.resize(depth + 1);
  absl::string_view rest = path.substr(0, end).substr(std::min(at + 1, end));
  absl::string_view name;
  while (NextComponent(&rest, &name)) {
    const Node* const next = machine_->tree().FindChild(*on_path_.back(), name);
    if (next == nullptr) return nullptr;
    on_path_.push_back(next);
  }
  return on_path_.back();
}

absl::Status SnapshotLoader::AddAcl(absl::string_view acl) {
  std::uint64_t number = 0;
  absl::string_view encoded;
  WireReader in(acl);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) number = in.number();
    if (in.Is(2, WireType::kBytes)) encoded = in.bytes();
  }
  std::vector<AclEntry> entries;
  if (!in.ok() || !ParseAclEntries(encoded, &entries)) return Wrong("an ACL cannot be read");
  if (number != acls_.size() + 1) return Wrong("its ACLs are not in order");
  for (const AclEntry& entry : entries) {
    if (const char* const fault = AclEntryFault(entry)) return Wrong(fault);
  }
  if (entries.empty()) return Wrong("an ACL has no entry");
  const Acl whole(std::move(entries));
  AclTable* const table = machine_->tree_.acls_to_restore();
  if (!table->Admits(whole)) return Wrong("it has too many different ACLs");
  acls_.push_back(table->Use(whole));
  return absl::OkStatus();
}

absl::Status SnapshotLoader::AddNode(absl::string_view node) {
  NodeState state;
  std::uint64_t acl = 0;
  Quota quota;
  std::size_t shared = 0;
  absl::string_view rest, data;
  std::uint64_t mzxid_less = 0, pzxid_less = 0;
  std::int64_t mtime_less = 0;
  WireReader in(node);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) shared = in.number();
    if (in.Is(2, WireType::kBytes)) rest = in.bytes();
    if (in.Is(3, WireType::kBytes)) data = in.bytes();
    if (in.Is(4, WireType::kVarint)) state.czxid = base::Zxid(in.number());
    if (in.Is(5, WireType::kVarint)) mzxid_less = in.number();
    if (in.Is(6, WireType::kVarint)) pzxid_less = in.number();
    if (in.Is(7, WireType::kVarint)) state.ctime = base::WallTime(static_cast<std::int64_t>(in.number()));
    if (in.Is(8, WireType::kVarint)) mtime_less = static_cast<std::int64_t>(in.number());
    if (in.Is(9, WireType::kVarint)) state.version = static_cast<std::uint32_t>(in.number());
    if (in.Is(10, WireType::kVarint)) state.aversion = static_cast<std::uint32_t>(in.number());
    if (in.Is(11, WireType::kVarint)) state.children_created = in.number();
    if (in.Is(12, WireType::kVarint)) state.ephemeral_owner = base::SessionId(in.number());
    if (in.Is(13, WireType::kVarint)) state.container = in.number() != 0;
    if (in.Is(14, WireType::kVarint)) state.ttl_ms = in.number();
    if (in.Is(15, WireType::kVarint)) acl = in.number();
    if (in.Is(16, WireType::kVarint)) quota.nodes_max = in.number();
    if (in.Is(17, WireType::kVarint)) quota.bytes_max = in.number();
  }
  if (!in.ok()) return Wrong("a node cannot be read");
  state.mzxid = base::Zxid(state.czxid.value + mzxid_less);
  state.pzxid = base::Zxid(state.czxid.value + pzxid_less);
  state.mtime = base::WallTime(state.ctime.value + mtime_less);
  if (shared > path_.size()) return Wrong("a node's path has no beginning");
  const std::size_t before_size = path_.size();
  path_.resize(shared);
  path_.append(rest.data(), rest.size());
  if (!IsPath(path_)) return Wrong("a node's path is none");
  if (std::max(state.mzxid, state.pzxid) > machine_->last_zxid()) return Wrong(absl::StrCat("node ", path_, " is newer than it"));

  // A node that nobody may read must not come back as one that everybody may.
  if (acl > acls_.size()) return Wrong(absl::StrCat("node ", path_, " has an ACL that is not told"));
  if (acl != 0) state.acl = acls_[acl - 1];
  const Node* restored = &machine_->tree().root();
  if (path_.size() == 1) {
    if (nodes_ != 0) return Wrong("the root is there twice");
    machine_->tree_.RestoreRoot(data, state);
    on_path_.resize(1);
  } else {
    const Node* const parent = nodes_ == 0 ? nullptr : FindParent(shared, before_size);
    if (parent == nullptr) return Wrong(absl::StrCat("node ", path_, " stands before its parent"));
    if (parent->ephemeral()) return Wrong(absl::StrCat("the parent of node ", path_, " is ephemeral"));
    const absl::string_view name = absl::string_view(path_).substr(path_.rfind('/') + 1);
    if (machine_->tree().FindChild(*parent, name) != nullptr) return Wrong(absl::StrCat("node ", path_, " is there twice"));
    restored = machine_->tree_.Restore(parent, name, data, state);
    on_path_.push_back(restored);
  }
  machine_->tree_.RestoreQuota(restored, quota);
  ++nodes_;
  return absl::OkStatus();
}

absl::Status SnapshotLoader::AddTotals(absl::string_view totals) {
  has_totals_ = true;
  std::uint64_t sessions = 0, nodes = 0;
  WireReader in(totals);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) sessions = in.number();
    if (in.Is(2, WireType::kVarint)) nodes = in.number();
  }
  if (!in.ok() || sessions != machine_->sessions().size() || nodes != nodes_) {
    return Wrong(absl::StrCat("it has ", nodes_, " nodes and ", machine_->sessions().size(), " sessions, and should have ", nodes,
                              " and ", sessions));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<StateMachine>> SnapshotLoader::Finish() {
  if (!has_totals_) return Wrong("its end is missing");
  for (const auto& [session, nodes] : machine_->tree().ephemerals()) {
    if (machine_->sessions().all().count(session) == 0) {
      return Wrong(absl::StrCat("node ", (*nodes.begin())->Path(), " is of a session that is not there"));
    }
  }
  for (const AclNumber acl : acls_) machine_->tree_.acls_to_restore()->Drop(acl);
  return std::move(machine_);
}

}  // namespace drover::coord::tree

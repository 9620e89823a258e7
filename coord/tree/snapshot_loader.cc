#include "coord/tree/snapshot_loader.h"

#include <algorithm>
#include <limits>
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

// What speaks against a node that ends so; null if nothing does.
const char* EndFault(const NodeState& state, const Options& options) {
  const bool ephemeral = state.ephemeral_owner != base::SessionId();
  if (ephemeral + state.container + (state.ttl_ms != 0) > 1) return "it ends in two ways";
  return state.ttl_ms > options.ttl_ms_max ? "it lives longer than any may" : nullptr;
}

// What speaks against such a child of `parent`; null if nothing does.
const char* ChildFault(const Node& parent, const NodeState& state) {
  if (parent.ephemeral()) return "its parent is ephemeral";
  if (parent.czxid() > state.czxid) return "it is older than its parent";
  if (parent.stat().pzxid < state.czxid) return "its parent has not noticed it";
  return parent.children_created() <= parent.children().size() ? "its parent has more children than were created" : nullptr;
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
  if (!in.ok()) return Wrong("its head cannot be read");
  return machine_->time().value >= 0 ? absl::OkStatus() : Wrong("its time is before all times");
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
    if (in.Is(7, WireType::kBytes)) {
      if (in.bytes().empty()) return Wrong("an answer that a session keeps is empty");
      session_.kept_answers.push_back(in.bytes());
    }
    if (in.Is(8, WireType::kBytes) && !ParseIdentity(in.bytes(), &session_.identities.emplace_back())) {
      return Wrong("an identity cannot be read");
    }
    if (in.Is(9, WireType::kBytes)) session_.address = in.bytes();
  }
  if (!in.ok()) return Wrong("a session cannot be read");
  if (session_.id == base::SessionId() || session_.id.value > machine_->last_zxid().value) {
    return Wrong(absl::StrCat("session ", session_.id.value, " is newer than it"));
  }
  if (session_.kept_answers.size() > std::numeric_limits<std::uint64_t>::max() - session_.seen) {
    return Wrong(absl::StrCat("session ", session_.id.value, " has more answers than there are numbers"));
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
  if (shared > path_.size()) return Wrong("a node's path has no beginning");
  const std::size_t before_size = path_.size();
  path_.resize(shared);
  path_.append(rest.data(), rest.size());
  if (!IsPath(path_)) return Wrong("a node's path is none");
  const std::uint64_t newest = machine_->last_zxid().value;
  if (state.czxid.value > newest || std::max(mzxid_less, pzxid_less) > newest - state.czxid.value) {
    return Wrong(absl::StrCat("node ", path_, " is newer than it"));
  }
  state.mzxid = base::Zxid(state.czxid.value + mzxid_less);
  state.pzxid = base::Zxid(state.czxid.value + pzxid_less);
  const std::int64_t now = machine_->time().value;
  if (state.ctime.value < 0 || state.ctime.value > now || mtime_less < 0 || mtime_less > now - state.ctime.value) {
    return Wrong(absl::StrCat("the times of node ", path_, " are out of order"));
  }
  state.mtime = base::WallTime(state.ctime.value + mtime_less);
  if (const char* const fault = EndFault(state, machine_->options())) return Wrong(absl::StrCat("node ", path_, ": ", fault));

  // A node that nobody may read must not come back as one that everybody may.
  if (acl > acls_.size()) return Wrong(absl::StrCat("node ", path_, " has an ACL that is not told"));
  if (acl != 0) state.acl = acls_[acl - 1];
  const Node* restored = &machine_->tree().root();
  if (path_.size() == 1) {
    if (nodes_ != 0) return Wrong("the root is there twice");
    if (state.ephemeral_owner != base::SessionId() || state.container || state.ttl_ms != 0) return Wrong("the root does not end");
    machine_->tree_.RestoreRoot(data, state);
    on_path_.resize(1);
  } else {
    const Node* const parent = nodes_ == 0 ? nullptr : FindParent(shared, before_size);
    if (parent == nullptr) return Wrong(absl::StrCat("node ", path_, " stands before its parent"));
    if (const char* const fault = ChildFault(*parent, state)) return Wrong(absl::StrCat("node ", path_, ": ", fault));
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

#include "coord/tree/invariants.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "coord/tree/path.h"

namespace drover::coord::tree {
namespace {

struct Sums {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
  std::size_t ephemerals = 0;
  std::size_t quotas = 0;
  std::map<AclNumber, std::uint64_t> acl_uses;
};

// What is wrong with one node; null if nothing.
const char* CheckNode(const StateMachine& machine, const Node& node, absl::string_view path) {
  const Tree& tree = machine.tree();
  const Stat stat = node.stat();
  if (!IsPath(path)) return "its path is invalid";
  if (tree.Find(path) != &node) return "it is not found by its path";
  if (node.Path() != path) return "its parents do not lead to it";
  absl::string_view before;
  for (const Node* child : node.children()) {
    if (child->parent() != &node) return "a child has another parent";
    if (!(before < child->name())) return "its children are not in order";
    before = child->name();
  }
  if (stat.czxid > stat.mzxid || stat.czxid > stat.pzxid) return "it was changed before it was created";
  if (stat.mzxid > machine.last_zxid() || stat.pzxid > machine.last_zxid()) return "it is newer than the tree";
  if (node.parent() != nullptr && node.parent()->czxid() > stat.czxid) return "it is older than its parent";
  if (node.parent() != nullptr && node.parent()->stat().pzxid < stat.czxid) return "its parent has not noticed it";
  if (stat.ctime > stat.mtime || stat.mtime > machine.time()) return "its times are out of order";
  if (node.children_created() < node.children().size()) return "it has more children than were created";
  if (stat.cversion != static_cast<std::uint32_t>(2 * node.children_created() - node.children().size())) return "cversion is off";
  std::uint64_t descendants = 0, bytes = 0;
  for (const Node* child : node.children()) {
    descendants += 1 + child->descendants();
    bytes += child->data().size() + child->descendant_bytes();
  }
  if (node.descendants() != descendants) return "it has not counted its descendants";
  if (node.descendant_bytes() != bytes) return "it has not counted its descendants' bytes";
  if (node.has_quota() != (tree.quotas().count(const_cast<Node*>(&node)) > 0)) return "whether it has a quota is not known";
  if (node.has_quota() && tree.QuotaOf(node) == Quota()) return "it has a quota without bounds";
  const bool mortal = node.container() || node.ttl_ms() != 0;
  if (mortal != (tree.mortals().count(const_cast<Node*>(&node)) > 0)) return "whether it ends by itself is not known";
  if (mortal && node.ephemeral()) return "it ends in two ways";
  if (!node.ephemeral()) return nullptr;
  if (!node.children().empty()) return "it is ephemeral and has children";
  if (machine.sessions().Find(node.ephemeral_owner()) == nullptr) return "it is ephemeral and its session has ended";
  const Ephemerals* const owned = tree.EphemeralsOf(node.ephemeral_owner());
  if (owned == nullptr || owned->count(const_cast<Node*>(&node)) == 0) return "it is ephemeral and not its session's";
  return nullptr;
}

// What is wrong with one session; null if nothing.
const char* CheckSession(const StateMachine& machine, const Session& session) {
  if (session.id().value > machine.last_zxid().value) return "it is newer than the tree";
  if (session.seen() > session.last_write()) return "its client has seen more than was written";
  std::size_t bytes = 0;
  for (std::uint64_t n = session.seen() + 1; n <= session.last_write(); ++n) {
    if (session.KeptAnswer(n).empty()) return "an unseen answer is gone";
    bytes += Session::kAnswerBytes + session.KeptAnswer(n).size();
  }
  if (bytes != session.kept_bytes()) return "kept_bytes is not the sum over its answers";
  return nullptr;
}

}  // namespace

absl::Status CheckInvariants(const StateMachine& machine) {
  const Tree& tree = machine.tree();
  Sums sums;
  for (SubtreeCursor cursor(tree.root(), "/"); cursor.node() != nullptr; cursor.Next()) {
    const Node& node = *cursor.node();
    if (const char* wrong = CheckNode(machine, node, cursor.path())) {
      return absl::InternalError(absl::StrCat("node ", cursor.path(), ": ", wrong));
    }
    ++sums.nodes;
    sums.bytes += node.bytes();
    if (node.ephemeral()) ++sums.ephemerals;
    if (node.has_quota()) ++sums.quotas;
    if (node.acl() != kOpenAcl) ++sums.acl_uses[node.acl()];
  }
  std::size_t owned = 0;
  for (const auto& [session, nodes] : tree.ephemerals()) owned += nodes.size();
  if (owned != sums.ephemerals) return absl::InternalError("ephemerals that no session owns, or the other way round");
  if (sums.nodes != tree.node_count()) return absl::InternalError("node_count is not the number of nodes");
  if (sums.bytes + tree.acls().bytes() != tree.bytes()) return absl::InternalError("bytes is not the sum over the nodes and ACLs");
  if (sums.quotas != tree.quotas().size()) return absl::InternalError("a quota of a node that is not there");
  if (sums.acl_uses.size() != tree.acls().size()) return absl::InternalError("an ACL that no node has");
  for (const auto& [acl, uses] : sums.acl_uses) {
    if (tree.acls().uses(acl) != uses) return absl::InternalError("the uses of an ACL are miscounted");
  }
  for (const auto& [id, session] : machine.sessions().all()) {
    if (const char* wrong = CheckSession(machine, *session)) {
      return absl::InternalError(absl::StrCat("session ", id.value, ": ", wrong));
    }
  }
  return absl::OkStatus();
}

}  // namespace drover::coord::tree

#include "client/cli/import_plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/stat_text.h"
#include "coord/base/status.h"

namespace drover::cli {
namespace {

using coord::Operation;

constexpr std::size_t kPathBytesMax = 4'096;
constexpr std::size_t kDeletedMax = 10'000;  // in one transaction
constexpr std::size_t kOperationBytes = 64;  // besides path, data and list

std::size_t BytesOf(const Operation& operation) {
  std::size_t bytes = kOperationBytes + operation.path.size() + operation.data.size();
  for (const coord::AclEntry& entry : operation.create.acl) bytes += kOperationBytes + entry.scheme.size() + entry.id.size();
  return bytes;
}

bool LetsEverybodyCreate(const coord::Acl& acl) {
  return acl.empty() || std::any_of(acl.begin(), acl.end(), [](const coord::AclEntry& entry) {
           return entry.scheme == "world" && (entry.permissions & coord::Permission::kCreate) != 0;
         });
}

// SetAcl takes no empty list.
coord::Acl Explicit(const coord::Acl& acl) {
  return acl.empty() ? coord::Acl{coord::AclEntry::World()} : acl;
}

// Of relative paths.
bool IsAtOrBelow(const std::string& path, const std::string& root) {
  return root.empty() || path == root || absl::StartsWith(path, absl::StrCat(root, "/"));
}

std::string KindOf(bool container, base::Duration ttl) {
  coord::Stat stat;
  stat.container = container;
  stat.ttl = ttl;
  const std::string kind = KindText(stat);
  return kind.empty() ? "persistent" : kind;
}

class Planner {
 public:
  Planner(const SubtreeFile& file, const ImportOptions& options, const SubtreeReading& present)
      : file_(file), options_(options), present_(present) {
    for (const SubtreeNode& node : file.nodes) {
      const std::size_t slash = node.path.rfind('/');
      if (!node.path.empty()) parents_.insert(slash == std::string::npos ? "" : node.path.substr(0, slash));
    }
  }

  absl::StatusOr<ImportPlan> Plan() {
    if (!present_.nodes.empty()) DROVER_RETURN_IF_ERROR(Meet());
    if (present_.nodes.empty() && options_.parents) MakeParents();
    for (const SubtreeNode& node : file_.nodes) {
      CloseLists(&node.path);
      if (const absl::Status wrong = Add(node); !wrong.ok()) return base::Annotate(wrong, PathBelow(options_.path, node.path));
    }
    CloseLists(nullptr);
    for (const ImportBatch& batch : plan_.batches) plan_.counts += batch.counts;
    return std::move(plan_);
  }

 private:
  // What is there already.
  absl::Status Meet() {
    const coord::Node& root = present_.nodes.front();
    if (options_.mode == ImportMode::kNew) {
      return absl::AlreadyExistsError(
          absl::StrCat(options_.path, ": the node is there; --merge changes what is there, --replace deletes it first"));
    }
    if (options_.mode == ImportMode::kMerge) {
      for (std::size_t i = 0; i < present_.nodes.size(); ++i) there_.emplace(present_.nodes[i].path, i);
      return absl::OkStatus();
    }
    if (options_.path == "/")
      return absl::InvalidArgumentError("the root cannot be replaced; merge into it, or replace what is below it");
    if (present_.nodes.size() > kDeletedMax) {
      return absl::FailedPreconditionError(absl::StrCat(options_.path, ": one transaction deletes at most ", kDeletedMax,
                                                        " nodes, and there are ", present_.nodes.size(),
                                                        "; delete what is below it by parts, then --replace"));
    }
    ImportBatch& batch = Emit(Operation::DeleteSubtree(options_.path));
    batch.transaction.compares.push_back(coord::Compare::Czxid(options_.path, root.stat.czxid));
    batch.counts.deleted = present_.nodes.size();
    return absl::OkStatus();
  }

  void MakeParents() {
    for (std::size_t slash = options_.path.find('/', 1); slash != std::string::npos; slash = options_.path.find('/', slash + 1)) {
      Emit(Operation::Create(options_.path.substr(0, slash), "", {.if_absent = true}));
    }
  }

  absl::Status Add(const SubtreeNode& node) {
    const std::string path = PathBelow(options_.path, node.path);
    if (path.size() > kPathBytesMax) return absl::InvalidArgumentError("a path has at most 4,096 bytes");
    const auto there = there_.find(path);
    return there == there_.end() ? Create(node, path) : Change(node, path, there->second);
  }

  absl::Status Create(const SubtreeNode& node, const std::string& path) {
    coord::CreateOptions how;
    how.container = node.container;
    how.ttl = node.ttl;
    how.acl = node.acl;
    const bool shut = parents_.count(node.path) != 0 && !LetsEverybodyCreate(node.acl);
    if (shut && !options_.authenticated) {
      return absl::FailedPreconditionError(
          "its access control list may not let you make what is below it; say who you are with --auth");
    }
    if (shut) how.acl = {coord::AclEntry::Auth()};
    ++Emit(Operation::Create(path, node.data, std::move(how))).counts.created;
    if (shut) open_lists_.push_back({node.path, Operation::SetAcl(path, node.acl, 0)});
    return absl::OkStatus();
  }

  absl::Status Change(const SubtreeNode& node, const std::string& path, std::size_t at) {
    const coord::Stat& stat = present_.nodes[at].stat;
    if (stat.ephemeral_owner.value != 0) return absl::FailedPreconditionError("the node that is there is ephemeral");
    if (stat.container != node.container || stat.ttl != node.ttl) {
      return absl::FailedPreconditionError(absl::StrCat("it is ", KindOf(stat.container, stat.ttl), " there, and ",
                                                        KindOf(node.container, node.ttl), " in the file; no write changes that"));
    }
    const bool same_data = present_.nodes[at].data == node.data;
    const bool same_list = present_.acls[at] == node.acl;
    if (!same_data) ++Emit(Operation::Set(path, node.data, stat.version)).counts.set;
    // After what is below it: until then it lets as many make that as before.
    if (!same_list) open_lists_.push_back({node.path, Operation::SetAcl(path, Explicit(node.acl), stat.aversion)});
    if (same_data && same_list) ++plan_.counts.unchanged;
    return absl::OkStatus();
  }

  // The lists of those nodes below which `next` (null: nothing) no longer is.
  void CloseLists(const std::string* next) {
    while (!open_lists_.empty() && (next == nullptr || !IsAtOrBelow(*next, open_lists_.back().first))) {
      ++Emit(std::move(open_lists_.back().second)).counts.acls_set;
      open_lists_.pop_back();
    }
  }

  ImportBatch& Emit(Operation operation) {
    const std::size_t bytes = BytesOf(operation);
    if (plan_.batches.empty() || plan_.batches.back().transaction.then.size() >= options_.operations_max ||
        bytes_ + bytes > options_.bytes_max) {
      plan_.batches.emplace_back();
      bytes_ = 0;
    }
    bytes_ += bytes;
    ImportBatch& batch = plan_.batches.back();
    batch.last = operation.path;
    batch.transaction.then.push_back(std::move(operation));
    return batch;
  }

  const SubtreeFile& file_;
  const ImportOptions& options_;
  const SubtreeReading& present_;
  std::set<std::string> parents_;                              // relative paths of the nodes that have children in the file
  std::map<std::string, std::size_t> there_;                   // by path: where in `present_`, of what is to be changed
  std::vector<std::pair<std::string, Operation>> open_lists_;  // the list that a node gets in the end; the innermost last
  std::size_t bytes_ = 0;                                      // of the last batch
  ImportPlan plan_;
};

}  // namespace

ImportCounts& ImportCounts::operator+=(const ImportCounts& more) {
  created += more.created;
  set += more.set;
  acls_set += more.acls_set;
  unchanged += more.unchanged;
  deleted += more.deleted;
  return *this;
}

absl::StatusOr<ImportPlan> PlanImport(const SubtreeFile& file, const ImportOptions& options, const SubtreeReading& present) {
  return Planner(file, options, present).Plan();
}

}  // namespace drover::cli

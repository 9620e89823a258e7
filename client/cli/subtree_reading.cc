#include "client/cli/subtree_reading.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/subtree_file.h"
#include "coord/base/status.h"

namespace drover::cli {
namespace {

constexpr int kTries = 5;

absl::Status ReadNodes(const PageSource& pages, SubtreeReading* out) {
  std::size_t bytes = 0;
  absl::Status wrong;
  const auto keep = [&](const coord::Node& node) {
    bytes += node.data.size();
    if (node.hidden) {
      wrong = absl::PermissionDeniedError(absl::StrCat(node.path, ": it may not be read, nor what is below it"));
    } else if (out->nodes.size() == kSubtreeNodesMax || bytes > kSubtreeDataBytesMax) {
      wrong = absl::ResourceExhaustedError(
          absl::StrCat("there are more than ", kSubtreeNodesMax, " nodes or ", kSubtreeDataBytesMax >> 20, " MiB of data"));
    } else {
      out->nodes.push_back(node);
    }
    return wrong.ok();
  };
  DROVER_ASSIGN_OR_RETURN(const Walk walk, WalkPages(pages, keep));
  out->zxid = walk.zxid;
  out->one_state = walk.one_state;
  return wrong;
}

// Whoever may not change a list is shown "user:x" for each digest in it.
bool ShowsAll(const coord::Acl& acl) {
  return std::none_of(acl.begin(), acl.end(),
                      [](const coord::AclEntry& entry) { return entry.scheme == "digest" && absl::EndsWith(entry.id, ":x"); });
}

// False: something changed, read anew.
absl::StatusOr<bool> ReadAcls(const SubtreeSource& source, Consistency consistency, SubtreeReading* out) {
  std::vector<coord::Node> nodes = std::move(out->nodes);
  out->nodes.clear();
  std::string gone;
  for (coord::Node& node : nodes) {
    if (!gone.empty() && coord::PathCovers(gone, node.path)) continue;
    absl::StatusOr<coord::AclResult> got = source.acl(node.path);
    if (coord::IsNoNode(got.status()) && !out->nodes.empty()) {
      if (consistency == Consistency::kOneState) return false;
      gone = node.path;  // since it was read, with all that was below it
      continue;
    }
    if (!got.ok()) return At(node.path, got.status());
    if (!ShowsAll(got->acl)) {
      return absl::PermissionDeniedError(
          absl::StrCat(node.path, ": its access control list is shown whole only to who may change it (permission a)"));
    }
    out->acls.push_back(PlainAcl(std::move(got->acl)));
    out->nodes.push_back(std::move(node));
  }
  return true;
}

// The state that was read lasted until the pages of `pages` begin.
absl::StatusOr<bool> IsTheSame(const PageSource& pages, SubtreeReading* out) {
  std::size_t seen = 0;
  std::optional<coord::Zxid> first_page;
  const PageSource noting = [&](const std::string& after) {
    absl::StatusOr<coord::ListPage> page = pages(after);
    if (page.ok() && !first_page.has_value()) first_page = page->zxid;
    return page;
  };
  bool same = true;
  const absl::StatusOr<Walk> walk = WalkPages(noting, [&](const coord::Node& node) {
    same = seen < out->nodes.size() && out->nodes[seen].path == node.path && out->nodes[seen].stat == node.stat;
    ++seen;
    return same;
  });
  if (coord::IsNoNode(walk.status())) return false;
  if (!walk.ok()) return walk.status();
  out->zxid = *first_page;
  return same && seen == out->nodes.size();
}

}  // namespace

absl::StatusOr<SubtreeReading> ReadSubtree(const SubtreeSource& source, Consistency consistency) {
  for (int i = 0; i < kTries; ++i) {
    SubtreeReading reading;
    DROVER_RETURN_IF_ERROR(ReadNodes(source.pages, &reading));
    DROVER_ASSIGN_OR_RETURN(const bool whole, ReadAcls(source, consistency, &reading));
    if (!whole) continue;
    if (consistency == Consistency::kAnyState) return reading;
    DROVER_ASSIGN_OR_RETURN(const bool same, IsTheSame(source.pages_without_data, &reading));
    if (!same) continue;
    reading.one_state = true;
    return reading;
  }
  return absl::AbortedError(absl::StrCat("it changed while it was read, ", kTries, " times"));
}

absl::StatusOr<SubtreeReading> ReadSubtree(CoreReads* reads, const std::string& path, Consistency consistency) {
  const auto pages = [reads, &path](bool with_data) {
    return [reads, &path, with_data](const std::string& after) {
      return reads->Ask([&](auto& core, base::Duration left) { return core.List(path, after, 0, with_data, left); });
    };
  };
  const SubtreeSource source = {pages(true), pages(false), [reads](const std::string& node) {
                                  return reads->Ask([&](auto& core, base::Duration left) { return core.GetAcl(node, left); });
                                }};
  absl::StatusOr<SubtreeReading> reading = ReadSubtree(source, consistency);
  if (!reading.ok() && !absl::IsPermissionDenied(reading.status())) return At(path, reading.status());
  return reading;
}

}  // namespace drover::cli

#include "client/cli/subtree_summary.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace drover::cli {
namespace {

// "/a/b" below "/a": 1.
std::uint64_t DepthBelow(const std::string& root, const std::string& path) {
  if (path == root) return 0;
  const std::size_t begin = root == "/" ? 0 : root.size();
  return static_cast<std::uint64_t>(std::count(path.begin() + static_cast<std::ptrdiff_t>(begin), path.end(), '/'));
}

}  // namespace

void SubtreeSummary::Add(const coord::Node& node) {
  const coord::Stat& stat = node.stat;
  if (whole_.nodes == 0) whole_.path = node.path;
  const std::uint64_t depth = DepthBelow(whole_.path, node.path);
  ++whole_.nodes;
  whole_.bytes += stat.data_length;
  depth_ = std::max(depth_, depth);
  if (depth == 1) parts_.push_back({node.path, 0, 0});
  if (depth >= 1 && !parts_.empty()) {
    ++parts_.back().nodes;
    parts_.back().bytes += stat.data_length;
  }
  if (stat.ephemeral_owner.value != 0) {
    ++ephemerals_;
    Owned& owned = owners_[stat.ephemeral_owner];
    if (owned.nodes == 0 || stat.ctime < owned.oldest) {
      owned.oldest = stat.ctime;
      owned.path = node.path;
    }
    ++owned.nodes;
    owned.bytes += stat.data_length;
  }
  if (stat.container) ++containers_;
  if (stat.ttl.count() != 0) ++ttls_;
  if (node.hidden) ++hidden_;
  if (largest_.empty() || stat.data_length > largest_bytes_) {
    largest_ = node.path;
    largest_bytes_ = stat.data_length;
  }
  if (widest_.empty() || stat.num_children > widest_children_) {
    widest_ = node.path;
    widest_children_ = stat.num_children;
  }
}

std::vector<SubtreeSummary::Part> SubtreeSummary::Biggest(std::size_t top) const {
  std::vector<Part> parts = parts_;
  const auto end = parts.begin() + static_cast<std::ptrdiff_t>(std::min(top, parts.size()));
  std::partial_sort(parts.begin(), end, parts.end(), [](const Part& a, const Part& b) {
    return std::tie(b.bytes, b.nodes, a.path) < std::tie(a.bytes, a.nodes, b.path);
  });
  parts.erase(end, parts.end());
  return parts;
}

const std::vector<std::string>& SubtreeSummary::Names() {
  static const std::vector<std::string> kNames = {"path",          "nodes",  "bytes",          "ephemerals", "sessions",
                                                  "containers",    "ttls",   "hidden",         "depth",      "largest",
                                                  "largest_bytes", "widest", "widest_children"};
  return kNames;
}

Item SubtreeSummary::WholeItem() const {
  Item item;
  item.id = whole_.path;
  item.json = {{"path", whole_.path},
               {"nodes", whole_.nodes},
               {"bytes", whole_.bytes},
               {"ephemerals", ephemerals_},
               {"sessions", owners_.size()},
               {"containers", containers_},
               {"ttls", ttls_},
               {"hidden", hidden_},
               {"depth", depth_},
               {"largest", largest_},
               {"largest_bytes", largest_bytes_},
               {"widest", widest_},
               {"widest_children", widest_children_}};
  for (const auto& field : item.json.items()) {
    item.cells.push_back(field.value().is_string() ? field.value().get<std::string>() : field.value().dump());
  }
  return item;
}

}  // namespace drover::cli

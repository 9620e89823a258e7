#include "client/cli/tree_walk.h"

namespace drover::cli {

absl::StatusOr<Walk> WalkPages(const PageSource& pages, const std::function<bool(const coord::Node&)>& on_node) {
  Walk walk;
  std::string after;
  while (true) {
    absl::StatusOr<coord::ListPage> page = pages(after);
    if (!page.ok()) return page.status();
    if (!after.empty() && page->zxid != walk.zxid) walk.one_state = false;
    walk.zxid = page->zxid;
    for (const coord::Node& node : page->nodes) {
      if (!on_node(node)) return walk;
    }
    if (!page->more || page->nodes.empty()) return walk;
    after = page->nodes.back().path;
  }
}

absl::StatusOr<Walk> WalkTree(CoreReads* reads, const std::string& path, bool with_data,
                              const std::function<bool(const coord::Node&)>& on_node) {
  const PageSource pages = [&](const std::string& after) {
    return reads->Ask([&](auto& core, base::Duration left) { return core.List(path, after, 0, with_data, left); });
  };
  absl::StatusOr<Walk> walk = WalkPages(pages, on_node);
  if (!walk.ok()) return At(path, walk.status());
  return walk;
}

}  // namespace drover::cli

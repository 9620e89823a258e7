// A subtree as a drawn tree: each node with how many nodes and bytes are at and below it, within bounds, and what they cut off.
//
// Pure: nodes in, items out. No more is kept than what is drawn.
#ifndef DROVER_CLIENT_CLI_TREE_DRAWING_H_
#define DROVER_CLIENT_CLI_TREE_DRAWING_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "drover/coord/types.h"

namespace drover::cli {

struct DrawingBounds {
  std::uint32_t depth = 3;      // below the root
  std::uint32_t children = 20;  // drawn of one node
  std::uint32_t nodes = 1'000;  // drawn altogether
};

class TreeDrawing {
 public:
  explicit TreeDrawing(DrawingBounds bounds) : bounds_(bounds) {}

  // In PathLess order, the root first.
  void Add(const coord::Node& node);

  // The names of the items' cells.
  [[nodiscard]] static const std::vector<std::string>& Names();
  // A row for each node that is drawn; with `cuts`, another one where some children of a node are left out.
  [[nodiscard]] std::vector<Item> Items(bool cuts) const;
  // "not drawn: 12 nodes deeper than --depth 3, ..."; empty if nothing was left out.
  [[nodiscard]] std::string Cut() const;

 private:
  struct Drawn {
    std::string path;
    std::string name;
    coord::Stat stat;
    bool hidden = false;
    std::uint32_t depth = 0;
    std::uint64_t nodes = 0;  // at and below
    std::uint64_t bytes = 0;
    std::uint64_t children_cut = 0;
    std::vector<Drawn*> children;
  };
  void AppendItems(const Drawn& drawn, const std::string& stem, const std::string& branch, bool cuts,
                   std::vector<Item>* items) const;

  const DrawingBounds bounds_;
  std::deque<Drawn> drawn_;  // stays where it is
  // The drawn ancestors of the last node that was added, the root first.
  std::vector<Drawn*> above_;
  std::uint64_t cut_depth_ = 0;  // nodes that are not drawn because of each bound
  std::uint64_t cut_children_ = 0;
  std::uint64_t cut_nodes_ = 0;
  enum class Reason { kDepth, kChildren, kNodes };
  // The root of the subtree that was met last and is not drawn, and why: that holds for all below it.
  std::string cut_root_;
  Reason cut_reason_ = Reason::kDepth;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_TREE_DRAWING_H_

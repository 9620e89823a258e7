// What is in a subtree, counted: altogether, below each child of its root, and by owner.
//
// Pure. What is kept is bounded by the number of the root's children and of the sessions that own nodes.
#ifndef DROVER_CLIENT_CLI_SUBTREE_SUMMARY_H_
#define DROVER_CLIENT_CLI_SUBTREE_SUMMARY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "client/cli/output.h"
#include "drover/coord/types.h"

namespace drover::cli {

class SubtreeSummary {
 public:
  struct Part {
    std::string path;
    std::uint64_t nodes = 0;
    std::uint64_t bytes = 0;
  };
  struct Owned {
    std::uint64_t nodes = 0;
    std::uint64_t bytes = 0;
    base::WallTime oldest;  // when the first of its nodes was made
    std::string path;       // of that one
  };

  // In PathLess order, the root first.
  void Add(const coord::Node& node);

  // Of all.
  [[nodiscard]] const Part& whole() const { return whole_; }
  // The subtrees of the root's children, the one with the most bytes first, then by nodes, then by path; at most `top`.
  [[nodiscard]] std::vector<Part> Biggest(std::size_t top) const;
  [[nodiscard]] std::size_t children() const { return parts_.size(); }
  [[nodiscard]] const std::map<coord::SessionId, Owned>& owners() const { return owners_; }

  // Totals, by name: {"nodes", "bytes", "ephemerals", "containers", "ttls", "hidden", "depth", "largest", ...}.
  [[nodiscard]] static const std::vector<std::string>& Names();
  [[nodiscard]] Item WholeItem() const;

 private:
  Part whole_;
  std::vector<Part> parts_;
  std::map<coord::SessionId, Owned> owners_;
  std::uint64_t ephemerals_ = 0;
  std::uint64_t containers_ = 0;
  std::uint64_t ttls_ = 0;
  std::uint64_t hidden_ = 0;
  std::uint64_t depth_ = 0;  // of the deepest node below the root
  std::string largest_;      // the node with the most data
  std::uint64_t largest_bytes_ = 0;
  std::string widest_;  // the node with the most children
  std::uint64_t widest_children_ = 0;
};

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_SUBTREE_SUMMARY_H_

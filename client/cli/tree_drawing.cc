#include "client/cli/tree_drawing.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/stat_text.h"

namespace drover::cli {

void TreeDrawing::Add(const coord::Node& node) {
  while (!above_.empty() && !coord::PathCovers(above_.back()->path, node.path)) above_.pop_back();
  for (Drawn* const ancestor : above_) {
    ++ancestor->nodes;
    ancestor->bytes += node.stat.data_length;
  }
  if (!cut_root_.empty() && !coord::PathCovers(cut_root_, node.path)) cut_root_.clear();
  if (!above_.empty()) {
    Drawn* const parent = above_.back();
    if (cut_root_.empty()) {
      if (parent->depth == bounds_.depth) {
        cut_reason_ = Reason::kDepth;
      } else if (parent->children.size() == bounds_.children) {
        cut_reason_ = Reason::kChildren;
      } else if (drawn_.size() >= bounds_.nodes) {
        cut_reason_ = Reason::kNodes;
      } else {
        drawn_.push_back({node.path,
                          node.path.substr(node.path.rfind('/') + 1),
                          node.stat,
                          node.hidden,
                          parent->depth + 1,
                          1,
                          node.stat.data_length,
                          0,
                          {}});
        parent->children.push_back(&drawn_.back());
        above_.push_back(&drawn_.back());
        return;
      }
      cut_root_ = node.path;
      ++parent->children_cut;
    }
    ++(cut_reason_ == Reason::kDepth ? cut_depth_ : cut_reason_ == Reason::kChildren ? cut_children_ : cut_nodes_);
    return;
  }
  drawn_.push_back({node.path, node.path, node.stat, node.hidden, 0, 1, node.stat.data_length, 0, {}});
  above_.push_back(&drawn_.back());
}

const std::vector<std::string>& TreeDrawing::Names() {
  static const std::vector<std::string> kNames = {"NODE", "NODES", "BYTES", "DATA", "KIND"};
  return kNames;
}

void TreeDrawing::AppendItems(const Drawn& drawn, const std::string& stem, const std::string& branch, bool cuts,
                              std::vector<Item>* items) const {
  Item item;
  item.id = drawn.path;
  item.json = {{"path", drawn.path},          {"depth", drawn.depth},   {"nodes", drawn.nodes},
               {"bytes", drawn.bytes},        {"hidden", drawn.hidden}, {"children_cut", drawn.children_cut},
               {"stat", StatJson(drawn.stat)}};
  const bool deepest = drawn.depth == bounds_.depth;
  const char* const deeper = drawn.children_cut == 0 || !deepest ? "" : drawn.name == "/" ? "..." : "/...";
  item.cells = {absl::StrCat(stem, branch, drawn.name, deeper), absl::StrCat(drawn.nodes), absl::StrCat(drawn.bytes),
                drawn.hidden ? "-" : absl::StrCat(drawn.stat.data_length), drawn.hidden ? "may not be read" : KindText(drawn.stat)};
  items->push_back(std::move(item));
  const std::string below = absl::StrCat(stem, branch.empty() ? "" : branch == "└── " ? "    " : "│   ");
  const bool tail = cuts && !deepest && drawn.children_cut > 0;
  for (const Drawn* const child : drawn.children) {
    const bool last = !tail && child == drawn.children.back();
    AppendItems(*child, below, last ? "└── " : "├── ", cuts, items);
  }
  if (!tail) return;
  Item more;
  more.cells = {absl::StrCat(below, "└── ... ", drawn.children_cut, drawn.children.empty() ? " children" : " more"), "", "", "",
                ""};
  items->push_back(std::move(more));
}

std::vector<Item> TreeDrawing::Items(bool cuts) const {
  std::vector<Item> items;
  if (!drawn_.empty()) AppendItems(drawn_.front(), "", "", cuts, &items);
  return items;
}

std::string TreeDrawing::Cut() const {
  std::vector<std::string> parts;
  if (cut_depth_ > 0) parts.push_back(absl::StrCat(cut_depth_, " deeper than --depth ", bounds_.depth));
  if (cut_children_ > 0) parts.push_back(absl::StrCat(cut_children_, " beyond --children ", bounds_.children, " of a node"));
  if (cut_nodes_ > 0) parts.push_back(absl::StrCat(cut_nodes_, " beyond --nodes ", bounds_.nodes));
  return parts.empty() ? "" : absl::StrCat("nodes not drawn: ", absl::StrJoin(parts, ", "));
}

}  // namespace drover::cli

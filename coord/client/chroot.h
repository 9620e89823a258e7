// A session whose paths all lie below one node, which it takes for the root.
#ifndef DROVER_COORD_CLIENT_CHROOT_H_
#define DROVER_COORD_CLIENT_CHROOT_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace drover::coord::client {

// Pure. Of "" and "/" everything stays as it is.
class Chroot {
 public:
  Chroot() = default;
  explicit Chroot(std::string root) : root_(root == "/" ? std::string() : std::move(root)) {}

  // Empty: none.
  [[nodiscard]] const std::string& root() const { return root_; }
  // The service's path of the session's. What is no path stays none.
  [[nodiscard]] std::string In(std::string path) const {
    if (root_.empty() || path.empty() || path[0] != '/') return path;
    return path.size() == 1 ? root_ : root_ + path;
  }
  // The same of what digits will be appended to: "/" is the beginning of a child's name.
  [[nodiscard]] std::string InSequential(std::string path) const { return path == "/" ? root_ + path : In(std::move(path)); }
  // Back again. (What lies elsewhere, which nothing of such a session names, stays.)
  void Out(std::string* path) const {
    if (root_.empty() || path->compare(0, root_.size(), root_) != 0) return;
    if (path->size() == root_.size()) {
      *path = "/";
    } else if ((*path)[root_.size()] == '/') {
      path->erase(0, root_.size());
    }
  }

 private:
  std::string root_;
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_CHROOT_H_

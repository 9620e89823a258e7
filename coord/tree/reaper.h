// Which containers and nodes with a time to live are to be deleted: the part of a leader that looks for them.
//
// It goes round after round over all of them, a part at each call, so that no call takes long however many there are. What it names
// is judged again where it is applied (Writer::Reap): naming one twice, or too late, does no harm. Pure. Threads: one.
#ifndef DROVER_COORD_TREE_REAPER_H_
#define DROVER_COORD_TREE_REAPER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/tree/tree.h"

namespace drover::coord::tree {

class Reaper {
 public:
  // Of one call. More are looked at if one transaction made them.
  struct Options {
    std::size_t visits_max = 20'000;
    std::size_t due_max = 1'000;
  };
  struct Due {
    std::string path;
    base::Zxid czxid;
  };

  explicit Reaper(const Options& options) : options_(options) {}

  // Those of the next part whose end has come by `now`.
  [[nodiscard]] std::vector<Due> Next(const Tree& tree, base::WallTime now);

 private:
  const Options options_;
  base::Zxid from_;  // where the next part begins
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_REAPER_H_

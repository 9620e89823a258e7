// What is known of a node besides its data; ZooKeeper's Stat, field by field.
#ifndef DROVER_COORD_TREE_STAT_H_
#define DROVER_COORD_TREE_STAT_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/base/wire.h"

namespace drover::coord::tree {

struct Stat {
  base::Zxid czxid;      // of its creation
  base::Zxid mzxid;      // of the last change of its data
  base::Zxid pzxid;      // of the last creation or deletion of a child
  base::WallTime ctime;  // the cluster's time
  base::WallTime mtime;
  std::uint32_t version = 0;        // changes of its data
  std::uint32_t cversion = 0;       // creations and deletions of children
  std::uint32_t aversion = 0;       // changes of its ACL
  base::SessionId ephemeral_owner;  // 0: not ephemeral
  std::uint32_t data_length = 0;
  std::uint32_t num_children = 0;
  bool container = false;
  std::uint64_t ttl_ms = 0;  // 0: none

  // The fields of a drover.coord.v1.Stat.
  void AppendFields(base::WireWriter* out) const;

  friend bool operator==(const Stat&, const Stat&) = default;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_STAT_H_

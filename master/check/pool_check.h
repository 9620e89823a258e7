// The invariants of a pool's tree, judged on one state of it. Pure; any thread.
#ifndef DROVER_MASTER_CHECK_POOL_CHECK_H_
#define DROVER_MASTER_CHECK_POOL_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "drover/coord/types.h"
#include "master/records/paths.h"

namespace drover::master::check {

struct Finding {
  enum class Kind {
    kBroken,   // no transition makes this
    kPending,  // a master or worker has still to see to it
  };
  Kind kind = Kind::kBroken;
  std::string path;
  std::string sentence;

  friend bool operator==(const Finding&, const Finding&) = default;
};

struct PoolSummary {
  std::size_t tasks = 0;
  std::size_t finished = 0;
  std::size_t assignments = 0;
  std::size_t workers = 0;
};

struct PoolReport {
  PoolSummary summary;
  std::vector<Finding> findings;  // by path
};

// `nodes`: all at and below the pool's root, of one state.
[[nodiscard]] PoolReport CheckPool(const records::PoolPaths& paths, const std::vector<coord::Node>& nodes);

// An object that a record refers to.
struct NeededObject {
  std::string task_path;
  std::string key;
  std::uint64_t size = 0;  // 0: not known
};
[[nodiscard]] std::vector<NeededObject> ObjectsOf(const records::PoolPaths& paths, const std::vector<coord::Node>& nodes);

}  // namespace drover::master::check

#endif  // DROVER_MASTER_CHECK_POOL_CHECK_H_

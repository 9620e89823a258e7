// Who held what when, by the history of the tree: the truth that recipes are judged by.
//
// A claim says that a place (a node, named by its czxid) held at a state of the tree. Whether it did follows from the names of the
// places that were there, and from nothing that a process believed.
#ifndef DROVER_TESTS_COORD_RECIPES_HOLDING_H_
#define DROVER_TESTS_COORD_RECIPES_HOLDING_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/ids.h"
#include "drover/coord/types.h"

namespace drover::recipes {

// What it takes to hold, for a child of a line's node; `permits` is the semaphore's, or how many a double barrier waits for.
enum class Rule {
  kFirst,      // nobody before it: a mutex, a leader
  kReadWrite,  // of "r-": no "w-" before it; of "w-": nobody
  kPermits,    // fewer than `permits` before it
  kAlone,      // it is there
  kTogether,   // it is there, and since nobody was there last, `permits` have been there at once
  kAllLeft,    // it is gone, and there has been nobody since
};

struct Claim {
  Rule rule = Rule::kFirst;
  std::string path;  // of the place
  base::Zxid token;  // its czxid
  base::Zxid at;     // after the transaction of this zxid it held
  std::size_t permits = 1;
  std::string what;  // for people
};

// `events`: all of the tree, in order, from its beginning on. INTERNAL names the first claim, by `at`, that is untrue and why.
[[nodiscard]] absl::Status CheckClaims(const std::vector<coord::Event>& events, std::vector<Claim> claims);

// Items of a queue that are acknowledged with the creation of `<done>/<item>`, which holds the claim's token: each of `put` was
// done, and none twice, else INTERNAL. Gives the claims of who did them.
[[nodiscard]] absl::StatusOr<std::vector<Claim>> CheckItems(const std::vector<coord::Event>& events, const std::string& queue,
                                                            const std::string& done, const std::set<std::string>& put);

}  // namespace drover::recipes

#endif  // DROVER_TESTS_COORD_RECIPES_HOLDING_H_

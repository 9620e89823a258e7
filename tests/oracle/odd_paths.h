// Paths at the borders of what is one, and beyond: of every kind that a server refuses, and of those that it takes though they look
// odd. Pure.
#ifndef DROVER_TESTS_ORACLE_ODD_PATHS_H_
#define DROVER_TESTS_ORACLE_ODD_PATHS_H_

#include <string>

#include "coord/base/random.h"

namespace drover::oracle {

// Some of them stand alone, some below `parent` (a path; "/" too), so that a server finds something on the way.
[[nodiscard]] std::string OddPath(const std::string& parent, base::Random* random);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_ODD_PATHS_H_

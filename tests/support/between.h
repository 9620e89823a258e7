// Times at random, for plans of faults.
#ifndef DROVER_TESTS_SUPPORT_BETWEEN_H_
#define DROVER_TESTS_SUPPORT_BETWEEN_H_

#include <chrono>
#include <cstdint>

#include "coord/base/random.h"

namespace drover::testing {

// Both ends included.
inline std::chrono::milliseconds Between(base::Random* random, std::chrono::milliseconds low, std::chrono::milliseconds high) {
  return low + std::chrono::milliseconds(random->Below(static_cast<std::uint64_t>((high - low).count()) + 1));
}

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_BETWEEN_H_

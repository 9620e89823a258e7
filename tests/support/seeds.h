// Which seeds a test of many is run with.
#ifndef DROVER_TESTS_SUPPORT_SEEDS_H_
#define DROVER_TESTS_SUPPORT_SEEDS_H_

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace drover::testing {

// "FIRST-LAST", or one, as the environment variable says; `usual` where it says nothing. Throws std::invalid_argument for anything
// else.
inline std::vector<std::uint64_t> SeedsAsked(const char* variable, const char* usual) {
  const char* const asked = std::getenv(variable);
  const std::vector<std::string> ends = absl::StrSplit(asked == nullptr ? usual : asked, '-');
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (!absl::SimpleAtoi(ends.front(), &first) || !absl::SimpleAtoi(ends.back(), &last)) {
    throw std::invalid_argument(std::string(variable) + " says which seeds: 1-200, or 28");
  }
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = first; seed <= last; ++seed) seeds.push_back(seed);
  return seeds;
}

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_SEEDS_H_

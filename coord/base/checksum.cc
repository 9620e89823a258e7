#include "coord/base/checksum.h"

// The streaming state must live on the stack; the functions come from the library all the same.
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

namespace drover::base {

std::uint64_t Checksum(absl::string_view data) {
  return XXH3_64bits(data.data(), data.size());
}

std::uint64_t Checksum(std::initializer_list<absl::string_view> parts) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (const absl::string_view part : parts) XXH3_64bits_update(&state, part.data(), part.size());
  return XXH3_64bits_digest(&state);
}

}  // namespace drover::base

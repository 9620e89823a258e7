// The checksum of everything that Drover keeps on disk: XXH3, 64 bits, seed 0.
//
// Why not CRC32C: 32 bits let one damaged frame in 4 billion pass, XXH3 one in 2^64, and it is as fast without a special
// instruction (over 10 GB/s), so it needs no choice at run time. What a CRC adds, certainty for short bursts of flipped bits, does
// not matter at 64 bits. `xxhsum -H3` computes the same number by hand. It protects against accidents, not against an attacker.
#ifndef DROVER_COORD_BASE_CHECKSUM_H_
#define DROVER_COORD_BASE_CHECKSUM_H_

#include <cstdint>
#include <initializer_list>

#include "absl/strings/string_view.h"

namespace drover::base {

[[nodiscard]] std::uint64_t Checksum(absl::string_view data);
// Of the parts laid end to end.
[[nodiscard]] std::uint64_t Checksum(std::initializer_list<absl::string_view> parts);

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_CHECKSUM_H_

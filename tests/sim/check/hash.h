// Mixing of numbers for the memo of a search. Deterministic; not for anything that is stored.
#ifndef DROVER_TESTS_SIM_CHECK_HASH_H_
#define DROVER_TESTS_SIM_CHECK_HASH_H_

#include <cstdint>

namespace drover::sim::check {

// The finaliser of splitmix64: a bijection in which every bit of the input reaches every bit of the output.
constexpr std::uint64_t Mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}
constexpr std::uint64_t Mix(std::uint64_t seed, std::uint64_t x) {
  return Mix(Mix(seed) ^ x);
}

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_HASH_H_

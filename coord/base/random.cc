#include "coord/base/random.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "coord/base/check.h"

namespace drover::base {

std::uint64_t SystemRandom::Next() {
  std::uint64_t bits = 0;
  ssize_t got;
  do {
    got = getrandom(&bits, sizeof(bits), 0);
  } while (got < 0 && errno == EINTR);
  // Up to 256 bytes are never returned short once the pool is initialised; without randomness no secret may be made up.
  DROVER_CHECK(got == static_cast<ssize_t>(sizeof(bits))) << "getrandom: " << std::strerror(errno);
  return bits;
}

// The state is filled by splitmix64, as the authors of xoshiro256** advise (prng.di.unimi.it): similar seeds give unrelated
// sequences, and the state is never all zero.
SeededRandom::SeededRandom(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SeededRandom::Next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

}  // namespace drover::base

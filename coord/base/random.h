// Random bits as an argument: deciding code never reaches for a generator of its own.
#ifndef DROVER_COORD_BASE_RANDOM_H_
#define DROVER_COORD_BASE_RANDOM_H_

#include <cstdint>

namespace drover::base {

class Random {
 public:
  virtual ~Random() = default;
  // 64 uniform bits.
  virtual std::uint64_t Next() = 0;
  // Uniform in [0, bound) by multiply-and-shift (bias below 2^-32 for bounds below 2^32); bound > 0.
  std::uint64_t Below(std::uint64_t bound) {
    __extension__ using Wide = unsigned __int128;  // no ISO type, and -Wpedantic says so
    return static_cast<std::uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
  }
};

// From the kernel (getrandom): ids and secrets that nobody may guess. Any thread.
class SystemRandom final : public Random {
 public:
  std::uint64_t Next() override;
};

// xoshiro256**, seeded: the same sequence everywhere. Not for secrets. One thread.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  std::uint64_t Next() override;

 private:
  std::uint64_t state_[4];
};

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_RANDOM_H_

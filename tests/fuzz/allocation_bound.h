// What a decoder may allocate: in proportion to what it was given, however large the numbers in that are.
//
// While one lives everything that this thread allocates is summed up, whether it is freed again or not; its destructor checks the
// sum. (A sum is stricter than a peak, and the same in every run.) Where allocations cannot be seen (ThreadSanitizer) it checks
// nothing. One at a time.
#ifndef DROVER_TESTS_FUZZ_ALLOCATION_BOUND_H_
#define DROVER_TESTS_FUZZ_ALLOCATION_BOUND_H_

#include <cstddef>

namespace drover::fuzz {

class AllocationBound {
 public:
  // At most `each` bytes for each of `input_bytes`, and `base` besides.
  AllocationBound(std::size_t input_bytes, std::size_t each, std::size_t base = std::size_t{64} << 10);
  ~AllocationBound();
  AllocationBound(const AllocationBound&) = delete;
  AllocationBound& operator=(const AllocationBound&) = delete;

  // So far.
  [[nodiscard]] static std::size_t allocated();

 private:
  const std::size_t bound_;
};

}  // namespace drover::fuzz

#endif  // DROVER_TESTS_FUZZ_ALLOCATION_BOUND_H_

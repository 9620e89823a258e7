#include "tests/fuzz/allocation_bound.h"

#include <cstdlib>
#include <new>

#include "coord/base/check.h"

#if defined(__SANITIZE_ADDRESS__)
#define DROVER_FUZZ_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define DROVER_FUZZ_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DROVER_FUZZ_ASAN 1
#elif __has_feature(thread_sanitizer)
#define DROVER_FUZZ_TSAN 1
#endif
#endif

namespace {

thread_local bool counting = false;
thread_local std::size_t sum = 0;

[[maybe_unused]] void Count(std::size_t size) {
  if (counting) sum += size;
}

}  // namespace

#if defined(DROVER_FUZZ_ASAN)

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*, std::size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {
const int installed = __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t size) { Count(size); },
                                                                [](const volatile void*) {});
}  // namespace

#elif !defined(DROVER_FUZZ_TSAN)

namespace {
void* Allocate(std::size_t size) {
  Count(size);
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

// In the place of the library's; the other forms call these two, but for those with an alignment, which stay the library's own.
void* operator new(std::size_t size) {
  return Allocate(size);
}
void* operator new[](std::size_t size) {
  return Allocate(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

#endif

namespace drover::fuzz {

AllocationBound::AllocationBound(std::size_t input_bytes, std::size_t each, std::size_t base) : bound_(base + each * input_bytes) {
#if defined(DROVER_FUZZ_ASAN)
  DROVER_CHECK(installed > 0);
#endif
  DROVER_CHECK(!counting);
  sum = 0;
  counting = true;
}

AllocationBound::~AllocationBound() {
  counting = false;
  DROVER_CHECK(sum <= bound_) << sum << " bytes were allocated; the input admits " << bound_;
}

std::size_t AllocationBound::allocated() {
  return sum;
}

}  // namespace drover::fuzz

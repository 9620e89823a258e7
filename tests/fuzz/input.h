// An input of a fuzzer, taken from its front.
//
// Whatever is asked for beyond the end is zero or empty, so that every input means something. Views live as long as the input.
#ifndef DROVER_TESTS_FUZZ_INPUT_H_
#define DROVER_TESTS_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/check.h"

// What each target defines. Returns 0; what must not be, aborts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace drover::fuzz {

inline absl::string_view ViewOf(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

class Input {
 public:
  explicit Input(absl::string_view bytes) : rest_(bytes) {}
  Input(const std::uint8_t* data, std::size_t size) : rest_(ViewOf(data, size)) {}

  std::uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  // Little-endian, of so many bytes.
  std::uint64_t Number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= std::uint64_t{Byte()} << (8 * i);
    return value;
  }
  // At most so many bytes.
  absl::string_view Take(std::size_t bytes) {
    const absl::string_view taken = rest_.substr(0, std::min(bytes, rest_.size()));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  // A piece with its length before it, in two bytes.
  absl::string_view Piece() { return Take(Number(2)); }
  absl::string_view Rest() { return Take(rest_.size()); }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  absl::string_view rest_;
};

// `part` lies within `whole`, or is empty.
[[nodiscard]] inline bool Within(absl::string_view part, absl::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// A refusal says why, and is none of the codes that mean that the program itself is at fault.
inline void CheckRefusal(const absl::Status& status) {
  DROVER_CHECK(!status.ok());
  DROVER_CHECK(!status.message().empty()) << status.ToString();
  DROVER_CHECK(!absl::IsInternal(status) && !absl::IsUnknown(status)) << status.ToString();
}

}  // namespace drover::fuzz

#endif  // DROVER_TESTS_FUZZ_INPUT_H_

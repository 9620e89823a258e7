// ZooKeeper's encoding: integers big-endian, strings, buffers and vectors behind their length, -1 for null, records inline.
//
// Pure. Threads: any, one at a time.
#ifndef DROVER_TESTS_ORACLE_JUTE_H_
#define DROVER_TESTS_ORACLE_JUTE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace drover::oracle {

class JuteWriter {
 public:
  void Bool(bool value) { bytes_.push_back(value ? '\1' : '\0'); }
  void Int(std::int32_t value);
  void Long(std::int64_t value);
  void String(absl::string_view value);
  void Buffer(const std::optional<std::string>& value);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reads in order; once something was not there, everything is 0 or empty and ok() false.
class JuteReader {
 public:
  // `bytes` must outlive it.
  explicit JuteReader(absl::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool Bool();
  [[nodiscard]] std::int32_t Int();
  [[nodiscard]] std::int64_t Long();
  [[nodiscard]] std::string String() { return Buffer().value_or(""); }
  [[nodiscard]] std::optional<std::string> Buffer();
  // How many elements follow; null is none.
  [[nodiscard]] std::int32_t Count();

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] absl::string_view rest() const { return rest_; }

 private:
  [[nodiscard]] std::uint64_t BigEndian(std::size_t bytes);

  absl::string_view rest_;
  bool ok_ = true;
};

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_JUTE_H_

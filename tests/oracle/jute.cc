#include "tests/oracle/jute.h"

namespace drover::oracle {
namespace {

void AppendBigEndian(std::uint64_t value, int bytes, std::string* out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out->push_back(static_cast<char>(value >> shift & 0xff));
}

}  // namespace

void JuteWriter::Int(std::int32_t value) {
  AppendBigEndian(static_cast<std::uint32_t>(value), 4, &bytes_);
}

void JuteWriter::Long(std::int64_t value) {
  AppendBigEndian(static_cast<std::uint64_t>(value), 8, &bytes_);
}

void JuteWriter::String(absl::string_view value) {
  Int(static_cast<std::int32_t>(value.size()));
  bytes_.append(value.data(), value.size());
}

void JuteWriter::Buffer(const std::optional<std::string>& value) {
  if (value.has_value()) {
    String(*value);
  } else {
    Int(-1);
  }
}

std::uint64_t JuteReader::BigEndian(std::size_t bytes) {
  if (rest_.size() < bytes) {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(bytes);
  return value;
}

bool JuteReader::Bool() {
  return BigEndian(1) != 0;
}

std::int32_t JuteReader::Int() {
  return static_cast<std::int32_t>(BigEndian(4));
}

std::int64_t JuteReader::Long() {
  return static_cast<std::int64_t>(BigEndian(8));
}

std::optional<std::string> JuteReader::Buffer() {
  const std::int32_t length = Int();
  if (length < 0) return std::nullopt;
  if (rest_.size() < static_cast<std::size_t>(length)) {
    ok_ = false;
    rest_ = {};
    return std::nullopt;
  }
  std::string value(rest_.substr(0, static_cast<std::size_t>(length)));
  rest_.remove_prefix(static_cast<std::size_t>(length));
  return value;
}

std::int32_t JuteReader::Count() {
  const std::int32_t count = Int();
  // Each element takes a byte at least.
  if (count > 0 && static_cast<std::size_t>(count) > rest_.size()) ok_ = false;
  return ok_ && count > 0 ? count : 0;
}

}  // namespace drover::oracle

#include "master/records/task_id.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "master/records/record_limits.h"

namespace drover::records {
namespace {

constexpr std::size_t kHexDigits = 16;

bool IsWord(absl::string_view s, std::size_t size_max) {
  if (s.empty() || s.size() > size_max || !absl::ascii_isalnum(static_cast<unsigned char>(s.front()))) return false;
  for (const char c : s) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

std::optional<std::uint64_t> ParseHex(absl::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<std::uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

}  // namespace

bool IsTaskId(absl::string_view id) {
  return IsWord(id, kTaskIdBytesMax);
}
bool IsName(absl::string_view name) {
  return IsWord(name, kNameBytesMax);
}

bool IsLabelKey(absl::string_view key) {
  if (key.empty() || key.size() > kNameBytesMax || !absl::ascii_isalnum(static_cast<unsigned char>(key.front()))) return false;
  for (const char c : key) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-' && c != '/') return false;
  }
  return true;
}

bool IsLabelValue(absl::string_view value) {
  if (value.size() > kNameBytesMax) return false;
  for (const char c : value) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

std::string ElementId(absl::string_view array, std::uint32_t index) {
  return absl::StrCat(array, ":", index);
}

std::optional<Element> ParseElement(absl::string_view id) {
  const std::size_t colon = id.find(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  const absl::string_view digits = id.substr(colon + 1);
  Element element{id.substr(0, colon)};
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
  }
  if (!absl::SimpleAtoi(digits, &element.index) || element.index > kArrayIndexMax) return std::nullopt;
  if (element.array.size() > kArrayIdBytesMax || !IsTaskId(element.array)) return std::nullopt;
  return element;
}

bool IsAnyTaskId(absl::string_view id) {
  return IsTaskId(id) || ParseElement(id).has_value();
}

absl::Status NoTaskError(absl::string_view id) {
  return absl::NotFoundError(absl::StrCat("there is no task ", id, " (any more)"));
}

std::string GeneratedId(std::uint64_t ticket, std::uint64_t random) {
  return absl::StrFormat("t%016x-%016x", ticket, random);
}

std::optional<std::uint64_t> TicketOf(absl::string_view id) {
  if (id.size() != 2 + 2 * kHexDigits || id[0] != 't' || id[1 + kHexDigits] != '-') return std::nullopt;
  if (!ParseHex(id.substr(2 + kHexDigits))) return std::nullopt;
  return ParseHex(id.substr(1, kHexDigits));
}

}  // namespace drover::records

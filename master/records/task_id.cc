#include "master/records/task_id.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

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

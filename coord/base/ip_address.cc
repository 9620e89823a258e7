#include "coord/base/ip_address.h"

#include <arpa/inet.h>

#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace drover::base {
namespace {

constexpr std::size_t kIpv4Bytes = 4;
constexpr std::size_t kIpv6Bytes = 16;
constexpr char kMapped[] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";
constexpr absl::string_view kMappedPrefix(kMapped, 12);

// As written: not yet what it is mapped from.
std::optional<std::string> ParseBytes(absl::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != text.size() || terminated.find('\0') != std::string::npos) return std::nullopt;
  std::array<char, kIpv6Bytes> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return std::string(bytes.data(), kIpv4Bytes);
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return std::string(bytes.data(), kIpv6Bytes);
  return std::nullopt;
}

bool IsMapped(absl::string_view bytes) {
  return bytes.size() == kIpv6Bytes && bytes.substr(0, kMappedPrefix.size()) == kMappedPrefix;
}

}  // namespace

std::optional<std::string> ParseIpAddress(absl::string_view text) {
  std::optional<std::string> bytes = ParseBytes(text);
  if (bytes && IsMapped(*bytes)) bytes->erase(0, kMappedPrefix.size());
  return bytes;
}

std::string FormatIpAddress(absl::string_view bytes) {
  if (bytes.size() != kIpv4Bytes && bytes.size() != kIpv6Bytes) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == kIpv4Bytes ? AF_INET : AF_INET6;
  if (inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr) return {};
  return text.data();
}

std::optional<IpNetwork> IpNetwork::Parse(absl::string_view text) {
  const std::size_t slash = text.find('/');
  std::optional<std::string> address = ParseBytes(text.substr(0, slash));
  if (!address) return std::nullopt;
  auto bits = static_cast<unsigned>(address->size() * 8);
  if (slash != absl::string_view::npos) {
    const absl::string_view digits = text.substr(slash + 1);
    unsigned asked = 0;
    if (digits.empty() || digits.find_first_not_of("0123456789") != absl::string_view::npos || !absl::SimpleAtoi(digits, &asked) ||
        asked > bits) {
      return std::nullopt;
    }
    bits = asked;
  }
  constexpr auto kMappedBits = static_cast<unsigned>(kMappedPrefix.size() * 8);
  if (IsMapped(*address) && bits >= kMappedBits) {
    address->erase(0, kMappedPrefix.size());
    bits -= kMappedBits;
  }
  return IpNetwork(*std::move(address), bits);
}

bool IpNetwork::Contains(absl::string_view address) const {
  if (address.size() != address_.size()) return false;
  const std::size_t whole = bits_ / 8;
  if (address.substr(0, whole) != absl::string_view(address_).substr(0, whole)) return false;
  const unsigned rest = bits_ % 8;
  if (rest == 0) return true;
  const auto differs = static_cast<unsigned char>(address[whole] ^ address_[whole]);
  return (differs >> (8 - rest)) == 0;
}

}  // namespace drover::base

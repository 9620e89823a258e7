// IP addresses and networks as text and as bytes. Nothing is looked up.
//
// An address is its bytes in network order: 4 (IPv4) or 16 (IPv6). An IPv4 address in IPv6's clothes (::ffff:10.0.0.1) is the IPv4
// address, so that both spellings of one host are equal.
#ifndef DROVER_COORD_BASE_IP_ADDRESS_H_
#define DROVER_COORD_BASE_IP_ADDRESS_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace drover::base {

// "10.0.0.1", "2001:db8::1". Nothing for anything else (names, ports, zones).
[[nodiscard]] std::optional<std::string> ParseIpAddress(absl::string_view text);
// Empty for bytes that are no address.
[[nodiscard]] std::string FormatIpAddress(absl::string_view bytes);

// All addresses that begin with the same bits.
class IpNetwork {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or an address, which is a network of one. Bits behind the prefix may be set; they do not count.
  [[nodiscard]] static std::optional<IpNetwork> Parse(absl::string_view text);

  [[nodiscard]] bool Contains(absl::string_view address) const;

 private:
  IpNetwork(std::string address, unsigned bits) : address_(std::move(address)), bits_(bits) {}

  std::string address_;
  unsigned bits_;
};

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_IP_ADDRESS_H_

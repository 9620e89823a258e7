// Where a server is: a name or an address, and a port. Text only; nothing is looked up.
#ifndef DROVER_COORD_BASE_HOST_PORT_H_
#define DROVER_COORD_BASE_HOST_PORT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::base {

// "host:port", "[::1]:7400", port 0..65535.
struct HostPort {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  [[nodiscard]] std::string ToString() const;  // brackets where they belong
};

// INVALID_ARGUMENT says how to write one.
[[nodiscard]] absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_HOST_PORT_H_

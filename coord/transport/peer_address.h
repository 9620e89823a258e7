// gRPC's spelling of the other end of a call.
#ifndef DROVER_COORD_TRANSPORT_PEER_ADDRESS_H_
#define DROVER_COORD_TRANSPORT_PEER_ADDRESS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace drover::transport {

// The bytes of the IP address (coord/base/ip_address.h) in "ipv4:127.0.0.1:41234", "ipv6:%5B::1%5D:41234" or "ipv6:[::1]:41234";
// empty for anything else, a Unix socket for one.
[[nodiscard]] std::string PeerAddress(absl::string_view peer);

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_PEER_ADDRESS_H_

// What a server knows of a call besides its bytes.
#ifndef DROVER_COORD_TRANSPORT_CALL_INFO_H_
#define DROVER_COORD_TRANSPORT_CALL_INFO_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/time.h"

namespace drover::transport {

// Names are lower case; names ending in "-bin" hold any bytes, others ASCII. gRPC's own names do not appear.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct CallInfo {
  std::string method;  // "/drover.coord.v1.Coordination/Session"
  // The other end as gRPC spells it: "ipv4:127.0.0.1:41234".
  std::string peer;
  // Who the peer proved to be; empty until links are authenticated.
  std::string identity;
  Metadata metadata;
  // What was left of the client's deadline when the call arrived; none: no deadline.
  std::optional<base::Duration> time_left;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_CALL_INFO_H_

// The gRPC door for drover.coord.v1.Membership: bytes to changes, statuses through. Nothing is decided here.
#ifndef DROVER_COORD_SERVER_MEMBER_SERVICE_H_
#define DROVER_COORD_SERVER_MEMBER_SERVICE_H_

#include <functional>

#include "coord/server/member_process.h"
#include "coord/transport/grpc_server.h"

namespace drover::coord::server {

// Loop thread. Before the server starts; `process` answers null until there is one.
void RegisterMembership(transport::Server* server, std::function<MemberProcess*()> process);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_MEMBER_SERVICE_H_

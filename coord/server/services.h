// The node's gRPC doors: drover.coord.v1.Coordination, drover.peer.v1.Peer, health and reflection. Bytes pass through; nothing is
// decided here.
#ifndef DROVER_COORD_SERVER_SERVICES_H_
#define DROVER_COORD_SERVER_SERVICES_H_

#include <string>

#include "absl/status/status.h"
#include "coord/server/member_process.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_server.h"

namespace drover::coord::server {

// Loop thread. Destroy the process, which holds the connections, before this.
// What the other nodes dial.
inline constexpr char kPeerLink[] = "/drover.peer.v1.Peer/Link";

class Services {
 public:
  // `advertise`: what Status shows as this node's address; empty: what was bound.
  Services(transport::CqLoop* loop, const transport::ServerOptions& options, std::string advertise);

  // Serves `process`, which must live until Shutdown's `done` or be Stopped before.
  absl::Status Start(MemberProcess* process);
  [[nodiscard]] const std::string& address() const { return server_.address(); }
  // What the health service says.
  void SetServing(bool serving);
  void Shutdown(base::Duration grace, base::Task done) { server_.Shutdown(grace, std::move(done)); }

 private:
  [[nodiscard]] base::Bytes Status() const;

  const std::string advertise_;
  MemberProcess* process_ = nullptr;
  bool serving_ = false;
  transport::Server server_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SERVICES_H_

// Connections to gRPC servers, as clients and peers of the coordination service open them.
//
// Every Dial opens a link (a TCP connection) of its own at once: no shared subchannel whose back-off could delay a redial, and a
// stream breaks when and only when its link does. gRPC's keepalive is off: silence closes nothing.
//
// OnClosed causes: kPeerGone: the link broke or could not be made (UNAVAILABLE); kPeerClosed: the server ended the stream (`status`
// is its word, OK too); kLocal: this end refused what came (a message over the limit).
#ifndef DROVER_COORD_TRANSPORT_GRPC_DIALER_H_
#define DROVER_COORD_TRANSPORT_GRPC_DIALER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "coord/base/connection.h"
#include "coord/transport/call_info.h"
#include "coord/transport/cq_loop.h"

namespace drover::transport {

struct LinkOptions {
  // An attempt to connect that takes longer has failed.
  base::Duration connect_timeout = std::chrono::seconds(1);
  // A larger message from the server ends the call.
  std::size_t receive_bytes_max = (8u << 20) + (64u << 10);
  // A connection destroyed after Close may take this long to send what it still has and to hear the server's end, then it is cut.
  base::Duration linger = std::chrono::seconds(5);
};

// Dials one method of a server. Serves bidi streams, and as well: server streams (Send the request, Close, then frames come until
// OnClosed) and client streams (Send, bounded by queued_bytes and OnDrained, Close, then one frame comes).
// Close half-closes: frames of the server are still delivered until it ends the stream. Destroying a connection that was not closed
// cuts it. Loop thread; must not outlive the loop; connections may outlive the dialer.
class GrpcDialer final : public base::Dialer {
 public:
  // `method`: "/drover.coord.v1.Coordination/Session".
  GrpcDialer(CqLoop* loop, std::string method, LinkOptions options = {}, Metadata metadata = {});
  ~GrpcDialer() override;

  // `address`: "host:port"; a literal IPv4 or bracketed IPv6 host is used without name resolution.
  std::unique_ptr<base::Connection> Dial(const std::string& address, base::ConnectionEvents* events) override;

 private:
  CqLoop* const loop_;
  const std::string method_;
  const LinkOptions options_;
  const Metadata metadata_;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_GRPC_DIALER_H_

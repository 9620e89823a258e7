// A gRPC server on the loop: every method is served as raw bytes by one mechanism (gRPC's generic service), all on the loop thread.
//
// Health (grpc.health.v1.Health) and reflection (grpc.reflection.v1alpha.ServerReflection) are served the same way, without threads
// of their own: gRPC's stock ones poll beside the loop and would take network events away from it.
//
// Threads: the loop's. One server per loop. Register everything, then Start.
#ifndef DROVER_COORD_TRANSPORT_GRPC_SERVER_H_
#define DROVER_COORD_TRANSPORT_GRPC_SERVER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/bytes.h"
#include "coord/base/connection.h"
#include "coord/transport/call_info.h"
#include "coord/transport/cq_loop.h"

namespace drover::transport {

struct ServerOptions {
  // "host:port"; port 0 takes a free one. An address that is in use is an error, never shared.
  std::string listen = "127.0.0.1:0";
  // A larger message from a client ends its call with RESOURCE_EXHAUSTED. A frame is at most 8 MiB, so this is that and some slack.
  std::size_t receive_bytes_max = (8u << 20) + (64u << 10);
  // New calls taken off gRPC per wake-up at most; more wait for the next one.
  std::size_t accepts_pending = 64;
  // A connection destroyed after Close may take this long to send what it still has, then it is cut.
  base::Duration linger = std::chrono::seconds(5);
};

// Answers a unary call, from inside the handler or later, on the loop thread; the first answer counts. Dropped unused: INTERNAL.
// Ignored when the client has gone meanwhile.
using UnaryReply = absl::AnyInvocable<void(absl::StatusOr<base::Bytes>)>;
using UnaryHandler = absl::AnyInvocable<void(base::Bytes request, const CallInfo& info, UnaryReply reply)>;

// Takes a new stream and says who gets its events; whoever that is must outlive the connection. No event comes before it returns.
// To refuse: connection->Close(status), drop the connection, return nullptr.
//
// OnClosed causes: kPeerClosed: the client half-closed (what was received is delivered before; the stream then ends with OK);
// kPeerGone: its link broke, or it cancelled the stream; kLocal: Close was called here, and its status has been handed to gRPC.
using StreamAcceptor =
    absl::AnyInvocable<base::ConnectionEvents*(std::unique_ptr<base::Connection> connection, const CallInfo& info)>;

// One request, then as many replies as the server sends: OnFrame is never called. Bound the queue by queued_bytes and OnDrained;
// Close ends the stream. OnClosed comes when the client has gone.
using ServerStreamAcceptor = absl::AnyInvocable<base::ConnectionEvents*(
    base::Bytes request, std::unique_ptr<base::Connection> connection, const CallInfo& info)>;

// Many messages from the client, read one at a time as the server asks for them, and one answer.
class ClientStream {
 public:
  // Cancels the call if it was not answered.
  virtual ~ClientStream() = default;
  // A message; nullopt when the client has sent all; CANCELLED when it has gone. Never from inside Read. One Read at a time.
  virtual void Read(absl::AnyInvocable<void(absl::StatusOr<std::optional<base::Bytes>>)> done) = 0;
  // At any time, once. The stream may be destroyed afterwards.
  virtual void Reply(absl::StatusOr<base::Bytes> answer) = 0;
};
using ClientStreamAcceptor = absl::AnyInvocable<void(std::unique_ptr<ClientStream> stream, const CallInfo& info)>;

// Whether a server could listen there now: binds once, and lets go. As Server::Start.
[[nodiscard]] absl::Status TryListen(const std::string& address);

class Server {
 public:
  Server(CqLoop* loop, ServerOptions options);
  // Cuts what is still open; returns when gRPC has let go of it. Connections handed out must be gone before, handlers are not
  // called any more.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Full method names: "/drover.coord.v1.Coordination/Session". Before Start. Everything else is answered UNIMPLEMENTED.
  void RegisterStream(const std::string& method, StreamAcceptor acceptor);
  void RegisterUnary(const std::string& method, UnaryHandler handler);
  void RegisterServerStream(const std::string& method, ServerStreamAcceptor acceptor);
  void RegisterClientStream(const std::string& method, ClientStreamAcceptor acceptor);

  // Binds and serves. Errors name the address and the system's words (ALREADY_EXISTS: in use; INVALID_ARGUMENT: not an address).
  absl::Status Start();
  // What was bound, with the real port: "127.0.0.1:40123". After Start.
  [[nodiscard]] const std::string& address() const;

  // What the health service says of a service ("drover.coord.v1.Coordination"). "" is the process as a whole: SERVING from Start
  // until Shutdown unless set. Services with registered methods are NOT_SERVING until set; unknown ones NOT_FOUND.
  void SetServing(const std::string& service, bool serving);

  // Takes no new calls, lets those under way end within `grace`, then cuts them; `done` follows on the loop. Links are cut as soon
  // as no call is left: an idle one holds up nothing.
  void Shutdown(base::Duration grace, base::Task done);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_GRPC_SERVER_H_

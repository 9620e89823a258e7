// The server's side of each kind of call. For this folder's .cc files only.
#ifndef DROVER_COORD_TRANSPORT_SERVER_CALLS_H_
#define DROVER_COORD_TRANSPORT_SERVER_CALLS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include "coord/transport/cq_internal.h"
#include "coord/transport/grpc_server.h"
#include "grpcpp/generic/async_generic_service.h"

namespace drover::transport {

struct StreamMethod {
  StreamAcceptor acceptor;
};
struct UnaryMethod {
  UnaryHandler handler;
};
struct ServerStreamMethod {
  ServerStreamAcceptor acceptor;
};
struct ClientStreamMethod {
  ClientStreamAcceptor acceptor;
};
using Method = std::variant<StreamMethod, UnaryMethod, ServerStreamMethod, ClientStreamMethod>;

// What the server and its calls share. Outlived by none of them: the server waits until `calls` is 0.
struct ServerShared {
  CqLoop::Impl* loop = nullptr;
  ServerOptions options;
  grpc::AsyncGenericService service;
  std::map<std::string, Method> methods;
  bool stopping = false;  // from now on calls that are cut are cut by this side
  // The server is being destroyed. Its user may have destroyed what the handlers stand on, so none is called any more; calls that
  // gRPC had already taken in are refused.
  bool closed = false;
  int calls = 0;
  // Set when the server stops; called each time that no call is left.
  std::function<void()> no_calls_left;
};

// Asks gRPC for one more call; asks again when it comes.
void AcceptNext(ServerShared* server);

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_SERVER_CALLS_H_

#include "coord/transport/grpc_server.h"

#include <limits.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/cq_internal.h"
#include "coord/transport/health.h"
#include "coord/transport/link.h"
#include "coord/transport/reflection.h"
#include "coord/transport/server_calls.h"
#include "grpc/grpc.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"

namespace drover::transport {
absl::Status TryListen(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return absl::InvalidArgumentError(absl::StrCat(address, ": not host:port"));
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.empty() ? nullptr : host.c_str(), address.c_str() + colon + 1, &hints, &found);
  if (code != 0) return absl::InvalidArgumentError(absl::StrCat("cannot listen on ", address, ": ", gai_strerror(code)));
  int error = 0;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
      bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1) != 0) {
    error = errno;
  }
  if (fd >= 0) close(fd);
  freeaddrinfo(found);
  if (error == 0) return absl::OkStatus();
  const std::string what = absl::StrCat("cannot listen on ", address, ": ", strerror(error));
  if (error != EADDRINUSE) return absl::UnavailableError(what);
  return absl::AlreadyExistsError(absl::StrCat(what, ": give another address, or stop the process that has it"));
}

class Server::Impl {
 public:
  Impl(CqLoop* loop, ServerOptions options) : loop_(loop) {
    shared_.loop = loop->impl();
    shared_.options = std::move(options);
  }

  ~Impl() {
    shared_.closed = true;
    if (server_ != nullptr) {
      health_.CloseWatches();
      reflection_.CloseStreams();
      if (!stop_thread_.joinable()) BeginStop(base::Duration::zero(), [] {});
      shared_.loop->Pump([this] { return stopped_ && shared_.calls == 0; });
    }
    if (stop_thread_.joinable()) stop_thread_.join();
  }

  void Register(const std::string& method, Method how) {
    DROVER_CHECK(server_ == nullptr) << "methods are registered before Start";
    shared_.methods.emplace(method, std::move(how));
    const std::size_t slash = method.rfind('/');
    if (slash == 0 || slash == std::string::npos) return;
    const std::string service = method.substr(1, slash - 1);
    reflection_.AddService(service);
    health_.Set(service, false);
  }

  absl::Status Start(Server* face) {
    QuietGrpc();
    health_.Register(face);
    reflection_.Register(face);
    health_.Set("", true);
    health_.Set("grpc.health.v1.Health", true);
    health_.Set("grpc.reflection.v1alpha.ServerReflection", true);

    const ServerOptions& options = shared_.options;
    std::unique_ptr<grpc::ServerBuilder> builder = shared_.loop->TakeServerBuilder();
    DROVER_CHECK(builder != nullptr) << "one server per loop";
    builder->RegisterAsyncGenericService(&shared_.service);
    builder->SetMaxReceiveMessageSize(static_cast<int>(options.receive_bytes_max + kMessageSlack));
    builder->SetMaxSendMessageSize(-1);
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, INT_MAX);
    builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    int port = 0;
    builder->AddListeningPort(options.listen, grpc::InsecureServerCredentials(), &port);
    server_ = builder->BuildAndStart();
    if (server_ == nullptr || port == 0) {
      server_ = nullptr;
      // gRPC only says that it could not bind; binding once by hand tells why.
      if (absl::Status why = TryListen(options.listen); !why.ok()) return why;
      return absl::UnavailableError(absl::StrCat("cannot listen on ", options.listen, ": try again"));
    }
    address_ = absl::StrCat(options.listen.substr(0, options.listen.rfind(':')), ":", port);
    for (std::size_t i = 0; i < options.accepts_pending; ++i) AcceptNext(&shared_);
    return absl::OkStatus();
  }

  void SetServing(const std::string& service, bool serving) { health_.Set(service, serving); }

  void Shutdown(base::Duration grace, base::Task done) {
    if (server_ == nullptr || stop_thread_.joinable()) {
      loop_->Post(std::move(done));
      return;
    }
    health_.SetAllDown();
    health_.CloseWatches();
    reflection_.CloseStreams();
    BeginStop(grace, std::move(done));
  }

  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  // gRPC's Shutdown waits for calls to end, and they end by completions that this thread takes: so it waits in another.
  void BeginStop(base::Duration grace, base::Task done) {
    shared_.stopping = true;
    // gRPC waits for every link to end, and one whose client acknowledges nothing does not, for 20 s. Nothing is under way on a
    // link without calls (their last word has been written), so then they are all cut.
    shared_.no_calls_left = [this] { grpc_server_cancel_all_calls(server_->c_server()); };
    stop_thread_ = std::thread([this, grace, done = std::move(done)]() mutable {
      server_->Shutdown(std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::microseconds>(grace));
      loop_->PostFromAnyThread(std::move(done));
      stopped_ = true;
    });
  }

  CqLoop* const loop_;
  ServerShared shared_;
  HealthService health_;
  ReflectionService reflection_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::thread stop_thread_;
  std::atomic<bool> stopped_{false};
};

Server::Server(CqLoop* loop, ServerOptions options) : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Server::~Server() = default;

void Server::RegisterStream(const std::string& method, StreamAcceptor acceptor) {
  impl_->Register(method, StreamMethod{std::move(acceptor)});
}
void Server::RegisterUnary(const std::string& method, UnaryHandler handler) {
  impl_->Register(method, UnaryMethod{std::move(handler)});
}
void Server::RegisterServerStream(const std::string& method, ServerStreamAcceptor acceptor) {
  impl_->Register(method, ServerStreamMethod{std::move(acceptor)});
}
void Server::RegisterClientStream(const std::string& method, ClientStreamAcceptor acceptor) {
  impl_->Register(method, ClientStreamMethod{std::move(acceptor)});
}
absl::Status Server::Start() {
  return impl_->Start(this);
}
const std::string& Server::address() const {
  return impl_->address();
}
void Server::SetServing(const std::string& service, bool serving) {
  impl_->SetServing(service, serving);
}
void Server::Shutdown(base::Duration grace, base::Task done) {
  impl_->Shutdown(grace, std::move(done));
}

}  // namespace drover::transport

#include "client/examples/rpc/rpc.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/examples/rpc/example.grpc.pb.h"

namespace drover::examples {
namespace {

// Above both the longest answer and the longest request of an example.
constexpr int kMessageBytesMax = 16 << 20;

class GrpcServer final : public Server, private v1::ExampleService::Service {
 public:
  explicit GrpcServer(Handler handler) : handler_(std::move(handler)) {}
  ~GrpcServer() override {
    if (server_ != nullptr) server_->Shutdown();
  }

  absl::Status Listen(int wanted) {
    int port = 0;
    grpc::ServerBuilder builder;
    // Two servers on one port would each get some of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(kMessageBytesMax);
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", wanted), grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) return absl::UnavailableError(absl::StrCat("cannot listen on 127.0.0.1:", wanted));
    address_ = absl::StrCat("127.0.0.1:", port);
    return absl::OkStatus();
  }

  [[nodiscard]] const std::string& address() const override { return address_; }

 private:
  grpc::Status Call(grpc::ServerContext*, const v1::CallRequest* request, v1::CallResponse* response) override {
    absl::StatusOr<Lines> lines = handler_(request->method(), {request->arguments().begin(), request->arguments().end()});
    if (!lines.ok()) {
      // The two libraries have the same codes.
      return {static_cast<grpc::StatusCode>(lines.status().code()), std::string(lines.status().message())};
    }
    for (std::string& line : *lines) response->add_lines(std::move(line));
    return grpc::Status::OK;
  }

  const Handler handler_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Handler handler, int port) {
  auto server = std::make_unique<GrpcServer>(std::move(handler));
  if (absl::Status listening = server->Listen(port); !listening.ok()) return listening;
  return server;
}

absl::StatusOr<Lines> Call(const std::string& address, const std::string& method, const std::vector<std::string>& arguments,
                           base::Duration timeout) {
  grpc::ChannelArguments channel_arguments;
  // A link of its own: what befell another call's link to this address is no reason to wait.
  channel_arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel_arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  channel_arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  const auto stub =
      v1::ExampleService::NewStub(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), channel_arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  v1::CallRequest request;
  request.set_method(method);
  for (const std::string& argument : arguments) request.add_arguments(argument);
  v1::CallResponse response;
  const grpc::Status status = stub->Call(&context, request, &response);
  if (!status.ok()) return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  return Lines(response.lines().begin(), response.lines().end());
}

}  // namespace drover::examples

#include "coord/transport/link.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "coord/base/failure_words.h"
#include "grpc/grpc.h"
#include "grpc/support/log.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace drover::transport {
namespace {

// Names go to the resolver, literal addresses straight to connect.
std::string Target(const std::string& address) {
  if (absl::StartsWith(address, "[")) return absl::StrCat("ipv6:", address);
  const std::string host = address.substr(0, address.rfind(':'));
  in_addr parsed{};
  if (inet_pton(AF_INET, host.c_str(), &parsed) == 1) return absl::StrCat("ipv4:", address);
  return absl::StrCat("dns:///", address);
}

}  // namespace

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), base::FailureWords(status.error_message()));
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

bool EndedByServer(const grpc::ClientContext& context) {
  return context.GetServerTrailingMetadata().count(kEndMark) != 0;
}

Metadata FromGrpc(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  Metadata out;
  for (const auto& [key, value] : metadata) {
    const absl::string_view name(key.data(), key.size());
    if (name == "user-agent" || absl::StartsWith(name, "grpc-")) continue;
    out.emplace_back(std::string(name), std::string(value.data(), value.size()));
  }
  return out;
}

void AddMetadata(const Metadata& metadata, grpc::ClientContext* context) {
  for (const auto& [key, value] : metadata) context->AddMetadata(key, value);
}

std::shared_ptr<grpc::Channel> OpenLink(const std::string& address, const LinkOptions& options) {
  QuietGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, INT_MAX);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // In spite of its name, how long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(base::ToMillis(options.connect_timeout)));
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.receive_bytes_max + kMessageSlack));
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(Target(address), grpc::InsecureChannelCredentials(), arguments);
}

void QuietGrpc() {
  static const bool once = [] {
    if (getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});
    return true;
  }();
  static_cast<void>(once);
}

}  // namespace drover::transport

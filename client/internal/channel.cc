#include "client/internal/channel.h"

#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>

namespace drover::client {

std::shared_ptr<grpc::Channel> NewChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetMaxSendMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void LetReconnect(grpc::Channel* channel, Deadline deadline) {
  constexpr auto kPatience = std::chrono::milliseconds(200);
  if (channel->GetState(true) != GRPC_CHANNEL_TRANSIENT_FAILURE) return;
  const auto left = std::clamp<Clock::duration>(deadline - Clock::now(), Clock::duration::zero(), kPatience);
  channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::microseconds>(left));
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::Status FromGrpc(const grpc::Status& status, grpc::Channel* channel) {
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) {
    switch (channel->GetState(false)) {
      case GRPC_CHANNEL_CONNECTING:
        return absl::DeadlineExceededError("no connection in time");
      case GRPC_CHANNEL_TRANSIENT_FAILURE:
        return absl::DeadlineExceededError("cannot connect");
      default:
        break;
    }
  }
  return FromGrpc(status);
}

void SetDeadline(grpc::ClientContext* context, Deadline deadline) {
  if (deadline == Deadline::max()) return;
  const auto left = std::max(deadline - Clock::now(), Clock::duration::zero());
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::microseconds>(left));
}

}  // namespace drover::client

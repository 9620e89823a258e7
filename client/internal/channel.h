// Internal to the .cc files that speak gRPC: links with a back-off fit for a cluster on one network, and status codes.
#ifndef DROVER_CLIENT_INTERNAL_CHANNEL_H_
#define DROVER_CLIENT_INTERNAL_CHANNEL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "client/internal/waiter.h"

namespace drover::client {

// A link that reconnects within 100 ms to 1 s and takes answers of any size.
std::shared_ptr<grpc::Channel> NewChannel(const std::string& address);

// Before a call on a link that failed before: gives it up to 200 ms to come back. gRPC fails calls on such a link at once, and
// notices that a new attempt to connect has worked only while some thread polls it: a link that nobody waits for never comes back.
void LetReconnect(grpc::Channel* channel, Deadline deadline);

absl::Status FromGrpc(const grpc::Status& status);
// The same for a call on `channel`: one that ended by its time before there was a link says so.
absl::Status FromGrpc(const grpc::Status& status, grpc::Channel* channel);

// gRPC takes wall time; the deadline is counted from now.
void SetDeadline(grpc::ClientContext* context, Deadline deadline);

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_CHANNEL_H_

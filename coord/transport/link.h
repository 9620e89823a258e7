// What both ends agree on about links and statuses. For this folder's .cc files only.
#ifndef DROVER_COORD_TRANSPORT_LINK_H_
#define DROVER_COORD_TRANSPORT_LINK_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/transport/call_info.h"
#include "coord/transport/grpc_dialer.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/channel_arguments.h"
#include "grpcpp/support/status.h"

namespace drover::transport {

// Trailing metadata that our servers put on the end of each call: it tells a status that the server gave from the same code made up
// by gRPC when a link breaks.
inline constexpr char kEndMark[] = "drover-end";

// gRPC itself drops a message above our limit plus this with an error that looks like a broken link; ours, below, says what it is.
inline constexpr std::size_t kMessageSlack = 16u << 20;

absl::Status ToAbsl(const grpc::Status& status);
grpc::Status ToGrpc(const absl::Status& status);

// The server ended this call with a word of its own.
bool EndedByServer(const grpc::ClientContext& context);

Metadata FromGrpc(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);
void AddMetadata(const Metadata& metadata, grpc::ClientContext* context);

// A channel that is one link of its own. Connects when first used, or again after a break.
std::shared_ptr<grpc::Channel> OpenLink(const std::string& address, const LinkOptions& options);

// Whether gRPC's own messages reach stderr is up to GRPC_VERBOSITY, as its documentation says; without it they are dropped, since
// what matters of them is in our statuses.
void QuietGrpc();

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_LINK_H_

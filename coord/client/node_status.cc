#include "coord/transport/message_bytes.h"
#include "coord/transport/unary_client.h"
#include "drover/coord/blocking.h"
#include "drover/coord/v1/coord.pb.h"

namespace drover::coord {

absl::StatusOr<NodeStatus> FetchNodeStatus(const std::string& endpoint, base::Duration timeout) {
  transport::BlockingUnary unary;
  transport::CallOptions options;
  options.timeout = timeout;
  absl::StatusOr<base::Bytes> bytes =
      unary.Call(endpoint, "/drover.coord.v1.Coordination/Status", transport::Encode(v1::StatusRequest()), options);
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<v1::StatusResponse> response = transport::Decode<v1::StatusResponse>(*bytes);
  if (!response.ok()) return response.status();
  NodeStatus status;
  status.node_id = response->node_id();
  status.cluster_id = response->cluster_id();
  status.role = response->role();
  status.leader_id = response->leader_id();
  status.term = response->term();
  status.commit_index = response->commit_index();
  status.applied_index = response->applied_index();
  status.last_zxid = Zxid(response->last_zxid());
  status.log_bytes = response->log_bytes();
  status.sessions = response->sessions();
  status.nodes = response->nodes();
  status.tree_bytes = response->tree_bytes();
  status.watches = response->watches();
  status.version = response->version();
  status.serving = response->serving();
  status.trouble = response->trouble();
  status.disk_full = response->disk_full();
  status.streams = response->streams();
  status.feature_level = response->feature_level();
  status.feature_level_max = response->feature_level_max();
  status.boot = response->boot();
  for (const v1::MemberStatus& member : response->members()) {
    status.members.push_back({member.node_id(), member.address(), member.role(), member.lag(), member.silent_ms()});
  }
  for (const v1::CopyStatus& copy : response->copies()) status.copies.push_back({copy.node_id(), copy.host()});
  return status;
}

}  // namespace drover::coord

#include "coord/server/services.h"

#include <memory>
#include <utility>

#include "coord/process/version.h"
#include "coord/transport/message_bytes.h"
#include "drover/coord/v1/coord.pb.h"

namespace drover::coord::server {
namespace {

constexpr char kService[] = "drover.coord.v1.Coordination";

std::string Method(const char* name) {
  return std::string("/") + kService + "/" + name;
}

}  // namespace

Services::Services(transport::CqLoop* loop, const transport::ServerOptions& options, std::string advertise)
    : advertise_(std::move(advertise)), server_(loop, options) {
  server_.RegisterStream(Method("Session"), [this](std::unique_ptr<base::Connection> connection, const transport::CallInfo&) {
    return node_->Accept(std::move(connection));
  });
  server_.RegisterUnary(Method("Execute"), [this](const base::Bytes& request, const transport::CallInfo&,
                                                  transport::UnaryReply reply) { node_->Execute(request, std::move(reply)); });
  server_.RegisterUnary(Method("Status"),
                        [this](const base::Bytes&, const transport::CallInfo&, transport::UnaryReply reply) { reply(Status()); });
}

absl::Status Services::Start(Node* node) {
  node_ = node;
  return server_.Start();
}

void Services::SetServing(bool serving) {
  if (std::exchange(serving_, serving) != serving) server_.SetServing(kService, serving);
}

base::Bytes Services::Status() const {
  const NodeStatus status = node_->Status();
  v1::StatusResponse response;
  const std::string role = status.role == raft::RoleName::kLeader ? "leader" : "follower";
  response.set_node_id(status.node.value);
  response.set_cluster_id(status.cluster.value);
  response.set_role(role);
  response.set_leader_id(status.leader.value);
  response.set_term(status.term.value);
  response.set_commit_index(status.commit.value);
  response.set_applied_index(status.applied.value);
  response.set_last_zxid(status.last_zxid.value);
  response.set_log_bytes(status.log_bytes);
  response.set_sessions(status.sessions);
  response.set_nodes(status.nodes);
  response.set_tree_bytes(status.tree_bytes);
  response.set_watches(status.watches);
  response.set_version(process::Version());
  for (const raft::Member& member : node_->raft().configuration().members) {
    v1::MemberStatus* m = response.add_members();
    m->set_node_id(member.id.value);
    const bool self = member.id == status.node;
    m->set_address(!self ? member.address : advertise_.empty() ? address() : advertise_);
    m->set_role(self ? role : member.voter ? "follower" : "learner");
  }
  return transport::Encode(response);
}

}  // namespace drover::coord::server

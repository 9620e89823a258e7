#include "coord/server/services.h"

#include <memory>
#include <utility>

#include "coord/base/ip_address.h"
#include "coord/process/version.h"
#include "coord/server/member_service.h"
#include "coord/server/readiness.h"
#include "coord/transport/message_bytes.h"
#include "coord/transport/peer_address.h"
#include "drover/coord/v1/coord.pb.h"

namespace drover::coord::server {
namespace {

constexpr char kCoordination[] = "drover.coord.v1.Coordination";

absl::string_view RoleText(raft::RoleName role) {
  switch (role) {
    case raft::RoleName::kLeader:
      return "leader";
    case raft::RoleName::kFollower:
      return "follower";
    default:
      return "candidate";
  }
}

std::string CoordinationMethod(const char* name) {
  return std::string("/") + kCoordination + "/" + name;
}

}  // namespace

Services::Services(transport::CqLoop* loop, const transport::ServerOptions& options, std::string advertise)
    : advertise_(std::move(advertise)), server_(loop, options) {
  server_.RegisterStream(CoordinationMethod("Session"),
                         [this](std::unique_ptr<base::Connection> connection, const transport::CallInfo& call) {
                           return process_->Accept(std::move(connection), transport::PeerAddress(call.peer));
                         });
  server_.RegisterStream(kPeerLink, [this](std::unique_ptr<base::Connection> connection, const transport::CallInfo& call) {
    return process_->AcceptPeer(std::move(connection), call.peer);
  });
  server_.RegisterUnary(CoordinationMethod("Execute"),
                        [this](const base::Bytes& request, const transport::CallInfo& call, transport::UnaryReply reply) {
                          process_->Execute(request, std::move(reply), transport::PeerAddress(call.peer));
                        });
  server_.RegisterUnary(CoordinationMethod("Status"),
                        [this](const base::Bytes&, const transport::CallInfo&, transport::UnaryReply reply) { reply(Status()); });
  server_.RegisterServerStream(CoordinationMethod("SaveSnapshot"),
                               [this](const base::Bytes&, std::unique_ptr<base::Connection> connection,
                                      const transport::CallInfo&) { return process_->AcceptSave(std::move(connection)); });
  RegisterMembership(&server_, [this] { return process_; });
}

absl::Status Services::Start(MemberProcess* process) {
  process_ = process;
  return server_.Start();
}

void Services::SetServing(bool serving) {
  if (std::exchange(serving_, serving) != serving) server_.SetServing(kCoordination, serving);
}

base::Bytes Services::Status() const {
  v1::StatusResponse response;
  response.set_version(process::Version());
  const Node* node = process_->node();
  if (node == nullptr) {
    response.set_node_id(process_->id().value);
    response.set_role(process_->joins() ? "joining" : "forming");
    response.set_trouble(process_->Waiting());
    response.set_feature_level_max(process_->known().value);
    for (const auto& [id, member] : process_->initial()) {
      v1::MemberStatus* m = response.add_members();
      m->set_node_id(id.value);
      m->set_address(member);
    }
    return transport::Encode(response);
  }
  const NodeStatus status = node->Status();
  const raft::Member* const own = node->raft().configuration().Find(status.node);
  const bool learner = status.role == raft::RoleName::kFollower && (own == nullptr || !own->voter);
  const std::string role(learner ? "learner" : RoleText(status.role));
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
  response.set_serving(status.serving);
  response.set_trouble(std::string(StatusOf(ReadinessOf(status)).message()));
  response.set_disk_full(status.disk_full);
  response.set_streams(status.streams);
  response.set_feature_level(status.feature_level.value);
  response.set_feature_level_max(status.feature_level_max.value);
  response.set_boot(node->raft().options().boot.value);
  for (const Copy& copy : node->copies()) {
    v1::CopyStatus* c = response.add_copies();
    c->set_node_id(copy.id.value);
    c->set_host(base::FormatIpAddress(transport::PeerAddress(copy.address)));
  }
  const std::vector<raft::PeerState> peers = node->raft().Peers();
  for (const raft::Member& member : node->raft().configuration().members) {
    v1::MemberStatus* m = response.add_members();
    m->set_node_id(member.id.value);
    const bool self = member.id == status.node;
    m->set_address(!self ? member.address : advertise_.empty() ? address() : advertise_);
    const bool leads = member.id == status.leader;
    m->set_role(self ? role : leads ? "leader" : member.voter ? "follower" : "learner");
    for (const raft::PeerState& peer : peers) {
      if (peer.id != member.id) continue;
      m->set_lag(node->raft().log().last().value - peer.match.value);
      m->set_silent_ms(static_cast<std::uint64_t>(base::ToMillis(peer.silent)));
    }
  }
  return transport::Encode(response);
}

}  // namespace drover::coord::server

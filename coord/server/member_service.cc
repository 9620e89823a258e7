#include "coord/server/member_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "coord/transport/message_bytes.h"
#include "drover/coord/v1/membership.pb.h"

namespace drover::coord::server {
namespace {

constexpr char kMembership[] = "drover.coord.v1.Membership";

std::string MembershipMethod(const char* name) {
  return std::string("/") + kMembership + "/" + name;
}

base::Bytes Members(const Node& node) {
  v1::MembersResponse response;
  response.set_cluster_id(node.raft().options().cluster.value);
  response.set_leader_id(node.raft().Inspect().leader.value);
  const std::vector<raft::PeerState> peers = node.raft().Peers();
  for (const raft::Member& member : node.raft().configuration().members) {
    v1::Member* const m = response.add_members();
    m->set_id(member.id.value);
    m->set_incarnation(member.incarnation.value);
    m->set_address(member.address);
    m->set_voter(member.voter);
    for (const raft::PeerState& peer : peers) {
      if (peer.id != member.id) continue;
      m->set_lag(node.raft().log().last().value - std::min(peer.match, node.raft().log().last()).value);
      m->set_silent_ms(static_cast<std::uint64_t>(base::ToMillis(peer.silent)));
    }
  }
  return transport::Encode(response);
}

// Calls `use` with the node and the request, and answers with the members once that is done.
template <typename Request>
transport::UnaryHandler Handler(std::function<MemberProcess*()> process,
                                std::function<void(Node*, const Request&, const transport::CallInfo&, ChangeDone)> use) {
  return [process = std::move(process), use = std::move(use)](const base::Bytes& bytes, const transport::CallInfo& call,
                                                              transport::UnaryReply reply) {
    const absl::StatusOr<Request> request = transport::Decode<Request>(bytes);
    if (!request.ok()) return reply(request.status());
    MemberProcess* const member = process();
    Node* const node = member == nullptr ? nullptr : member->node();
    if (node == nullptr) {
      return reply(absl::UnavailableError(member == nullptr ? "this node is stopping" : member->Waiting()));
    }
    // Once, and while the node lives.
    auto shared = std::make_shared<transport::UnaryReply>(std::move(reply));
    use(node, *request, call, [node, shared](const absl::Status& status) {
      if (status.ok()) {
        (*shared)(Members(*node));
      } else {
        (*shared)(status);
      }
    });
  };
}

// Who waits for so long hears why it took longer, and not only that it did.
std::optional<base::Duration> PatienceOf(const transport::CallInfo& call) {
  if (!call.time_left) return std::nullopt;
  return *call.time_left - *call.time_left / 5;
}

template <typename Request>
std::function<void(Node*, const Request&, const transport::CallInfo&, ChangeDone)> Change(MemberChange::Kind kind) {
  return [kind](Node* node, const Request& request, const transport::CallInfo& call, ChangeDone done) {
    MemberChange change;
    change.kind = kind;
    change.id = base::NodeId(request.id());
    if constexpr (std::is_same_v<Request, v1::AddMemberRequest>) change.address = request.address();
    node->ChangeMember(std::move(change), std::move(done), PatienceOf(call));
  };
}

}  // namespace

void RegisterMembership(transport::Server* server, std::function<MemberProcess*()> process) {
  using Kind = MemberChange::Kind;
  server->RegisterUnary(MembershipMethod("List"),
                        Handler<v1::ListMembersRequest>(process, [](Node* node, const v1::ListMembersRequest& request,
                                                                    const transport::CallInfo&, ChangeDone done) {
                          if (!request.by_leader()) return done(absl::OkStatus());
                          node->ConfirmLeads(std::move(done));
                        }));
  server->RegisterUnary(MembershipMethod("Add"), Handler<v1::AddMemberRequest>(process, Change<v1::AddMemberRequest>(Kind::kAdd)));
  server->RegisterUnary(MembershipMethod("Readmit"),
                        Handler<v1::AddMemberRequest>(process, Change<v1::AddMemberRequest>(Kind::kReadmit)));
  server->RegisterUnary(MembershipMethod("Promote"),
                        Handler<v1::MemberRequest>(process, Change<v1::MemberRequest>(Kind::kPromote)));
  server->RegisterUnary(MembershipMethod("Remove"), Handler<v1::MemberRequest>(process, Change<v1::MemberRequest>(Kind::kRemove)));
  server->RegisterUnary(MembershipMethod("TransferLeader"),
                        Handler<v1::MemberRequest>(
                            process, [](Node* node, const v1::MemberRequest& request, const transport::CallInfo&, ChangeDone done) {
                              node->TransferLeadership(base::NodeId(request.id()), std::move(done));
                            }));
}

}  // namespace drover::coord::server

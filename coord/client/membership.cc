#include "drover/coord/membership.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/message_bytes.h"
#include "coord/transport/unary_client.h"
#include "drover/coord/v1/membership.pb.h"

namespace drover::coord {
namespace {

const char* NameOf(MemberCall call) {
  switch (call) {
    case MemberCall::kList:
    case MemberCall::kListByLeader:
      return "List";
    case MemberCall::kAdd:
      return "Add";
    case MemberCall::kPromote:
      return "Promote";
    case MemberCall::kRemove:
      return "Remove";
    case MemberCall::kReadmit:
      return "Readmit";
    case MemberCall::kTransferLeader:
      break;
  }
  return "TransferLeader";
}

base::Bytes RequestOf(MemberCall call, std::uint64_t id, const std::string& address) {
  if (call == MemberCall::kList || call == MemberCall::kListByLeader) {
    v1::ListMembersRequest request;
    request.set_by_leader(call == MemberCall::kListByLeader);
    return transport::Encode(request);
  }
  if (call == MemberCall::kAdd || call == MemberCall::kReadmit) {
    v1::AddMemberRequest request;
    request.set_id(id);
    request.set_address(address);
    return transport::Encode(request);
  }
  v1::MemberRequest request;
  request.set_id(id);
  return transport::Encode(request);
}

}  // namespace

absl::StatusOr<Members> CallMembership(const std::string& endpoint, MemberCall call, std::uint64_t id, const std::string& address,
                                       base::Duration timeout) {
  transport::BlockingUnary unary;
  transport::CallOptions options;
  options.timeout = timeout;
  const absl::StatusOr<base::Bytes> bytes =
      unary.Call(endpoint, absl::StrCat("/drover.coord.v1.Membership/", NameOf(call)), RequestOf(call, id, address), options);
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<v1::MembersResponse> response = transport::Decode<v1::MembersResponse>(*bytes);
  if (!response.ok()) return response.status();
  Members members;
  members.cluster_id = response->cluster_id();
  members.leader_id = response->leader_id();
  for (const v1::Member& m : response->members()) {
    members.members.push_back({m.id(), m.incarnation(), m.address(), m.voter(), m.lag(), m.silent_ms()});
  }
  return members;
}

}  // namespace drover::coord

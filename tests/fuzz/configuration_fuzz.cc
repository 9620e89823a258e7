// coord/raft/configuration.h and coord/log/data_directory.h: who belongs to the cluster, in entries and snapshots, and who a node
// is and what it has promised, in its directory. Both are read as they were written or not at all.
#include <cstdint>
#include <string>

#include "coord/base/check.h"
#include "coord/base/checksum.h"
#include "coord/log/data_directory.h"
#include "coord/log/frame.h"
#include "coord/raft/configuration.h"
#include "coord/server/initial_cluster.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

void CheckConfiguration(absl::string_view bytes) {
  absl::StatusOr<coord::raft::Configuration> members;
  {
    const AllocationBound bound(bytes.size(), 32);
    members = coord::raft::DecodeConfiguration(bytes);
  }
  if (!members.ok()) {
    DROVER_CHECK(absl::IsDataLoss(members.status()) || absl::IsUnimplemented(members.status())) << members.status().ToString();
    return CheckRefusal(members.status());
  }
  DROVER_CHECK(coord::raft::EncodeConfiguration(*members).view() == bytes);
  base::NodeId before;
  for (const coord::raft::Member& member : members->members) {
    DROVER_CHECK(before < member.id);
    DROVER_CHECK(members->Find(member.id) == &member);
    before = member.id;
  }
  const coord::server::InitialMembers founders = coord::server::MembersOf(*members);
  DROVER_CHECK(coord::server::CheckFoundedWith(*members, founders).ok());
  (void)coord::server::ParseInitialCluster(coord::server::TextOf(founders));
}

void CheckIdentity(absl::string_view bytes) {
  const absl::StatusOr<coord::log::Identity> identity = coord::log::DecodeIdentity(bytes);
  if (!identity.ok()) {
    DROVER_CHECK(absl::IsDataLoss(identity.status()) || absl::IsFailedPrecondition(identity.status()));
    return CheckRefusal(identity.status());
  }
  const absl::StatusOr<coord::log::Identity> again = coord::log::DecodeIdentity(coord::log::EncodeIdentity(*identity));
  DROVER_CHECK(again.ok() && *again == *identity);
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  const absl::string_view bytes = ViewOf(data, size);
  CheckConfiguration(bytes);
  CheckIdentity(bytes);
  std::string sealed(bytes);
  drover::coord::log::PutU64(drover::base::Checksum(sealed), &sealed);
  CheckIdentity(sealed);
  return 0;
}

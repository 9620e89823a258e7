// Text that people write and members say: addresses, networks, initial members, user and password.
#include <cstdint>
#include <string>

#include "coord/base/check.h"
#include "coord/base/host_port.h"
#include "coord/base/ip_address.h"
#include "coord/base/password_digest.h"
#include "coord/server/initial_cluster.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

namespace drover::fuzz {
namespace {

void CheckHostPort(absl::string_view text) {
  const absl::StatusOr<base::HostPort> parsed = base::ParseHostPort(text);
  if (!parsed.ok()) return CheckRefusal(parsed.status());
  const absl::StatusOr<base::HostPort> again = base::ParseHostPort(parsed->ToString());
  DROVER_CHECK(again.ok()) << again.status().ToString();
  DROVER_CHECK(again->host == parsed->host && again->port == parsed->port);
}

void CheckIp(absl::string_view text) {
  const std::optional<std::string> address = base::ParseIpAddress(text);
  const std::optional<base::IpNetwork> network = base::IpNetwork::Parse(text);
  if (address) {
    DROVER_CHECK(address->size() == 4 || address->size() == 16);
    DROVER_CHECK(base::ParseIpAddress(base::FormatIpAddress(*address)) == address);
    DROVER_CHECK(network && network->Contains(*address));  // a network of one
  }
  (void)base::FormatIpAddress(text);
  if (!network) return;
  (void)network->Contains(text);
  // What stands before the slash is in it.
  const std::optional<std::string> base_address = base::ParseIpAddress(text.substr(0, text.find('/')));
  DROVER_CHECK(base_address.has_value());
  DROVER_CHECK(base_address->size() != 4 || text.find(':') != absl::string_view::npos || network->Contains(*base_address));
}

void CheckMembers(absl::string_view text) {
  const absl::StatusOr<coord::server::InitialMembers> members = coord::server::ParseInitialCluster(text);
  if (!members.ok()) return CheckRefusal(members.status());
  DROVER_CHECK(!members->empty());
  const auto again = coord::server::ParseInitialCluster(coord::server::TextOf(*members));
  DROVER_CHECK(again.ok()) << again.status().ToString();
  DROVER_CHECK(*again == *members);
  // What they say can be an entry of the log.
  coord::raft::Configuration configuration;
  for (const auto& [id, address] : *members) configuration.members.push_back({id, base::Incarnation(1), address, true});
  const auto decoded = coord::raft::DecodeConfiguration(coord::raft::EncodeConfiguration(configuration).view());
  DROVER_CHECK(decoded.ok()) << decoded.status().ToString();
  DROVER_CHECK(*decoded == configuration);
}

void CheckDigest(absl::string_view text) {
  const std::optional<std::string> digest = base::PasswordDigest(text);
  const std::size_t colon = text.find(':');
  DROVER_CHECK(digest.has_value() == (colon != absl::string_view::npos && colon > 0));
  if (digest) DROVER_CHECK(digest->substr(0, colon + 1) == text.substr(0, colon + 1) && digest->size() == colon + 1 + 28);
}

}  // namespace
}  // namespace drover::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  const absl::string_view text = ViewOf(data, size);
  {
    const AllocationBound bound(size, 2048);
    CheckHostPort(text);
    CheckIp(text);
    CheckMembers(text);
  }
  CheckDigest(text);
  return 0;
}

#include "coord/transport/peer_address.h"

#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "coord/base/ip_address.h"

namespace drover::transport {

std::string PeerAddress(absl::string_view peer) {
  if (!absl::ConsumePrefix(&peer, "ipv4:") && !absl::ConsumePrefix(&peer, "ipv6:")) return {};
  const std::string plain = absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
  absl::string_view host = absl::string_view(plain).substr(0, plain.rfind(':'));
  if (absl::ConsumePrefix(&host, "[")) (void)absl::ConsumeSuffix(&host, "]");
  // A link-local address names the interface behind a percent sign; the address is the same without.
  return base::ParseIpAddress(host.substr(0, host.find('%'))).value_or("");
}

}  // namespace drover::transport

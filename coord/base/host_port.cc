#include "coord/base/host_port.h"

#include <arpa/inet.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace drover::base {
namespace {

bool IsHost(absl::string_view host) {
  if (host.empty()) return false;
  for (const char c : host) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-' && c != '_') return false;
  }
  return true;
}

bool IsIpv6(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

}  // namespace

std::string HostPort::ToString() const {
  if (host.find(':') != std::string::npos) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const absl::Status wrong =
      absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not an address; write it as HOST:PORT, like 127.0.0.1:7400"));
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return wrong;
  HostPort out;
  const absl::string_view host = text.substr(0, colon);
  const absl::string_view port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    out.host = std::string(host.substr(1, host.size() - 2));
    if (!IsIpv6(out.host)) return wrong;
  } else {
    out.host = std::string(host);
    if (!IsHost(host)) return wrong;
  }
  std::uint32_t number = 0;
  if (port.empty() || !absl::ascii_isdigit(static_cast<unsigned char>(port[0])) || !absl::SimpleAtoi(port, &number) ||
      number > 65535) {
    return wrong;
  }
  out.port = static_cast<std::uint16_t>(number);
  return out;
}

}  // namespace drover::base

#include <arpa/inet.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "coord/process/options.h"

namespace drover::process {
absl::StatusOr<base::Duration> ParseDuration(absl::string_view text) {
  absl::Duration parsed;
  if (!absl::ParseDuration(text, &parsed) || parsed < absl::ZeroDuration() || parsed > absl::FromChrono(kDurationMax)) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not a duration; write it like 250ms, 6s, 2m or 1h"));
  }
  return absl::ToChronoNanoseconds(parsed);
}

std::string FormatDuration(base::Duration duration) {
  return absl::FormatDuration(absl::FromChrono(duration));
}

absl::StatusOr<std::vector<std::string>> ParseAddressList(absl::string_view text) {
  std::vector<std::string> out;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    const absl::StatusOr<HostPort> address = ParseHostPort(part);
    if (!address.ok()) return address.status();
    out.push_back(address->ToString());
  }
  return out;
}

absl::StatusOr<std::pair<std::string, std::string>> ParseKeyValue(absl::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == absl::string_view::npos || equals == 0) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not KEY=VALUE"));
  }
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

absl::Status RequireLoopback(absl::string_view address, bool insecure) {
  const absl::StatusOr<HostPort> parsed = ParseHostPort(address);
  if (!parsed.ok()) return parsed.status();
  if (insecure || parsed->host == "localhost" || parsed->host == "::1") return absl::OkStatus();
  in_addr v4{};
  if (inet_pton(AF_INET, parsed->host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(address, " is not a loopback address, and links are not encrypted; to bind it all the same, add --insecure"));
}

}  // namespace drover::process

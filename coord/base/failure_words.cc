#include "coord/base/failure_words.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace drover::base {
namespace {

constexpr absl::string_view kNoLink = "cannot connect";
constexpr absl::string_view kNoName = "its name cannot be resolved";
constexpr absl::string_view kNoAnswer = "no answer in time";

}  // namespace

std::string FailureWords(absl::string_view message) {
  // gRPC's words for a link that never was are long, and differ from try to try; what the system said stands at their end.
  constexpr absl::string_view kSystem = "Failed to connect to remote host: ";
  if (const auto at = message.rfind(kSystem); at != absl::string_view::npos) {
    return absl::StrCat(kNoLink, ": ", message.substr(at + kSystem.size()));
  }
  // "DNS resolution failed for HOST:PORT: ... name=HOST ...: Domain name not found".
  if (absl::StartsWith(message, "DNS resolution failed")) {
    const auto at = message.rfind(": ");
    return absl::StrCat(kNoName, at == absl::string_view::npos ? "" : message.substr(at));
  }
  // The system took the link, the process behind it said nothing: it is paused, or not what was looked for.
  const bool mute = absl::StrContains(message, "timed out before receiving SETTINGS");
  if (mute || message == "Deadline Exceeded") return std::string(kNoAnswer);
  if (absl::StrContains(message, "failed to connect to all addresses")) return std::string(kNoLink);
  return std::string(message);
}

bool IsOfSilence(absl::string_view failure_words) {
  for (const absl::string_view silence : {kNoLink, kNoName, kNoAnswer}) {
    if (absl::StartsWith(failure_words, silence)) return true;
  }
  return false;
}

}  // namespace drover::base

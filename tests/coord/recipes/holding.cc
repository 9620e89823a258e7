#include "tests/coord/recipes/holding.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "coord/recipes/contender.h"

namespace drover::recipes {
namespace {

using Places = std::map<std::string, base::Zxid>;  // path to czxid

// Why the claim is untrue; empty: it is true.
std::string Against(const Places& places, const Claim& claim) {
  const auto own = places.find(claim.path);
  if (own == places.end()) return "its place was not there";
  if (own->second != claim.token) return absl::StrCat("its place was another one's, of ", own->second.value);
  if (claim.rule == Rule::kAlone) return "";
  const std::string line = claim.path.substr(0, claim.path.rfind('/') + 1);
  const std::string name = claim.path.substr(line.size());
  const bool reads = claim.rule == Rule::kReadWrite && absl::StartsWith(name, "r-");
  std::vector<std::string> before;
  for (auto it = places.lower_bound(line); it != places.end() && absl::StartsWith(it->first, line); ++it) {
    const std::string other = it->first.substr(line.size());
    if (SequenceOf(other) >= SequenceOf(name) || (reads && !absl::StartsWith(other, "w-"))) continue;
    before.push_back(other);
  }
  const std::size_t room = claim.rule == Rule::kPermits ? claim.permits : 1;
  if (before.size() < room) return "";
  return absl::StrCat(before.size(), " stood before it, such as ", before[0]);
}

}  // namespace

absl::Status CheckClaims(const std::vector<coord::Event>& events, std::vector<Claim> claims) {
  std::stable_sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) { return a.at < b.at; });
  Places places;
  auto event = events.begin();
  for (const Claim& claim : claims) {
    for (; event != events.end() && event->zxid <= claim.at; ++event) {
      if (event->type == coord::Event::Type::kCreated) places[event->path] = event->stat.czxid;
      if (event->type == coord::Event::Type::kDeleted) places.erase(event->path);
    }
    const std::string against = Against(places, claim);
    if (against.empty()) continue;
    return absl::InternalError(absl::StrCat(claim.what, " as ", claim.path, " of ", claim.token.value, " did not hold at ",
                                            claim.at.value, ": ", against));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Claim>> CheckItems(const std::vector<coord::Event>& events, const std::string& queue,
                                              const std::string& done, const std::set<std::string>& put) {
  const std::string prefix = done + "/";
  std::set<std::string> names;
  std::vector<Claim> claims;
  for (const coord::Event& event : events) {
    if (!absl::StartsWith(event.path, prefix)) continue;
    const std::string name = event.path.substr(prefix.size());
    if (!names.insert(name).second) return absl::InternalError(absl::StrCat(name, " was done twice"));
    std::uint64_t token = 0;
    if (!absl::SimpleAtoi(event.data, &token)) return absl::InternalError(absl::StrCat(name, " was done with no token"));
    claims.push_back({Rule::kAlone, absl::StrCat(queue, "/items/", name, "/claim"), base::Zxid(token),
                      base::Zxid(event.zxid.value - 1), 1, "who did it"});
  }
  for (const std::string& name : put) {
    if (names.count(name) == 0) return absl::InternalError(absl::StrCat(name, " was lost"));
  }
  return claims;
}

}  // namespace drover::recipes

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

std::string LineOf(const std::string& path) {
  return path.substr(0, path.rfind('/') + 1);
}

// What has been, up to some state.
class Past {
 public:
  void Add(const coord::Event& event) {
    Line& line = lines_[LineOf(event.path)];
    if (event.type == coord::Event::Type::kCreated) {
      places_[event.path] = event.stat.czxid;
      line.most = std::max(line.most, ++line.there);
    }
    if (event.type == coord::Event::Type::kDeleted) {
      const auto place = places_.find(event.path);
      if (place == places_.end()) return;
      gone_[event.path] = {place->second, event.zxid};
      places_.erase(place);
      if (--line.there > 0) return;
      line.most = 0;
      line.emptied = event.zxid;
    }
  }
  // Why the claim is untrue; empty: it is true.
  [[nodiscard]] std::string Against(const Claim& claim) const;

 private:
  struct Line {
    std::size_t there = 0;
    std::size_t most = 0;  // since nobody was there last
    base::Zxid emptied;    // when that was
  };
  struct Gone {
    base::Zxid czxid, zxid;
  };

  [[nodiscard]] std::string AgainstAllLeft(const Claim& claim) const;

  Places places_;
  std::map<std::string, Gone> gone_;  // by path, of the last one there
  std::map<std::string, Line> lines_;
};

std::string Past::AgainstAllLeft(const Claim& claim) const {
  if (places_.count(claim.path) > 0) return "a place of its name was there";
  const auto gone = gone_.find(claim.path);
  if (gone == gone_.end() || gone->second.czxid != claim.token) return "its place was not the last one of its name";
  const Line& line = lines_.at(LineOf(claim.path));
  if (line.emptied >= gone->second.zxid) return "";
  return absl::StrCat(line.there, " were there, and somebody has been since it went at ", gone->second.zxid.value);
}

std::string Past::Against(const Claim& claim) const {
  if (claim.rule == Rule::kAllLeft) return AgainstAllLeft(claim);
  const auto own = places_.find(claim.path);
  if (own == places_.end()) return "its place was not there";
  if (own->second != claim.token) return absl::StrCat("its place was another one's, of ", own->second.value);
  if (claim.rule == Rule::kAlone) return "";
  const std::string line = LineOf(claim.path);
  if (claim.rule == Rule::kTogether) {
    const std::size_t most = lines_.at(line).most;
    return most >= claim.permits ? "" : absl::StrCat("no more than ", most, " had been there at once");
  }
  const std::string name = claim.path.substr(line.size());
  const bool reads = claim.rule == Rule::kReadWrite && absl::StartsWith(name, "r-");
  std::vector<std::string> before;
  for (auto it = places_.lower_bound(line); it != places_.end() && absl::StartsWith(it->first, line); ++it) {
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
  Past past;
  auto event = events.begin();
  for (const Claim& claim : claims) {
    for (; event != events.end() && event->zxid <= claim.at; ++event) past.Add(*event);
    const std::string against = past.Against(claim);
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

#include "tests/rivals/judge.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace drover::rivals {
namespace {

std::string NameOf(const std::string& user) {
  return user.substr(0, user.rfind('.'));
}

}  // namespace

std::vector<std::string> Faults(const std::vector<Record>& records) {
  std::vector<std::string> faults;
  std::map<std::pair<std::string, base::Zxid>, std::string> owners;
  std::map<std::string, base::Zxid> newest;
  std::set<std::int64_t> numbers;
  std::map<std::string, bool> decisions;
  for (const Record& record : records) {
    if (const auto* number = std::get_if<Number>(&record.report)) {
      if (!numbers.insert(number->value).second) faults.push_back(absl::StrCat("the counter gave ", number->value, " twice"));
    }
    if (const auto* decision = std::get_if<Decision>(&record.report)) {
      const bool first = decisions.emplace(decision->id, decision->commit).first->second;
      if (first != decision->commit) faults.push_back(absl::StrCat("of ", decision->id, " two things were decided"));
    }
    const auto* use = std::get_if<Use>(&record.report);
    if (use == nullptr) continue;
    const std::string what = absl::StrCat(record.user, " on ", use->resource, " with ", use->token.value);
    const std::string& owner = owners.emplace(std::pair(use->resource, use->token), record.user).first->second;
    if (owner != record.user) faults.push_back(absl::StrCat(what, ": a token of ", owner));
    if (!use->fenced) continue;
    base::Zxid& best = newest[use->resource];
    if (record.accepted && use->token < best) faults.push_back(absl::StrCat(what, ": accepted after ", best.value));
    if (!record.accepted && use->token >= best) faults.push_back(absl::StrCat(what, ": refused, though none was newer"));
    if (record.accepted) best = std::max(best, use->token);
  }
  return faults;
}

std::vector<recipes::Claim> Claims(const std::vector<Record>& records) {
  std::vector<recipes::Claim> claims;
  for (const Record& record : records) {
    const auto* claim = std::get_if<recipes::Claim>(&record.report);
    if (claim == nullptr) continue;
    claims.push_back(*claim);
    claims.back().what = record.user;
  }
  return claims;
}

std::int64_t NewestNumber(const std::vector<Record>& records) {
  std::int64_t newest = 0;
  for (const Record& record : records) {
    if (const auto* number = std::get_if<Number>(&record.report)) newest = std::max(newest, number->value);
  }
  return newest;
}

std::size_t Refused(const std::vector<Record>& records) {
  return static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [](const Record& r) { return !r.accepted; }));
}

std::set<std::string> AllKinds() {
  return {"mutex", "rw", "several", "semaphore", "leader", "shard", "barrier", "counter", "commit"};
}

std::set<std::string> NotHadBy(const std::string& name, const std::vector<Record>& records, std::size_t first) {
  std::set<std::string> missing = AllKinds();
  for (std::size_t i = first; i < records.size(); ++i) {
    const Record& record = records[i];
    if (!record.accepted || NameOf(record.user) != name) continue;
    if (std::holds_alternative<Number>(record.report)) missing.erase("counter");
    if (std::holds_alternative<Decision>(record.report)) missing.erase("commit");
    const auto* claim = std::get_if<recipes::Claim>(&record.report);
    if (claim != nullptr && claim->rule == recipes::Rule::kAllLeft) missing.erase("barrier");
    if (const auto* use = std::get_if<Use>(&record.report)) missing.erase(use->resource.substr(0, use->resource.find('-')));
  }
  return missing;
}

std::vector<Held> LastUsedBy(const std::string& name, const std::vector<Record>& records) {
  std::map<std::string, std::pair<std::string, base::Zxid>> last;  // user and token, by resource
  for (const Record& record : records) {
    const auto* use = std::get_if<Use>(&record.report);
    if (use != nullptr && use->fenced && record.accepted) last[use->resource] = {record.user, use->token};
  }
  std::vector<Held> held;
  for (const auto& [resource, user] : last) {
    if (NameOf(user.first) == name) held.push_back({resource, user.second});
  }
  return held;
}

}  // namespace drover::rivals

#include "tests/oracle/correspondence.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace drover::oracle {

std::string Correspondence::Transaction(std::uint64_t zookeeper, std::uint64_t ours) {
  const Zxids last = transactions_.back();
  if (zookeeper <= last.zookeeper) {
    return absl::StrCat("ZooKeeper's zxid ", zookeeper, " does not follow ", last.zookeeper, " of the transaction before");
  }
  if (ours != next()) return absl::StrCat("our zxid is ", ours, ", the next one is ", next());
  transactions_.push_back({zookeeper, ours});
  ours_ = ours;
  return "";
}

std::string Correspondence::Opening(std::uint64_t ours) {
  if (ours != next()) return absl::StrCat("our session's zxid is ", ours, ", the next one is ", next());
  ours_ = ours;
  return "";
}

std::string Correspondence::State(std::uint64_t zookeeper, std::uint64_t ours) {
  if (zookeeper < transactions_.back().zookeeper) {
    return absl::StrCat("ZooKeeper answers at zxid ", zookeeper, ", before its newest transaction ",
                        transactions_.back().zookeeper);
  }
  if (ours != ours_) return absl::StrCat("we answer at zxid ", ours, ", the newest transaction is ", ours_);
  return "";
}

std::optional<std::size_t> Correspondence::Find(std::uint64_t zookeeper) const {
  const auto it = std::lower_bound(transactions_.begin(), transactions_.end(), zookeeper,
                                   [](const Zxids& t, std::uint64_t zxid) { return t.zookeeper < zxid; });
  if (it == transactions_.end() || it->zookeeper != zookeeper) return std::nullopt;
  return static_cast<std::size_t>(it - transactions_.begin());
}

bool Correspondence::IsTransactionOfOurs(std::uint64_t ours) const {
  const auto it = std::lower_bound(transactions_.begin(), transactions_.end(), ours,
                                   [](const Zxids& t, std::uint64_t zxid) { return t.ours < zxid; });
  return it != transactions_.end() && it->ours == ours;
}

std::string Correspondence::Zxid(absl::string_view what, std::uint64_t zookeeper, std::uint64_t ours) const {
  const std::optional<std::size_t> at = Find(zookeeper);
  if (!at.has_value()) return absl::StrCat(what, ": ZooKeeper names ", zookeeper, ", which is no transaction that took effect");
  if (transactions_[*at].ours == ours) return "";
  return absl::StrCat(what, ": ZooKeeper names ", zookeeper, ", which is our ", transactions_[*at].ours, "; we name ", ours);
}

std::string Correspondence::Time(absl::string_view what, std::uint64_t zookeeper_zxid, std::int64_t zookeeper, std::int64_t ours) {
  const std::optional<std::size_t> at = Find(zookeeper_zxid);
  if (!at.has_value()) return absl::StrCat(what, ": of a transaction that did not take effect, ", zookeeper_zxid);
  const auto [it, first] = times_.try_emplace(*at, zookeeper, ours);
  if (!first) {
    if (it->second.first == zookeeper && it->second.second == ours) return "";
    return absl::StrCat(what, ": ZooKeeper shows ", zookeeper, ", we show ", ours, "; of the same transaction they showed ",
                        it->second.first, " and ", it->second.second, " before");
  }
  // Our time never goes back. (ZooKeeper's is its host's clock.)
  if (it != times_.begin() && std::prev(it)->second.second > ours) {
    return absl::StrCat(what, ": we show ", ours, ", and ", std::prev(it)->second.second, " for an older transaction");
  }
  if (std::next(it) != times_.end() && std::next(it)->second.second < ours) {
    return absl::StrCat(what, ": we show ", ours, ", and ", std::next(it)->second.second, " for a newer transaction");
  }
  return "";
}

std::string Correspondence::Owner(std::uint64_t zookeeper, std::uint64_t ours) const {
  if (zookeeper == 0) return ours == 0 ? "" : absl::StrCat("ephemeralOwner: ZooKeeper names none, we name ", ours);
  const auto it = sessions_.find(zookeeper);
  if (it == sessions_.end()) return absl::StrCat("ephemeralOwner: ZooKeeper names ", zookeeper, ", which is no session of ours");
  if (it->second == ours) return "";
  return absl::StrCat("ephemeralOwner: ZooKeeper names ", zookeeper, ", which is our ", it->second, "; we name ", ours);
}

}  // namespace drover::oracle

#include "coord/server/strangers.h"

namespace drover::coord::server {

std::optional<std::uint64_t> Strangers::OnNews(base::Instant now, base::NodeId from, absl::string_view address) {
  const absl::string_view host = address.substr(0, address.rfind(':'));
  const std::pair<std::string, base::NodeId> who(std::string(host), from);
  const auto known = told_.find(who);
  if (known != told_.end()) {
    Told& told = known->second;
    if (now - told.at < options_.window) {
      ++told.untold;
      return std::nullopt;
    }
    told.at = now;
    return std::exchange(told.untold, 0);
  }
  if (told_.size() >= options_.strangers_max) {
    std::erase_if(told_, [&](const auto& other) { return now - other.second.at >= options_.window; });
    if (told_.size() >= options_.strangers_max) return std::nullopt;
  }
  told_.emplace(who, Told{now, 0});
  return 0;
}

}  // namespace drover::coord::server

#include "coord/client/breaks.h"

#include <tuple>

#include "coord/base/status.h"

namespace drover::coord::client {

absl::Status Breaks::Add(std::size_t endpoint, const absl::Status& why, bool answered) {
  absl::Status added = base::Annotate(why, endpoints_[endpoint]);
  newest_[endpoint] = Break{added, answered, ++added_};
  const Break* most = &*newest_[endpoint];
  for (const std::optional<Break>& of : newest_) {
    if (of && std::tie(of->answered, of->order) > std::tie(most->answered, most->order)) most = &*of;
  }
  last_ = most->why;
  return added;
}

void Breaks::OnAttached() {
  newest_.assign(endpoints_.size(), std::nullopt);
}

std::vector<absl::Status> Breaks::Newest(bool answered) const {
  std::vector<absl::Status> newest;
  for (const std::optional<Break>& of : newest_) {
    if (of && of->answered == answered) newest.push_back(of->why);
  }
  return newest;
}

}  // namespace drover::coord::client

// Walks through lists that come by the page.
#ifndef DROVER_COORD_CLIENT_PAGES_H_
#define DROVER_COORD_CLIENT_PAGES_H_

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "drover/coord/types.h"

namespace drover::coord::client {

inline AfterNode PlaceOf(const Node& node) {
  return {node.stat.czxid, node.path};
}
inline AfterNode PlaceOf(const QuotaUsage& quota) {
  return {quota.czxid, quota.path};
}

inline SessionId PlaceOf(const SessionInfo& session) {
  return session.id;
}

// All of `items`, a member of Page, from pages that `ask(where the last one ended)` gives.
template <typename Page, typename Item, typename Ask>
absl::StatusOr<std::vector<Item>> AllPages(std::vector<Item> Page::*items, Ask ask) {
  std::vector<Item> all;
  while (true) {
    absl::StatusOr<Page> page = ask(all.empty() ? decltype(PlaceOf(all.back()))() : PlaceOf(all.back()));
    if (!page.ok()) return page.status();
    std::vector<Item>& got = (*page).*items;
    const bool last = !page->more || got.empty();
    for (Item& item : got) all.push_back(std::move(item));
    if (last) return all;
  }
}
template <typename Ask>
absl::StatusOr<std::vector<Node>> AllEphemerals(Ask ask) {
  return AllPages(&ListPage::nodes, ask);
}
template <typename Ask>
absl::StatusOr<std::vector<QuotaUsage>> AllQuotas(Ask ask) {
  return AllPages(&QuotasPage::quotas, ask);
}
template <typename Ask>
absl::StatusOr<std::vector<SessionInfo>> AllSessions(Ask ask) {
  return AllPages(&SessionsPage::sessions, ask);
}

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_PAGES_H_

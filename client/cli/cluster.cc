// `drover cluster status`: what each coordination node says of itself.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"
#include "client/internal/waiter.h"

namespace drover::cli {
namespace {

constexpr base::Duration kNodeTimeout = std::chrono::seconds(3);
constexpr base::Duration kPause = std::chrono::milliseconds(100);
constexpr base::Duration kLeastTimeout = std::chrono::milliseconds(10);

const std::vector<std::string> kHeader = {"ADDRESS", "NODE", "ROLE",     "TERM",  "COMMIT",
                                          "APPLIED", "ZXID", "SESSIONS", "NODES", "VERSION"};

Item StatusItem(const std::string& address, const coord::NodeStatus& s) {
  Item item;
  item.id = absl::StrCat(s.node_id);
  item.json = {{"address", address},
               {"id", s.node_id},
               {"cluster_id", s.cluster_id},
               {"role", s.role},
               {"leader_id", s.leader_id},
               {"term", s.term},
               {"commit_index", s.commit_index},
               {"applied_index", s.applied_index},
               {"last_zxid", s.last_zxid.value},
               {"log_bytes", s.log_bytes},
               {"sessions", s.sessions},
               {"nodes", s.nodes},
               {"tree_bytes", s.tree_bytes},
               {"watches", s.watches},
               {"version", s.version},
               {"reachable", true}};
  item.cells = {address,
                absl::StrCat(s.node_id),
                s.role,
                absl::StrCat(s.term),
                absl::StrCat(s.commit_index),
                absl::StrCat(s.applied_index),
                absl::StrCat(s.last_zxid.value),
                absl::StrCat(s.sessions),
                absl::StrCat(s.nodes),
                s.version};
  return item;
}

Item UnreachableItem(const std::string& address, const absl::Status& status) {
  Item item;
  item.id = address;
  item.json = {{"address", address}, {"reachable", false}, {"error", std::string(status.message())}};
  item.cells = {address, "-", "unreachable", "-", "-", "-", "-", "-", "-", "-"};
  return item;
}

int Status(const App& app) {
  // One silent node must not hide the others; if all are silent they are asked until the time is over.
  const auto give_up = std::chrono::steady_clock::now() + app.globals.request_timeout;
  std::vector<Item> items;
  std::vector<std::string> silent;
  absl::Status last;
  do {
    items.clear();
    silent.clear();
    for (const std::string& address : app.globals.coord) {
      const base::Duration left = give_up - std::chrono::steady_clock::now();
      auto status = coord::FetchNodeStatus(address, std::clamp<base::Duration>(left, kLeastTimeout, kNodeTimeout));
      if (status.ok()) {
        items.push_back(StatusItem(address, *status));
      } else {
        items.push_back(UnreachableItem(address, status.status()));
        silent.push_back(address);
        // A try that ran out of time does not hide what an earlier one met.
        if (last.ok() || !absl::IsDeadlineExceeded(status.status())) last = status.status();
      }
    }
    if (silent.size() < app.globals.coord.size()) break;
    client::SystemWaiter().Wait(kPause, {});
  } while (std::chrono::steady_clock::now() < give_up);
  if (silent.size() == app.globals.coord.size()) {
    return app.output.Fail(kUnavailable, absl::UnavailableError(absl::StrCat("no coordination node answered at ",
                                                                             absl::StrJoin(silent, ", "), ": ", last.message())));
  }
  app.output.List(kHeader, items);
  if (!silent.empty()) app.output.Note(absl::StrCat("no answer from ", absl::StrJoin(silent, ", ")));
  return kOk;
}

}  // namespace

void AddClusterCommands(process::OptionSet* root, Commands* commands) {
  process::OptionSet& group = root->Command("cluster", "The coordination core");
  commands->push_back({&group.Command("status", "What each coordination node says of itself"), Status});
}

}  // namespace drover::cli

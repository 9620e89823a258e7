// `drover cluster status`: what each coordination node says of itself.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/app.h"
#include "client/cli/exit_code.h"

namespace drover::cli {
namespace {

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
  std::vector<Item> items;
  std::vector<std::string> silent;
  absl::Status last;
  for (const std::string& address : app.globals.coord) {
    auto status = coord::FetchNodeStatus(address, app.globals.request_timeout);
    if (status.ok()) {
      items.push_back(StatusItem(address, *status));
    } else {
      items.push_back(UnreachableItem(address, status.status()));
      silent.push_back(address);
      last = status.status();
    }
  }
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

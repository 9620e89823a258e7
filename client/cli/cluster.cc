// `drover cluster status`: what each coordination node says of itself.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/app.h"
#include "client/cli/core_survey.h"
#include "client/cli/exit_code.h"
#include "client/internal/retry.h"
#include "client/internal/waiter.h"

namespace drover::cli {
namespace {

constexpr base::Duration kNodeTimeout = std::chrono::seconds(3);
constexpr base::Duration kPause = std::chrono::milliseconds(100);
constexpr base::Duration kLeastTimeout = std::chrono::milliseconds(10);

const std::vector<std::string> kHeader = {"NODE", "ADDRESS", "ROLE",     "TERM",     "COMMIT",  "APPLIED",
                                          "LAG",  "LOG",     "SESSIONS", "ATTACHED", "VERSION", "STATE"};

std::string SizeText(std::uint64_t bytes) {
  constexpr double kKi = 1024;
  const auto size = static_cast<double>(bytes);
  if (size < kKi * kKi) return absl::StrFormat("%.0f KiB", size / kKi);
  if (size < kKi * kKi * kKi) return absl::StrFormat("%.0f MiB", size / kKi / kKi);
  return absl::StrFormat("%.1f GiB", size / kKi / kKi / kKi);
}

std::string Why(const absl::Status& status) {
  return status.message().empty() ? absl::StatusCodeToString(status.code()) : std::string(status.message());
}

Item ItemOf(const SurveyedNode& node) {
  Item item;
  item.id = node.id == 0 ? node.address : absl::StrCat(node.id);
  const std::string id = node.id == 0 ? "-" : absl::StrCat(node.id);
  const std::string lag = node.lag ? absl::StrCat(*node.lag) : "-";
  item.json = {{"address", node.address}, {"id", nullptr}, {"reachable", node.status.ok()}};
  if (node.id != 0) item.json["id"] = node.id;
  if (!node.status.ok()) {
    item.json["error"] = Why(node.status.status());
    item.json["lag"] = nullptr;
    if (node.lag) item.json["lag"] = *node.lag;
    item.cells = {id, node.address, "-", "-", "-", "-", lag, "-", "-", "-", "-", "UNREACHABLE"};
    return item;
  }
  const coord::NodeStatus& s = *node.status;
  item.json.update({{"cluster_id", s.cluster_id},
                    {"role", s.role},
                    {"leader_id", s.leader_id},
                    {"term", s.term},
                    {"commit_index", s.commit_index},
                    {"applied_index", s.applied_index},
                    {"lag", nullptr},
                    {"last_zxid", s.last_zxid.value},
                    {"log_bytes", s.log_bytes},
                    {"sessions", s.sessions},
                    {"streams", s.streams},
                    {"nodes", s.nodes},
                    {"tree_bytes", s.tree_bytes},
                    {"watches", s.watches},
                    {"serving", s.serving},
                    {"disk_full", s.disk_full},
                    {"trouble", s.trouble},
                    {"version", s.version}});
  if (node.lag) item.json["lag"] = *node.lag;
  item.cells = {id,
                node.address,
                s.role,
                absl::StrCat(s.term),
                absl::StrCat(s.commit_index),
                absl::StrCat(s.applied_index),
                lag,
                SizeText(s.log_bytes),
                absl::StrCat(s.sessions),
                absl::StrCat(s.streams),
                s.version,
                s.trouble.empty() ? "serves" : s.trouble};
  return item;
}

int Status(const App& app) {
  // If nobody answers, all are asked again until the time is over.
  const auto give_up = std::chrono::steady_clock::now() + app.globals.request_timeout;
  const auto ask = [give_up](const std::string& address) {
    const base::Duration left = give_up - std::chrono::steady_clock::now();
    return coord::FetchNodeStatus(address, std::clamp<base::Duration>(left, kLeastTimeout, kNodeTimeout));
  };
  std::vector<SurveyedNode> nodes;
  std::vector<std::string> silent;  // and why
  client::Trail trail;
  while (true) {
    nodes = SurveyCore(app.globals.coord, ask);
    silent.clear();
    for (const SurveyedNode& node : nodes) {
      if (node.status.ok()) continue;
      silent.push_back(absl::StrCat(node.address, " (", Why(node.status.status()), ")"));
      trail.Add(node.address, node.status.status());
    }
    if (silent.size() < nodes.size()) break;
    client::SystemWaiter().Wait(kPause, {});
    if (std::chrono::steady_clock::now() >= give_up) {
      return app.output.Fail(absl::UnavailableError(absl::StrCat("no coordination node answered: ", trail.Describe())));
    }
  }
  std::vector<Item> items;
  std::set<std::uint64_t> clusters;
  bool serving = false;
  for (const SurveyedNode& node : nodes) {
    items.push_back(ItemOf(node));
    if (!node.status.ok()) continue;
    serving = serving || node.status->serving;
    if (node.status->cluster_id != 0) clusters.insert(node.status->cluster_id);
  }
  app.output.List(kHeader, items);
  if (!silent.empty()) app.output.Note(absl::StrCat("no answer from ", absl::StrJoin(silent, ", ")));
  if (clusters.size() > 1) {
    app.output.Note(absl::StrCat("these are nodes of ", clusters.size(), " different clusters (", absl::StrJoin(clusters, ", "),
                                 "): give the addresses of one with --coord"));
  }
  if (serving) return kOk;
  return app.output.Fail(absl::UnavailableError(absl::StrCat("the core does not serve: ", nodes.size() - silent.size(), " of ",
                                                             nodes.size(), " nodes answered, and none of them has a leader")));
}

}  // namespace

void AddClusterCommands(process::OptionSet* root, Commands* commands) {
  process::OptionSet& group = root->Command("cluster", "The coordination core");
  commands->push_back({&group.Command("status", "What each coordination node says of itself"), Status});
}

}  // namespace drover::cli

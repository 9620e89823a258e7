// `drover cluster status`: what each coordination node says of itself.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/app.h"
#include "client/cli/auto_reset_event.h"
#include "client/cli/core_survey.h"
#include "client/cli/exit_code.h"
#include "client/cli/interruption.h"
#include "client/cli/time_text.h"
#include "client/internal/retry.h"
#include "client/internal/waiter.h"

namespace drover::cli {
namespace {

constexpr base::Duration kNodeTimeout = std::chrono::seconds(3);
constexpr base::Duration kSurveyPause = std::chrono::milliseconds(100);
constexpr char kClearScreen[] = "\033[H\033[2J";
constexpr base::Duration kNodeTimeoutMin = std::chrono::milliseconds(10);
constexpr base::Duration kIntervalMin = std::chrono::milliseconds(100);  // more often is load and no news

const std::vector<std::string> kHeader = {"NODE", "ADDRESS",  "ROLE",     "TERM",    "COMMIT", "APPLIED", "LAG",
                                          "LOG",  "SESSIONS", "ATTACHED", "VERSION", "LEVEL",  "STATE"};

std::string SizeText(std::uint64_t bytes) {
  constexpr double kKi = 1024;
  const auto size = static_cast<double>(bytes);
  if (size < kKi * kKi) return absl::StrFormat("%.0f KiB", size / kKi);
  if (size < kKi * kKi * kKi) return absl::StrFormat("%.0f MiB", size / kKi / kKi);
  return absl::StrFormat("%.1f GiB", size / kKi / kKi / kKi);
}

// "2/3": the cluster is at 2, and this node's program knows 3, too.
std::string LevelText(const coord::NodeStatus& status) {
  const auto text = [](std::uint32_t level) { return level == 0 ? std::string("-") : absl::StrCat(level); };
  return absl::StrCat(text(status.feature_level), "/", text(status.feature_level_max));
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
    item.cells = {id, node.address, "-", "-", "-", "-", lag, "-", "-", "-", "-", "-", "UNREACHABLE"};
    return item;
  }
  const coord::NodeStatus& s = *node.status;
  item.json.update({{"cluster_id", ExactNumber(s.cluster_id)},
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
                    {"feature_level", s.feature_level},
                    {"feature_level_max", s.feature_level_max},
                    {"boot", ExactNumber(s.boot)},
                    {"trouble", s.trouble},
                    {"version", s.version},
                    {"copies", Json::array()}});
  for (const coord::CopyStatus& copy : s.copies) item.json["copies"].push_back({{"id", copy.node_id}, {"host", copy.host}});
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
                LevelText(s),
                s.trouble.empty() ? "serves" : s.trouble};
  return item;
}

// All nodes at one time.
struct Survey {
  std::vector<SurveyedNode> nodes;
  std::vector<std::string> silent;  // and why
  std::set<std::uint64_t> clusters;
  bool serving = false;

  [[nodiscard]] const coord::NodeStatus* Leader() const { return LeaderOf(nodes); }
};

Survey TakeSurvey(const std::vector<std::string>& endpoints, const AskNode& ask) {
  Survey survey;
  survey.nodes = SurveyCore(endpoints, ask);
  for (const SurveyedNode& node : survey.nodes) {
    if (!node.status.ok()) {
      survey.silent.push_back(absl::StrCat(node.address, " (", Why(node.status.status()), ")"));
      continue;
    }
    survey.serving = survey.serving || node.status->serving;
    if (node.status->cluster_id != 0) survey.clusters.insert(node.status->cluster_id);
  }
  return survey;
}

std::vector<Item> ItemsOf(const Survey& survey) {
  std::vector<Item> items;
  for (const SurveyedNode& node : survey.nodes) items.push_back(ItemOf(node));
  return items;
}

// Two processes with one data directory, one of which has a copy of it.
void NoteCopies(const Survey& survey, const App& app) {
  std::set<std::uint64_t> told;
  for (std::size_t i = 1; i < survey.nodes.size(); ++i) {
    const SurveyedNode& a = survey.nodes[i - 1];
    const SurveyedNode& b = survey.nodes[i];
    if (!a.status.ok() || !b.status.ok() || a.id != b.id || a.status->cluster_id != b.status->cluster_id) continue;
    if (a.status->boot == 0 || b.status->boot == 0) continue;
    told.insert(a.id);
    app.output.Note(absl::StrCat("two processes say that they are node ", a.id, ", at ", a.address, " and ", b.address,
                                 ": one of them has a copy of the other's data directory. Stop the one that is not at the address "
                                 "that drover cluster member list says"));
  }
  const coord::NodeStatus* const leader = survey.Leader();
  if (leader == nullptr) return;
  for (const coord::CopyStatus& copy : leader->copies) {
    if (!told.insert(copy.node_id).second) continue;
    app.output.Note(
        absl::StrCat("two processes say that they are node ", copy.node_id, ": one on ",
                     copy.host.empty() ? "a host that is not known" : copy.host,
                     " has a copy of the data directory of the one at the address that drover cluster member list says. "
                     "Stop that copy"));
  }
}

// What the table does not show.
void AddNotes(const Survey& survey, const App& app) {
  NoteCopies(survey, app);
  if (!survey.silent.empty()) app.output.Note(absl::StrCat("no answer from ", absl::StrJoin(survey.silent, ", ")));
}

// Not OK: what is shown is of more than one, and so says nothing of any.
absl::Status CheckOneCluster(const Survey& survey) {
  if (survey.clusters.size() <= 1) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("these are nodes of ", survey.clusters.size(), " different clusters (",
                                                    absl::StrJoin(survey.clusters, ", "),
                                                    "): give the addresses of one with --coord"));
}

int Status(const App& app) {
  // If nobody answers, all are asked again until the time is over.
  const auto give_up = std::chrono::steady_clock::now() + app.globals.request_timeout;
  const auto ask = [give_up](const std::string& address) {
    const base::Duration left = give_up - std::chrono::steady_clock::now();
    return coord::FetchNodeStatus(address, std::clamp<base::Duration>(left, kNodeTimeoutMin, kNodeTimeout));
  };
  Survey survey;
  client::Trail trail;
  while (true) {
    survey = TakeSurvey(app.globals.coord, ask);
    if (survey.silent.size() < survey.nodes.size()) break;
    for (const SurveyedNode& node : survey.nodes) trail.Add(node.address, node.status.status());
    client::SystemWaiter().Wait(kSurveyPause, {});
    if (std::chrono::steady_clock::now() >= give_up) {
      return app.output.Fail(absl::UnavailableError(absl::StrCat("no coordination node answered: ", trail.Describe())));
    }
  }
  app.output.List(kHeader, ItemsOf(survey));
  AddNotes(survey, app);
  if (const absl::Status one = CheckOneCluster(survey); !one.ok()) return app.output.Fail(one);
  const std::optional<DiskTrouble> disks = FindDiskTrouble(survey.nodes);
  const coord::NodeStatus* const leader = survey.Leader();
  if (survey.serving && disks && disks->no_write) {
    return app.output.Fail(absl::UnavailableError(absl::StrCat("the core takes no writes: ", disks->who)));
  }
  if (leader != nullptr && leader->disk_full) {
    return app.output.Fail(absl::UnavailableError(
        absl::StrCat("the core takes no writes: the disk of node ", leader->node_id, ", which leads, is full")));
  }
  if (survey.serving) return kOk;
  return app.output.Fail(absl::UnavailableError(
      absl::StrCat("the core does not serve: ", survey.nodes.size() - survey.silent.size(), " of ", survey.nodes.size(),
                   " nodes answered, and none of them has a leader", disks ? absl::StrCat("; ", disks->who) : "",
                   disks && disks->no_write ? ", and none can be elected until there is space" : "")));
}

// What a person looks at first.
std::string Summary(const Survey& survey, const std::string& time, const std::optional<double>& writes_per_second) {
  const coord::NodeStatus* const leader = survey.Leader();
  const std::string who =
      leader == nullptr ? std::string("NO LEADER") : absl::StrCat("leader ", leader->node_id, "  term ", leader->term);
  return absl::StrCat(time, "  ", who, "  answered ", survey.nodes.size() - survey.silent.size(), "/", survey.nodes.size(),
                      writes_per_second ? absl::StrFormat("  writes/s %.0f", *writes_per_second) : "", "\n");
}

struct StatusFlags {
  bool watch = false;
  base::Duration interval = std::chrono::seconds(2);
};

// Shows it again and again until Ctrl-C, also while nobody answers.
int Watch(const App& app, const StatusFlags& flags) {
  if (app.output.format() == Format::kJson) {
    return app.Usage("cluster status: --watch has no end, and so no one JSON array: give -o jsonl");
  }
  AutoResetEvent interrupted;
  const Interruption interruption(&interrupted);
  const auto ask = [](const std::string& address) { return coord::FetchNodeStatus(address, kNodeTimeout); };
  const bool screen = app.output.format() == Format::kTable && isatty(STDOUT_FILENO) != 0;
  std::optional<std::pair<std::chrono::steady_clock::time_point, std::uint64_t>> before;  // when the leader had written how much
  while (!interruption.asked()) {
    const Survey survey = TakeSurvey(app.globals.coord, ask);
    const auto now = std::chrono::steady_clock::now();
    const std::string time = Rfc3339(absl::ToUnixMillis(absl::Now()));
    std::optional<double> rate;
    const coord::NodeStatus* const leader = survey.Leader();
    if (leader != nullptr && before && leader->last_zxid.value >= before->second) {
      rate = static_cast<double>(leader->last_zxid.value - before->second) /
             std::chrono::duration<double>(now - before->first).count();
    }
    if (leader != nullptr) before = {now, leader->last_zxid.value};
    std::vector<Item> items = ItemsOf(survey);
    for (Item& item : items) item.json["time"] = time;
    if (screen) app.output.Raw(kClearScreen);
    if (app.output.format() == Format::kTable) app.output.Raw(Summary(survey, time, rate));
    app.output.List(kHeader, items);
    AddNotes(survey, app);
    if (const absl::Status one = CheckOneCluster(survey); !one.ok()) app.output.Note(one.message());
    if (app.output.format() == Format::kTable && !screen) app.output.Raw("\n");
    interrupted.Wait(std::chrono::steady_clock::now() + flags.interval);
  }
  return kOk;
}

}  // namespace

void AddClusterCommands(process::OptionSet* root, Commands* commands) {
  process::OptionSet& group = root->Command("cluster", "The coordination core");
  process::OptionSet& status = group.Command("status", "What each coordination node says of itself");
  auto flags = std::make_shared<StatusFlags>();
  status.Flag("--watch", &flags->watch, "Again and again, until Ctrl-C");
  status.Time("--interval", &flags->interval, "With --watch: how often", kIntervalMin);
  commands->push_back({&status, [flags](const App& app) { return flags->watch ? Watch(app, *flags) : Status(app); }});
  AddSnapshotCommands(&group, commands);
  AddClusterMemberCommands(&group, commands);
}

}  // namespace drover::cli

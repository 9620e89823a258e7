// The metadata of a search cluster, edited by many at once (README.md):
//
//   drover-example-search node n1 &
//   drover-example-search create-collection books --config basic --shards 2 --replicas 2
//   drover-example-search add-field basic title:text year:int
//   drover-example-search show
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/examples/search/metadata.h"
#include "client/examples/search/node.h"
#include "drover/coord/blocking.h"
#include "drover/coord/status.h"
#include "drover/recipes/value.h"

namespace {

using drover::coord::BlockingClient;
using namespace drover::examples;  // NOLINT: it is this program's own

constexpr int kFailed = 1, kUsage = 2, kUnknown = 3;
std::chrono::seconds patience{30};  // with the core

int Fail(const std::string& what, const absl::Status& why) {
  const bool unknown = drover::coord::IsOutcomeUnknown(why);
  std::cerr << what << ": " << (unknown ? "it may or may not have been done: " : "") << why.message() << std::endl;
  return unknown ? kUnknown : kFailed;
}

// Edits the document at `path`: `change` again and again until nobody was faster. Gives what was written.
absl::StatusOr<std::string> Edit(BlockingClient& core, const std::string& path,
                                 const std::function<absl::StatusOr<std::string>(const Document&)>& change) {
  const auto refusal = std::make_shared<absl::Status>();
  const auto done = std::make_shared<std::promise<absl::StatusOr<drover::recipes::UpdateResult>>>();
  core.OnLoop([&](drover::coord::Session& session) {
    const auto value = std::make_shared<drover::recipes::AtomicValue>(&session, path);
    value->Update(
        [change, refusal](const Document& now) -> Document {
          absl::StatusOr<std::string> next = change(now);
          *refusal = next.status();
          return next.ok() ? Document(*std::move(next)) : std::nullopt;
        },
        [value, done](absl::StatusOr<drover::recipes::UpdateResult> result) { done->set_value(std::move(result)); });
  });
  auto result = done->get_future();
  if (result.wait_for(patience) != std::future_status::ready) {
    return drover::coord::UnknownOutcomeError(drover::coord::UnknownCause::kDeadline, "the core does not answer");
  }
  const absl::StatusOr<drover::recipes::UpdateResult> updated = result.get();
  if (!updated.ok()) return updated.status();
  if (!updated->changed) return *refusal;
  return *updated->after;
}

// By name, with their incarnations.
absl::StatusOr<std::map<std::string, drover::base::Zxid>> LiveNodes(BlockingClient& core) {
  std::map<std::string, drover::base::Zxid> live;
  const auto nodes = core.List(kLiveNodes);
  if (drover::coord::IsNoNode(nodes.status())) return live;
  if (!nodes.ok()) return nodes.status();
  for (std::size_t i = 1; i < nodes->size(); ++i) {  // the first is their parent
    live[(*nodes)[i].path.substr(sizeof kLiveNodes)] = (*nodes)[i].stat.czxid;
  }
  return live;
}

int CreateCollection(BlockingClient& core, const std::string& name, const std::string& config, std::uint32_t shards,
                     std::uint32_t replicas) {
  using drover::coord::Operation;
  const std::string what = absl::StrCat("create-collection ", name);
  while (true) {
    const auto live = LiveNodes(core);
    if (!live.ok()) return Fail(what, live.status());
    std::vector<std::string> names;
    for (const auto& [node, incarnation] : *live) names.push_back(node);
    const auto collection = Spread(config, shards, replicas, names);
    if (!collection.ok()) return Fail(what, collection.status());
    drover::coord::Transaction transaction;
    // Only while those who get replicas are the ones that were seen.
    for (const Replica& replica : collection->replicas) {
      transaction.compares.push_back(
          drover::coord::Compare::Czxid(absl::StrCat(kLiveNodes, "/", replica.node), live->at(replica.node)));
    }
    transaction.then = {
        Operation::Create(absl::StrCat(kConfigs, "/", config), Encode(Config()), {.parents = true, .if_absent = true}),
        Operation::Create(absl::StrCat(kCollections, "/", name), Encode(*collection), {.parents = true})};
    const auto created = core.Commit(std::move(transaction));
    if (drover::coord::IsNodeExists(created.status())) {
      return Fail(what, absl::AlreadyExistsError("there is a collection of this name already"));
    }
    if (!created.ok()) return Fail(what, created.status());
    if (!created->succeeded) continue;  // a node has come or gone
    std::cout << "created " << name << " edit 1" << std::endl;
    return 0;
  }
}

// One edit for each field: what was printed is done.
int AddFields(BlockingClient& core, const std::string& config, const std::vector<std::string>& fields) {
  for (const std::string& field : fields) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(field, absl::MaxSplits(':', 1));
    const std::string what = absl::StrCat("add-field ", config, " ", field);
    const auto written = Edit(core, absl::StrCat(kConfigs, "/", config),
                              [parts](const Document& now) { return AddField(now, parts.first, parts.second); });
    if (!written.ok()) return Fail(what, written.status());
    std::cout << "added " << config << " " << field << " edit " << ParseConfig(*written)->edits << std::endl;
  }
  return 0;
}

// A replica is active if the node that lives now has loaded it; so nobody has to mark those of a dead one.
const char* StateOf(const Replica& replica, const std::map<std::string, drover::base::Zxid>& live) {
  const auto node = live.find(replica.node);
  if (node == live.end()) return "down";
  return replica.loaded_by == node->second.value ? "active" : "loading";
}

int Show(BlockingClient& core) {
  const auto live = LiveNodes(core);
  if (!live.ok()) return Fail("show", live.status());
  for (const auto& [name, incarnation] : *live) std::cout << "node " << name << " incarnation " << incarnation.value << "\n";
  for (const std::string root : {kCollections, kConfigs}) {
    const auto documents = core.List(root);
    if (drover::coord::IsNoNode(documents.status())) continue;
    if (!documents.ok()) return Fail("show", documents.status());
    for (const drover::coord::Node& document : *documents) {
      if (document.path == root) continue;
      const std::string name = document.path.substr(root.size() + 1);
      std::cout << (root == kCollections ? "collection " : "config ") << name << " " << document.data << "\n";
      const auto collection = ParseCollection(document.data);
      if (!collection.ok()) continue;  // it is a config
      for (const Replica& replica : collection->replicas) {
        std::cout << "replica " << name << " shard " << replica.shard << " on " << replica.node << " " << StateOf(replica, *live)
                  << "\n";
      }
    }
  }
  return 0;
}

// Until it is told to stop, or its session is over.
int RunNode(BlockingClient& core, const std::string& name, const sigset_t& stop) {
  std::unique_ptr<Node> node;
  core.OnLoop([&](drover::coord::Session& session) { node = std::make_unique<Node>(&session, name); });
  const timespec look{0, 100'000'000};
  int code = 0;
  while (sigtimedwait(&stop, nullptr, &look) < 0) {
    if (const absl::Status why = node->trouble(); !why.ok()) {
      code = Fail(absl::StrCat("node ", name, " is not live any more, start it again"), why);
      break;
    }
  }
  core.OnLoop([&](drover::coord::Session&) { node = nullptr; });
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const auto check = [](const std::string& text) {
    const auto good = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; };
    if (!text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), good)) return std::string();
    return absl::StrCat("\"", text, "\" is no name: 1 to 100 letters, digits, '_' and '-'");
  };
  const CLI::Validator is_name([check](const std::string& text) { return check(text); }, "");
  const CLI::Validator is_field(
      [check](const std::string& text) {
        const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
        const bool good = check(parts.first).empty() && check(parts.second).empty();
        return good ? std::string() : absl::StrCat("\"", text, "\" is no FIELD:TYPE");
      },
      "");
  CLI::App app("The metadata of a search cluster, edited by many at once");
  app.require_subcommand(1);
  std::string coord, name, config;
  std::uint32_t shards = 1, replicas = 1;
  std::uint32_t timeout_ms = 6000, patience_s = 30;
  std::vector<std::string> fields;
  app.add_option("--coord", coord, "Coordination nodes: host:port,...")->envname("DROVER_COORD")->required();
  app.add_option("--session-timeout-ms", timeout_ms, "So long after a node has fallen silent it is not live any more")
      ->check(CLI::Range(500, 300'000))
      ->capture_default_str();
  app.add_option("--patience-s", patience_s, "How long a command waits for the core")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  auto* node = app.add_subcommand("node", "Runs a node, until it is stopped");
  node->add_option("NAME", name, "Of the node, unique")->required()->check(is_name);
  auto* create = app.add_subcommand("create-collection", "Makes a collection, its replicas spread over the live nodes");
  create->add_option("NAME", name)->required()->check(is_name);
  create->add_option("--config", config, "Its schema; made if there is none of this name")->required()->check(is_name);
  create->add_option("--shards", shards)->check(CLI::Range(1, 100))->capture_default_str();
  create->add_option("--replicas", replicas, "Of each shard")->check(CLI::Range(1, 10))->capture_default_str();
  auto* field = app.add_subcommand("add-field", "Adds fields to a config, each by an edit of its own");
  field->add_option("CONFIG", config)->required()->check(is_name);
  field->add_option("FIELD:TYPE", fields)->required()->check(is_field);
  auto* show = app.add_subcommand("show", "All there is");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }

  patience = std::chrono::seconds(patience_s);
  sigset_t stop;  // blocked before there are other threads
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  if (*node) pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  auto core = BlockingClient::Connect(
      {.session = {.endpoints = absl::StrSplit(coord, ','), .timeout = std::chrono::milliseconds(timeout_ms), .name = "search"},
       .call_timeout = patience});
  if (!core.ok()) return Fail(absl::StrCat("no session with ", coord), core.status());
  if (*node) return RunNode(**core, name, stop);
  if (*create) return CreateCollection(**core, name, config, shards, replicas);
  if (*field) return AddFields(**core, config, fields);
  if (*show) return Show(**core);
  return kUsage;
}

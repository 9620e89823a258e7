// The metadata of a search cluster, edited by many at once.
//
//   drover-example-search node --name n1
//   drover-example-search create-collection books --config basic --shards 2 --replicas 2
//   drover-example-search add-field basic title:text year:int
//   drover-example-search show
#include <functional>
#include <future>
#include <iostream>

#include "absl/strings/str_split.h"
#include "client/examples/program/command_line.h"
#include "client/examples/program/participant.h"
#include "client/examples/search/metadata.h"
#include "client/examples/search/node.h"
#include "client/examples/store/fenced_store.h"
#include "drover/coord/status.h"
#include "drover/recipes/value.h"

namespace drover::examples::search {
namespace {

constexpr base::Duration kLook = std::chrono::milliseconds(100);

// Until it is told to stop, or its session is over.
absl::Status RunNode(const CommandLine& line) {
  const std::string& name = line.Flag("name");
  if (absl::Status named = CheckName(name, "node"); !named.ok()) return named;
  Stop stop;
  const auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  std::unique_ptr<Node> node;
  (*core)->OnLoop([&](coord::Session& session) { node = std::make_unique<Node>(&session, name); });
  absl::Status why;
  while (why.ok() && !stop.AskedWithin(kLook)) (*core)->OnLoop([&](coord::Session&) { why = node->trouble(); });
  (*core)->OnLoop([&](coord::Session&) { node = nullptr; });
  if (why.ok()) return why;
  return absl::Status(why.code(), absl::StrCat(name, " is not live any more, start it again: ", why.message()));
}

// Edits the document at `path`: `change` again and again until nobody was faster. Gives what was written.
absl::StatusOr<std::string> Edit(coord::BlockingClient* core, const std::string& path, base::Duration timeout,
                                 const std::function<absl::StatusOr<std::string>(const Document&)>& change) {
  const auto refusal = std::make_shared<absl::Status>();
  const auto done = std::make_shared<std::promise<absl::StatusOr<recipes::UpdateResult>>>();
  core->OnLoop([&](coord::Session& session) {
    const auto value = std::make_shared<recipes::AtomicValue>(&session, path);
    value->Update(
        [change, refusal](const Document& now) -> Document {
          absl::StatusOr<std::string> next = change(now);
          *refusal = next.status();
          return next.ok() ? Document(*std::move(next)) : std::nullopt;
        },
        [value, done](absl::StatusOr<recipes::UpdateResult> result) { done->set_value(std::move(result)); });
  });
  auto result = done->get_future();
  if (result.wait_for(timeout) != std::future_status::ready) {
    return coord::UnknownOutcomeError(coord::UnknownCause::kDeadline, "the core does not answer");
  }
  const absl::StatusOr<recipes::UpdateResult> updated = result.get();
  if (!updated.ok()) return updated.status();
  if (!updated->changed) return *refusal;
  return *updated->after;
}

// By name, with their incarnations.
using LiveNodes = std::map<std::string, coord::Zxid>;
absl::StatusOr<LiveNodes> ReadLiveNodes(coord::BlockingClient* core) {
  LiveNodes live;
  const auto nodes = core->List(kLiveNodes);
  if (coord::IsNoNode(nodes.status())) return live;
  if (!nodes.ok()) return nodes.status();
  for (std::size_t i = 1; i < nodes->size(); ++i) {  // the first is their parent
    live[(*nodes)[i].path.substr(sizeof kLiveNodes)] = (*nodes)[i].stat.czxid;
  }
  return live;
}

absl::Status CreateCollection(const CommandLine& line) {
  const std::string& name = line.arguments[0];
  const std::string& config = line.Flag("config");
  if (absl::Status named = CheckName(name, "collection"); !named.ok()) return named;
  if (absl::Status named = CheckName(config, "config"); !named.ok()) return named;
  const auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  while (true) {
    const absl::StatusOr<LiveNodes> live = ReadLiveNodes(core->get());
    if (!live.ok()) return live.status();
    std::vector<std::string> names;
    for (const auto& [node, incarnation] : *live) names.push_back(node);
    const auto collection = Spread(config, line.Number("shards"), line.Number("replicas"), names);
    if (!collection.ok()) return collection.status();
    coord::Transaction transaction;
    // Only while those who get replicas are the ones that were seen.
    for (const Replica& replica : collection->replicas) {
      transaction.compares.push_back(coord::Compare::Czxid(absl::StrCat(kLiveNodes, "/", replica.node), live->at(replica.node)));
    }
    transaction.then = {
        coord::Operation::Create(absl::StrCat(kConfigs, "/", config), Encode(Config()), {.parents = true, .if_absent = true}),
        coord::Operation::Create(absl::StrCat(kCollections, "/", name), Encode(*collection), {.parents = true})};
    const auto created = (*core)->Commit(std::move(transaction));
    if (coord::IsNodeExists(created.status())) {
      return absl::AlreadyExistsError(absl::StrCat("there is a collection ", name, " already"));
    }
    if (!created.ok()) return created.status();
    if (!created->succeeded) continue;  // a node has come or gone
    std::cout << "created " << name << " edit 1" << std::endl;
    return absl::OkStatus();
  }
}

// One edit for each field: what was printed is done.
absl::Status AddFields(const CommandLine& line) {
  const std::string& config = line.arguments[0];
  if (absl::Status named = CheckName(config, "config"); !named.ok()) return named;
  std::vector<std::pair<std::string, std::string>> fields;
  for (std::size_t i = 1; i < line.arguments.size(); ++i) {
    fields.push_back(absl::StrSplit(line.arguments[i], absl::MaxSplits(':', 1)));
    if (!IsName(fields.back().first) || !IsName(fields.back().second)) {
      return WrongCommandLine(absl::StrCat("'", line.arguments[i], "' is no FIELD:TYPE"));
    }
  }
  const auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  for (const auto& [field, type] : fields) {
    const auto written = Edit(core->get(), absl::StrCat(kConfigs, "/", config), line.Time("timeout"),
                              [name = field, type = type](const Document& now) { return AddField(now, name, type); });
    if (!written.ok()) return written.status();
    std::cout << "added " << config << " " << field << ":" << type << " edit " << ParseConfig(*written)->edits << std::endl;
  }
  return absl::OkStatus();
}

// A replica is active if the node that lives now has loaded it; so nobody has to mark those of a dead one.
const char* StateOf(const Replica& replica, const LiveNodes& live) {
  const auto node = live.find(replica.node);
  if (node == live.end()) return "down";
  return replica.loaded_by == node->second.value ? "active" : "loading";
}

absl::Status Show(const CommandLine& line) {
  const auto core = ConnectToCore(CoreOptions(line));
  if (!core.ok()) return core.status();
  const absl::StatusOr<LiveNodes> live = ReadLiveNodes(core->get());
  if (!live.ok()) return live.status();
  for (const auto& [name, incarnation] : *live) std::cout << "node " << name << " incarnation " << incarnation << "\n";
  for (const std::string root : {kCollections, kConfigs}) {
    const auto documents = (*core)->List(root);
    if (coord::IsNoNode(documents.status())) continue;
    if (!documents.ok()) return documents.status();
    for (const coord::Node& document : *documents) {
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
  return absl::OkStatus();
}

}  // namespace
}  // namespace drover::examples::search

int main(int argc, char** argv) {
  using namespace drover::examples;          // NOLINT
  using namespace drover::examples::search;  // NOLINT
  return RunProgram(
      argc, argv, "The metadata of a search cluster, edited by many at once.",
      {{"node", {}, ServerFlags(), "A node; prints what it loads, and every edit of the configs that it uses", RunNode},
       {"create-collection",
        {"COLLECTION"},
        ClientFlags({{"config", kRequired}, {"shards", "1"}, {"replicas", "1"}}),
        "Makes a collection, its replicas spread over the live nodes; and the config, if there is none",
        CreateCollection},
       {"add-field", {"CONFIG", "FIELD:TYPE..."}, ClientFlags(), "Adds fields, each by an edit of its own", AddFields},
       {"show", {}, ClientFlags(), "Prints the nodes, the collections and their replicas, and the configs", Show}});
}

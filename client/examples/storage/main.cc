// A storage cluster: tables of rows in regions, region servers that serve them, and an elected master that says which serves which.
//
//   drover-example-storage master --name m1
//   drover-example-storage server --name s1 --store DIR
//   drover-example-storage create users h p       three regions: up to h, from h up to p, from p on
//   drover-example-storage put users ann 'a value'
//   drover-example-storage get users ann
//   drover-example-storage scan users
//   drover-example-storage where users
#include <iostream>

#include "absl/strings/strip.h"
#include "client/examples/program/command_line.h"
#include "client/examples/program/place.h"
#include "client/examples/storage/master.h"
#include "client/examples/storage/region_server.h"
#include "client/examples/storage/tree.h"
#include "drover/coord/status.h"

namespace drover::examples::storage {
namespace {

// One attempt of a call: a server that stands still shall not eat up all of the time there is.
constexpr base::Duration kAttempt = std::chrono::seconds(2);

absl::Status RunMaster(const CommandLine& line) {
  Stop stop;
  Office office;
  auto server = Server::Start(MasterHandler(&office));
  if (!server.ok()) return server.status();
  return TakePart(CoreOptions(line), &stop, [&](const auto& core, coord::Session& session) {
    return std::make_unique<Master>(core, &session, line.Flag("name"), (*server)->address(), &office);
  });
}

absl::Status RunServer(const CommandLine& line) {
  const std::string& name = line.Flag("name");
  if (absl::Status named = CheckName(name, "server"); !named.ok()) return named;
  Stop stop;
  FencedStore store(line.Flag("store"));
  Regions regions(name, &store);
  auto server = Server::Start(
      [&](const std::string& method, const std::vector<std::string>& arguments) { return regions.Answer(method, arguments); });
  if (!server.ok()) return server.status();
  return TakePart(CoreOptions(line), &stop, [&](const auto&, coord::Session& session) {
    return std::make_unique<RegionServer>(&session, name, (*server)->address(), &regions);
  });
}

// A command's session with the core.
class Client {
 public:
  static absl::StatusOr<Client> Connect(const CommandLine& line) {
    auto core = ConnectToCore(CoreOptions(line));
    if (!core.ok()) return core.status();
    return Client(*std::move(core), line.Time("timeout"));
  }

  // The candidate that has stood longest is the master.
  absl::Status AskMaster(const std::vector<std::string>& arguments) {
    return TryUntil(timeout_, [&]() -> absl::Status {
      const auto candidates = core_->Children(kMasters);
      if (!candidates.ok() && !coord::IsNoNode(candidates.status())) return candidates.status();
      if (!candidates.ok() || candidates->empty()) return absl::UnavailableError("there is no master");
      const auto master = core_->Get(absl::StrCat(kMasters, "/", candidates->front()));
      if (coord::IsNoNode(master.status())) return absl::UnavailableError("the master has just gone");
      if (!master.ok()) return master.status();
      return Call(master->node.data, "create", arguments, kAttempt).status();
    });
  }

  // The regions of a table, in the order of their first keys.
  absl::StatusOr<std::vector<coord::Node>> RegionsOf(const std::string& table) {
    absl::StatusOr<std::vector<coord::Node>> nodes = absl::NotFoundError("");
    if (IsTableName(table)) nodes = core_->List(TablePath(table));
    if (coord::IsNoNode(nodes.status()) || absl::IsNotFound(nodes.status()) || (nodes.ok() && nodes->empty())) {
      return absl::NotFoundError(absl::StrCat("there is no table ", table));
    }
    if (nodes.ok()) nodes->erase(nodes->begin());  // the table
    return nodes;
  }

  // The server that has it now, and the server's address. UNAVAILABLE: none has it at the moment.
  struct Found {
    std::string server;
    std::string address;
  };
  absl::StatusOr<Found> Find(const std::string& region) {
    const auto node = core_->Get(region);
    if (!node.ok()) return node.status();
    const Place place = DecodePlace(node->node.data);
    if (place.server.empty()) return absl::UnavailableError(absl::StrCat("no server has ", RegionLog(region), " yet"));
    const auto server = core_->Get(ServerPath(place.server));
    if (!server.ok() && !coord::IsNoNode(server.status())) return server.status();
    if (!server.ok() || server->node.stat.czxid != place.incarnation) {
      return absl::UnavailableError(absl::StrCat(RegionLog(region), " is at ", place.server, ", which is gone"));
    }
    return Found{.server = place.server, .address = server->node.data};
  }

  // Asks the region's server; when the region moves, the next one. `more` follows the region's name.
  absl::StatusOr<Lines> AskRegion(const std::string& region, const std::string& method, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {RegionLog(region)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    Lines lines;
    const absl::Status asked = TryUntil(timeout_, [&] {
      const absl::StatusOr<Found> found = Find(region);
      if (!found.ok()) return found.status();
      absl::StatusOr<Lines> answer = Call(found->address, method, arguments, kAttempt);
      if (answer.ok()) lines = *std::move(answer);
      return answer.status();
    });
    if (!asked.ok()) return asked;
    return lines;
  }

  // Asks the server of the region to which the key belongs.
  absl::StatusOr<Lines> AskForKey(const std::string& table, const std::string& key, const std::string& method,
                                  const std::vector<std::string>& more) {
    const absl::StatusOr<std::vector<coord::Node>> regions = RegionsOf(table);
    if (!regions.ok()) return regions.status();
    std::string last;
    for (const coord::Node& region : *regions) {
      if (last.empty() || region.path <= RegionPath(table, key)) last = region.path;
    }
    return AskRegion(last, method, more);
  }

 private:
  Client(std::unique_ptr<coord::BlockingClient> core, base::Duration timeout) : core_(std::move(core)), timeout_(timeout) {}

  std::unique_ptr<coord::BlockingClient> core_;
  base::Duration timeout_;
};

absl::Status Create(const CommandLine& line) {
  absl::StatusOr<Client> client = Client::Connect(line);
  if (!client.ok()) return client.status();
  // The id tells a second attempt of this wish from somebody else's.
  std::vector<std::string> arguments = {NewId()};
  arguments.insert(arguments.end(), line.arguments.begin(), line.arguments.end());
  return client->AskMaster(arguments);
}

absl::Status Put(const CommandLine& line) {
  absl::StatusOr<Client> client = Client::Connect(line);
  if (!client.ok()) return client.status();
  const std::string& key = line.arguments[1];
  return client->AskForKey(line.arguments[0], key, "put", {NewId(), key, line.arguments[2]}).status();
}

absl::Status Get(const CommandLine& line) {
  absl::StatusOr<Client> client = Client::Connect(line);
  if (!client.ok()) return client.status();
  const std::string& key = line.arguments[1];
  const absl::StatusOr<Lines> value = client->AskForKey(line.arguments[0], key, "get", {key});
  if (!value.ok()) return value.status();
  std::cout << value->front() << "\n";
  return absl::OkStatus();
}

absl::Status Scan(const CommandLine& line) {
  absl::StatusOr<Client> client = Client::Connect(line);
  if (!client.ok()) return client.status();
  const auto regions = client->RegionsOf(line.arguments[0]);
  if (!regions.ok()) return regions.status();
  for (const coord::Node& region : *regions) {
    const absl::StatusOr<Lines> rows = client->AskRegion(region.path, "scan", {});
    if (!rows.ok()) return rows.status();
    for (std::size_t i = 0; i + 1 < rows->size(); i += 2) std::cout << (*rows)[i] << " " << (*rows)[i + 1] << "\n";
  }
  return absl::OkStatus();
}

absl::Status Where(const CommandLine& line) {
  absl::StatusOr<Client> client = Client::Connect(line);
  if (!client.ok()) return client.status();
  const auto regions = client->RegionsOf(line.arguments[0]);
  if (!regions.ok()) return regions.status();
  for (const coord::Node& region : *regions) {
    const auto found = client->Find(region.path);
    if (!found.ok() && !absl::IsUnavailable(found.status())) return found.status();
    std::cout << RegionLog(region.path) << " " << (found.ok() ? found->server + " " + found->address : "- -") << "\n";
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace drover::examples::storage

int main(int argc, char** argv) {
  using namespace drover::examples;           // NOLINT
  using namespace drover::examples::storage;  // NOLINT
  return RunProgram(
      argc, argv, "Tables of rows in regions, served by region servers; the core knows which has which.",
      {{"master", {}, ServerFlags(), "A master; of several one is elected", RunMaster},
       {"server", {}, ServerFlags({{"store", kRequired}}), "A region server; --store: the directory that all share", RunServer},
       {"create", {"TABLE", "[KEY...]"}, ClientFlags(), "Makes a table; each KEY is the first one of another region", Create},
       {"put", {"TABLE", "KEY", "VALUE"}, ClientFlags(), "Sets a row", Put},
       {"get", {"TABLE", "KEY"}, ClientFlags(), "Prints a row's value", Get},
       {"scan", {"TABLE"}, ClientFlags(), "Prints all rows, sorted", Scan},
       {"where", {"TABLE"}, ClientFlags(), "Prints each region, its server and the server's address", Where}});
}

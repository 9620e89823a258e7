#include "tests/bench/systems/drover.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "drover/coord/blocking.h"
#include "tests/bench/systems/drover_clients.h"

namespace drover::bench {
namespace {

constexpr base::Duration kAskTimeout = std::chrono::seconds(1);

class Drover final : public System {
 public:
  explicit Drover(std::vector<ServerSpec> servers) : System("drover", std::move(servers)) {}

  absl::StatusOr<std::unique_ptr<Clients>> Connect(int count, int first) override {
    return std::unique_ptr<Clients>(std::make_unique<DroverClients>(addresses(), count, first));
  }
  int connections_of_writer() const override { return 1; }

 protected:
  absl::StatusOr<NodeState> Ask(int node) override {
    const absl::StatusOr<coord::NodeStatus> status =
        coord::FetchNodeStatus(servers().at(static_cast<std::size_t>(node)).address, kAskTimeout);
    if (!status.ok()) return status.status();
    if (status->leader_id == 0) return absl::UnavailableError("it knows no leader");
    return NodeState{status->role == "leader", status->commit_index, status->applied_index, status->term, status->version};
  }
  void Describe(SystemFacts* facts) const override {
    facts->fsync = "on: one fdatasync a batch before anything of it is acknowledged (no option turns it off)";
    facts->client = "coord/client, all sessions on one thread, spread over the nodes; a session finds another node by itself";
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<System>> MakeDrover(int nodes, const std::string& directory,
                                                   const std::vector<testing::StalledDisk>& disks) {
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "drover-coord";
  if (!std::filesystem::exists(program)) {
    return absl::FailedPreconditionError(absl::StrCat(program.string(), " is not there: build the target drover-coord, too"));
  }
  std::vector<std::string> addresses;
  std::vector<std::string> members;
  for (int i = 1; i <= nodes; ++i) {
    addresses.push_back(absl::StrCat("127.0.0.1:", testing::FreePort()));
    members.push_back(absl::StrCat(i, "=", addresses.back()));
  }
  std::vector<ServerSpec> servers;
  for (int i = 1; i <= nodes; ++i) {
    const std::string& address = addresses[static_cast<std::size_t>(i - 1)];
    ServerSpec server;
    server.argv = {program.string(),
                   "--id",
                   absl::StrCat(i),
                   "--data",
                   absl::StrCat(directory, "/node-", i),
                   "--listen",
                   address,
                   "--advertise",
                   address,
                   "--initial-cluster",
                   absl::StrJoin(members, ",")};
    server.http_port = testing::FreePort();
    server.argv.insert(server.argv.end(), {"--http", absl::StrCat("127.0.0.1:", server.http_port)});
    // What the user's environment holds for commands is not meant for these servers. (An empty variable is one that is not set.)
    server.env = {{"DROVER_CONFIG", ""}, {"DROVER_HTTP", ""}};
    if (!disks.empty()) server.env.merge(disks[static_cast<std::size_t>(i - 1)].environment());
    server.log = absl::StrCat(directory, "/node-", i, ".log");
    server.address = address;
    servers.push_back(std::move(server));
  }
  return std::unique_ptr<System>(std::make_unique<Drover>(std::move(servers)));
}

}  // namespace drover::bench

#include "tests/bench/systems/etcd.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coord/transport/message_bytes.h"
#include "coord/transport/unary_client.h"
#include "etcd.pb.h"
#include "tests/bench/systems/etcd_clients.h"
#include "tests/support/installed.h"

namespace drover::bench {
namespace {

constexpr base::Duration kAskTimeout = std::chrono::seconds(1);
// A store over its default quota of 2 GB refuses writes, and nothing is compacted here: every set is kept.
constexpr char kQuotaBytes[] = "8589934592";

class Etcd final : public System {
 public:
  explicit Etcd(std::vector<ServerSpec> servers) : System("etcd", std::move(servers)) {}

  absl::StatusOr<std::unique_ptr<Clients>> Connect(int count, int first) override {
    return std::unique_ptr<Clients>(std::make_unique<EtcdClients>(addresses(), count, first));
  }
  int connections_of_writer() const override { return nodes(); }

 protected:
  absl::StatusOr<NodeState> Ask(int node) override {
    transport::BlockingUnary unary;
    transport::CallOptions options;
    options.timeout = kAskTimeout;
    absl::StatusOr<base::Bytes> bytes =
        unary.Call(servers().at(static_cast<std::size_t>(node)).address, "/etcdserverpb.Maintenance/Status",
                   transport::Encode(etcdserverpb::StatusRequest()), options);
    if (!bytes.ok()) return bytes.status();
    absl::StatusOr<etcdserverpb::StatusResponse> status = transport::Decode<etcdserverpb::StatusResponse>(*bytes);
    if (!status.ok()) return status.status();
    if (status->leader() == 0) return absl::UnavailableError("it knows no leader");
    return NodeState{status->leader() == status->header().member_id(), status->raft_index(), status->raft_applied_index(),
                     status->header().raft_term(), status->version()};
  }
  void Describe(SystemFacts* facts) const override {
    facts->fsync = "on: its default; each batch of its log is synced before it is acknowledged";
    facts->client =
        "asynchronous unary calls of its gRPC v3 API (KV Put, Range; local gets are serializable ranges), a connection each, all "
        "on "
        "one thread, spread over the nodes; failover: one connection to each node, by turns";
  }
};

}  // namespace

absl::StatusOr<std::unique_ptr<System>> MakeEtcd(int nodes, const std::string& directory) {
  const std::string program = testing::FindProgram("etcd");
  if (program.empty()) return testing::NotInstalled("etcd", "etcd-server");
  std::vector<std::string> clients;
  std::vector<std::string> peers;
  std::vector<std::string> members;
  for (int i = 1; i <= nodes; ++i) {
    clients.push_back(absl::StrCat("127.0.0.1:", testing::FreePort()));
    peers.push_back(absl::StrCat("http://127.0.0.1:", testing::FreePort()));
    members.push_back(absl::StrCat("node-", i, "=", peers.back()));
  }
  std::vector<ServerSpec> servers;
  for (int i = 1; i <= nodes; ++i) {
    const auto at = static_cast<std::size_t>(i - 1);
    const std::string url = absl::StrCat("http://", clients[at]);
    ServerSpec server;
    server.argv = {program,
                   "--name",
                   absl::StrCat("node-", i),
                   "--data-dir",
                   absl::StrCat(directory, "/node-", i),
                   "--listen-client-urls",
                   url,
                   "--advertise-client-urls",
                   url,
                   "--listen-peer-urls",
                   peers[at],
                   "--initial-advertise-peer-urls",
                   peers[at],
                   "--initial-cluster",
                   absl::StrJoin(members, ","),
                   "--initial-cluster-token",
                   "drover-bench",
                   "--quota-backend-bytes",
                   kQuotaBytes,
                   "--logger",
                   "zap",
                   "--log-level",
                   "warn"};
    server.log = absl::StrCat(directory, "/node-", i, ".log");
    server.address = clients[at];
    servers.push_back(std::move(server));
  }
  return std::unique_ptr<System>(std::make_unique<Etcd>(std::move(servers)));
}

}  // namespace drover::bench

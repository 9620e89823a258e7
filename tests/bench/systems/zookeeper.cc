#include "tests/bench/systems/zookeeper.h"

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "coord/base/status.h"
#include "tests/bench/systems/zookeeper_clients.h"
#include "tests/support/zookeeper_server.h"

namespace drover::bench {
namespace {

constexpr int kEpochShift = 32;
constexpr std::uint64_t kCounterMask = 0xffff'ffff;  // of a zxid; above it is the leader's epoch
// Debian's, with fsync spelt out.
constexpr char kSettings[] = "tickTime=2000\ninitLimit=10\nsyncLimit=5\nforceSync=yes\n";

class ZooKeeper final : public System {
 public:
  ZooKeeper(std::vector<ServerSpec> servers, std::string configuration)
      : System("zookeeper", std::move(servers)), configuration_(std::move(configuration)) {}

  absl::StatusOr<std::unique_ptr<Clients>> Connect(int count, int first) override {
    return ConnectZooKeeper(addresses(), count, first);
  }
  int connections_of_writer() const override { return nodes(); }

 protected:
  absl::StatusOr<NodeState> Ask(int node) override {
    const std::string& address = servers().at(static_cast<std::size_t>(node)).address;
    int port = 0;
    if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return absl::InternalError(address);
    const absl::StatusOr<std::string> text = testing::AskZooKeeper(port, "srvr");
    if (!text.ok()) return text.status();
    return ParseZooKeeperState(*text);
  }
  void Describe(SystemFacts* facts) const override {
    facts->fsync = "on: forceSync=yes, its default; each batch of its log is synced before it is acknowledged";
    facts->client =
        "its multi-threaded C client (libzookeeper_mt), asynchronous calls, a handle each, spread over the nodes; a linearizable "
        "get "
        "is sync and get sent together, a local get a plain get; failover: one handle begun at each node, by turns";
    facts->configuration = absl::StrReplaceAll(absl::StripSuffix(configuration_, "\n"), {{"\n", "; "}});
  }

 private:
  const std::string configuration_;
};

}  // namespace

absl::StatusOr<NodeState> ParseZooKeeperState(const std::string& text) {
  NodeState state;
  bool has_zxid = false;
  bool has_mode = false;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> field = absl::StrSplit(line, absl::MaxSplits(": ", 1));
    if (field.first == "Zookeeper version") {
      state.version = std::string(field.second.substr(0, field.second.find_first_of("-,")));
    } else if (field.first == "Zxid") {
      has_zxid = absl::SimpleHexAtoi(field.second, &state.known);
    } else if (field.first == "Mode") {
      has_mode = true;
      state.leads = field.second == "leader" || field.second == "standalone";
    }
  }
  if (!has_zxid || !has_mode) return absl::UnavailableError(text.empty() ? "no answer" : text.substr(0, text.find('\n')));
  state.applied = state.known;
  state.term = state.known >> kEpochShift;
  // A new leader counts from the beginning of its epoch, which its followers show only with its first change.
  if ((state.known & kCounterMask) == 0) state.known = 0;
  return state;
}

absl::StatusOr<std::unique_ptr<System>> MakeZooKeeper(int nodes, const std::string& directory) {
  if (const absl::Status status = CheckZooKeeperClient(); !status.ok()) return status;
  DROVER_ASSIGN_OR_RETURN(const std::vector<testing::ZooKeeperServer> prepared,
                          testing::PrepareZooKeeper(nodes, directory, kSettings));
  std::vector<ServerSpec> servers;
  for (const testing::ZooKeeperServer& one : prepared) {
    servers.push_back({.argv = one.argv, .env = {}, .log = one.log, .address = absl::StrCat("127.0.0.1:", one.port)});
  }
  return std::unique_ptr<System>(std::make_unique<ZooKeeper>(std::move(servers), prepared.front().configuration));
}

}  // namespace drover::bench

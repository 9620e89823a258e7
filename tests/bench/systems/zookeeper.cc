#include "tests/bench/systems/zookeeper.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/bench/systems/zookeeper_clients.h"

namespace drover::bench {
namespace {

constexpr char kJar[] = "/usr/share/java/zookeeper.jar";
constexpr char kLogJar[] = "/usr/share/java/slf4j-simple.jar";  // without one it says nothing at all, not even why it ends
constexpr char kMain[] = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
constexpr int kEpochShift = 32;
constexpr std::uint64_t kCounterMask = 0xffff'ffff;  // of a zxid; above it is the leader's epoch
constexpr timeval kAskTimeout = {1, 0};

// One question of four letters, over TCP: the server answers and closes.
absl::StatusOr<std::string> AskWord(int port, absl::string_view word) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::UnavailableError(std::strerror(errno));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAskTimeout, sizeof kAskTimeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kAskTimeout, sizeof kAskTimeout);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  std::string answer;
  absl::Status status;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      send(fd, word.data(), word.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(word.size())) {
    status = absl::UnavailableError(std::strerror(errno));
  }
  ssize_t got = 0;
  char buffer[4096];
  while (status.ok() && (got = recv(fd, buffer, sizeof buffer, 0)) > 0) answer.append(buffer, static_cast<std::size_t>(got));
  if (status.ok() && got < 0) status = absl::UnavailableError(std::strerror(errno));
  close(fd);
  if (!status.ok()) return status;
  return answer;
}

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
    const absl::StatusOr<std::string> text = AskWord(port, "srvr");
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
  const std::string java = FindProgram("java");
  if (java.empty()) return NotInstalled("java", "default-jre-headless");
  if (!std::filesystem::exists(kJar)) return NotInstalled("ZooKeeper's server", "zookeeper");
  if (const absl::Status status = CheckZooKeeperClient(); !status.ok()) return status;

  std::string members;
  for (int i = 1; i <= nodes && nodes > 1; ++i) {
    absl::StrAppend(&members, "server.", i, "=127.0.0.1:", testing::FreePort(), ":", testing::FreePort(), "\n");
  }
  std::vector<ServerSpec> servers;
  std::string first;
  for (int i = 1; i <= nodes; ++i) {
    const std::string data = absl::StrCat(directory, "/node-", i);
    const int port = testing::FreePort();
    std::filesystem::create_directories(data);
    // Debian's zoo.cfg, with fsync spelt out and without the HTTP port.
    const std::string configuration = absl::StrCat(
        "tickTime=2000\ninitLimit=10\nsyncLimit=5\nforceSync=yes\nadmin.enableServer=false\nmaxClientCnxns=0\n",
        "4lw.commands.whitelist=srvr\ndataDir=", data, "\nclientPortAddress=127.0.0.1\nclientPort=", port, "\n", members);
    testing::WriteFile(absl::StrCat(data, "/zoo.cfg"), configuration);
    testing::WriteFile(absl::StrCat(data, "/myid"), absl::StrCat(i, "\n"));
    if (i == 1) first = configuration;
    ServerSpec server;
    server.argv = {java,  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                   "-cp", absl::StrCat(kJar, ":", kLogJar),
                   kMain, absl::StrCat(data, "/zoo.cfg")};
    server.log = absl::StrCat(directory, "/node-", i, ".log");
    server.address = absl::StrCat("127.0.0.1:", port);
    servers.push_back(std::move(server));
  }
  return std::unique_ptr<System>(std::make_unique<ZooKeeper>(std::move(servers), std::move(first)));
}

}  // namespace drover::bench

#include "tests/support/zookeeper_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/installed.h"
#include "tests/support/process.h"

namespace drover::testing {
namespace {

constexpr char kJar[] = "/usr/share/java/zookeeper.jar";
constexpr char kLogJar[] = "/usr/share/java/slf4j-simple.jar";  // without one it says nothing at all, not even why it ends
constexpr char kMain[] = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
constexpr timeval kAskTimeout = {1, 0};

}  // namespace

absl::StatusOr<std::vector<ZooKeeperServer>> PrepareZooKeeper(int nodes, const std::string& directory,
                                                              const std::string& settings) {
  const std::string java = FindProgram("java");
  if (java.empty()) return NotInstalled("java", "default-jre-headless");
  if (!std::filesystem::exists(kJar)) return NotInstalled("ZooKeeper's server", "zookeeper");

  std::string members;
  for (int i = 1; i <= nodes && nodes > 1; ++i) {
    absl::StrAppend(&members, "server.", i, "=127.0.0.1:", FreePort(), ":", FreePort(), "\n");
  }
  std::vector<ZooKeeperServer> servers;
  for (int i = 1; i <= nodes; ++i) {
    const std::string data = absl::StrCat(directory, "/node-", i);
    std::filesystem::create_directories(data);
    ZooKeeperServer server;
    server.port = FreePort();
    // Debian's zoo.cfg without the HTTP port.
    server.configuration =
        absl::StrCat(settings, "admin.enableServer=false\nmaxClientCnxns=0\n4lw.commands.whitelist=srvr\ndataDir=", data,
                     "\nclientPortAddress=127.0.0.1\nclientPort=", server.port, "\n", members);
    WriteFile(absl::StrCat(data, "/zoo.cfg"), server.configuration);
    WriteFile(absl::StrCat(data, "/myid"), absl::StrCat(i, "\n"));
    server.argv = {java,  "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                   "-cp", absl::StrCat(kJar, ":", kLogJar),
                   kMain, absl::StrCat(data, "/zoo.cfg")};
    server.log = absl::StrCat(directory, "/node-", i, ".log");
    servers.push_back(std::move(server));
  }
  return servers;
}

absl::StatusOr<std::string> AskZooKeeper(int port, absl::string_view word) {
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

}  // namespace drover::testing

// Debian's ZooKeeper as processes of ours on free loopback ports: how its servers are started, and the words they answer.
//
//   auto servers = PrepareZooKeeper(1, directory, "tickTime=2000\n");
//   Process process(servers->front().argv, {}, servers->front().log);
#ifndef DROVER_TESTS_SUPPORT_ZOOKEEPER_SERVER_H_
#define DROVER_TESTS_SUPPORT_ZOOKEEPER_SERVER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace drover::testing {

struct ZooKeeperServer {
  std::vector<std::string> argv;
  std::string log;            // where its output is meant to go
  int port = 0;               // for clients, on 127.0.0.1
  std::string configuration;  // its zoo.cfg
};

// A cluster of so many servers, one of which is standalone. Data, configurations and logs go to `directory`; nothing is started.
// `settings` are lines of zoo.cfg: all but directories, ports and members. FAILED_PRECONDITION: it is not installed; the message
// says what to install.
[[nodiscard]] absl::StatusOr<std::vector<ZooKeeperServer>> PrepareZooKeeper(int nodes, const std::string& directory,
                                                                            const std::string& settings);

// One question of four letters (srvr alone is allowed), over TCP. UNAVAILABLE: no answer.
[[nodiscard]] absl::StatusOr<std::string> AskZooKeeper(int port, absl::string_view word);

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_ZOOKEEPER_SERVER_H_

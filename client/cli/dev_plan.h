// Which processes `drover dev` starts, and how: their ids, ports and command lines.
#ifndef DROVER_CLIENT_CLI_DEV_PLAN_H_
#define DROVER_CLIENT_CLI_DEV_PLAN_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/child.h"

namespace drover::cli {

struct DevOptions {
  int coords = 1;
  int masters = 2;
  int workers = 3;
  int slots = 4;
  std::string pool = "default";
  std::string data;      // directory of the cluster; exists
  std::string binaries;  // directory of the programs
};

struct DevServer {
  enum class Kind { kCoord, kMaster, kWorker };
  Kind kind = Kind::kCoord;
  std::string address;
  ChildSpec child;
};

struct DevPlan {
  std::string coord;               // what clients are told
  std::vector<DevServer> servers;  // in the order in which they are started
};

// OK if the directory has no cluster yet, or one of as many coordination nodes. INVALID_ARGUMENT: it was made with another
// number, and the members of a core are those that it was founded with. Changes nothing.
[[nodiscard]] absl::Status CheckCoords(int coords, const std::string& data);

// Picks ports that are free now; those that a former run in the same directory used, where they still are. Several
// nodes of the coordination core know each other by theirs: RESOURCE_EXHAUSTED if one of those is taken. What is not asked for
// this time keeps the ports it had. An error changes nothing.
[[nodiscard]] absl::StatusOr<std::map<std::string, int>> PickPorts(const std::vector<std::string>& ids, const std::string& data);

// Pure, given the ports by id ("coord-1", "master-1", "worker-1" ...) and this process's environment.
[[nodiscard]] DevPlan MakePlan(const DevOptions& options, const std::map<std::string, int>& ports,
                               const std::map<std::string, std::string>& environment);
[[nodiscard]] std::vector<std::string> DevIds(const DevOptions& options);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_DEV_PLAN_H_

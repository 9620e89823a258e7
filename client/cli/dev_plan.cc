#include "client/cli/dev_plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace drover::cli {
namespace {

constexpr char kLoopback[] = "127.0.0.1";

// Holds a loopback port: nobody else gets it before this is destroyed.
class HeldPort {
 public:
  // `port` 0: any. Not held if it is taken.
  explicit HeldPort(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    inet_pton(AF_INET, kLoopback, &address.sin_addr);
    const int on = 1;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    socklen_t size = sizeof address;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
  }
  ~HeldPort() {
    if (fd_ >= 0) close(fd_);
  }
  HeldPort(HeldPort&& other) noexcept : fd_(std::exchange(other.fd_, -1)), port_(other.port_) {}
  HeldPort& operator=(HeldPort&&) = delete;

  [[nodiscard]] int port() const { return port_; }  // 0: not held

 private:
  int fd_;
  int port_ = 0;
};

std::map<std::string, int> FormerPorts(const std::string& file) {
  std::map<std::string, int> ports;
  std::ifstream in(file);
  std::string id;
  for (int port = 0; in >> id >> port;) {
    if (port > 0 && port < 65536) ports[id] = port;
  }
  return ports;
}

// How many coordination nodes the directory's cluster has; 0: there is none.
int FormerCoords(const std::string& data) {
  int coords = 0;
  for (const auto& [id, port] : FormerPorts(absl::StrCat(data, "/ports"))) coords += absl::StartsWith(id, "coord-") ? 1 : 0;
  if (coords > 0) return coords;
  std::error_code ignored;
  while (std::filesystem::is_directory(absl::StrCat(data, "/coord-", coords + 1), ignored)) ++coords;
  return coords;
}

// All or nothing: a directory whose ports are lost is lost.
absl::Status WritePorts(const std::map<std::string, int>& ports, const std::string& file) {
  const std::string temporary = file + ".tmp";
  std::ofstream out(temporary, std::ios::trunc);
  for (const auto& [id, port] : ports) out << id << " " << port << "\n";
  out.close();
  if (!out) return absl::InternalError(absl::StrCat("cannot write ", temporary));
  std::error_code error;
  std::filesystem::rename(temporary, file, error);
  if (error) return absl::InternalError(absl::StrCat("cannot write ", file, ": ", error.message()));
  return absl::OkStatus();
}

std::string Address(const std::map<std::string, int>& ports, const std::string& id) {
  return absl::StrCat(kLoopback, ":", ports.at(id));
}

}  // namespace

std::vector<std::string> DevIds(const DevOptions& options) {
  std::vector<std::string> ids;
  for (int i = 1; i <= options.coords; ++i) ids.push_back(absl::StrCat("coord-", i));
  for (int i = 1; i <= options.masters; ++i) ids.push_back(absl::StrCat("master-", i));
  for (int i = 1; i <= options.workers; ++i) ids.push_back(absl::StrCat("worker-", i));
  return ids;
}

absl::Status CheckCoords(int coords, const std::string& data) {
  const int former = FormerCoords(data);
  if (former == 0 || former == coords) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(data, " was made with --coords ", former, ", not ", coords, ": give that, or another --data"));
}

absl::StatusOr<std::map<std::string, int>> PickPorts(const std::vector<std::string>& ids, const std::string& data) {
  const std::string file = absl::StrCat(data, "/ports");
  const std::map<std::string, int> former = FormerPorts(file);
  const bool several_coords = std::find(ids.begin(), ids.end(), "coord-2") != ids.end();
  std::set<int> spoken_for;
  for (const auto& [id, port] : former) spoken_for.insert(port);
  std::vector<HeldPort> held;  // all until the end, so that no port is picked twice
  std::map<std::string, int> ports;
  for (const std::string& id : ids) {
    const auto before = former.find(id);
    if (before != former.end()) {
      held.emplace_back(before->second);
      ports[id] = held.back().port();
      if (ports[id] == 0 && several_coords && absl::StartsWith(id, "coord-")) {
        return absl::ResourceExhaustedError(absl::StrCat(kLoopback, ":", before->second, ", the address of ", id,
                                                         " in its cluster, is taken: end what listens there"));
      }
    }
    while (ports[id] == 0) {
      held.emplace_back(0);
      const int port = held.back().port();
      if (port == 0) {
        return absl::ResourceExhaustedError(absl::StrCat("no free port on ", kLoopback, ": ", std::strerror(errno)));
      }
      if (spoken_for.insert(port).second) ports[id] = port;
    }
  }
  std::map<std::string, int> kept = former;
  for (const auto& [id, port] : ports) kept[id] = port;
  if (absl::Status s = WritePorts(kept, file); !s.ok()) return s;
  return ports;
}

DevPlan MakePlan(const DevOptions& options, const std::map<std::string, int>& ports,
                 const std::map<std::string, std::string>& environment) {
  // What is meant for commands in this shell is not meant for the servers: all they need is on their command lines.
  std::map<std::string, std::string> env;
  for (const auto& [key, value] : environment) {
    if (!absl::StartsWith(key, "DROVER_") || key == "DROVER_LOG_LEVEL") env[key] = value;
  }
  DevPlan plan;
  std::vector<std::string> coords;
  std::vector<std::string> members;
  for (int i = 1; i <= options.coords; ++i) {
    coords.push_back(Address(ports, absl::StrCat("coord-", i)));
    members.push_back(absl::StrCat(i, "=", coords.back()));
  }
  plan.coord = absl::StrJoin(coords, ",");
  auto add = [&](DevServer::Kind kind, const std::string& id, std::vector<std::string> argv) {
    DevServer server;
    server.kind = kind;
    server.address = Address(ports, id);
    argv[0] = absl::StrCat(options.binaries, "/", argv[0]);
    argv.insert(argv.end(), {"--listen", server.address});
    server.child = {id, std::move(argv), env, absl::StrCat(options.data, "/", id, ".log")};
    plan.servers.push_back(std::move(server));
  };
  const std::vector<std::string> common = {"--coord",    plan.coord, "--pool",
                                           options.pool, "--store",  absl::StrCat("file:", options.data, "/store")};
  for (int i = 1; i <= options.coords; ++i) {
    const std::string id = absl::StrCat("coord-", i);
    // Nobody else has its nodes as members.
    add(DevServer::Kind::kCoord, id,
        {"drover-coord", "--id", absl::StrCat(i), "--data", absl::StrCat(options.data, "/", id), "--initial-cluster",
         absl::StrJoin(members, ","), "--found-after", "0s"});
  }
  for (int i = 1; i <= options.masters; ++i) {
    const std::string id = absl::StrCat("master-", i);
    std::vector<std::string> argv = {"drover-master", "--name", id};
    argv.insert(argv.end(), common.begin(), common.end());
    add(DevServer::Kind::kMaster, id, std::move(argv));
  }
  for (int i = 1; i <= options.workers; ++i) {
    const std::string id = absl::StrCat("worker-", i);
    std::vector<std::string> argv = {"drover-worker", "--name", id, "--slots", absl::StrCat(options.slots)};
    // The whole cluster may end before a reaper is heard: none is to stay for long then.
    argv.insert(argv.end(), {"--death-report-patience", "10s"});
    argv.insert(argv.end(), common.begin(), common.end());
    add(DevServer::Kind::kWorker, id, std::move(argv));
  }
  return plan;
}

}  // namespace drover::cli

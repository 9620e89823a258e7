#include "tests/support/cluster.h"

#include <gtest/gtest.h>
#include <httplib.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "tests/support/await.h"

namespace drover::testing {
namespace {

std::string Tail(const std::string& text, std::size_t bytes) {
  return text.size() <= bytes ? text : text.substr(text.size() - bytes);
}

void Append(std::vector<std::string>& argv, const std::vector<std::string>& more) {
  argv.insert(argv.end(), more.begin(), more.end());
}

}  // namespace

std::string Binary(const std::string& name) {
  return std::string(DROVER_TEST_BIN_DIR) + "/" + name;
}

void Cluster::MakeCoords() {
  std::vector<int> ports;
  std::vector<std::string> data;
  for (int i = 0; i < options_.coords; ++i) {
    Server& node = coords_.emplace_back();
    node.port = FreePort();
    node.http_port = FreePort();
    ports.push_back(node.port);
    data.push_back(coord_data(i));
  }
  if (options_.core_proxied) core_network_ = std::make_unique<CoreNetwork>(ports, data);
  for (int i = 0; i < options_.coords; ++i) {
    Server& node = coords_.at(static_cast<std::size_t>(i));
    std::vector<std::string> argv = {Binary("drover-coord"),
                                     "--id",
                                     std::to_string(i + 1),
                                     "--data",
                                     coord_data(i),
                                     "--listen",
                                     coord_address(i),
                                     "--http",
                                     "127.0.0.1:" + std::to_string(node.http_port)};
    if (options_.coords > 1) Append(argv, {"--initial-cluster", initial_cluster()});
    if (options_.coords == 1) Append(argv, {"--found-after", "0s"});  // nobody else can have it
    Append(argv, options_.coord_flags);
    const std::string log = options_.coords == 1 ? "coord.log" : "coord-" + std::to_string(i + 1) + ".log";
    node.process = std::make_unique<Process>(
        argv, options_.coord_env ? options_.coord_env(i) : std::map<std::string, std::string>{}, path(log));
  }
}

std::string Cluster::coord_data(int i) const {
  if (options_.coord_data) return options_.coord_data(i);
  return path(options_.coords == 1 ? "coord" : "coord-" + std::to_string(i + 1));
}

std::string Cluster::coord_addresses() const {
  std::string all;
  for (int i = 0; i < coords(); ++i) all += (i == 0 ? "" : ",") + coord_address(i);
  return all;
}

std::string Cluster::initial_cluster() const {
  std::string all;
  for (int i = 0; i < coords(); ++i) {
    all += (i == 0 ? "" : ",") + std::to_string(i + 1) + "=" + (core_network_ ? core_network_->address(i) : coord_address(i));
  }
  return all;
}

Cluster::Cluster(ClusterOptions options) : options_(std::move(options)) {
  MakeCoords();
  for (Server& s : coords_) s.process->Start();

  auto server = [&](const std::string& binary, const std::string& log, const std::vector<std::string>& pools) {
    Server s;
    std::string proxied;
    for (int node = 0; options_.proxied && node < coords(); ++node) {
      s.proxies.push_back(std::make_unique<Proxy>(coord_port(node)));
      proxied += (proxied.empty() ? "" : ",") + s.proxies.back()->address();
    }
    s.port = FreePort();
    s.http_port = FreePort();
    const std::string core = options_.proxied ? proxied : coord_addresses();
    std::vector<std::string> command = {Binary(binary),
                                        "--coord",
                                        core,
                                        "--store",
                                        "file:" + path(pools.empty()       ? "store"
                                                       : pools.size() == 1 ? "store-" + pools[0]
                                                                           : "store-{pool}"),
                                        "--listen",
                                        "127.0.0.1:" + std::to_string(s.port),
                                        "--http",
                                        "127.0.0.1:" + std::to_string(s.http_port)};
    const bool is_master = binary == "drover-master";
    for (const std::string& pool : pools) Append(command, {"--pool", pool});
    Append(command, is_master ? options_.master_flags : options_.worker_flags);
    // Their tasks' directories are below the cluster's: that tells its reapers from others'. None outlives a test that was killed
    // by much.
    if (!is_master) {
      Append(command, {"--name", log, "--slots", std::to_string(options_.slots), "--work-dir", path("work"),
                       "--death-report-patience", "1m"});
    }
    s.process = std::make_unique<Process>(command, is_master ? options_.master_env : std::map<std::string, std::string>{},
                                          path(log + ".log"));
    return s;
  };
  for (int i = 0; i < options_.masters; ++i) masters_.push_back(server("drover-master", "m" + std::to_string(i), options_.pools));
  int of_first = 0;
  for (int i = 0; i < options_.workers; ++i) {
    const std::size_t pool = options_.pools.empty() ? 0 : static_cast<std::size_t>(i) % options_.pools.size();
    workers_.push_back(
        server("drover-worker", worker_name(i),
               options_.pools.empty() ? std::vector<std::string>() : std::vector<std::string>{options_.pools[pool]}));
    of_first += pool == 0 ? 1 : 0;
  }
  std::filesystem::create_directory(path("work"));
  for (Server& s : masters_) s.process->Start();
  for (Server& s : workers_) s.process->Start();
  try {
    if (coords() > 1) AwaitCoordsServing();
    if (options_.masters > 0) AwaitElectedMaster();
    if (of_first > 0 && options_.masters > 0) AwaitWorkers(of_first);
  } catch (...) {
    Stop();  // its destructor will not run
    throw;
  }
}

void Cluster::ExpectNothingBroken() {
  const bool all = std::all_of(coords_.begin(), coords_.end(), [](const Server& s) { return s.process->running(); });
  if (!all || masters() == 0) return;
  const std::vector<std::string> pools = options_.pools.empty() ? std::vector<std::string>{"default"} : options_.pools;
  for (const std::string& pool : pools) {
    const CommandResult check = Drover({"-o", "json", "--request-timeout", "5s", "--pool", pool, "check"});
    const nlohmann::json report = nlohmann::json::parse(check.out, nullptr, /*allow_exceptions=*/false);
    if (!report.is_object()) continue;
    for (const nlohmann::json& finding : report.at("findings")) {
      if (finding.at("kind") == "BROKEN") ADD_FAILURE() << "pool " << pool << ": " << finding;
    }
  }
}

Cluster::~Cluster() {
  ExpectNothingBroken();
  Stop();
  if (::testing::Test::HasFailure()) std::cerr << Logs();
}

void Cluster::Stop() {
  for (Server& s : workers_) {
    s.process->Signal(SIGCONT);
    s.process->Kill();
  }
  // A reaper tells the core of its worker's death until it is heard: let it, while there is a core that it can reach.
  int running = 0;
  for (Server& s : coords_) {
    s.process->Signal(SIGCONT);
    if (s.process->running()) ++running;
  }
  if (core_network_) core_network_->Heal();
  const bool heard = running > coords() / 2 && !options_.proxied;
  if (heard && !Await([this] { return Reapers().empty(); })) ADD_FAILURE() << "a reaper does not end";
  for (const pid_t reaper : Reapers()) kill(reaper, SIGKILL);
  for (Server& s : masters_) s.process->Kill();
  for (Server& s : coords_) s.process->Kill();
}

std::vector<pid_t> Cluster::Reapers() const {
  std::vector<pid_t> reapers;
  for (const pid_t pid : Processes()) {
    const std::vector<std::string> argv = ArgumentsOf(pid);
    // The hidden argument, and the directory that it looks after: below this cluster's own.
    if (argv.size() == 3 && argv[1] == "__reaper" && argv[2].rfind(path("work") + "/", 0) == 0 && Alive(pid))
      reapers.push_back(pid);
  }
  return reapers;
}

CommandResult Cluster::Drover(const std::vector<std::string>& args, CommandOptions options) {
  std::vector<std::string> argv = {Binary("drover")};
  Append(argv, args);
  options.env.emplace("DROVER_COORD", coord_addresses());
  return RunCommand(argv, options);
}

nlohmann::json Cluster::Json(std::vector<std::string> args) {
  args.insert(args.begin(), {"-o", "json"});
  const CommandResult result = Drover(args);
  if (result.exit_code != 0) {
    std::ostringstream message;
    message << "drover";
    for (const std::string& arg : args) message << " " << arg;
    throw std::runtime_error(message.str() + " exited " + std::to_string(result.exit_code) + ": " + result.err);
  }
  return nlohmann::json::parse(result.out);
}

std::optional<int> Cluster::CoordLeader() {
  const CommandResult result = Drover({"-o", "json", "--request-timeout", "5s", "cluster", "status"});
  if (result.exit_code != 0) return std::nullopt;
  std::uint64_t term = 0;
  std::optional<int> leader;
  for (const nlohmann::json& node : nlohmann::json::parse(result.out)) {
    if (!node.at("reachable").get<bool>() || node.at("role") != "leader" || node.at("term") < term) continue;
    term = node.at("term");
    leader = node.at("id").get<int>() - 1;
  }
  return leader;
}

int Cluster::AwaitCoordLeader(std::optional<int> besides) {
  std::optional<int> leader;
  if (!Await([&] { return (leader = CoordLeader()).has_value() && leader != besides; }))
    throw std::runtime_error("no coordination node leads\n" + Logs());
  return *leader;
}

void Cluster::AwaitCoordsServing() {
  const bool all = Await([this] {
    for (int i = 0; i < coords(); ++i) {
      if (CoordPage("/readyz", i).first != 200) return false;
    }
    return true;
  });
  if (!all) throw std::runtime_error("the core does not serve\n" + Logs());
}

std::optional<int> Cluster::ElectedMaster(std::optional<int> besides) {
  const CommandResult result = Drover({"-o", "json", "--request-timeout", "5s", "master", "list"});
  if (result.exit_code != 0) return std::nullopt;
  for (const nlohmann::json& master : nlohmann::json::parse(result.out)) {
    if (!master.at("leader").get<bool>()) continue;
    for (int i = 0; i < masters(); ++i) {
      if (master.at("address") == master_address(i) && besides != i) return i;
    }
  }
  return std::nullopt;
}

int Cluster::AwaitElectedMaster(std::optional<int> besides) {
  std::optional<int> elected;
  if (!Await([&] { return (elected = ElectedMaster(besides)).has_value(); }))
    throw std::runtime_error("no master was elected\n" + Logs());
  return *elected;
}

void Cluster::AwaitWorkers(int count) {
  const bool all = Await([&] {
    const CommandResult result = Drover({"-o", "json", "worker", "list"});
    return result.exit_code == 0 && static_cast<int>(nlohmann::json::parse(result.out).size()) == count;
  });
  if (!all) throw std::runtime_error("there are not " + std::to_string(count) + " workers\n" + Logs());
}

nlohmann::json Cluster::AwaitAllTerminal(std::size_t count) {
  nlohmann::json tasks;
  const bool done = Await([&] {
    tasks = Json({"list", "--limit", "10000"});
    if (tasks.size() < count) return false;
    for (const nlohmann::json& task : tasks) {
      const std::string state = task.at("state");
      if (state != "SUCCEEDED" && state != "FAILED" && state != "CANCELLED" && state != "LOST") return false;
    }
    return true;
  });
  if (!done) throw std::runtime_error("some task is not terminal\n" + Logs());
  return tasks;
}

std::pair<int, std::string> Cluster::Page(int http_port, const std::string& path) {
  httplib::Client client("127.0.0.1", http_port);
  const httplib::Result result = client.Get(path.c_str());
  return result ? std::make_pair(result->status, result->body) : std::make_pair(0, std::string());
}

std::pair<int, std::string> Cluster::CoordPage(const std::string& path, int i) {
  return Page(coords_.at(static_cast<std::size_t>(i)).http_port, path);
}

std::pair<int, std::string> Cluster::MasterPage(const std::string& path, int i) {
  return Page(masters_.at(static_cast<std::size_t>(i)).http_port, path);
}

std::pair<int, std::string> Cluster::WorkerPage(const std::string& path, int i) {
  return Page(workers_.at(static_cast<std::size_t>(i)).http_port, path);
}

double Cluster::MasterMetric(int i, const std::string& name, const std::string& label) {
  return Metric(masters_.at(static_cast<std::size_t>(i)).http_port, name, label);
}

double Cluster::CoordMetric(int i, const std::string& name, const std::string& label) {
  return Metric(coords_.at(static_cast<std::size_t>(i)).http_port, name, label);
}

double Cluster::Metric(int http_port, const std::string& name, const std::string& label) {
  const auto [status, body] = Page(http_port, "/metrics");
  if (status != 200) throw std::runtime_error("no metrics from port " + std::to_string(http_port));
  double sum = 0;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) {
    if (line.compare(0, name.size(), name) != 0 || line.size() <= name.size()) continue;
    if (line[name.size()] != ' ' && line[name.size()] != '{') continue;
    if (line.find(label) == std::string::npos) continue;
    sum += std::stod(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

std::string Cluster::Logs() const {
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
    if (entry.path().extension() == ".log")
      text += "==== " + entry.path().filename().string() + "\n" + Tail(ReadFile(entry.path()), 4000) + "\n";
  }
  return text;
}

}  // namespace drover::testing

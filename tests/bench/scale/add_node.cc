// How long a further node takes to become a voter under full load, and what its coming costs the load.
#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/status.h"
#include "drover/coord/membership.h"
#include "tests/bench/metrics_page.h"
#include "tests/bench/process_memory.h"
#include "tests/bench/scale/parts.h"

namespace drover::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr base::Duration kCallTimeout = std::chrono::seconds(15);

// A server like `like`, that waits to be added.
struct Newcomer {
  explicit Newcomer(System* system)
      : id(static_cast<std::uint64_t>(system->nodes()) + 1),
        address(absl::StrCat("127.0.0.1:", testing::FreePort())),
        http_port(testing::FreePort()) {
    const testing::Process& like = system->server(0);
    std::vector<std::string> argv = system->server(0).argv();
    const auto set = [&argv](const char* option, const std::string& value) {
      const auto at = std::find(argv.begin(), argv.end(), option);
      if (at != argv.end()) *(at + 1) = value;
    };
    const auto at = std::find(argv.begin(), argv.end(), "--data");
    const std::string directory = at == argv.end() ? "" : *(at + 1);
    set("--id", absl::StrCat(id));
    set("--data", directory.substr(0, directory.rfind('-') + 1) + absl::StrCat(id));
    set("--listen", address);
    set("--advertise", address);
    set("--http", absl::StrCat("127.0.0.1:", http_port));
    const auto list = std::find(argv.begin(), argv.end(), "--initial-cluster");
    if (list != argv.end()) argv.erase(list, list + 2);
    argv.emplace_back("--join");
    process = std::make_unique<testing::Process>(std::move(argv),
                                                 std::map<std::string, std::string>{{"DROVER_CONFIG", ""}, {"DROVER_HTTP", ""}},
                                                 like.log_path() + absl::StrCat("-", id));
  }

  const std::uint64_t id;
  const std::string address;
  const int http_port;
  std::unique_ptr<testing::Process> process;
};

}  // namespace

absl::StatusOr<AddNodeResult> MeasureAddNode(ScaleCluster* cluster, const Flags& flags, const std::vector<std::string>& keys) {
  DROVER_RETURN_IF_ERROR(cluster->RestartAsTheyWere());
  System& system = cluster->system();
  DROVER_ASSIGN_OR_RETURN(const int leader, system.AwaitSettled(ScaleCluster::kSettleLimit));
  const std::string endpoint = system.addresses().at(static_cast<std::size_t>(leader));
  AddNodeResult result;

  LoadSpec spec = FullLoad(flags, keys);
  DROVER_ASSIGN_OR_RETURN(result.before, RunFullLoad(&system, spec));

  Newcomer newcomer(&system);
  cluster->Tell(absl::StrCat("node ", newcomer.id, " is added"));
  spec.seed = 1;
  spec.measure = base::Duration(0);
  Clock::time_point begin;
  absl::Status added;
  std::optional<Clock::time_point> promoted;
  spec.at_begin = [&] {
    begin = Clock::now();
    newcomer.process->Start();
    added = coord::CallMembership(endpoint, coord::MemberCall::kAdd, newcomer.id, newcomer.address, kCallTimeout).status();
    result.added_s = std::chrono::duration<double>(Clock::now() - begin).count();
  };
  // Refused until it has caught up.
  spec.until = [&](std::uint64_t) {
    if (!added.ok() || promoted) return true;
    const auto asked = coord::CallMembership(endpoint, coord::MemberCall::kPromote, newcomer.id, "", kCallTimeout);
    if (asked.ok()) promoted = Clock::now();
    return promoted.has_value() || !newcomer.process->running();
  };
  DROVER_ASSIGN_OR_RETURN(result.adding, RunFullLoad(&system, spec));
  DROVER_RETURN_IF_ERROR(added);
  if (!promoted) return absl::UnavailableError(absl::StrCat("the node that was added has ended: ", newcomer.process->Log()));
  result.voter_s = std::chrono::duration<double>(*promoted - begin).count();
  DROVER_ASSIGN_OR_RETURN(const Page page, FetchPage(newcomer.http_port, "/metrics"));
  DROVER_ASSIGN_OR_RETURN(result.snapshots_installed, MetricOf(page.text, "drover_coord_snapshots_installed_total"));
  cluster->Tell(absl::StrFormat("a voter after %.1f s", result.voter_s));

  spec = FullLoad(flags, keys);
  spec.seed = 2;
  DROVER_ASSIGN_OR_RETURN(result.after, RunFullLoad(&system, spec));
  DROVER_ASSIGN_OR_RETURN(const ProcessMemory memory, ReadProcessMemory(newcomer.process->pid()));
  result.resident_bytes = static_cast<double>(memory.resident_bytes);

  DROVER_RETURN_IF_ERROR(coord::CallMembership(endpoint, coord::MemberCall::kRemove, newcomer.id, "", kCallTimeout).status());
  newcomer.process->Kill();
  return result;
}

}  // namespace drover::bench

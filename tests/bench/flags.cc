#include "tests/bench/flags.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coord/process/options.h"

namespace drover::bench {
namespace {

// A value of its own kind: `parse` reads it, and it is stored only if all arguments are right.
template <typename T>
std::function<absl::Status(const std::string&)> Into(absl::StatusOr<T> (*parse)(absl::string_view), T* target) {
  return [parse, target](const std::string& text) {
    absl::StatusOr<T> parsed = parse(text);
    if (parsed.ok()) *target = *std::move(parsed);
    return parsed.status();
  };
}

absl::StatusOr<std::vector<std::string>> ParsePeers(absl::string_view text) {
  std::vector<std::string> peers;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    if (part != "etcd" && part != "zookeeper") {
      return absl::InvalidArgumentError(absl::StrCat("\"", part, "\" is not one of etcd, zookeeper"));
    }
    if (std::find(peers.begin(), peers.end(), part) != peers.end()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", part, "\" is named twice"));
    }
    peers.emplace_back(part);
  }
  return peers;
}

// What `steady` has one of.
struct Only {
  Workload workload = Workload::kSet;
  Load load = {4, 64};
};

absl::StatusOr<std::vector<ScalePart>> ParseParts(absl::string_view text) {
  static constexpr std::pair<const char*, ScalePart> kAll[] = {{"memory", ScalePart::kMemory},
                                                               {"snapshot-gap", ScalePart::kSnapshotGap},
                                                               {"restart", ScalePart::kRestart},
                                                               {"catch-up", ScalePart::kCatchUp},
                                                               {"add-node", ScalePart::kAddNode}};
  std::vector<ScalePart> parts;
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    const auto* const found =
        std::find_if(std::begin(kAll), std::end(kAll), [name](const auto& part) { return part.first == name; });
    if (found == std::end(kAll)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", name, "\" is not one of memory, snapshot-gap, restart, catch-up, add-node"));
    }
    if (std::find(parts.begin(), parts.end(), found->second) != parts.end()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" is named twice"));
    }
    parts.push_back(found->second);
  }
  return parts;
}

struct Common {
  std::vector<std::string> peers;
  bool without_drover = false;
  std::string first = "leader";  // of coord alone
  std::string output = "table";
};

void AddCommon(process::OptionSet* set, Flags* flags, Common* common) {
  set->Number("--nodes", &flags->nodes, "Servers of each system", 1, 9);
  set->Custom("--compare", Into(ParsePeers, &common->peers),
              "Systems to measure beside Drover, commas between: etcd, zookeeper (Debian's, started here)");
  set->Flag("--without-drover", &common->without_drover, "Measure only the systems of --compare");
  set->Text("--data", &flags->data, "Directory for the servers' data (default: the system's temporary one)");
  set->Choice("-o,--output", &common->output, {"table", "json"}, "For people or for programs");
}

absl::Status CheckSteady(const Flags& flags) {
  if (flags.slice == base::Duration::zero()) return absl::InvalidArgumentError("--slice must be longer than nothing");
  if (flags.duration < flags.slice || flags.duration % flags.slice != base::Duration::zero()) {
    return absl::InvalidArgumentError("--duration must be a whole number of --slice");
  }
  if (flags.stalls == 0) return absl::OkStatus();
  if (flags.systems != std::vector<std::string>{"drover"}) {
    return absl::InvalidArgumentError("--stalls works on Drover's nodes alone: leave out --compare");
  }
  if (flags.nodes < 3) return absl::InvalidArgumentError("--stalls: a cluster of less than 3 nodes waits for every disk");
  if (flags.stall * flags.stalls >= flags.duration) {
    return absl::InvalidArgumentError("--stalls times --stall must be less than --duration");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ParseFlags(const std::vector<std::string>& args,
                        const std::function<std::optional<std::string>(const std::string&)>& environment, std::ostream& out,
                        Flags* flags, bool* done) {
  process::OptionSet options("drover-bench",
                             "Measures the coordination core on real processes of its own, beside Debian's etcd and ZooKeeper.");
  Common common;
  Only only;
  base::Duration scale_measure = std::chrono::seconds(15);
  base::Duration watches_measure = std::chrono::seconds(10);

  process::OptionSet& coord = options.Command("coord", "Throughput and latency of sets and gets");
  AddCommon(&coord, flags, &common);
  coord.Custom("--workloads", Into(ParseWorkloads, &flags->workloads), "Which: set, get (linearizable), local-get, mixed",
               "set,get,local-get,mixed");
  coord.Custom("--loads", Into(ParseLoads, &flags->loads), "CLIENTSxWINDOW, commas between: window requests in flight each",
               "1x1,4x64");
  coord.Custom("--value-bytes", Into(ParseSizes, &flags->value_bytes), "Sizes of the values, commas between", "100");
  coord.Number("--keys", &flags->keys, "Keys that the requests are spread over", 1, 100'000);
  coord.Choice("--first", &common.first, {"leader", "follower"}, "Which server the first client begins at; the next ones follow");
  coord.Number("--mixed-sets", &flags->set_percent, "Of 100 requests of the mixed workload so many are sets", 0, 100);
  coord.Time("--warm-up", &flags->warm_up, "Load before each measurement that does not count");
  coord.Time("--measure", &flags->measure, "How long each measurement takes");
  coord.Number("--repetitions", &flags->repetitions, "Measurements of each point, the systems by turns", 1, 1'000);

  process::OptionSet& failover = options.Command("failover", "How long writes stand still when the leader is killed");
  AddCommon(&failover, flags, &common);
  failover.Number("--kills", &flags->kills, "How often the leader is killed", 1, 10'000);
  failover.Flag("--stop", &flags->stop, "SIGSTOP instead of SIGKILL: the leader is silent, not gone");
  failover.Number("--rate", &flags->rate, "Writes a second while it runs, evenly spaced", 1, 10'000);
  failover.Time("--pause", &flags->pause, "How long writes flow undisturbed before each kill");
  failover.Time("--limit", &flags->limit, "A system that takes no write for so long has failed");

  process::OptionSet& steady = options.Command("steady", "Whether a leader stays under full load, disks that stall included");
  AddCommon(&steady, flags, &common);
  steady.Custom("--workload", Into(ParseWorkload, &only.workload), "Which: set, get (linearizable), local-get, mixed", "set");
  steady.Custom("--load", Into(ParseLoad, &only.load), "CLIENTSxWINDOW: window requests in flight each", "4x64");
  steady.Number("--mixed-sets", &flags->set_percent, "Of 100 requests of the mixed workload so many are sets", 0, 100);
  steady.Time("--duration", &flags->duration, "How long the load lasts");
  steady.Time("--slice", &flags->slice, "How long each part takes that is measured by itself");
  steady.Number("--stalls", &flags->stalls, "How often a follower's disk stalls meanwhile, the followers by turns", 0, 1'000);
  steady.Time("--stall", &flags->stall, "How long each stall of a disk lasts");

  process::OptionSet& scale = options.Command("scale", "Memory, snapshots, restart and catching up with a million znodes");
  AddCommon(&scale, flags, &common);
  scale.Custom("--parts", Into(ParseParts, &flags->parts),
               "Which: memory (also of the systems of --compare), snapshot-gap, restart, catch-up, add-node",
               "memory,snapshot-gap,restart,catch-up,add-node");
  scale.Number("--znodes", &flags->znodes, "How many there are", 1, 100'000'000);
  scale.Number("--data-bytes", &flags->data_bytes, "Data of each", 0, 1U << 20);
  scale.Time("--warm-up", &flags->warm_up, "Load before each measurement that does not count");
  scale.Time("--measure", &scale_measure, "How long each measurement takes, or longer: until its snapshot is taken");
  scale.Number("--repetitions", &flags->repetitions, "Measurements with a snapshot and as many without, by turns; restarts", 1,
               1'000);
  scale.Number("--restart-entries", &flags->restart_entries, "Entries of the log that a start replays", 0, 100'000'000);
  scale.Number("--missed-writes", &flags->missed_writes, "Writes that a node misses before it comes back", 0, 100'000'000);

  process::OptionSet& watches = options.Command(
      "watches", "Memory of ten thousand sessions and a million watches of one node, and how fast a change reaches all");
  watches.Number("--sessions", &flags->sessions, "Sessions, each with a connection of its own", 1, 100'000);
  watches.Number("--watches", &flags->watches, "Watches of all of them together", 1, 100'000'000);
  watches.Choice("--kind", &flags->watch_kind, {"persistent", "once", "recursive"}, "Kind of the watches");
  watches.Number("--data-bytes", &flags->data_bytes, "Data of the node that is changed", 0, 1U << 20);
  watches.Time("--warm-up", &flags->warm_up, "Changes before those that count");
  watches.Time("--measure", &watches_measure, "How long the node is changed");
  watches.Text("--data", &flags->data, "Directory for the node's data (default: the system's temporary one)");
  watches.Choice("-o,--output", &common.output, {"table", "json"}, "For people or for programs");

  const absl::Status status = options.ParseFrom(args, environment, out, done);
  if (!status.ok() || *done) return status;
  flags->command = coord.chosen()      ? Command::kCoord
                   : failover.chosen() ? Command::kFailover
                   : steady.chosen()   ? Command::kSteady
                   : scale.chosen()    ? Command::kScale
                                       : Command::kWatches;
  if (flags->command == Command::kSteady) {
    flags->workloads = {only.workload};
    flags->loads = {only.load};
  }
  if (flags->command == Command::kScale) flags->measure = scale_measure;
  if (flags->command == Command::kWatches) flags->measure = watches_measure;
  flags->at_follower = common.first == "follower";
  flags->json = common.output == "json";
  flags->systems = common.without_drover ? std::vector<std::string>() : std::vector<std::string>{"drover"};
  flags->systems.insert(flags->systems.end(), common.peers.begin(), common.peers.end());
  if (flags->systems.empty()) return absl::InvalidArgumentError("--without-drover leaves nothing to measure: name --compare");
  if (flags->command != Command::kFailover && flags->measure == base::Duration::zero()) {
    return absl::InvalidArgumentError("--measure must be longer than nothing");
  }
  if (flags->command == Command::kFailover && flags->nodes < 3) {
    return absl::InvalidArgumentError("--nodes: nothing takes over from a leader in a cluster of less than 3 nodes");
  }
  if (flags->command == Command::kSteady) return CheckSteady(*flags);
  if (flags->command == Command::kWatches && flags->watches % static_cast<std::uint64_t>(flags->sessions) != 0) {
    return absl::InvalidArgumentError("--watches must be a whole multiple of --sessions");
  }
  if (flags->command == Command::kScale) {
    const auto needs = [&flags](ScalePart part) {
      return std::find(flags->parts.begin(), flags->parts.end(), part) != flags->parts.end();
    };
    if (needs(ScalePart::kCatchUp) && flags->nodes < 3) {
      return absl::InvalidArgumentError("--nodes: catch-up needs 3, so that the others go on without the one that is down");
    }
    if (common.without_drover && (flags->parts.size() > 1 || !needs(ScalePart::kMemory))) {
      return absl::InvalidArgumentError("--without-drover: only memory is measured of other systems, so give --parts memory");
    }
  }
  return absl::OkStatus();
}

}  // namespace drover::bench

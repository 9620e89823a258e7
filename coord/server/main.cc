// drover-coord: one node of the coordination core.
//
// `drover-coord log ...` looks at a data directory instead (log_command.h); `drover-coord recover ...` makes one that of a new
// cluster (coord/backup/recover_command.h).
//
// SIGUSR1: a snapshot is taken as soon as none is under way.
// Exit codes: 0 after SIGTERM or SIGINT; 1 it cannot work, or its log can no longer be trusted; 2 usage.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/backup/recover_command.h"
#include "coord/base/feature_level.h"
#include "coord/base/file_system.h"
#include "coord/base/random.h"
#include "coord/base/status.h"
#include "coord/base/thread_executor.h"
#include "coord/process/file_limit.h"
#include "coord/process/http_server.h"
#include "coord/process/logging.h"
#include "coord/process/metrics.h"
#include "coord/process/options.h"
#include "coord/process/signals.h"
#include "coord/process/version.h"
#include "coord/server/initial_cluster.h"
#include "coord/server/log_command.h"
#include "coord/server/member_process.h"
#include "coord/server/prometheus_observer.h"
#include "coord/server/readiness.h"
#include "coord/server/services.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"
#include "coord/transport/grpc_server.h"

namespace drover::coord::server {
namespace {

struct Flags {
  std::uint64_t id = 0;
  std::string data;
  std::string initial_cluster;
  bool join = false;
  base::Duration found_after = NodeOptions().found_after;
  std::string super_digest;
  process::ServerFlags server;
  std::uint64_t segment_bytes = log::Options().segment_bytes;
  std::uint64_t snapshot_bytes = SnapshotOptions().log_bytes;
  base::Duration scrub_every = Scrubber::Options().every;
  base::Duration reap_every = NodeOptions().reap_every;
  std::uint64_t history_bytes = tree::HistoryOptions().bytes_max;
  std::uint64_t uncommitted_bytes = raft::Options().uncommitted_bytes_max;
  std::uint64_t streams = NodeOptions().streams_max;
  std::uint32_t feature_level_max = base::kNewestFeatureLevel.value;
  base::Duration stop_grace = std::chrono::seconds(2);
};

// "1=host:port,2=host:port": the ids and addresses that a new cluster begins with. This node's is its advertised one, unless given.
absl::Status TakeInitialCluster(Flags* f, InitialMembers* members) {
  Flags& flags = *f;
  if (flags.initial_cluster.empty()) return absl::OkStatus();
  absl::StatusOr<InitialMembers> parsed = ParseInitialCluster(flags.initial_cluster);
  if (!parsed.ok()) return base::Annotate(parsed.status(), "--initial-cluster");
  *members = *std::move(parsed);
  const auto self = std::find_if(members->begin(), members->end(), [&](const auto& m) { return m.first.value == flags.id; });
  if (self == members->end()) {
    return absl::InvalidArgumentError(absl::StrCat("--initial-cluster does not name this node's id ", flags.id));
  }
  if (flags.server.advertise.empty()) flags.server.advertise = self->second;
  if (self->second != flags.server.advertise) {
    return absl::InvalidArgumentError(absl::StrCat("--initial-cluster says that node ", flags.id, " is at ", self->second,
                                                   ", --advertise that it is at ", flags.server.advertise));
  }
  return absl::OkStatus();
}

int FailWith(const absl::Status& status) {
  std::fprintf(stderr, "drover-coord: %s\n", std::string(status.message()).c_str());
  return 1;
}

NodeOptions OptionsOf(const Flags& flags) {
  NodeOptions options;
  options.id = base::NodeId(flags.id);
  options.address = flags.server.advertise.empty() ? flags.server.listen : flags.server.advertise;
  options.data_directory = flags.data;
  options.join = flags.join;
  options.found_after = flags.found_after;
  options.super_digest = flags.super_digest;
  options.history.bytes_max = flags.history_bytes;
  options.log.segment_bytes = flags.segment_bytes;
  options.snapshots.log_bytes = flags.snapshot_bytes;
  options.snapshots.scrub.every = flags.scrub_every;
  options.reap_every = flags.reap_every;
  options.raft.uncommitted_bytes_max = flags.uncommitted_bytes;
  options.streams_max = flags.streams;
  options.raft.feature_level_max = base::FeatureLevel(flags.feature_level_max);
  return options;
}

int Run(const Flags& flags, const InitialMembers& initial) {
  const process::Logger log("coord.server");
  process::RaiseFileLimit(log);
  process::Metrics metrics;
  base::SystemRandom random;
  const std::unique_ptr<base::FileSystem> files = base::NewRealFileSystem();
  transport::CqLoop loop;
  base::ThreadExecutor disk(&loop, {"drover-disk"});
  base::ThreadExecutor::Options behind;
  behind.thread_name = "drover-snapshot";
  behind.nice = 10;  // who compresses a snapshot shall not take the core from who acknowledges writes
  base::ThreadExecutor snapshots(&loop, behind);

  std::atomic<Readiness> readiness = Readiness::kStarting;
  transport::ServerOptions server_options;
  server_options.listen = flags.server.listen;
  server_options.receive_bytes_max = kPeerFrameBytesMax;
  transport::LinkOptions link_options;
  link_options.receive_bytes_max = 64U << 10;  // only the end's status comes back
  transport::GrpcDialer dialer(&loop, kPeerLink, link_options);
  Services services(&loop, server_options, flags.server.advertise);
  PrometheusObserver observer(&metrics, [&](const NodeStatus& status) {
    services.SetServing(status.serving);
    readiness = ReadinessOf(status);
  });

  NodeSeams seams;
  seams.loop = &loop;
  seams.dialer = &dialer;
  seams.disk = &disk;
  seams.snapshots = &snapshots;
  seams.files = files.get();
  seams.random = &random;
  seams.observer = &observer;
  // What glibc keeps of a state that was freed would double what this process takes for ever.
  seams.on_freed = [] { malloc_trim(0); };
  seams.on_fatal = [&](const absl::Status& status) {
    // Nothing that was not acknowledged before is acknowledged from here on; a restart finds out what the disk really has. So there
    // is nothing to put in order first.
    log.Error("the log failed: exiting", {{"error", status}});
    std::_Exit(1);
  };
  seams.on_refused = [](const absl::Status& status) { std::_Exit(FailWith(status)); };

  // What is wrong with an address is said before the directory is touched: an empty one would found a cluster on the way.
  if (const absl::Status status = transport::TryListen(flags.server.listen); !status.ok()) return FailWith(status);
  process::HttpServer::Options http_options;
  http_options.listen = flags.server.http;
  http_options.metrics = &metrics;
  http_options.healthy = process::LoopTurns([&loop] { return loop.BusyFor(); }, std::chrono::seconds(5));
  http_options.ready = [&]() -> absl::Status {
    const Readiness now = readiness;
    if (now == Readiness::kForming) return absl::UnavailableError(observer.waiting());
    return StatusOf(now, observer.start_progress());
  };
  process::HttpServer http(http_options);
  if (!flags.server.http.empty()) {
    if (const absl::Status status = http.Start(); !status.ok()) return FailWith(status);
  }

  std::signal(SIGUSR1, SIG_IGN);  // asks for a snapshot; until there is a node, for nothing
  absl::StatusOr<std::unique_ptr<MemberProcess>> opened = MemberProcess::Open(seams, OptionsOf(flags), initial);
  if (!opened.ok()) return FailWith(opened.status());
  std::unique_ptr<MemberProcess> member = std::move(*opened);  // goes before `services`: it holds the connections
  readiness = member->node() == nullptr ? Readiness::kForming : Readiness::kNoLeader;  // until the node says otherwise
  if (const absl::Status status = services.Start(member.get()); !status.ok()) return FailWith(status);
  if (!flags.server.http.empty()) log.Info("http", {{"address", http.address()}});

  bool stopping = false;
  const auto on_signal = [&](int signal) {
    if (signal == SIGUSR1) {
      if (member->node() != nullptr) member->node()->WantSnapshot();
      return;
    }
    if (std::exchange(stopping, true)) std::_Exit(0);  // asked twice: at once; the log needs no farewell
    log.Info("stopping", {{"signal", signal}});
    member->Stop();
    services.Shutdown(flags.stop_grace, [&loop] { loop.Stop(); });
  };
  const process::Signals signals(&loop, on_signal, {SIGUSR1});

  log.Info("listening",
           {{"node", flags.id}, {"address", services.address()}, {"data", flags.data}, {"version", process::Version()}});
  member->Start();
  loop.Run();
  member.reset();
  return 0;
}

int Main(int argc, const char* const* argv) {
  Flags flags;
  InitialMembers initial;
  process::OptionSet options("drover-coord", "A node of the coordination core: sessions, watches and the replicated tree.");
  options.Number("--id", &flags.id, "This node's number in its cluster, 1 or more");
  options.Text("--data", &flags.data, "Data directory; made if missing");
  options.Text(
      "--initial-cluster", &flags.initial_cluster,
      "1=HOST:PORT,2=HOST:PORT,...: the nodes that a new cluster begins with, the same on all of them; without it, this one alone");
  options.Flag("--join", &flags.join,
               "An empty data directory begins no cluster: wait to be added to one that runs (drover cluster member add)");
  options.Time("--found-after", &flags.found_after,
               "An empty data directory that is to begin a cluster of this node alone waits so long for members of a running one "
               "that has this node already: then it waits to be readmitted there");
  flags.server.AddTo(&options, "127.0.0.1:7400");
  options.Text("--super-digest", &flags.super_digest,
               "USER:HASH, as drover tree acl digest prints it: who gives this user's password to this node may do everything");
  options.Number("--segment-bytes", &flags.segment_bytes, "A segment of the log ends at this size", 64U << 10);
  options.Number("--snapshot-bytes", &flags.snapshot_bytes,
                 "A snapshot is taken when the log has grown by so much, and by twice the last one's size", 64U << 10);
  options.Time("--scrub-every", &flags.scrub_every,
               "All files are read again this often, for disks forget (0: only after damage was met)");
  options.Time("--reap-every", &flags.reap_every,
               "While it leads: containers and nodes with a time to live are looked for this often", std::chrono::milliseconds(10));
  options.Number("--history-bytes", &flags.history_bytes, "Events kept for watches that come back", 4096);
  options.Number("--uncommitted-bytes", &flags.uncommitted_bytes, "Writes that may wait for the log", 1U << 20);
  options.Number("--streams", &flags.streams, "Session streams at a time", 1);
  options.Number(
      "--feature-level-max", &flags.feature_level_max,
      "Be as a program that knows feature levels up to this one: an upgrade can be taken back until all members know more",
      base::kFirstFeatureLevel.value, base::kNewestFeatureLevel.value);
  options.Time("--stop-grace", &flags.stop_grace, "How long calls under way may take to end after SIGTERM");
  options.Footer(
      "drover-coord log dump|verify DIR looks at a data directory instead; see drover-coord log --help.\n"
      "drover-coord recover --force-single is for when most nodes are lost for good; see drover-coord recover --help.");
  if (const std::optional<int> code = options.Parse(argc, argv)) return *code;
  if (flags.id == 0) return options.Refuse("--id is missing: give this node's number, e.g. --id 1");
  if (flags.data.empty())
    return options.Refuse("--data is missing: give a directory that lasts, e.g. --data /var/lib/drover/coord");
  if (const absl::Status status = flags.server.Check(); !status.ok()) return options.Refuse(status.message());
  if (!flags.super_digest.empty() &&
      tree::AclEntryFault({tree::Permission::kAll, std::string(tree::Scheme::kDigest), flags.super_digest}) != nullptr) {
    return options.Refuse("--super-digest is USER:HASH, as drover tree acl digest USER:PASSWORD prints it");
  }
  if (const absl::Status status = TakeInitialCluster(&flags, &initial); !status.ok()) return options.Refuse(status.message());
  if (const absl::Status status = process::SetLogLevel(flags.server.log_level); !status.ok())
    return options.Refuse(status.message());
  return Run(flags, initial);
}

}  // namespace
}  // namespace drover::coord::server

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "log") == 0) return drover::coord::server::LogCommand(argc - 1, argv + 1);
  if (argc > 1 && std::strcmp(argv[1], "recover") == 0) return drover::coord::backup::RecoverCommand(argc - 1, argv + 1);
  return drover::coord::server::Main(argc, argv);
}

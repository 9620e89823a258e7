#include "tests/chaos/arena.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "tests/support/await.h"

namespace drover::chaos {
namespace {

using std::chrono::milliseconds;

constexpr char kDiskSize[] = "size=256m";
constexpr char kBallast[] = "/ballast";
constexpr milliseconds kSlowSync{80};
constexpr milliseconds kSlowLink{150};
constexpr milliseconds kMemberCall{10'000};
constexpr char kJoin[] = "--join";

// Takes all the space that is left.
void Fill(const std::string& path) {
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  for (std::size_t bytes : {std::size_t{1} << 20, std::size_t{4096}}) {
    const std::string block(bytes, 'b');
    while (write(fd, block.data(), block.size()) > 0) {
    }
  }
  close(fd);
}

}  // namespace

Arena::Arena(int nodes, const std::vector<std::string>& coord_flags) {
  // What is mounted here is nobody else's to see.
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw std::runtime_error("disks of its own need a mount namespace: run it under unshare --mount --map-root-user");
  }
  for (int i = 0; i < nodes; ++i) {
    std::filesystem::create_directory(Disk(i));
    if (mount("disk", Disk(i).c_str(), "tmpfs", 0, kDiskSize) != 0) throw std::runtime_error("no tmpfs can be mounted");
    syncs_.emplace_back(dir_ / ("sync-" + std::to_string(i + 1)));
  }
  testing::ClusterOptions options;
  options.coords = nodes;
  options.masters = 0;
  options.workers = 0;
  options.core_proxied = true;
  options.coord_flags = coord_flags;
  options.coord_data = [this](int i) { return Disk(i) + "/coord"; };
  options.coord_env = [this](int i) { return syncs_.at(static_cast<std::size_t>(i)).environment(); };
  cluster_ = std::make_unique<testing::Cluster>(options);
}

Arena::~Arena() {
  const int mounted = static_cast<int>(syncs_.size());
  for (testing::StalledDisk& sync : syncs_) sync.GoOn();
  cluster_.reset();
  for (int i = 0; i < mounted; ++i) umount2(Disk(i).c_str(), MNT_DETACH);
}

std::vector<std::string> Arena::addresses() const {
  std::vector<std::string> addresses;
  for (int i = 0; i < cluster_->coords(); ++i) addresses.push_back(cluster_->coord_address(i));
  return addresses;
}

void Arena::Begin(const Strike& strike) {
  testing::Process& process = cluster_->coord(strike.node);
  testing::StalledDisk& sync = syncs_.at(static_cast<std::size_t>(strike.node));
  switch (strike.fault) {
    case Fault::kKill:
      may_be_down_.insert(strike.node);
      return process.Kill();
    case Fault::kPause:
      return process.Signal(SIGSTOP);
    case Fault::kDiskFull:
      return Fill(Disk(strike.node) + kBallast);
    case Fault::kDiskStall:
      return sync.Stall();
    case Fault::kDiskSlow:
      return sync.Slow(kSlowSync);
    case Fault::kLoseDisk:
      return Empty(strike.node);
    case Fault::kRemove:
      may_be_down_.insert(strike.node);  // for it ends when it hears of it
      // One that cannot be spared is not; it loses its disk all the same.
      static_cast<void>(Ask(coord::MemberCall::kRemove, strike.node));
      return;
    case Fault::kHandOver:
      static_cast<void>(Ask(coord::MemberCall::kTransferLeader, strike.node));
      return;
    case Fault::kIsolate:
    case Fault::kDeaf:
    case Fault::kMute:
    case Fault::kCutLink:
    case Fault::kLinkSlow:
      on_network_.push_back(strike);
      return ApplyToNetwork();
  }
}

void Arena::End(const Strike& strike) {
  testing::Process& process = cluster_->coord(strike.node);
  switch (strike.fault) {
    case Fault::kKill:
      may_be_down_.erase(strike.node);
      return process.Start();
    case Fault::kPause:
      return process.Signal(SIGCONT);
    case Fault::kDiskFull:
      std::filesystem::remove(Disk(strike.node) + kBallast);
      return;
    case Fault::kDiskStall:
    case Fault::kDiskSlow:
      return syncs_.at(static_cast<std::size_t>(strike.node)).GoOn();
    case Fault::kRemove:
      Empty(strike.node);
      may_be_down_.erase(strike.node);
      return Readmit(strike.node);
    case Fault::kLoseDisk:
      return Readmit(strike.node);
    case Fault::kHandOver:
      return;
    case Fault::kIsolate:
    case Fault::kDeaf:
    case Fault::kMute:
    case Fault::kCutLink:
    case Fault::kLinkSlow:
      on_network_.remove_if([&strike](const Strike& s) { return s.at == strike.at; });
      return ApplyToNetwork();
  }
}

// The network heals as a whole, so what still lasts is done again: for an instant everything gets through.
void Arena::ApplyToNetwork() {
  testing::CoreNetwork& network = cluster_->core_network();
  network.Heal();
  for (int i = 0; i < nodes(); ++i) network.Delay(i, milliseconds(0));
  for (const Strike& strike : on_network_) {
    for (int other = 0; other < nodes(); ++other) {
      if (other == strike.node) continue;
      if (strike.fault == Fault::kIsolate || (strike.fault == Fault::kCutLink && other == strike.other)) {
        network.Cut(strike.node, other);
      }
      if (strike.fault == Fault::kDeaf) network.Silence(other, strike.node);
      if (strike.fault == Fault::kMute) network.Silence(strike.node, other);
    }
    if (strike.fault == Fault::kLinkSlow) network.Delay(strike.node, kSlowLink);
  }
}

void Arena::CheckRunning() {
  for (int i = 0; i < nodes(); ++i) {
    testing::Process& process = cluster_->coord(i);
    if (process.running() || may_be_down_.count(i) > 0) continue;
    throw std::runtime_error(
        absl::StrCat("node ", i + 1, " has ended by itself, with exit code ", process.Wait(), ": ", process.Log()));
  }
}

void Arena::AwaitCaughtUp() {
  const auto caught_up = [this] {
    int nodes_equal = 0;
    for (const auto& node : cluster_->Json({"cluster", "status"})) {
      if (node.contains("lag") && node.at("lag") == 0) ++nodes_equal;
    }
    return nodes_equal == nodes();
  };
  if (!testing::Await(caught_up)) throw std::runtime_error("some node does not catch up");
}

absl::Status Arena::Ask(coord::MemberCall call, int node) {
  const auto id = static_cast<std::uint64_t>(node) + 1;
  // Where its peers reach it, as at the founding.
  const std::string address = call == coord::MemberCall::kReadmit ? cluster_->core_network().address(node) : "";
  absl::Status last;
  std::string said;  // by all of them, at the last try
  const bool done = testing::Await([&] {
    CheckRunning();
    said.clear();
    for (const std::string& endpoint : addresses()) {
      last = coord::CallMembership(endpoint, call, id, address, kMemberCall).status();
      if (!absl::IsUnavailable(last) && !absl::IsDeadlineExceeded(last) && !absl::IsAborted(last)) return true;
      absl::StrAppend(&said, said.empty() ? "" : "; ", endpoint, ": ", last.message());
    }
    return false;
  });
  return done ? last : absl::Status(last.code(), said);
}

void Arena::Empty(int node) {
  testing::Process& process = cluster_->coord(node);
  process.Kill();
  std::filesystem::remove_all(Disk(node) + "/coord");
  std::vector<std::string>& argv = process.argv();
  if (std::find(argv.begin(), argv.end(), kJoin) == argv.end()) argv.emplace_back(kJoin);
  process.Start();
}

void Arena::Readmit(int node) {
  for (const coord::MemberCall call : {coord::MemberCall::kReadmit, coord::MemberCall::kPromote}) {
    const absl::Status done = Ask(call, node);
    if (!done.ok()) throw std::runtime_error(absl::StrCat("node ", node + 1, " is not let in again: ", done.message()));
  }
}

std::string Arena::CopyOfData(int node) {
  std::string copy = dir_ / ("copy-" + std::to_string(++copies_));
  cluster_->coord(node).Kill();
  std::filesystem::copy(Disk(node) + "/coord", copy, std::filesystem::copy_options::recursive);
  cluster_->coord(node).Start();
  return copy;
}

double Arena::Metric(const std::string& name) {
  double sum = 0;
  for (int i = 0; i < nodes(); ++i) sum += cluster_->CoordMetric(i, name);
  return sum;
}

}  // namespace drover::chaos

#include "tests/sim/run/rescue.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/backup/force_single.h"
#include "coord/server/seed.h"
#include "coord/tree/new_cluster.h"
#include "tests/sim/run/machines.h"

namespace drover::sim::run {
namespace {

using coord::tree::SubtreeCursor;

constexpr char kDirectory[] = "/data";
constexpr char kMaking[] = "/data.recovering";
constexpr char kKept[] = "/data.kept";

absl::Status Wrong(const std::string& words) {
  return absl::InternalError(absl::StrCat("recovered by force: ", words));
}

}  // namespace

Rescue::Rescue(SimWorld* world, SimNetwork* network, Journal* journal, const Plan& plan, int id, base::Zxid zxid,
               std::unique_ptr<SimFileSystem> disk)
    : world_(world),
      network_(network),
      journal_(journal),
      plan_(plan),
      id_(id),
      zxid_(zxid),
      disk_(std::move(disk)),
      random_(plan.seed * 100'000 + 99'000) {}

absl::Status Rescue::Recover() {
  while (disk_->HasDirectory(kDirectory)) {
    const auto seed = coord::server::FindSeed(disk_.get(), kDirectory);
    if (!seed.ok()) return Wrong(seed.status().ToString());
    if (seed->has_value()) return absl::OkStatus();
    if (random_.Below(2) == 0) disk_->StopAtCall(1 + random_.Below(random_.Below(2) == 0 ? 20 : 120));
    const absl::Status attempt = Attempt();
    const bool died = disk_->fault_reached();
    disk_->Crash(died && random_.Below(2) == 0 ? Survival::kRandom : Survival::kEverything);
    if (!attempt.ok() && !died) return Wrong(attempt.ToString());
    if (!died) continue;
    journal_->Note("the recovery dies: ", attempt.message());
    if (absl::Status tidy = TidyUp(); !tidy.ok()) return tidy;
  }
  return Wrong("no data directory is left");
}

absl::Status Rescue::Attempt() {
  const auto forced = coord::backup::ForceSingle(disk_.get(), &random_, {kDirectory, "", ".kept"});
  if (!forced.ok()) return forced.status();
  journal_->Note("node ", id_, " is made a cluster of its own, with entries up to ", forced->last.value);
  return absl::OkStatus();
}

// As force_single.cc says: between the renames there is the old one and the new one, and either will do. Before, the old one is in
// its place, and the next attempt clears what this one has left.
absl::Status Rescue::TidyUp() {
  if (!disk_->HasDirectory(kDirectory)) {
    if (!disk_->HasDirectory(kKept) || !disk_->HasDirectory(kMaking)) return Wrong("a directory is gone");
    disk_->MoveDirectory(random_.Below(2) == 0 ? kKept : kMaking, kDirectory);
  }
  return absl::OkStatus();
}

absl::Status Rescue::Start() {
  coord::server::NodeSeams seams;
  seams.on_fatal = seams.on_refused = [this](const absl::Status& why) { refused_ = why; };
  coord::server::NodeOptions options = plan_.options;
  options.id = base::NodeId(static_cast<std::uint64_t>(id_));
  options.address = Machines::PeerAddress(id_);
  options.data_directory = kDirectory;
  // Clients of the other cluster do not come here.
  const coord::server::SimMember::Place place{world_, network_, disk_.get(), Machines::Host(id_), Machines::Host(id_) + ":3", {}};
  absl::Status opened = member_.Open(place, plan_.seed * 100'000 + 99'001, seams, std::move(options), {});
  if (!opened.ok()) return Wrong(opened.ToString());
  member_.process->Start();
  return absl::OkStatus();
}

void Rescue::Poll() {
  coord::server::Node* const node = member_.node();
  if (node == nullptr || asked_ || !node->raft().leads() || !node->Status().serving) return;
  asked_ = true;
  // It holds what was acknowledged before, so a quorum is asked.
  node->TakeSnapshot([this](absl::StatusOr<coord::raft::Index> taken) {
    asked_ = serves_ = taken.ok();
    journal_->Note("a snapshot of what was recovered: ", taken.status().ToString());
  });
}

absl::Status Rescue::Check(const coord::tree::StateMachine& truth, base::ClusterId old) const {
  if (!refused_.ok()) return Wrong(refused_.ToString());
  const coord::server::Node* const node = member_.node();
  if (node == nullptr) return Wrong("it is not there any more");
  const coord::raft::Configuration& members = node->raft().configuration();
  if (members.cluster == old || node->raft().options().cluster != members.cluster) return Wrong("it is the old cluster");
  if (members.members.size() != 1 || !node->raft().leads()) return Wrong("it is not alone");
  const coord::tree::StateMachine& state = node->state();
  if (state.sessions().size() != 0) return Wrong("sessions are left");
  if (state.last_zxid().value < zxid_.value + coord::tree::kZxidLeap) {
    return Wrong(absl::StrCat("its zxid is ", state.last_zxid().value, " after ", zxid_.value));
  }
  SubtreeCursor is(*state.tree().Find("/"), "/");
  SubtreeCursor was(*truth.tree().Find("/"), "/");
  const auto text = [](const SubtreeCursor& at) { return at.node() == nullptr ? "the end" : std::string(at.path()); };
  while (true) {
    while (was.node() != nullptr && was.node()->ephemeral()) was.Next();
    if (is.node() == nullptr && was.node() == nullptr) return absl::OkStatus();
    const bool same = is.node() != nullptr && was.node() != nullptr && is.path() == was.path() && !is.node()->ephemeral() &&
                      is.node()->data() == was.node()->data() && is.node()->czxid() == was.node()->czxid() &&
                      is.node()->version() == was.node()->version();
    if (!same) return Wrong(absl::StrCat(text(is), " is where ", text(was), " was, or differs"));
    is.Next();
    was.Next();
  }
}

}  // namespace drover::sim::run

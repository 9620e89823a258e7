#include "coord/server/member_process.h"

#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "coord/base/hooks.h"
#include "coord/base/status.h"
#include "coord/server/recovery.h"
#include "coord/server/rolled_back.h"
#include "coord/server/seed.h"

namespace drover::coord::server {
namespace {

constexpr base::Duration kRound = std::chrono::milliseconds(200);
// How long a node that gives way to another one's list stays to tell it so. That one's word ends the wait.
constexpr base::Duration kFarewell = std::chrono::seconds(2);
// How long a node that others refuse stays, should somebody let it in.
constexpr base::Duration kInvitationPatience = std::chrono::seconds(2);

}  // namespace

struct MemberProcess::Forming {
  // Of a cluster that invites.
  struct Inviter {
    std::string address;
    std::uint64_t round = 0;
  };

  std::unique_ptr<log::DataDirectory> directory;
  std::optional<Formation> formation;
  PeerHeader header;
  std::map<base::NodeId, base::Incarnation> peers;
  PeerLinks links;
  base::Timer timer;
  base::Timer refused;                         // armed: others refuse this node, which waits for an invitation for a while
  bool restored = false;                       // `formation` is of a seed
  std::map<base::NodeId, std::string> others;  // of `formation`
  std::map<base::NodeId, Inviter> inviters;
  std::optional<raft::Configuration> added;  // to a cluster, whose members these are
  raft::Index added_at;                      // by the entry of this index
  base::ClusterId lost;                      // the cluster that knows this node by another data directory; 0: none
  std::string told;                          // to the observer, of what is waited for
  bool alone = false;                        // it founds a cluster of this node alone, unless another one claims the node
  bool claimed = false;                      // members of a cluster have spoken to this node
  base::Instant found_at;                    // of `alone`
  bool done = false;

  [[nodiscard]] bool FoundsAlone() const { return alone && !claimed; }
  void SetPeers() {
    std::map<base::NodeId, std::string> all = others;
    for (const auto& [id, inviter] : inviters) all[id] = inviter.address;
    links.SetPeers({all.begin(), all.end()});
  }
};

absl::StatusOr<std::unique_ptr<MemberProcess>> MemberProcess::Open(const NodeSeams& seams, NodeOptions options,
                                                                   InitialMembers initial) {
  auto process = absl::WrapUnique(new MemberProcess(seams, std::move(options)));
  DROVER_RETURN_IF_ERROR(CheckNotRolledBack(seams.files, process->options_.data_directory, process->options_.id));
  const InitialMembers given = initial;
  DROVER_ASSIGN_OR_RETURN(const bool begins, process->BeginFromSeed(given));
  if (begins) return process;
  const bool join = process->options_.join;
  const bool alone = initial.size() <= 1 && !join;
  Disk opened;
  if (!alone || process->options_.found_after > base::Duration::zero()) {
    const std::string& path = process->options_.data_directory;
    auto directory = OpenDirectory(seams.files, seams.random, path, process->options_.id, process->known());
    if (!directory.ok()) return OfFullDisk(directory.status(), path);
    // Who has a snapshot has a cluster; that spares reading a log for nothing.
    DROVER_ASSIGN_OR_RETURN(const auto snapshots, log::ListSnapshots(seams.files, path));
    if (snapshots.empty()) {
      auto log = OpenLog(directory->get(), base::ClusterId(), process->options_.log);
      if (!log.ok() && !absl::IsNotFound(log.status())) return OfFullDisk(log.status(), path);
      if (!log.ok()) {
        process->BeginForming(*std::move(directory), base::ClusterId(), join || alone ? InitialMembers() : std::move(initial));
        process->forming_->alone = alone;
        return process;
      }
      opened = Disk{*std::move(directory), *std::move(log)};
    }
  }
  DROVER_ASSIGN_OR_RETURN(process->node_, Node::Open(seams, process->options_, std::move(opened)));
  // A directory that began as another cluster's would lead a life of its own, under addresses that clients take for this one's.
  const absl::StatusOr<raft::Configuration> founding = process->node_->Founding();
  if (!initial.empty() && founding.ok()) {
    DROVER_RETURN_IF_ERROR(
        base::Annotate(CheckFoundedWith(*founding, initial), absl::StrCat("data directory ", process->options_.data_directory)));
  }
  return process;
}

absl::StatusOr<bool> MemberProcess::BeginFromSeed(const InitialMembers& given) {
  const std::string& path = options_.data_directory;
  DROVER_ASSIGN_OR_RETURN(const std::optional<Seed> seed, FindSeed(seams_.files, path));
  if (!seed) return false;
  DROVER_ASSIGN_OR_RETURN(auto directory, OpenDirectory(seams_.files, seams_.random, path, options_.id, known()));
  DROVER_ASSIGN_OR_RETURN(const auto snapshots, log::ListSnapshots(seams_.files, path));
  if (!snapshots.empty()) {  // it was taken up, and this node died before it was removed
    RemoveSeed(seams_.files, path);
    return false;
  }
  DROVER_RETURN_IF_ERROR(base::CheckFeatureLevel(absl::StrCat("the restored state in ", path), seed->feature_level, known()));
  if (seed->members.front().first != options_.id) {
    return absl::FailedPreconditionError(absl::StrCat("data directory ", path, " was restored for node ",
                                                      seed->members.front().first.value, ", not for node ", options_.id.value));
  }
  if (!given.empty() && given != seed->members) {
    return absl::FailedPreconditionError(absl::StrCat("data directory ", path, " was restored for a new cluster of the members ",
                                                      TextOf(seed->members), ", and --initial-cluster is ", TextOf(given),
                                                      ": give the members it was restored for, or leave the option out"));
  }
  if (seed->members.size() > 1) {
    BeginForming(std::move(directory), seed->cluster, seed->members, seed->feature_level);
    return true;
  }
  const raft::Member self{options_.id, directory->identity()->incarnation, seed->members.front().second, true};
  DROVER_RETURN_IF_ERROR(
      FoundFromSeed(directory.get(), raft::Configuration{seed->cluster, {self}, seed->feature_level}, options_.log));
  directory.reset();
  DROVER_ASSIGN_OR_RETURN(node_, Node::Open(seams_, options_));
  RemoveSeed(seams_.files, path);
  return true;
}

MemberProcess::MemberProcess(const NodeSeams& seams, NodeOptions options) : seams_(seams), options_(std::move(options)) {
  options_.log.check_configuration = LevelCheck(options_.data_directory, known());
}

MemberProcess::~MemberProcess() = default;

void MemberProcess::BeginForming(std::unique_ptr<log::DataDirectory> directory, base::ClusterId cluster,
                                 const InitialMembers& initial, std::optional<base::FeatureLevel> restored) {
  const log::Identity identity = *directory->identity();
  PeerHeader header;
  header.from = options_.id;
  header.from_incarnation = identity.incarnation;
  header.from_boot = base::BootNonce(NextNotZero(seams_.random));
  header.feature_level_max = known();
  header.feature_level_promised = identity.promised;
  forming_ = std::unique_ptr<Forming>(new Forming{std::move(directory),
                                                  {},
                                                  header,
                                                  {},
                                                  PeerLinks(seams_.loop, seams_.dialer, this, options_.links),
                                                  base::Timer(seams_.loop),
                                                  base::Timer(seams_.loop),
                                                  restored.has_value(),
                                                  {},
                                                  {},
                                                  {},
                                                  {},
                                                  {}});
  if (initial.empty()) return;
  Formation::Self self{options_.id, identity.incarnation, cluster, seams_.loop->WallNow()};
  self.restored = restored.has_value();
  self.feature_level = restored.value_or(base::kFirstFeatureLevel);
  self.feature_level_max = known();
  if (self.cluster.value == 0) self.cluster = base::ClusterId(NextNotZero(seams_.random));
  for (const auto& [id, address] : initial) {
    if (id == options_.id) continue;
    forming_->others[id] = address;
    forming_->peers[id] = base::Incarnation();
  }
  forming_->formation.emplace(self, initial);
  forming_->SetPeers();
}

void MemberProcess::Start() {
  started_ = true;
  if (node_ != nullptr) return node_->Start();
  forming_->found_at = seams_.loop->Now() + options_.found_after;
  Round();
}

void MemberProcess::Round() {
  if (forming_ == nullptr || stopping_) return;
  if (forming_->FoundsAlone() && seams_.loop->Now() >= forming_->found_at) {
    forming_->done = true;
    return Found();
  }
  TellWaiting();
  if (forming_->formation && !Failed()) {
    const Hello hello = forming_->formation->NextRound();
    for (const auto& [id, incarnation] : forming_->peers) forming_->links.Send(id, hello);
  }
  // Whoever invited this node has perhaps added it since.
  for (const auto& [id, inviter] : forming_->inviters) {
    if (!forming_->peers.contains(id) || Failed()) forming_->links.Send(id, Hello{inviter.round, false, 0, "", {}});
  }
  Flush();
  forming_->timer.Set(kRound, [this] { Round(); });
}

void MemberProcess::TellWaiting() {
  std::string waiting = Waiting();
  if (waiting == forming_->told) return;
  forming_->told = std::move(waiting);
  if (seams_.observer != nullptr) seams_.observer->OnWaiting(forming_->told);
}

void MemberProcess::Flush() {
  forming_->header.clock = seams_.loop->WallNow();
  forming_->links.Flush(forming_->header, [this](base::NodeId peer) {
    const auto known = forming_->peers.find(peer);
    return known == forming_->peers.end() ? base::Incarnation() : known->second;
  });
}

bool MemberProcess::Failed() const {
  return forming_->formation && !forming_->formation->failed().ok();
}

void MemberProcess::OnPeerFrame(PeerFrame frame) {
  if (forming_ == nullptr || forming_->done) return;
  const base::NodeId from = frame.header.from;
  if (IsEarlierDirectory(frame.header)) {
    return Dismiss(frame.header, forming_->formation->OnEarlierDirectory(from, frame.header.cluster));
  }
  if (frame.header.cluster.value != 0) {
    AskWhoSpeaks(frame.header);
    for (const PeerItem& item : frame.items) OnClusterItem(frame.header, item);
  }
  if (Failed()) {
    // It forms no cluster any more.
  } else if (!forming_->formation) {
    // Perhaps that one is right, and this one was started with the wrong flag.
    if (frame.header.cluster.value == 0) {
      return forming_->links.Decline(
          frame.header, absl::StrCat("node ", options_.id.value,
                                     forming_->alone ? " was started to found a cluster of its own"
                                                     : " was started with --join, and waits to be added to a cluster that runs",
                                     ": start it with --initial-cluster like the others"));
    }
  } else if (frame.header.cluster.value == 0 && frame.header.to != options_.id) {
    return Dismiss(frame.header, absl::StrCat("node ", options_.id.value,
                                              " is at the address that --initial-cluster gives to node ", frame.header.to.value));
  } else if (!forming_->peers.contains(from)) {
    if (frame.header.cluster.value == 0) {
      return Dismiss(frame.header,
                     absl::StrCat("node ", from.value, " is not among the members with which node ", options_.id.value,
                                  " was started, --initial-cluster ", TextOf(forming_->formation->members())));
    }
  } else if (frame.header.from_incarnation.value != 0) {
    forming_->peers[from] = frame.header.from_incarnation;
    for (const PeerItem& item : frame.items) {
      const auto* hello = std::get_if<Hello>(&item);
      if (hello != nullptr && frame.header.cluster.value == 0) {
        const absl::StatusOr<std::optional<Hello>> answer = forming_->formation->OnHello(frame.header, *hello);
        if (!answer.ok()) return Dismiss(frame.header, answer.status().message());
        if (*answer) forming_->links.Send(from, **answer);
      } else if (const auto* found = std::get_if<server::Found>(&item)) {
        forming_->formation->OnFound(frame.header, *found);
      }
    }
  }
  Flush();
  if (forming_->done) return;
  if (Failed() && !forming_->refused.armed()) {
    FailAfter(kFarewell, forming_->formation->failed());
  } else if (forming_->added || (forming_->formation && forming_->formation->formed() && !Failed())) {
    forming_->done = true;
    // Not from inside of the links, which end with this.
    forming_->timer.Set(base::Duration::zero(), [this] { Found(); });
  }
}

void MemberProcess::OnClusterItem(const PeerHeader& header, const PeerItem& item) {
  if (const auto* hello = std::get_if<Hello>(&item)) {
    if (!hello->reply && header.from_incarnation.value == 0) OnInvitation(header, *hello);
    return;
  }
  const auto* standing = std::get_if<Standing>(&item);
  if (standing == nullptr) return;
  const absl::StatusOr<raft::Configuration> configuration = raft::DecodeConfiguration(standing->configuration.view());
  if (absl::IsUnimplemented(configuration.status())) return FailAfter(base::Duration::zero(), configuration.status());
  if (!configuration.ok() || configuration->cluster != header.cluster) return;
  const bool named = configuration->Names(options_.id, forming_->header.from_incarnation) || DROVER_BREAK("wiped-node-votes");
  if (!named) return;
  const absl::Status level = base::CheckFeatureLevel("the cluster", configuration->feature_level, known());
  if (!level.ok()) return FailAfter(base::Duration::zero(), level);
  forming_->added = *configuration;
  forming_->added_at = standing->index;
}

// A member of the cluster that is restored here speaks as one of another cluster, and to an earlier life of this node: so it has
// not let this one in.
bool MemberProcess::IsEarlierDirectory(const PeerHeader& header) const {
  if (!forming_->formation || forming_->formation->restored().value == 0 || !forming_->peers.contains(header.from)) return false;
  const bool another = header.cluster.value != 0 && header.cluster != forming_->formation->restored();
  return another && header.from_incarnation.value != 0 && header.to_incarnation.value != 0 &&
         header.to_incarnation != forming_->header.from_incarnation;
}

// A member speaks to this node as to one of the cluster: it was added, and died before it knew.
void MemberProcess::AskWhoSpeaks(const PeerHeader& header) {
  const base::Incarnation meant = header.to_incarnation;
  if (header.to == options_.id) forming_->claimed = true;
  if (header.to == options_.id && meant.value != 0 && meant != forming_->header.from_incarnation) forming_->lost = header.cluster;
  const bool known = forming_->peers.contains(header.from) || forming_->inviters.contains(header.from);
  if (known || header.from_incarnation.value == 0 || header.address.empty() || header.to != options_.id) return;
  forming_->inviters[header.from] = Forming::Inviter{header.address, 0};
  forming_->SetPeers();
}

// Says who it is to the leader, whose address is among the members', and promises what the leader wishes. Nobody is served here, so
// that may block.
void MemberProcess::OnInvitation(const PeerHeader& header, const Hello& hello) {
  const absl::StatusOr<InitialMembers> members = ParseInitialCluster(hello.members);
  if (!members.ok()) return;
  if (header.feature_level_wish > forming_->header.feature_level_promised && header.feature_level_wish <= known()) {
    const absl::Status promised = forming_->directory->Promise(header.feature_level_wish);
    if (promised.ok()) forming_->header.feature_level_promised = header.feature_level_wish;
    if (!promised.ok() && !absl::IsResourceExhausted(promised)) return FailAfter(base::Duration::zero(), promised);
  }
  for (const auto& [id, address] : *members) {
    if (id != header.from || id == options_.id) continue;
    forming_->inviters[id] = Forming::Inviter{address, hello.round};
    forming_->SetPeers();
    forming_->links.Send(id, Hello{hello.round, true, 0, "", {}});
  }
}

void MemberProcess::Dismiss(const PeerHeader& from, absl::string_view why) {
  if (seams_.observer != nullptr) seams_.observer->OnStranger(from.from, forming_->links.AddressOf(from), why);
  forming_->links.Dismiss(from, why);
}

void MemberProcess::OnDismissed(base::NodeId peer, const absl::Status& why) {
  if (forming_->inviters.erase(peer) > 0) {
    // It did not add this node in the end.
    forming_->SetPeers();
  }
  if (!forming_->formation) return;
  forming_->formation->OnDismissed(peer, why);
  if (!Failed() || forming_->added || forming_->refused.armed()) return;
  if (forming_->done) return FailAfter(base::Duration::zero(), forming_->formation->failed());
  // Of a member whose disk was lost: whoever readmits it asks it for its promise first, and who starts it again and again would
  // have it gone each time.
  forming_->refused.Set(kInvitationPatience, [this] {
    if (!forming_->done) FailAfter(base::Duration::zero(), forming_->formation->failed());
  });
}

void MemberProcess::OnDeclined(base::NodeId peer, const absl::Status& why) {
  if (forming_->formation) forming_->formation->OnDeclined(peer, why.message());
}

void MemberProcess::FailAfter(base::Duration wait, const absl::Status& why) {
  forming_->done = true;
  forming_->timer.Set(wait, [this, why] {
    if (!stopping_ && seams_.on_refused) seams_.on_refused(why);
  });
}

void MemberProcess::OnBadFrame(const absl::Status& status) {
  if (seams_.observer != nullptr) seams_.observer->OnDamage(status);
}

absl::StatusOr<Disk> MemberProcess::BeginDisk() {
  std::unique_ptr<log::DataDirectory>& directory = forming_->directory;
  if (forming_->FoundsAlone()) return Disk{std::move(directory), nullptr};
  const raft::Configuration& configuration = forming_->added ? *forming_->added : *forming_->formation->formed();
  if (forming_->restored && !forming_->added) {
    DROVER_RETURN_IF_ERROR(FoundFromSeed(directory.get(), configuration, options_.log));
    return Disk();
  }
  DROVER_ASSIGN_OR_RETURN(auto log, OpenLog(directory.get(), configuration.cluster, options_.log));
  if (log->cluster() != configuration.cluster) {
    return absl::FailedPreconditionError(
        absl::StrCat("the log is of cluster ", log->cluster().value, ", not of cluster ", configuration.cluster.value));
  }
  DROVER_RETURN_IF_ERROR(forming_->added ? JoinLog(log.get()) : FoundLog(directory.get(), log.get(), configuration));
  return Disk{std::move(directory), std::move(log)};
}

void MemberProcess::Found() {
  if (stopping_) return;
  const bool restored = forming_->restored && !forming_->added;
  const raft::Index let_in = forming_->added_at;
  absl::StatusOr<Disk> opened = BeginDisk();
  absl::Status status = opened.status();
  forming_.reset();  // with it the lock of a directory that is still there
  if (status.ok()) {
    absl::StatusOr<std::unique_ptr<Node>> node = Node::Open(seams_, options_, *std::move(opened), let_in);
    status = node.status();
    if (node.ok()) node_ = *std::move(node);
    if (node.ok() && restored) RemoveSeed(seams_.files, options_.data_directory);
  }
  if (!status.ok()) {
    if (seams_.on_refused) seams_.on_refused(status);
    return;
  }
  if (started_) node_->Start();
}

void MemberProcess::Stop() {
  if (std::exchange(stopping_, true)) return;
  if (node_ != nullptr) return node_->Stop();
  if (forming_ != nullptr) forming_->links.Stop();
}

std::string MemberProcess::Waiting() const {
  if (forming_ == nullptr) return "";
  if (forming_->formation) return forming_->formation->Waiting();
  if (forming_->lost.value != 0) {
    return absl::StrCat("node ", options_.id.value, " is a member of cluster ", forming_->lost.value,
                        " with another data directory. If that is still there, give this node that one; if it was lost, let this "
                        "one in: drover cluster member readmit ",
                        options_.id.value);
  }
  if (forming_->FoundsAlone())
    return "listening whether a cluster has this node as a member; if none has, it founds one in a moment";
  return absl::StrCat("waiting to be added to a cluster: drover cluster member add ", options_.id.value, "=", options_.address);
}

InitialMembers MemberProcess::initial() const {
  return forming_ == nullptr || !forming_->formation ? InitialMembers() : forming_->formation->members();
}

base::ConnectionEvents* MemberProcess::Accept(std::unique_ptr<base::Connection> connection, std::string address) {
  if (node_ != nullptr) return node_->Accept(std::move(connection), std::move(address));
  connection->Close(absl::UnavailableError(Waiting()));
  return nullptr;
}

base::ConnectionEvents* MemberProcess::AcceptPeer(std::unique_ptr<base::Connection> connection, std::string address) {
  if (node_ != nullptr) return node_->AcceptPeer(std::move(connection), std::move(address));
  if (forming_ != nullptr && !stopping_) return forming_->links.Accept(std::move(connection), std::move(address));
  connection->Close(absl::UnavailableError("this node is stopping"));
  return nullptr;
}

base::ConnectionEvents* MemberProcess::AcceptSave(std::unique_ptr<base::Connection> connection) {
  if (node_ != nullptr) return node_->AcceptSave(std::move(connection));
  connection->Close(absl::UnavailableError(Waiting()));
  return nullptr;
}

void MemberProcess::Execute(const base::Bytes& request, ExecuteDone done, absl::string_view address) {
  if (node_ != nullptr) return node_->Execute(request, std::move(done), address);
  done(absl::UnavailableError(Waiting()));
}

}  // namespace drover::coord::server

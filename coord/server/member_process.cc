#include "coord/server/member_process.h"

#include <optional>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "coord/base/status.h"
#include "coord/server/recovery.h"
#include "coord/server/seed.h"

namespace drover::coord::server {
namespace {

constexpr base::Duration kRound = std::chrono::milliseconds(200);
// How long a node that gives way to another one's list stays to tell it so. That one's word ends the wait.
constexpr base::Duration kFarewell = std::chrono::seconds(2);

}  // namespace

struct MemberProcess::Forming {
  std::unique_ptr<log::DataDirectory> directory;
  Formation formation;
  PeerHeader header;
  std::map<base::NodeId, base::Incarnation> peers;
  PeerLinks links;
  base::Timer timer;
  bool restored = false;
  bool done = false;
};

absl::StatusOr<std::unique_ptr<MemberProcess>> MemberProcess::Open(const NodeSeams& seams, NodeOptions options,
                                                                   InitialMembers initial) {
  auto process = absl::WrapUnique(new MemberProcess(seams, std::move(options)));
  const InitialMembers given = initial;
  DROVER_ASSIGN_OR_RETURN(const bool begun, process->BeginFromSeed(given));
  if (begun) return process;
  Disk opened;
  if (initial.size() > 1) {
    DROVER_ASSIGN_OR_RETURN(auto directory,
                            OpenDirectory(seams.files, seams.random, process->options_.data_directory, process->options_.id));
    // Who has a snapshot has a cluster; that spares reading a log for nothing.
    DROVER_ASSIGN_OR_RETURN(const auto snapshots, log::ListSnapshots(seams.files, process->options_.data_directory));
    if (snapshots.empty()) {
      auto log = OpenLog(directory.get(), base::ClusterId(), process->options_.log);
      if (!log.ok() && !absl::IsNotFound(log.status())) return log.status();
      if (!log.ok() || (*log)->last_index() == raft::Index()) {
        const base::ClusterId cluster = log.ok() ? (*log)->cluster() : base::ClusterId();
        if (log.ok()) log->reset();
        process->BeginForming(std::move(directory), cluster, std::move(initial));
        return process;
      }
      opened = Disk{std::move(directory), *std::move(log)};
    }
  }
  DROVER_ASSIGN_OR_RETURN(process->node_, Node::Open(seams, process->options_, std::move(opened)));
  // A directory that began as another cluster's would lead a life of its own, under addresses that clients take for this one's.
  const absl::StatusOr<raft::Configuration> founding = process->node_->Founding();
  if (!given.empty() && founding.ok()) {
    DROVER_RETURN_IF_ERROR(
        base::Annotate(CheckFoundedWith(*founding, given), absl::StrCat("data directory ", process->options_.data_directory)));
  }
  return process;
}

absl::StatusOr<bool> MemberProcess::BeginFromSeed(const InitialMembers& given) {
  const std::string& path = options_.data_directory;
  DROVER_ASSIGN_OR_RETURN(const std::optional<Seed> seed, FindSeed(seams_.files, path));
  if (!seed) return false;
  DROVER_ASSIGN_OR_RETURN(auto directory, OpenDirectory(seams_.files, seams_.random, path, options_.id));
  DROVER_ASSIGN_OR_RETURN(const auto snapshots, log::ListSnapshots(seams_.files, path));
  if (!snapshots.empty()) {  // it was taken up, and this node died before it was removed
    RemoveSeed(seams_.files, path);
    return false;
  }
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
    BeginForming(std::move(directory), seed->cluster, seed->members, true);
    return true;
  }
  const raft::Member self{options_.id, directory->identity()->incarnation, seed->members.front().second, true};
  DROVER_RETURN_IF_ERROR(FoundFromSeed(directory.get(), raft::Configuration{seed->cluster, {self}}, options_.log));
  directory.reset();
  DROVER_ASSIGN_OR_RETURN(node_, Node::Open(seams_, options_));
  RemoveSeed(seams_.files, path);
  return true;
}

MemberProcess::MemberProcess(const NodeSeams& seams, NodeOptions options) : seams_(seams), options_(std::move(options)) {}

MemberProcess::~MemberProcess() = default;

void MemberProcess::BeginForming(std::unique_ptr<log::DataDirectory> directory, base::ClusterId cluster, InitialMembers initial,
                                 bool restored) {
  const log::Identity identity = *directory->identity();
  Formation::Self self{options_.id, identity.incarnation, cluster, seams_.loop->WallNow()};
  self.restored = restored;
  if (self.cluster.value == 0) self.cluster = base::ClusterId(NextNotZero(seams_.random));
  PeerHeader header;
  header.from = options_.id;
  header.from_incarnation = identity.incarnation;
  header.from_boot = base::BootNonce(NextNotZero(seams_.random));
  std::vector<std::pair<base::NodeId, std::string>> others;
  for (const auto& member : initial) {
    if (member.first != options_.id) others.push_back(member);
  }
  forming_ = std::unique_ptr<Forming>(new Forming{std::move(directory),
                                                  Formation(self, std::move(initial)),
                                                  header,
                                                  {},
                                                  PeerLinks(seams_.loop, seams_.dialer, this, options_.links),
                                                  base::Timer(seams_.loop),
                                                  restored});
  forming_->links.SetPeers(others);
  for (const auto& [id, address] : others) forming_->peers[id] = base::Incarnation();
}

void MemberProcess::Start() {
  started_ = true;
  if (node_ != nullptr) return node_->Start();
  Round();
}

void MemberProcess::Round() {
  if (forming_ == nullptr || stopping_) return;
  const Hello hello = forming_->formation.NextRound();
  for (const auto& [id, incarnation] : forming_->peers) forming_->links.Send(id, hello);
  Flush();
  forming_->timer.Set(kRound, [this] { Round(); });
}

void MemberProcess::Flush() {
  forming_->header.clock = seams_.loop->WallNow();
  forming_->links.Flush(forming_->header, [this](base::NodeId peer) { return forming_->peers[peer]; });
}

void MemberProcess::OnPeerFrame(PeerFrame frame) {
  if (forming_ == nullptr || forming_->done) return;
  const base::NodeId from = frame.header.from;
  if (!forming_->peers.contains(from)) {
    return Dismiss(frame.header, absl::StrCat("node ", from.value, " is not among the members with which node ", options_.id.value,
                                              " was started, --initial-cluster ", TextOf(forming_->formation.members())));
  }
  forming_->peers[frame.header.from] = frame.header.from_incarnation;
  for (const PeerItem& item : frame.items) {
    if (const auto* hello = std::get_if<Hello>(&item)) {
      const absl::StatusOr<std::optional<Hello>> answer = forming_->formation.OnHello(frame.header, *hello);
      if (!answer.ok()) return Dismiss(frame.header, answer.status().message());
      if (*answer) forming_->links.Send(from, **answer);
    } else if (const auto* found = std::get_if<server::Found>(&item)) {
      forming_->formation.OnFound(frame.header, *found);
    }
  }
  Flush();
  if (!forming_->formation.failed().ok()) {
    FailAfter(kFarewell);
  } else if (forming_->formation.formed()) {
    forming_->done = true;
    // Not from inside of the links, which end with this.
    forming_->timer.Set(base::Duration::zero(), [this] { Found(); });
  }
}

void MemberProcess::Dismiss(const PeerHeader& from, absl::string_view why) {
  if (seams_.observer != nullptr) seams_.observer->OnStranger(from.from, forming_->links.AddressOf(from), why);
  forming_->links.Dismiss(from, why);
}

void MemberProcess::OnDismissed(base::NodeId peer, const absl::Status& why) {
  forming_->formation.OnDismissed(peer, why);
  if (!forming_->formation.failed().ok()) FailAfter(base::Duration::zero());
}

void MemberProcess::FailAfter(base::Duration wait) {
  forming_->done = true;
  forming_->timer.Set(wait, [this] {
    if (!stopping_ && seams_.on_refused) seams_.on_refused(forming_->formation.failed());
  });
}

void MemberProcess::OnBadFrame(const absl::Status& status) {
  if (seams_.observer != nullptr) seams_.observer->OnDamage(status);
}

void MemberProcess::Found() {
  if (stopping_) return;
  const raft::Configuration& configuration = *forming_->formation.formed();
  const bool restored = forming_->restored;
  absl::Status status;
  Disk opened;
  if (restored) {
    status = FoundFromSeed(forming_->directory.get(), configuration, options_.log);
  } else {
    auto log = OpenLog(forming_->directory.get(), configuration.cluster, options_.log);
    status = log.ok() ? FoundLog(log->get(), configuration) : log.status();
    if (status.ok()) opened = Disk{std::move(forming_->directory), *std::move(log)};
  }
  forming_.reset();  // with it the lock of a directory that is still there
  if (status.ok()) {
    absl::StatusOr<std::unique_ptr<Node>> node = Node::Open(seams_, options_, std::move(opened));
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
  return forming_ == nullptr ? "" : forming_->formation.Waiting();
}

InitialMembers MemberProcess::initial() const {
  return forming_ == nullptr ? InitialMembers() : forming_->formation.members();
}

base::ConnectionEvents* MemberProcess::Accept(std::unique_ptr<base::Connection> connection) {
  if (node_ != nullptr) return node_->Accept(std::move(connection));
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

void MemberProcess::Execute(const base::Bytes& request, ExecuteDone done) {
  if (node_ != nullptr) return node_->Execute(request, std::move(done));
  done(absl::UnavailableError(Waiting()));
}

}  // namespace drover::coord::server

// A member of a cluster from its first start on: forms the cluster if there is none yet, or waits until it is added to one; then it
// is a node of it.
//
// Loop thread. Opening and replaying the log blocks: it happens in Open, or, while a cluster is formed, once before anybody is
// served.
#ifndef DROVER_COORD_SERVER_MEMBER_PROCESS_H_
#define DROVER_COORD_SERVER_MEMBER_PROCESS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/server/formation.h"
#include "coord/server/node.h"
#include "coord/server/peer_links.h"

namespace drover::coord::server {

class MemberProcess final : private PeerLinks::Events {
 public:
  // `initial`: what a new cluster begins with; empty, or this node alone, for one of its own. With options.join an empty directory
  // begins none, but waits for the leader of a running one to invite it; so does one that is of no use to a cluster with `initial`
  // (wiped), as long as it is not refused. If the directory has a seed, its members are the initial ones, and `initial` is empty or
  // the same. If the directory has a log, its cluster must have been founded with these (CheckFoundedWith), unless empty.
  // FAILED_PRECONDITION, DATA_LOSS, UNIMPLEMENTED ...: as Node::Open.
  static absl::StatusOr<std::unique_ptr<MemberProcess>> Open(const NodeSeams& seams, NodeOptions options, InitialMembers initial);
  ~MemberProcess();

  void Start();
  void Stop();
  base::ConnectionEvents* Accept(std::unique_ptr<base::Connection> connection, std::string address = "");
  base::ConnectionEvents* AcceptPeer(std::unique_ptr<base::Connection> connection, std::string address = "");
  base::ConnectionEvents* AcceptSave(std::unique_ptr<base::Connection> connection);
  void Execute(const base::Bytes& request, ExecuteDone done, absl::string_view address = {});

  // Null while the cluster is being formed, or this node waits to be added to it; then Waiting says for what.
  [[nodiscard]] Node* node() { return node_.get(); }
  [[nodiscard]] const Node* node() const { return node_.get(); }
  [[nodiscard]] std::string Waiting() const;
  [[nodiscard]] base::NodeId id() const { return options_.id; }
  // The highest feature level that this program knows.
  [[nodiscard]] base::FeatureLevel known() const { return options_.raft.feature_level_max; }
  // It waits to be added to a cluster.
  [[nodiscard]] bool joins() const { return node_ == nullptr && options_.join; }
  // The members of the cluster that is being formed; empty when it is.
  [[nodiscard]] InitialMembers initial() const;

 private:
  struct Forming;

  MemberProcess(const NodeSeams& seams, NodeOptions options);

  // PeerLinks::Events, while forming
  void OnPeerFrame(PeerFrame frame) override;
  void OnLinkUp(base::NodeId) override {}
  void OnLinkReset(base::NodeId, base::Incarnation) override {}
  void OnDismissed(base::NodeId peer, const absl::Status& why) override;
  void OnDeclined(base::NodeId peer, const absl::Status& why) override;
  void OnBadFrame(const absl::Status& status) override;

  // `cluster`: of a log that is there and empty, else 0. Without `initial`, only invitations count. `restored`: there is a seed, of
  // that cluster and at this level.
  void BeginForming(std::unique_ptr<log::DataDirectory> directory, base::ClusterId cluster, const InitialMembers& initial,
                    std::optional<base::FeatureLevel> restored = std::nullopt);
  // Where the directory has a seed that was not taken up yet: begins to form its cluster, or is its only node. False: it has none.
  absl::StatusOr<bool> BeginFromSeed(const InitialMembers& given);
  void OnClusterItem(const PeerHeader& header, const PeerItem& item);
  [[nodiscard]] bool IsEarlierDirectory(const PeerHeader& header) const;
  void AskWhoSpeaks(const PeerHeader& header);
  void OnInvitation(const PeerHeader& header, const Hello& hello);
  // It cannot form a cluster, and why.
  [[nodiscard]] bool Failed() const;
  void Round();
  void Flush();
  void TellWaiting();
  void Dismiss(const PeerHeader& from, absl::string_view why);
  // It cannot form a cluster: the process is told after this long.
  void FailAfter(base::Duration wait, const absl::Status& why);
  void Found();
  // Begins the log, or takes up the seed (then the disk is not open), or nothing if that fails.
  absl::StatusOr<Disk> BeginDisk();

  const NodeSeams seams_;
  NodeOptions options_;
  std::unique_ptr<Forming> forming_;
  std::unique_ptr<Node> node_;
  bool started_ = false;
  bool stopping_ = false;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_MEMBER_PROCESS_H_

// How several empty nodes become one cluster, exactly once. Pure.
//
// Every node knows the initial members by id and address, and has a directory with an incarnation but no log. The lowest id alone
// founds: once all the others have answered one and the same round of its with "empty, this is my incarnation, these are the
// members I was told of", it writes the first entry (cluster id, members, incarnations) into its own log, and from then on hands
// that entry out. The others accept it if it names them with their own incarnation, and write the same. So two clusters cannot come
// out of one list: nobody else founds, and a founder that has written never founds again; one that lost its directory afterwards is
// answered by members that are not empty, and dismissed.
//
// Of two nodes with different lists the one that began later gives way, and both can say so; clocks that differ may choose the
// wrong one, but never both and never none.
#ifndef DROVER_COORD_SERVER_FORMATION_H_
#define DROVER_COORD_SERVER_FORMATION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/configuration.h"
#include "coord/server/initial_cluster.h"
#include "coord/server/peer_frame.h"

namespace drover::coord::server {

// Not thread-safe.
class Formation {
 public:
  struct Self {
    base::NodeId id;
    base::Incarnation incarnation;
    base::ClusterId cluster;  // what to found: random, or what this node's log names already
    base::WallTime started;   // now
    // It begins with a state that the others do not have (Seed): until they do they are learners.
    bool restored = false;
    base::FeatureLevel feature_level = base::kFirstFeatureLevel;  // of the restored state
    base::FeatureLevel feature_level_max = base::kNewestFeatureLevel;
  };
  // `members` names `self`.
  Formation(const Self& self, InitialMembers members);

  // Begins a round: what to say to every other member.
  [[nodiscard]] Hello NextRound();
  // What to answer to `from`, if anything. FAILED_PRECONDITION: it is to be dismissed, and why.
  [[nodiscard]] absl::StatusOr<std::optional<Hello>> OnHello(const PeerHeader& from, const Hello& hello);
  void OnFound(const PeerHeader& from, const Found& found);
  void OnDismissed(base::NodeId by, const absl::Status& why);
  // It is a member, and is not founding with us as things are.
  void OnDeclined(base::NodeId by, absl::string_view why);
  // Of a restored state: `from` is a member, and speaks as one of `cluster`, by a directory of before the restore. What it is told.
  [[nodiscard]] std::string OnEarlierDirectory(base::NodeId from, base::ClusterId cluster);

  // What the first entry is to say, once that is known: it is to be written, then the node is opened.
  [[nodiscard]] const std::optional<raft::Configuration>& formed() const { return formed_; }
  // Not OK: it cannot go on, and why. FAILED_PRECONDITION.
  [[nodiscard]] const absl::Status& failed() const { return failed_; }
  [[nodiscard]] const InitialMembers& members() const { return members_; }
  // The cluster that is to begin with a restored state; 0: there is none here.
  [[nodiscard]] base::ClusterId restored() const { return self_.restored ? self_.cluster : base::ClusterId(); }
  // "waiting for nodes 2, 3": those that have not been heard of, and what is to be done about those that cannot be members.
  [[nodiscard]] std::string Waiting() const;

 private:
  [[nodiscard]] bool Founds() const { return members_.front().first == self_.id; }
  [[nodiscard]] absl::StatusOr<std::optional<Hello>> OnOtherList(base::NodeId from, const Hello& hello);
  [[nodiscard]] std::string WaitingFor() const;
  void Fail(std::string why);
  // The highest that all members know; of a restored state its own.
  [[nodiscard]] base::FeatureLevel LevelToFoundAt() const;

  struct Answered {
    base::Incarnation incarnation;
    base::FeatureLevel known;
  };

  const Self self_;
  const InitialMembers members_;
  const std::string members_text_;
  std::uint64_t round_ = 0;
  std::map<base::NodeId, base::Incarnation> heard_;  // ever
  std::map<base::NodeId, base::ClusterId> earlier_;  // speak with directories of before the restore
  std::map<base::NodeId, std::string> declined_;     // since they were last heard
  std::map<base::NodeId, Answered> answered_;        // this round
  std::optional<raft::Configuration> formed_;
  absl::Status failed_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_FORMATION_H_

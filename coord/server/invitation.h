// A leader's question to whoever listens at an address: who are you? Asked again until it is answered or given up.
//
// It goes on a link of its own, so that a wrong address, or one that a member has, disturbs nothing. The answer (a Hello with the
// same round) comes on a link that the asked one dials: it is told the members' addresses.
//
// Threads: the loop's. `refused` may destroy this.
#ifndef DROVER_COORD_SERVER_INVITATION_H_
#define DROVER_COORD_SERVER_INVITATION_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "coord/base/connection.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/loop.h"
#include "coord/server/peer_links.h"

namespace drover::coord::server {

class Invitation final : private PeerLinks::Events {
 public:
  struct Letter {
    base::ClusterId cluster;
    base::NodeId from;
    base::NodeId to;
    std::string address;  // of `to`
    std::string members;  // of the cluster, as TextOf
    std::uint64_t round = 0;
    base::FeatureLevel feature_level;      // of the cluster: to be promised before the answer counts
    base::FeatureLevel feature_level_max;  // that `from` knows
  };
  // FAILED_PRECONDITION: who listens there belongs elsewhere, in its words.
  using Refused = std::function<void(const absl::Status&)>;

  Invitation(base::Loop* loop, base::Dialer* dialer, const PeerLinks::Options& options, Letter letter, Refused refused);

  [[nodiscard]] const Letter& letter() const { return letter_; }
  // Why the address could not be reached at the last try, in words for people; empty: it was, or nothing is known yet.
  [[nodiscard]] const std::string& unreached() const { return unreached_; }

 private:
  void Say();

  void OnPeerFrame(PeerFrame) override {}
  void OnLinkUp(base::NodeId) override { unreached_.clear(); }
  void OnUnreached(base::NodeId, const absl::Status& why) override { unreached_ = std::string(why.message()); }
  void OnLinkReset(base::NodeId, base::Incarnation) override {}
  void OnDismissed(base::NodeId peer, const absl::Status& why) override;
  void OnBadFrame(const absl::Status&) override {}

  base::Loop* const loop_;
  const Letter letter_;
  const Refused refused_;
  std::string unreached_;
  PeerLinks links_;
  base::Timer timer_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_INVITATION_H_

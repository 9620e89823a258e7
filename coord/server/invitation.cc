#include "coord/server/invitation.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace drover::coord::server {
namespace {

constexpr base::Duration kAgain = std::chrono::milliseconds(200);

}  // namespace

Invitation::Invitation(base::Loop* loop, base::Dialer* dialer, const PeerLinks::Options& options, Letter letter, Refused refused)
    : loop_(loop), letter_(std::move(letter)), refused_(std::move(refused)), links_(loop, dialer, this, options), timer_(loop) {
  links_.SetPeers({{letter_.to, letter_.address}});
  Say();
}

void Invitation::Say() {
  links_.Send(letter_.to, Hello{letter_.round, false, 0, letter_.members, {}});
  PeerHeader header;
  header.cluster = letter_.cluster;
  header.from = letter_.from;
  header.clock = loop_->WallNow();
  header.feature_level_max = letter_.feature_level_max;
  header.feature_level_wish = letter_.feature_level;
  links_.Flush(header, [](base::NodeId) { return base::Incarnation(); });
  timer_.Set(kAgain, [this] { Say(); });
}

void Invitation::OnDismissed(base::NodeId, const absl::Status& why) {
  refused_(absl::FailedPreconditionError(
      absl::StrCat("the node at ", letter_.address, " does not want to be node ", letter_.to.value, ": ", why.message())));
}

}  // namespace drover::coord::server

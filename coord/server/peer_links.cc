#include "coord/server/peer_links.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"

namespace drover::coord::server {

// A link that this node has dialled.
class PeerLinks::Dialled final : public base::ConnectionEvents {
 public:
  Dialled(PeerLinks* owner, base::NodeId id, const std::string& address)
      : owner_(owner), id_(id), connection_(owner->dialer_->Dial(address, this)) {}

  [[nodiscard]] base::Connection* connection() const { return connection_.get(); }

  // It has carried a frame, since then.
  std::optional<base::Instant> up;

 private:
  // Each may destroy this.
  void OnFrame(base::Bytes /*frame*/) override { owner_->OnDialledAnswer(id_); }
  void OnDrained() override { owner_->OnDialledDrained(id_); }
  void OnClosed(base::CloseCause cause, const absl::Status& status) override { owner_->OnDialledEnd(id_, cause, status); }

  PeerLinks* const owner_;
  const base::NodeId id_;
  const std::unique_ptr<base::Connection> connection_;
};

class PeerLinks::Accepted final : public base::ConnectionEvents {
 public:
  Accepted(PeerLinks* owner, std::uint64_t number, std::unique_ptr<base::Connection> connection)
      : owner_(owner), number_(number), connection_(std::move(connection)) {}

  [[nodiscard]] base::Connection* connection() const { return connection_.get(); }

  Sender from;
  std::string address;

 private:
  // Each may destroy this.
  void OnFrame(base::Bytes frame) override { owner_->OnAcceptedFrame(number_, frame); }
  void OnClosed(base::CloseCause cause, const absl::Status& /*status*/) override { owner_->OnAcceptedEnd(number_, cause); }

  PeerLinks* const owner_;
  const std::uint64_t number_;
  const std::unique_ptr<base::Connection> connection_;
};

struct PeerLinks::Peer {
  Peer(base::Loop* loop, base::NodeId peer_id, base::Duration first_pause) : id(peer_id), pause(first_pause), redial(loop) {}

  [[nodiscard]] std::size_t queued_bytes() const {
    std::size_t bytes = link == nullptr ? 0 : link->connection()->queued_bytes();
    for (const PeerFrameBuilder& frame : gathered) bytes += frame.size();
    return bytes;
  }
  [[nodiscard]] std::size_t gathered_count() const {
    std::size_t count = 0;
    for (const PeerFrameBuilder& frame : gathered) count += frame.count();
    return count;
  }

  const base::NodeId id;
  std::string address;
  std::unique_ptr<Dialled> link;           // null: `redial` is armed
  std::vector<PeerFrameBuilder> gathered;  // since the last Flush; only the last one grows
  base::Duration pause;                    // before the next dial but this one
  base::Timer redial;
};

PeerLinks::PeerLinks(base::Loop* loop, base::Dialer* dialer, Events* events, const Options& options)
    : loop_(loop), dialer_(dialer), events_(events), options_(options) {}

PeerLinks::~PeerLinks() = default;

// Dialling --------------------------------------------------------------------------------------------------------------------

void PeerLinks::SetPeers(const std::vector<std::pair<base::NodeId, std::string>>& peers) {
  if (stopped_) return;
  const std::map<base::NodeId, std::string> wanted(peers.begin(), peers.end());
  for (auto it = peers_.begin(); it != peers_.end();) {
    if (wanted.count(it->first) > 0) {
      ++it;
      continue;
    }
    dropped_ += it->second->gathered_count();
    HangUp(it->second.get());
    it = peers_.erase(it);
  }
  for (const auto& [id, address] : wanted) {
    std::unique_ptr<Peer>& peer = peers_[id];
    if (peer == nullptr) peer = std::make_unique<Peer>(loop_, id, options_.redial_min);
    if (peer->address == address) continue;
    HangUp(peer.get());
    peer->address = address;
    peer->pause = options_.redial_min;
    Dial(peer.get());
  }
}

void PeerLinks::Dial(Peer* peer) {
  peer->redial.Cancel();
  peer->link = std::make_unique<Dialled>(this, peer->id, peer->address);
}

void PeerLinks::DialLater(Peer* peer) {
  peer->redial.Set(peer->pause, [this, peer] { Dial(peer); });
  peer->pause = std::min(peer->pause * 2, options_.redial_max);
}

void PeerLinks::HangUp(Peer* peer) {
  peer->redial.Cancel();
  if (peer->link == nullptr) return;
  // With a word: what breaks without one counts as the death of this process.
  peer->link->connection()->Close(absl::OkStatus());
  peer->link.reset();
}

void PeerLinks::OnDialledDrained(base::NodeId id) {
  Dialled& link = *peers_.at(id)->link;
  if (link.up.has_value()) return;
  link.up = loop_->Now();
  events_->OnLinkUp(id);
}

void PeerLinks::OnDialledAnswer(base::NodeId id) {
  Peer* const peer = peers_.at(id).get();
  HangUp(peer);
  DialLater(peer);
  events_->OnBadFrame(absl::InvalidArgumentError(absl::StrCat("node ", id.value, " sent a frame on a link that it accepted")));
}

void PeerLinks::OnDialledEnd(base::NodeId id, base::CloseCause cause, const absl::Status& status) {
  Peer* const peer = peers_.at(id).get();
  const std::optional<base::Instant> up = peer->link->up;
  peer->link.reset();
  if (up.has_value() && loop_->Now() - *up >= options_.lived) peer->pause = options_.redial_min;
  DialLater(peer);
  if (up.has_value() && cause == base::CloseCause::kPeerGone) return events_->OnLinkReset(id, base::Incarnation());
  if (cause == base::CloseCause::kPeerGone) return events_->OnUnreached(id, status);
  if (cause == base::CloseCause::kPeerClosed && absl::IsFailedPrecondition(status)) {
    events_->OnDismissed(id, absl::Status(status));  // a copy: what it belongs to is gone
  } else if (cause == base::CloseCause::kPeerClosed && absl::IsNotFound(status)) {
    events_->OnDeclined(id, absl::Status(status));
  }
}

// Sending ---------------------------------------------------------------------------------------------------------------------

void PeerLinks::Send(base::NodeId to, const PeerItem& item) {
  Queue(to, item);
}

void PeerLinks::Send(const raft::Message& message) {
  Queue(message.envelope.to, message);
}

template <typename Item>
void PeerLinks::Queue(base::NodeId to, const Item& item) {
  const auto it = peers_.find(to);
  Peer* const peer = it == peers_.end() ? nullptr : it->second.get();
  if (peer == nullptr || peer->link == nullptr || peer->queued_bytes() > options_.queued_bytes_max) {
    ++dropped_;
    return;
  }
  if (peer->gathered.empty() || peer->gathered.back().size() >= options_.frame_bytes) peer->gathered.emplace_back();
  peer->gathered.back().Add(item);
}

void PeerLinks::Flush(const PeerHeader& header, absl::FunctionRef<base::Incarnation(base::NodeId)> incarnation_of) {
  for (const auto& [id, peer] : peers_) {
    if (peer->gathered.empty()) continue;
    if (peer->link == nullptr) {
      dropped_ += peer->gathered_count();
    } else {
      PeerHeader own = header;
      own.to = id;
      own.to_incarnation = incarnation_of(id);
      for (PeerFrameBuilder& frame : peer->gathered) peer->link->connection()->Send(frame.Finish(own));
    }
    peer->gathered.clear();
  }
}

// Accepting -------------------------------------------------------------------------------------------------------------------

base::ConnectionEvents* PeerLinks::Accept(std::unique_ptr<base::Connection> connection, std::string address) {
  if (stopped_) {
    connection->Close(absl::UnavailableError("this node stops"));
    return nullptr;
  }
  if (accepted_.size() >= options_.accepted_max) {
    const absl::Status full = absl::ResourceExhaustedError(absl::StrCat("more than ", options_.accepted_max, " links"));
    const auto silent =
        std::find_if(accepted_.begin(), accepted_.end(), [](const auto& link) { return link.second->from == Sender(); });
    if (silent == accepted_.end()) {
      connection->Close(full);
      return nullptr;
    }
    EndAccepted(silent->first, full);
  }
  const std::uint64_t number = ++last_number_;
  Accepted* link = (accepted_[number] = std::make_unique<Accepted>(this, number, std::move(connection))).get();
  link->address = std::move(address);
  return link;
}

void PeerLinks::Dismiss(const PeerHeader& from, absl::string_view why) {
  const auto newest = newest_.find(SenderOf(from));
  if (newest != newest_.end()) EndAccepted(newest->second, absl::FailedPreconditionError(why));
}

void PeerLinks::Decline(const PeerHeader& from, absl::string_view why) {
  const auto newest = newest_.find(SenderOf(from));
  if (newest != newest_.end()) EndAccepted(newest->second, absl::NotFoundError(why));
}

std::string PeerLinks::AddressOf(const PeerHeader& from) const {
  const auto newest = newest_.find(SenderOf(from));
  return newest == newest_.end() ? "" : accepted_.at(newest->second)->address;
}

void PeerLinks::OnAcceptedFrame(std::uint64_t number, const base::Bytes& bytes) {
  const Sender named = accepted_.at(number)->from;
  absl::StatusOr<PeerFrame> frame = ParsePeerFrame(bytes);
  if (!frame.ok()) return Refuse(number, frame.status());
  const Sender from = SenderOf(frame->header);
  if (named == Sender()) {
    if (!Name(number, from)) return;
  } else if (named != from) {
    return Refuse(number, absl::InvalidArgumentError(absl::StrCat("peer frame: of node ", from.node.value, " on a link of node ",
                                                                  named.node.value, ", or of another life of it")));
  }
  events_->OnPeerFrame(*std::move(frame));
}

bool PeerLinks::Name(std::uint64_t number, const Sender& from) {
  const absl::Status replaced = absl::AbortedError("a newer link has taken the place of this one");
  const auto [newest, first] = newest_.try_emplace(from, number);
  if (!first) {
    // The order in which they were accepted counts: a peer dials again when it has given up the last link, of which frames may
    // still be under way.
    const std::uint64_t other = newest->second;
    newest->second = std::max(number, other);
    EndAccepted(std::min(number, other), replaced);
    if (other > number) return false;
  }
  accepted_.at(number)->from = from;
  // It lives and is worth a try now, whatever pause the failures so far have led to.
  const auto peer = peers_.find(from.node);
  if (peer != peers_.end() && peer->second->link == nullptr) Dial(peer->second.get());
  return true;
}

void PeerLinks::OnAcceptedEnd(std::uint64_t number, base::CloseCause cause) {
  const auto link = accepted_.find(number);
  const Sender from = link->second->from;
  accepted_.erase(link);
  if (from == Sender()) return;
  newest_.erase(from);  // this one: an older one was ended when the newer one named itself
  if (cause == base::CloseCause::kPeerGone) events_->OnLinkReset(from.node, from.incarnation);
}

void PeerLinks::EndAccepted(std::uint64_t number, const absl::Status& status) {
  const auto link = accepted_.find(number);
  const auto newest = newest_.find(link->second->from);
  if (newest != newest_.end() && newest->second == number) newest_.erase(newest);
  link->second->connection()->Close(status);
  accepted_.erase(link);
}

void PeerLinks::Refuse(std::uint64_t number, const absl::Status& why) {
  EndAccepted(number, why);
  events_->OnBadFrame(why);
}

// The rest --------------------------------------------------------------------------------------------------------------------

void PeerLinks::Stop() {
  if (stopped_) return;
  stopped_ = true;
  for (const auto& [id, peer] : peers_) {
    dropped_ += peer->gathered_count();
    HangUp(peer.get());
  }
  peers_.clear();
  while (!accepted_.empty()) EndAccepted(accepted_.begin()->first, absl::UnavailableError("this node stops"));
}

const PeerLinks::Peer* PeerLinks::Find(base::NodeId id) const {
  const auto it = peers_.find(id);
  return it == peers_.end() ? nullptr : it->second.get();
}

bool PeerLinks::connected(base::NodeId peer) const {
  const Peer* const found = Find(peer);
  return found != nullptr && found->link != nullptr && found->link->up.has_value();
}

std::size_t PeerLinks::queued_bytes(base::NodeId peer) const {
  const Peer* const found = Find(peer);
  return found == nullptr ? 0 : found->queued_bytes();
}

}  // namespace drover::coord::server

// The streams between this node and its peers: dialled again for ever, one frame a wake-up and peer, lossy by contract.
//
// Between two nodes there are two links, one for each direction: a node sends on the link it dials and receives on the one it
// accepts. Frames of a link arrive in order; what is sent while there is no link, or over the bound, is dropped and counted, and
// nobody else is told: the consensus core and its neighbours bear loss. Silence ends nothing and is never reported; only a link
// that had carried a frame and then broke (FIN, RST) is, since that tells of a process that died, not of a slow one.
//
// Threads: everything here is called, and calls back, on the loop thread. No event comes from inside a call. From inside an event
// everything may be called, and this object destroyed.
#ifndef DROVER_COORD_SERVER_PEER_LINKS_H_
#define DROVER_COORD_SERVER_PEER_LINKS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/connection.h"
#include "coord/base/ids.h"
#include "coord/base/loop.h"
#include "coord/base/time.h"
#include "coord/raft/messages.h"
#include "coord/server/peer_frame.h"

namespace drover::coord::server {

class PeerLinks {
 public:
  struct Options {
    // Pause before a peer is dialled again: doubled each time up to the second, and the first again after a link that lived. A peer
    // that shows itself meanwhile, by the first frame of a link of its own, is dialled at once.
    base::Duration redial_min = std::chrono::milliseconds(20);
    base::Duration redial_max = std::chrono::seconds(1);
    base::Duration lived = std::chrono::seconds(1);  // a link that stood this long has lived
    // Per peer: bytes not yet taken by the transport over which further items are dropped.
    std::size_t queued_bytes_max = 64U << 20;
    // A frame is ended by the item with which it reaches this, and the next one begun: no frame is larger than this and one item.
    std::size_t frame_bytes = 1U << 20;
    // Accepted links at most. The oldest of which no frame came yet makes room; if there is none, the new one is refused.
    std::size_t accepted_max = 64;
  };

  class Events {
   public:
    // Came on an accepted link. The header is parsed, not judged: the cluster, the receiver and the incarnations may be wrong ones.
    virtual void OnPeerFrame(PeerFrame frame) = 0;
    // The link that this node dialled has carried its first frame.
    virtual void OnLinkUp(base::NodeId peer) = 0;
    // A link that had carried a frame, ours to the peer or the peer's newest to us, broke. Once per link: the death of a process
    // may be told twice. Never for a link that either side ended with a word, or that a newer one replaced. `incarnation`: as it
    // said of itself on its link; 0 of ours to it.
    virtual void OnLinkReset(base::NodeId peer, base::Incarnation incarnation) = 0;
    // The link that this node dialled never came about, and why: no route, nobody listens, a name that nobody knows.
    virtual void OnUnreached(base::NodeId /*peer*/, const absl::Status& /*why*/) {}
    // The peer has ended the link that this node dialled since it wants nothing of this node, and why, in words for people.
    virtual void OnDismissed(base::NodeId peer, const absl::Status& why) = 0;
    // The same, but that it may want something of it later.
    virtual void OnDeclined(base::NodeId /*peer*/, const absl::Status& /*why*/) {}
    // What came breaks the contract; the link is ended with this status.
    virtual void OnBadFrame(const absl::Status& status) = 0;

   protected:
    ~Events() = default;
  };

  // All three outlive this. Nothing happens before SetPeers and Accept.
  PeerLinks(base::Loop* loop, base::Dialer* dialer, Events* events, const Options& options);
  // Cuts all links that are open, which their other ends see as breaks; Stop is the way to say good-bye.
  ~PeerLinks();
  PeerLinks(const PeerLinks&) = delete;
  PeerLinks& operator=(const PeerLinks&) = delete;

  // Whom to dial and where, each once; new peers and those of a new address are dialled at once. Links to all others are ended.
  // Accepted links stay. Ignored after Stop.
  void SetPeers(const std::vector<std::pair<base::NodeId, std::string>>& peers);

  // Encodes it and keeps it until Flush, or drops it.
  void Send(base::NodeId to, const PeerItem& item);
  // To the receiver of its envelope; of the rest of the envelope only the term is sent.
  void Send(const raft::Message& message);
  // Ends the frames of all peers for which something was sent. `header` gives all but `to` and `to_incarnation`.
  void Flush(const PeerHeader& header, absl::FunctionRef<base::Incarnation(base::NodeId)> incarnation_of);

  // A link that a peer has dialled: who gets its events, or null if it was refused.
  // `address`: its end of the link, for people.
  base::ConnectionEvents* Accept(std::unique_ptr<base::Connection> connection, std::string address = "");
  // Ends the link on which the sender of a frame with this header speaks: whoever it is, it is none of ours, and hears why
  // (OnDismissed). It may dial again. A member whose id it bears has a link of its own, which stays.
  void Dismiss(const PeerHeader& from, absl::string_view why);
  // The same for one that is none of ours as things are (OnDeclined).
  void Decline(const PeerHeader& from, absl::string_view why);
  // The far end of that link; empty if there is none, or nobody said.
  [[nodiscard]] std::string AddressOf(const PeerHeader& from) const;

  // Ends all links in order: what was flushed still goes out. No event comes afterwards, and new links are refused.
  void Stop();

  // The link dialled to `peer` stands, as far as silence tells.
  [[nodiscard]] bool connected(base::NodeId peer) const;
  // What waits for Flush and for the transport.
  [[nodiscard]] std::size_t queued_bytes(base::NodeId peer) const;
  // Items that were not sent.
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] std::size_t accepted() const { return accepted_.size(); }

 private:
  class Dialled;
  class Accepted;
  struct Peer;
  // Who speaks on an accepted link, by its own word. Not the id alone: it may be anybody's.
  struct Sender {
    base::NodeId node;  // 0: no frame has come yet
    base::Incarnation incarnation;
    base::ClusterId cluster;

    friend auto operator<=>(const Sender&, const Sender&) = default;
  };
  [[nodiscard]] static Sender SenderOf(const PeerHeader& header) { return {header.from, header.from_incarnation, header.cluster}; }

  template <typename Item>
  void Queue(base::NodeId to, const Item& item);
  [[nodiscard]] const Peer* Find(base::NodeId id) const;
  void Dial(Peer* peer);
  void DialLater(Peer* peer);
  void HangUp(Peer* peer);
  // Of the link dialled to `id`.
  void OnDialledDrained(base::NodeId id);
  void OnDialledAnswer(base::NodeId id);
  void OnDialledEnd(base::NodeId id, base::CloseCause cause, const absl::Status& status);
  // Of an accepted link.
  void OnAcceptedFrame(std::uint64_t number, const base::Bytes& bytes);
  void OnAcceptedEnd(std::uint64_t number, base::CloseCause cause);
  // The first frame of an accepted link has come. False if it is older than one that has named the same peer: it is ended then.
  [[nodiscard]] bool Name(std::uint64_t number, const Sender& from);
  void EndAccepted(std::uint64_t number, const absl::Status& status);
  void Refuse(std::uint64_t number, const absl::Status& why);

  base::Loop* const loop_;
  base::Dialer* const dialer_;
  Events* const events_;
  const Options options_;

  bool stopped_ = false;
  std::map<base::NodeId, std::unique_ptr<Peer>> peers_;
  std::map<std::uint64_t, std::unique_ptr<Accepted>> accepted_;  // by number: in the order in which they came
  std::map<Sender, std::uint64_t> newest_;                       // the accepted link of each that has named itself
  std::uint64_t last_number_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_PEER_LINKS_H_

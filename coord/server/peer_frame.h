// What the nodes of a cluster say to each other, as frames: drover.peer.v1.Frame, written by appending and read in place.
//
// A frame is a header and items. A sender gathers what it has for one peer in a wake-up into one frame; its frames arrive in order
// or not at all, and any of them may be lost with its link. proto/drover/peer/v1/peer.proto is the contract; no generated class is
// used. Threads: plain values; a builder belongs to one thread.
#ifndef DROVER_COORD_SERVER_PEER_FRAME_H_
#define DROVER_COORD_SERVER_PEER_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/bytes.h"
#include "coord/base/feature_level.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/messages.h"

namespace drover::coord::server {

// Who speaks to whom. Both ids are given (not 0) in every frame.
struct PeerHeader {
  base::ClusterId cluster;  // 0: not known yet (formation)
  base::NodeId from;
  base::Incarnation from_incarnation;
  base::BootNonce from_boot;
  base::NodeId to;
  base::Incarnation to_incarnation;  // 0: not known yet (formation)
  base::WallTime clock;              // the sender's, when it ended the frame
  std::string address;               // where the sender is dialled; empty: it does not say
  // What the sender's program knows, what its data directory has promised, and what it wishes all members to promise (as leader).
  // 0: it does not say.
  base::FeatureLevel feature_level_max;
  base::FeatureLevel feature_level_promised;
  base::FeatureLevel feature_level_wish;

  friend bool operator==(const PeerHeader&, const PeerHeader&) = default;
};

// A message of the consensus core; the rest of its envelope is the frame's header (see MessageOf).
struct RaftItem {
  raft::Term term;  // the sender's
  raft::Body body;
};

// Commands that clients of the sender asked for, to be proposed by the leader of `term`.
struct Forward {
  raft::Term term;
  std::uint64_t generation = 0;
  std::uint64_t sequence = 0;
  base::Bytes commands;  // opaque here: as tree::BatchBuilder wrote them

  friend bool operator==(const Forward&, const Forward&) = default;
};

// One attach of a session to a stream of the sender.
struct Attachment {
  base::SessionId session;
  std::uint64_t stream = 0;
  std::uint64_t attach = 0;  // the client's count of its attaches

  friend bool operator==(const Attachment&, const Attachment&) = default;
};

// What the sender heard of its sessions since its last touch.
struct Touch {
  std::uint64_t sequence = 0;
  std::vector<base::SessionId> contacts;
  std::vector<Attachment> attached;
  std::vector<Attachment> broken;  // their links were seen to break

  friend bool operator==(const Touch&, const Touch&) = default;
};

struct TouchAck {
  std::uint64_t sequence = 0;           // of the touch
  std::vector<base::SessionId> denied;  // contacts that must not be acknowledged

  friend bool operator==(const TouchAck&, const TouchAck&) = default;
};

// While a cluster is formed: who I am and which members I was told of. From a node of a cluster that has no leader: do I still
// belong to it? From a leader, as nobody (incarnation 0), to an address: who is there?
struct Hello {
  std::uint64_t round = 0;
  bool reply = false;
  std::uint64_t members_digest = 0;
  std::string members;            // opaque here
  base::WallTime started;         // when the sender began to form a cluster, by its clock
  base::ClusterId restored = {};  // that the sender begins with a restored state; 0: it has none
  bool served = false;            // in the reply to a leader: the sender has been a member with its data directory

  friend bool operator==(const Hello&, const Hello&) = default;
};

// Formation: the cluster is founded with this configuration.
struct Found {
  base::Bytes configuration;  // raft::EncodeConfiguration of the first entry

  friend bool operator==(const Found&, const Found&) = default;
};

// What is committed of who belongs to the cluster: to one that was added, so that it begins, and to one that was removed.
struct Standing {
  raft::Index index;          // of the configuration's entry
  base::Bytes configuration;  // raft::EncodeConfiguration

  friend bool operator==(const Standing&, const Standing&) = default;
};

// A piece of a snapshot's file, for a node whose next entry the sender's log no longer has.
struct SnapshotChunk {
  std::uint64_t id = 0;      // of the snapshot
  raft::Index index;         // of the last entry in it
  std::uint64_t size = 0;    // of the file
  std::uint64_t offset = 0;  // of this piece
  std::uint64_t checksum = 0;
  base::Bytes data;

  friend bool operator==(const SnapshotChunk&, const SnapshotChunk&) = default;
};

struct SnapshotAck {
  std::uint64_t id = 0;
  std::uint64_t received = 0;  // so much is there, from the beginning on: the next piece begins there

  friend bool operator==(const SnapshotAck&, const SnapshotAck&) = default;
};

// The largest frame: one item of the largest kind, a batch of commands that ends with a client's largest frame, behind a full one.
inline constexpr std::size_t kPeerFrameBytesMax = 16U << 20;

using PeerItem = std::variant<RaftItem, Forward, Touch, TouchAck, SnapshotChunk, SnapshotAck, Hello, Found, Standing>;

// Encodes items as they are added: nothing of them is kept but bytes, and a payload is copied once, into the frame.
class PeerFrameBuilder {
 public:
  void Add(const PeerItem& item);
  // Term and body; the envelope's other fields have to be those of the frame's header.
  void Add(const raft::Message& message);

  // Bytes of the items added so far; the header adds some dozens.
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::size_t count() const { return count_; }

  // The frame. The builder is empty afterwards and may be used again.
  [[nodiscard]] base::Bytes Finish(const PeerHeader& header);

 private:
  std::string bytes_;
  std::size_t count_ = 0;
};

struct PeerFrame {
  PeerHeader header;
  std::vector<PeerItem> items;
};

// Payloads of entries, commands and configurations share the memory of `frame`. Items of a kind that is not known (a newer
// sender's) and unknown fields are skipped; entries of an unknown kind are not, for a log has no gaps: whoever would append one has
// to end (raft::IsKnown). INVALID_ARGUMENT, naming what is wrong, for anything else that no builder wrote: malformed bytes, no
// sender or receiver, an entry of no kind, indexes beyond 64 bits. What is allocated is in proportion to the frame's size.
absl::StatusOr<PeerFrame> ParsePeerFrame(const base::Bytes& frame);

// `item` with the envelope that `header` makes.
raft::Message MessageOf(const PeerHeader& header, RaftItem item);

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_PEER_FRAME_H_

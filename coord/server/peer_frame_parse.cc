// ParsePeerFrame.
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "coord/base/wire.h"
#include "coord/server/peer_fields.h"
#include "coord/server/peer_frame.h"

namespace drover::coord::server {
namespace {

using base::WireReader;
using base::WireType;
using peer_fields::kAddress;
using peer_fields::kField;
using peer_fields::kItems;
using peer_fields::kTerm;

// Of this program or of a newer one.
bool IsEntryKind(std::uint64_t number) {
  return number != 0 && number <= std::numeric_limits<std::underlying_type_t<raft::EntryKind>>::max();
}

void Number(const WireReader& in, std::uint32_t field, std::uint64_t* out) {
  if (in.Is(field, WireType::kVarint)) *out = in.number();
}
void Number(const WireReader& in, std::uint32_t field, bool* out) {
  if (in.Is(field, WireType::kVarint)) *out = in.number() != 0;
}
template <typename Tag, typename Rep>
void Number(const WireReader& in, std::uint32_t field, base::Strong<Tag, Rep>* out) {
  if (in.Is(field, WireType::kVarint)) *out = base::Strong<Tag, Rep>(static_cast<Rep>(in.number()));
}

// Reads one frame; payloads share it. The first thing that is wrong ends the reading.
class Decoder {
 public:
  explicit Decoder(const base::Bytes& frame) : frame_(frame) {}

  absl::StatusOr<PeerFrame> Decode() {
    PeerFrame out;
    Read(frame_.view(), &out);
    if (out.header.from == base::NodeId()) Refuse("without a sender");
    if (out.header.to == base::NodeId()) Refuse("without a receiver");
    if (!wrong_.ok()) return wrong_;
    return out;
  }

 private:
  void Refuse(absl::string_view why) {
    if (wrong_.ok()) wrong_ = absl::InvalidArgumentError(absl::StrCat("peer frame: ", why));
  }

  template <typename Message>
  void Read(absl::string_view bytes, Message* out) {
    WireReader in(bytes);
    while (wrong_.ok() && in.Next()) Field(in, out);
    if (!in.ok()) Refuse("malformed");
  }
  template <typename Message>
  void Embedded(const WireReader& in, std::uint32_t field, std::vector<Message>* out) {
    if (in.Is(field, WireType::kBytes)) Read(in.bytes(), &out->emplace_back());
  }
  void Payload(const WireReader& in, std::uint32_t field, base::Bytes* out) const {
    if (in.Is(field, WireType::kBytes)) *out = frame_.Share(in.bytes());
  }
  static void Words(const WireReader& in, std::uint32_t field, std::string* out) {
    if (in.Is(field, WireType::kBytes)) *out = std::string(in.bytes());
  }
  void Sessions(const WireReader& in, std::uint32_t field, std::vector<base::SessionId>* out) {
    if (!in.Is(field, WireType::kBytes)) return;
    base::PackedVarints sessions(in.bytes());
    std::uint64_t session = 0;
    while (sessions.Next(&session)) out->push_back(base::SessionId(session));
    if (!sessions.ok()) Refuse("malformed sessions");
  }

  void Field(const WireReader& in, PeerFrame* out) {
    Number(in, 1, &out->header.cluster);
    Number(in, 2, &out->header.from);
    Number(in, 3, &out->header.from_incarnation);
    Number(in, 4, &out->header.from_boot);
    Number(in, 5, &out->header.to);
    Number(in, 6, &out->header.to_incarnation);
    Number(in, 7, &out->header.clock);
    Words(in, kAddress, &out->header.address);
    Number(in, peer_fields::kLevelMax, &out->header.feature_level_max);
    Number(in, peer_fields::kLevelPromised, &out->header.feature_level_promised);
    Number(in, peer_fields::kLevelWish, &out->header.feature_level_wish);
    if (in.Is(kItems, WireType::kBytes)) ReadItem(in.bytes(), &out->items);
  }

  struct Item {
    raft::Term term;
    std::optional<PeerItem> body;
  };
  void ReadItem(absl::string_view bytes, std::vector<PeerItem>* out) {
    Item item;
    Read(bytes, &item);
    if (!item.body.has_value()) return;  // of a kind that only newer nodes know
    if (auto* message = std::get_if<RaftItem>(&*item.body)) message->term = item.term;
    out->push_back(*std::move(item.body));
  }
  void Field(const WireReader& in, Item* out) {
    Number(in, kTerm, &out->term);
    if (in.type() != WireType::kBytes) return;
    switch (in.field()) {
      case kField<raft::PreVote>:
        return ReadRaft<raft::PreVote>(in.bytes(), out);
      case kField<raft::PreVoteReply>:
        return ReadRaft<raft::PreVoteReply>(in.bytes(), out);
      case kField<raft::Vote>:
        return ReadRaft<raft::Vote>(in.bytes(), out);
      case kField<raft::VoteReply>:
        return ReadRaft<raft::VoteReply>(in.bytes(), out);
      case kField<raft::Append>:
        return ReadRaft<raft::Append>(in.bytes(), out);
      case kField<raft::AppendReply>:
        return ReadRaft<raft::AppendReply>(in.bytes(), out);
      case kField<raft::TimeoutNow>:
        return ReadRaft<raft::TimeoutNow>(in.bytes(), out);
      case kField<raft::ReadIndexAsk>:
        return ReadRaft<raft::ReadIndexAsk>(in.bytes(), out);
      case kField<raft::ReadIndexReply>:
        return ReadRaft<raft::ReadIndexReply>(in.bytes(), out);
      case kField<Forward>:
        return ReadKind<Forward>(in.bytes(), out);
      case kField<Touch>:
        return ReadKind<Touch>(in.bytes(), out);
      case kField<TouchAck>:
        return ReadKind<TouchAck>(in.bytes(), out);
      case kField<SnapshotChunk>:
        return ReadKind<SnapshotChunk>(in.bytes(), out);
      case kField<SnapshotAck>:
        return ReadKind<SnapshotAck>(in.bytes(), out);
      case kField<Hello>:
        return ReadKind<Hello>(in.bytes(), out);
      case kField<Found>:
        return ReadKind<Found>(in.bytes(), out);
      case kField<Standing>:
        return ReadKind<Standing>(in.bytes(), out);
      default:
        return;
    }
  }
  template <typename Kind>
  Kind* NewBody(Item* item) {
    if (item->body.has_value()) Refuse("an item with two bodies");
    return &item->body.emplace().emplace<Kind>();
  }
  template <typename Kind>
  void ReadKind(absl::string_view bytes, Item* item) {
    Read(bytes, NewBody<Kind>(item));
  }
  template <typename Body>
  void ReadRaft(absl::string_view bytes, Item* item) {
    Body* const body = &NewBody<RaftItem>(item)->body.template emplace<Body>();
    Read(bytes, body);
    if constexpr (std::is_same_v<Body, raft::Append>) NumberEntries(body);
  }
  void NumberEntries(raft::Append* append) {
    if (append->entries.size() > std::numeric_limits<std::uint64_t>::max() - append->previous_index.value) {
      return Refuse("entries beyond the last index");
    }
    raft::Index index = append->previous_index;
    for (raft::Entry& entry : append->entries) entry.index = index = index.Next();
  }

  static void Field(const WireReader& in, raft::PreVote* out) {
    Number(in, 1, &out->last_index);
    Number(in, 2, &out->last_term);
    Number(in, 3, &out->transfer);
  }
  static void Field(const WireReader& in, raft::PreVoteReply* out) {
    Number(in, 1, &out->granted);
    Number(in, 2, &out->asked);
  }
  static void Field(const WireReader& in, raft::Vote* out) {
    Number(in, 1, &out->last_index);
    Number(in, 2, &out->last_term);
    Number(in, 3, &out->transfer);
  }
  static void Field(const WireReader& in, raft::VoteReply* out) { Number(in, 1, &out->granted); }
  void Field(const WireReader& in, raft::Append* out) {
    Number(in, 1, &out->previous_index);
    Number(in, 2, &out->previous_term);
    Number(in, 3, &out->commit);
    Number(in, 4, &out->round);
    Number(in, 6, &out->held);
    if (in.Is(5, WireType::kBytes)) ReadEntry(in.bytes(), &out->entries.emplace_back());
  }
  void ReadEntry(absl::string_view bytes, raft::Entry* out) {
    std::uint64_t kind = 0;
    WireReader in(bytes);
    while (in.Next()) {
      Number(in, 1, &out->term);
      Number(in, 2, &kind);
      Payload(in, 3, &out->payload);
    }
    if (!in.ok()) return Refuse("malformed entry");
    if (!IsEntryKind(kind)) return Refuse(absl::StrCat("an entry of kind ", kind));
    out->kind = static_cast<raft::EntryKind>(kind);
  }
  static void Field(const WireReader& in, raft::AppendReply* out) {
    Number(in, 1, &out->accepted);
    Number(in, 2, &out->match);
    Number(in, 3, &out->received);
    Number(in, 4, &out->conflict);
    Number(in, 5, &out->conflict_term);
    Number(in, 6, &out->round);
  }
  static void Field(const WireReader& in, raft::TimeoutNow* out) { Number(in, 1, &out->confirm); }
  static void Field(const WireReader& in, raft::ReadIndexAsk* out) { Number(in, 1, &out->context); }
  static void Field(const WireReader& in, raft::ReadIndexReply* out) {
    Number(in, 1, &out->context);
    Number(in, 2, &out->index);
  }
  void Field(const WireReader& in, Forward* out) const {
    Number(in, 1, &out->term);
    Number(in, 2, &out->generation);
    Number(in, 3, &out->sequence);
    Payload(in, 4, &out->commands);
  }
  void Field(const WireReader& in, Touch* out) {
    Number(in, 1, &out->sequence);
    Sessions(in, 2, &out->contacts);
    Embedded(in, 3, &out->attached);
    Embedded(in, 4, &out->broken);
  }
  static void Field(const WireReader& in, Attachment* out) {
    Number(in, 1, &out->session);
    Number(in, 2, &out->stream);
    Number(in, 3, &out->attach);
  }
  void Field(const WireReader& in, TouchAck* out) {
    Number(in, 1, &out->sequence);
    Sessions(in, 2, &out->denied);
  }
  void Field(const WireReader& in, SnapshotChunk* out) const {
    Number(in, 1, &out->id);
    Number(in, 2, &out->index);
    Number(in, 3, &out->size);
    Number(in, 4, &out->offset);
    Number(in, 5, &out->checksum);
    Payload(in, 6, &out->data);
  }
  static void Field(const WireReader& in, SnapshotAck* out) {
    Number(in, 1, &out->id);
    Number(in, 2, &out->received);
  }
  static void Field(const WireReader& in, Hello* out) {
    Number(in, 1, &out->round);
    Number(in, 2, &out->reply);
    Number(in, 3, &out->members_digest);
    Words(in, 4, &out->members);
    Number(in, 5, &out->started);
    Number(in, 6, &out->restored);
    Number(in, 7, &out->served);
  }
  void Field(const WireReader& in, Found* out) const { Payload(in, 1, &out->configuration); }
  void Field(const WireReader& in, Standing* out) const {
    Number(in, 1, &out->index);
    Payload(in, 2, &out->configuration);
  }

  const base::Bytes& frame_;
  absl::Status wrong_;
};

}  // namespace

absl::StatusOr<PeerFrame> ParsePeerFrame(const base::Bytes& frame) {
  return Decoder(frame).Decode();
}

}  // namespace drover::coord::server

#include "coord/server/peer_frame.h"

#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"
#include "coord/base/check.h"
#include "coord/base/wire.h"
#include "coord/server/peer_fields.h"

namespace drover::coord::server {
namespace {

using base::WireWriter;
using peer_fields::kAddress;
using peer_fields::kField;
using peer_fields::kItems;
using peer_fields::kTerm;

constexpr std::size_t kHeaderBytesMax = 10 * 11 + 64;  // ten numbers of at most ten bytes and their tags, and most addresses

// A RaftItem whose body is somebody else's.
struct RaftView {
  raft::Term term;
  const raft::Body* body;
};

// As WireWriter, but only counts: lengths stand before contents, and a large payload is not to be moved to make room for one.
class SizeCounter {
 public:
  void Varint(std::uint32_t field, std::uint64_t value) {
    if (value != 0) size_ += TagSize(field) + base::VarintSize(value);
  }
  void Signed(std::uint32_t field, std::int64_t value) { Varint(field, static_cast<std::uint64_t>(value)); }
  void Bytes(std::uint32_t field, absl::string_view value) {
    if (value.empty()) return;
    BytesHead(field, value.size());
    size_ += value.size();
  }
  void BytesHead(std::uint32_t field, std::size_t size) { size_ += TagSize(field) + base::VarintSize(size); }
  void PackedVarint(std::uint64_t value) { size_ += base::VarintSize(value); }
  void Skip(std::size_t size) { size_ += size; }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static std::size_t TagSize(std::uint32_t field) { return base::VarintSize(field << 3); }

  std::size_t size_ = 0;
};

// Writes the fields of each message to a WireWriter or a SizeCounter.
template <typename Out>
class Encoder {
 public:
  explicit Encoder(Out* out) : out_(out) {}

  // `message` as field `field`.
  template <typename Message>
  void Embed(std::uint32_t field, const Message& message) {
    const std::size_t size = SizeOf(message);
    out_->BytesHead(field, size);
    if constexpr (std::is_same_v<Out, SizeCounter>) {
      out_->Skip(size);
    } else {
      Put(message);
    }
  }
  template <typename Message>
  static std::size_t SizeOf(const Message& message) {
    SizeCounter counter;
    Encoder<SizeCounter>(&counter).Put(message);
    return counter.size();
  }

  void Put(const RaftView& item) {
    out_->Varint(kTerm, item.term.value);
    std::visit([this](const auto& body) { this->Embed(kField<std::decay_t<decltype(body)>>, body); }, *item.body);
  }
  void Put(const PeerItem& item) {
    std::visit([this](const auto& kind) { this->PutKind(kind); }, item);
  }
  void Put(const raft::PreVote& m) {
    out_->Varint(1, m.last_index.value);
    out_->Varint(2, m.last_term.value);
    out_->Varint(3, m.transfer);
  }
  void Put(const raft::PreVoteReply& m) {
    out_->Varint(1, m.granted);
    out_->Varint(2, m.asked.value);
  }
  void Put(const raft::Vote& m) {
    out_->Varint(1, m.last_index.value);
    out_->Varint(2, m.last_term.value);
    out_->Varint(3, m.transfer);
  }
  void Put(const raft::VoteReply& m) { out_->Varint(1, m.granted); }
  void Put(const raft::Append& m) {
    out_->Varint(1, m.previous_index.value);
    out_->Varint(2, m.previous_term.value);
    out_->Varint(3, m.commit.value);
    out_->Varint(4, m.round);
    for (const raft::Entry& entry : m.entries) Embed(5, entry);
    out_->Varint(6, m.held.value);
  }
  void Put(const raft::Entry& m) {
    out_->Varint(1, m.term.value);
    out_->Varint(2, static_cast<std::uint64_t>(m.kind));
    out_->Bytes(3, m.payload.view());
  }
  void Put(const raft::AppendReply& m) {
    out_->Varint(1, m.accepted);
    out_->Varint(2, m.match.value);
    out_->Varint(3, m.received.value);
    out_->Varint(4, m.conflict.value);
    out_->Varint(5, m.conflict_term.value);
    out_->Varint(6, m.round);
  }
  void Put(const raft::TimeoutNow& m) { out_->Varint(1, m.confirm); }
  void Put(const raft::ReadIndexAsk& m) { out_->Varint(1, m.context); }
  void Put(const raft::ReadIndexReply& m) {
    out_->Varint(1, m.context);
    out_->Varint(2, m.index.value);
  }
  void Put(const Forward& m) {
    out_->Varint(1, m.term.value);
    out_->Varint(2, m.generation);
    out_->Varint(3, m.sequence);
    out_->Bytes(4, m.commands.view());
  }
  void Put(const Touch& m) {
    out_->Varint(1, m.sequence);
    PutSessions(2, m.contacts);
    for (const Attachment& attachment : m.attached) Embed(3, attachment);
    for (const Attachment& attachment : m.broken) Embed(4, attachment);
  }
  void Put(const Attachment& m) {
    out_->Varint(1, m.session.value);
    out_->Varint(2, m.stream);
    out_->Varint(3, m.attach);
  }
  void Put(const TouchAck& m) {
    out_->Varint(1, m.sequence);
    PutSessions(2, m.denied);
  }
  void Put(const SnapshotChunk& m) {
    out_->Varint(1, m.id);
    out_->Varint(2, m.index.value);
    out_->Varint(3, m.size);
    out_->Varint(4, m.offset);
    out_->Varint(5, m.checksum);
    out_->Bytes(6, m.data.view());
  }
  void Put(const SnapshotAck& m) {
    out_->Varint(1, m.id);
    out_->Varint(2, m.received);
  }
  void Put(const Hello& m) {
    out_->Varint(1, m.round);
    out_->Varint(2, m.reply);
    out_->Varint(3, m.members_digest);
    out_->Bytes(4, m.members);
    out_->Signed(5, m.started.value);
    out_->Varint(6, m.restored.value);
    out_->Varint(7, m.served);
  }
  void Put(const Found& m) { out_->Bytes(1, m.configuration.view()); }
  void Put(const Standing& m) {
    out_->Varint(1, m.index.value);
    out_->Bytes(2, m.configuration.view());
  }
  // The contents of a packed field.
  void Put(const std::vector<base::SessionId>& sessions) {
    for (const base::SessionId session : sessions) out_->PackedVarint(session.value);
  }

 private:
  void PutKind(const RaftItem& item) { Put(RaftView{item.term, &item.body}); }
  template <typename Kind>
  void PutKind(const Kind& kind) {
    Embed(kField<Kind>, kind);
  }
  void PutSessions(std::uint32_t field, const std::vector<base::SessionId>& sessions) {
    if (!sessions.empty()) Embed(field, sessions);
  }

  Out* const out_;
};

template <typename Item>
void AppendItem(const Item& item, std::string* bytes) {
  const std::size_t size = Encoder<WireWriter>::SizeOf(item);
  bytes->reserve(bytes->size() + size + kHeaderBytesMax);
  WireWriter out(bytes);
  out.BytesHead(kItems, size);
  Encoder<WireWriter>(&out).Put(item);
}

}  // namespace

void PeerFrameBuilder::Add(const PeerItem& item) {
  AppendItem(item, &bytes_);
  ++count_;
}

void PeerFrameBuilder::Add(const raft::Message& message) {
  AppendItem(RaftView{message.envelope.term, &message.body}, &bytes_);
  ++count_;
}

base::Bytes PeerFrameBuilder::Finish(const PeerHeader& header) {
  DROVER_DCHECK(header.from != base::NodeId() && header.to != base::NodeId());
  // Behind the items, so that these need not be moved once the header is known.
  WireWriter out(&bytes_);
  out.Varint(1, header.cluster.value);
  out.Varint(2, header.from.value);
  out.Varint(3, header.from_incarnation.value);
  out.Varint(4, header.from_boot.value);
  out.Varint(5, header.to.value);
  out.Varint(6, header.to_incarnation.value);
  out.Signed(7, header.clock.value);
  out.Bytes(kAddress, header.address);
  out.Varint(peer_fields::kLevelMax, header.feature_level_max.value);
  out.Varint(peer_fields::kLevelPromised, header.feature_level_promised.value);
  out.Varint(peer_fields::kLevelWish, header.feature_level_wish.value);
  base::Bytes frame = base::Bytes::Adopt(std::move(bytes_));
  bytes_.clear();
  count_ = 0;
  return frame;
}

raft::Message MessageOf(const PeerHeader& header, RaftItem item) {
  return raft::Message{raft::Envelope{
                           .cluster = header.cluster,
                           .from = header.from,
                           .from_incarnation = header.from_incarnation,
                           .from_boot = header.from_boot,
                           .to = header.to,
                           .to_incarnation = header.to_incarnation,
                           .term = item.term,
                       },
                       std::move(item.body)};
}

}  // namespace drover::coord::server

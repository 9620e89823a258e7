#include "coord/server/frame.h"

namespace drover::coord::server {
namespace {

using base::WireReader;
using base::WireType;
using base::WireWriter;

bool ParseOpen(absl::string_view bytes, OpenView* out) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) out->timeout_ms = static_cast<std::uint32_t>(in.number());
    if (in.Is(2, WireType::kVarint)) out->disconnect_grace_ms = static_cast<std::uint32_t>(in.number());
    if (in.Is(3, WireType::kBytes)) out->name = in.bytes();
  }
  return in.ok();
}

bool ParseResume(absl::string_view bytes, ResumeView* out) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) out->session = base::SessionId(in.number());
    if (in.Is(2, WireType::kBytes)) out->secret = in.bytes();
    if (in.Is(3, WireType::kVarint)) out->seen_zxid = base::Zxid(in.number());
    if (in.Is(4, WireType::kVarint)) out->attach = in.number();
  }
  return in.ok();
}

bool ParseContact(absl::string_view bytes, std::uint64_t* nonce) {
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kVarint)) *nonce = in.number();
  }
  return in.ok();
}

}  // namespace

bool ClientFrameView::Parse(absl::string_view bytes, ClientFrameView* out) {
  *out = ClientFrameView();
  out->bytes = bytes;
  WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, WireType::kBytes) && !ParseOpen(in.bytes(), &out->open.emplace())) return false;
    if (in.Is(2, WireType::kBytes) && !ParseResume(in.bytes(), &out->resume.emplace())) return false;
    if (in.Is(3, WireType::kVarint)) out->seen = in.number();
    if (in.Is(4, WireType::kBytes)) ++out->request_count;
    if (in.Is(5, WireType::kBytes) && !ParseContact(in.bytes(), &out->contact.emplace())) return false;
  }
  return in.ok();
}

void AppendGrant(const Grant& grant, std::string* frame) {
  WireWriter out(frame);
  const std::size_t mark = out.Open(1);
  out.Varint(1, grant.session.value);
  out.Bytes(2, grant.secret);
  out.Varint(3, grant.timeout_ms);
  out.Varint(4, grant.last_write);
  out.Varint(5, grant.node.value);
  out.Varint(6, grant.cluster.value);
  out.Close(mark);
}

void AppendContactAck(std::uint64_t nonce, base::WallTime time, std::string* frame) {
  WireWriter out(frame);
  const std::size_t mark = out.Open(2);
  out.Varint(1, nonce);
  out.Signed(2, time.value);
  out.Close(mark);
}

void AppendCredits(std::uint64_t credits, std::string* frame) {
  WireWriter(frame).Varint(3, credits);
}

void AppendBookmark(base::Zxid zxid, std::string* frame) {
  WireWriter(frame).Varint(5, zxid.value);
}

void AppendMove(std::string* frame) {
  WireWriter(frame).Varint(6, 1);
}

void AppendFeatureLevel(base::FeatureLevel level, std::string* frame) {
  WireWriter(frame).Varint(7, level.value);
}

}  // namespace drover::coord::server

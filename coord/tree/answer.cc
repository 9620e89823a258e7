#include "coord/tree/answer.h"

namespace drover::coord::tree {

void AnswerHead::AppendFields(base::WireWriter* out) const {
  out->Varint(1, number);
  out->Varint(2, id);
  out->Varint(3, static_cast<std::uint32_t>(code));
  out->Varint(4, zxid.value);
  out->Bytes(5, message.empty() ? absl::string_view(MessageOf(code)) : message);
}

base::Bytes EncodeAnswer(const AnswerHead& head) {
  std::string bytes;
  base::WireWriter out(&bytes);
  head.AppendFields(&out);
  return base::Bytes::Adopt(std::move(bytes));
}

base::Bytes EncodeCompacted(std::uint64_t id, base::Zxid zxid, Position oldest) {
  std::string bytes;
  base::WireWriter out(&bytes);
  AnswerHead{.id = id, .code = Code::kCompacted, .zxid = zxid}.AppendFields(&out);
  const std::size_t mark = out.Open(AnswerField::kOldest);
  out.Varint(1, oldest.zxid.value);
  out.Varint(2, oldest.ordinal);
  out.Close(mark);
  return base::Bytes::Adopt(std::move(bytes));
}

void AppendAnswerItem(absl::string_view answer, std::string* frame) {
  base::WireWriter out(frame);
  out.BytesHead(4, 1 + base::VarintSize(answer.size()) + answer.size());
  out.BytesAlways(1, answer);
}

}  // namespace drover::coord::tree

#include "coord/tree/event.h"

#include <utility>

#include "coord/base/wire.h"

namespace drover::coord::tree {

void EventRecorder::Begin(base::Zxid zxid, base::SessionId session) {
  zxid_ = zxid;
  session_ = session;
  Rollback();
}

void EventRecorder::Rollback() {
  scratch_.clear();
  drafts_.clear();
  events_.clear();
}

void EventRecorder::Add(EventType type, absl::string_view path, const Stat& stat, absl::string_view data, EventAcls acls) {
  base::WireWriter out(&scratch_);
  Draft draft;
  draft.type = type;
  draft.begin = out.size();
  out.Varint(1, zxid_.value);
  out.Varint(2, drafts_.size());
  out.Varint(3, static_cast<std::uint32_t>(type));
  out.Bytes(4, path);
  draft.path_at = out.size() - path.size();
  draft.path_size = path.size();
  const std::size_t mark = out.Open(5);
  stat.AppendFields(&out);
  out.Close(mark);
  draft.plain_size = out.size() - draft.begin;
  if (type != EventType::kDeleted) out.Bytes(6, data);
  draft.end = out.size();
  draft.acls = std::move(acls);
  drafts_.push_back(std::move(draft));
}

absl::Span<const Event> EventRecorder::Finish() {
  const base::Bytes all = base::CopyExact(scratch_);
  events_.reserve(drafts_.size());
  std::uint32_t ordinal = 0;
  for (Draft& draft : drafts_) {
    const absl::string_view encoded = all.view().substr(draft.begin, draft.end - draft.begin);
    events_.emplace_back(Position{zxid_, ordinal++}, draft.type, session_, all.Share(encoded), draft.plain_size,
                         all.view().substr(draft.path_at, draft.path_size), std::move(draft.acls));
  }
  return events_;
}

void AppendEventItem(const Event& event, bool with_data, absl::Span<const std::uint64_t> watch_ids, std::string* frame) {
  const absl::string_view fields = event.encoded(with_data);
  std::size_t ids_size = 0;
  for (const std::uint64_t id : watch_ids) ids_size += base::VarintSize(id);
  base::WireWriter out(frame);
  // Sizes are known, so nothing is moved: tag and length of the ids, of the event in its item.
  const std::size_t event_size = fields.size() + 1 + base::VarintSize(ids_size) + ids_size;
  const std::size_t item_size = 1 + base::VarintSize(event_size) + event_size;
  out.BytesHead(4, item_size);
  out.BytesHead(2, event_size);
  out.Raw(fields);
  out.BytesHead(7, ids_size);
  for (const std::uint64_t id : watch_ids) out.PackedVarint(id);
}

}  // namespace drover::coord::tree

#include "coord/server/snapshot_sender.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/checksum.h"
#include "coord/base/hooks.h"
#include "coord/log/snapshot_file.h"

namespace drover::coord::server {

SnapshotSender::SnapshotSender(SnapshotSeams seams, const Options& options, Events events)
    : seams_(std::move(seams)), options_(options), events_(std::move(events)), self_(std::make_shared<SnapshotSender*>(this)) {}

SnapshotSender::~SnapshotSender() = default;

std::optional<raft::Index> SnapshotSender::oldest() const {
  std::optional<raft::Index> oldest;
  for (const auto& [to, transfer] : transfers_) oldest = std::min(oldest.value_or(transfer.index), transfer.index);
  return oldest;
}

void SnapshotSender::Tick(const std::set<base::NodeId>& needy, raft::Index newest) {
  const base::Instant now = seams_.loop->Now();
  for (auto it = transfers_.begin(); it != transfers_.end();) {
    Transfer& transfer = it->second;
    const bool over = needy.count(it->first) == 0 || now - transfer.progressed >= options_.patience;
    if (over) {
      it = transfers_.erase(it);
      continue;
    }
    if (transfer.sent > transfer.acked && now - transfer.progressed >= options_.retry) {
      DROVER_PROBE("server: pieces of a snapshot sent again");
      transfer.sent = transfer.acked;
      transfer.reading = false;
      ++transfer.turn;
    }
    Pump(it->first, &transfer);
    ++it;
  }
  // Where the newest was given up, and so is told of no more, the next one may be of the same place.
  bad_ = std::min(bad_, newest);
  if (newest <= bad_) return;
  for (const base::NodeId to : needy) {
    if (transfers_.count(to) == 0) Begin(to, newest);
  }
}

void SnapshotSender::Begin(base::NodeId to, raft::Index index) {
  Transfer& transfer = transfers_[to];
  transfer.index = index;
  transfer.progressed = seams_.loop->Now();
  transfer.source = std::make_shared<Source>();
  transfer.source->path = absl::StrCat(seams_.directory, "/", log::SnapshotName(index));
  struct Opened {
    std::uint64_t id = 0;
    std::uint64_t size = 0;
  };
  auto opened = std::make_shared<Opened>();
  seams_.executor->Submit(
      [files = seams_.files, source = transfer.source, opened] {
        const auto reader = log::SnapshotReader::Open(files, source->path, std::nullopt);
        auto file = files->Open(source->path, base::OpenMode::kRead);
        if (!reader.ok() || !file.ok()) return;
        source->file = *std::move(file);
        *opened = {(*reader)->head().id, (*reader)->bytes()};
      },
      [to, source = transfer.source, opened, self = std::weak_ptr<SnapshotSender*>(self_)] {
        const auto sender = self.lock();
        Transfer* const t = sender == nullptr ? nullptr : (*sender)->Find(to, source);
        if (t == nullptr) return;
        if (opened->size == 0) return (*sender)->GiveUp(t->index);
        t->id = opened->id;
        t->size = opened->size;
        t->progressed = (*sender)->seams_.loop->Now();
        (*sender)->Pump(to, t);
      });
}

SnapshotSender::Transfer* SnapshotSender::Find(base::NodeId to, const std::shared_ptr<Source>& source) {
  const auto found = transfers_.find(to);
  return found == transfers_.end() || found->second.source != source ? nullptr : &found->second;
}

void SnapshotSender::Pump(base::NodeId to, Transfer* transfer) {
  if (transfer->id == 0 || transfer->reading || transfer->sent == transfer->size) return;
  if (transfer->sent - transfer->acked >= options_.window_bytes) return;
  transfer->reading = true;
  const std::uint64_t offset = transfer->sent;
  const std::size_t bytes = std::min<std::uint64_t>(options_.chunk_bytes, transfer->size - offset);
  auto data = std::make_shared<std::string>();
  seams_.executor->Submit(
      [source = transfer->source, offset, bytes, data] {
        absl::StatusOr<std::string> read = source->file->ReadAt(offset, bytes);
        if (read.ok()) *data = *std::move(read);
      },
      [to, source = transfer->source, turn = transfer->turn, offset, data, self = std::weak_ptr<SnapshotSender*>(self_)] {
        const auto sender = self.lock();
        Transfer* const t = sender == nullptr ? nullptr : (*sender)->Find(to, source);
        if (t == nullptr || t->turn != turn) return;
        t->reading = false;
        if (data->empty()) return (*sender)->GiveUp(t->index);
        SnapshotChunk chunk{t->id, t->index, t->size, offset, base::Checksum(*data), base::Bytes::Adopt(std::move(*data))};
        t->sent = offset + chunk.data.size();
        (*sender)->sent_bytes_ += chunk.data.size();
        (*sender)->events_.send(to, std::move(chunk));
        (*sender)->Pump(to, t);
      });
}

void SnapshotSender::GiveUp(raft::Index index) {
  DROVER_PROBE("server: a snapshot that is sent is bad");
  bad_ = std::max(bad_, index);
  for (auto it = transfers_.begin(); it != transfers_.end();) it = it->second.index <= bad_ ? transfers_.erase(it) : std::next(it);
  events_.bad(index);
}

void SnapshotSender::OnAck(base::NodeId from, const SnapshotAck& ack) {
  const auto found = transfers_.find(from);
  if (found == transfers_.end() || found->second.id != ack.id || ack.received > found->second.size) return;
  Transfer& transfer = found->second;
  // All of it was there, and nothing is: it was found to be damaged.
  if (transfer.acked == transfer.size && ack.received == 0) return GiveUp(transfer.index);
  const bool restarted = ack.received < transfer.acked;  // its process, or it found what it had to be damaged
  if (ack.received > transfer.acked || restarted) transfer.progressed = seams_.loop->Now();
  transfer.acked = ack.received;
  if (restarted || transfer.sent < transfer.acked) {
    transfer.sent = transfer.acked;
    transfer.reading = false;
    ++transfer.turn;
  }
  Pump(from, &transfer);
}

}  // namespace drover::coord::server

#include "master/server/output_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/store/names.h"
#include "coord/transport/message_bytes.h"
#include "master/records/codec.h"
#include "master/records/task_id.h"
#include "master/server/task_message.h"
#include "master/server/task_service.h"

namespace drover::master::server {
namespace {

absl::Status NoAttempt(const std::string& id, std::uint32_t attempt, std::uint32_t total) {
  const std::string there = total == 0   ? "it was never started"
                            : total == 1 ? "there is 1"
                                         : absl::StrCat("there are 1 to ", total);
  return absl::NotFoundError(absl::StrCat("task ", id, " has no attempt ", attempt, ": ", there));
}

absl::Status NoRecord(const std::string& id, const state::View& view) {
  const auto element = ToElement(id, view);
  if (!element.has_value()) return records::NoTaskError(id);
  if (records::IsTerminal(element->state())) {
    return absl::NotFoundError(absl::StrCat("what task ", id, " wrote, if it ran, is not kept any more"));
  }
  return absl::FailedPreconditionError(absl::StrCat("task ", id, " was not handed out yet"));
}

}  // namespace

absl::Status CheckReadOutput(const task::v1::ReadOutputRequest& request) {
  if (task::v1::Stream_IsValid(request.stream())) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("there is no stream ", static_cast<int>(request.stream())));
}

OutputStream::OutputStream(base::Loop* loop, Master* master, pool::PoolStore* store, task::v1::ReadOutputRequest request,
                           std::unique_ptr<base::Connection> connection, std::function<void()> on_done, OutputStreamOptions options)
    : loop_(loop),
      master_(master),
      store_(store),
      request_(std::move(request)),
      options_(options),
      connection_(std::move(connection)),
      on_done_(std::move(on_done)),
      attempt_(request_.attempt()),
      offset_(request_.offset()),
      poll_(loop) {
  master_->Listen(request_.id(), this);
  // From no older state than the call: its client may have seen the task submitted by another master.
  master_->Confirm([this, alive = alive_](const absl::Status& status) {
    if (!*alive || closed_) return;
    if (!status.ok()) return End(status);
    started_ = true;
    Wake();
  });
}

OutputStream::~OutputStream() {
  *alive_ = false;
  master_->Unlisten(request_.id(), this);
}

void OutputStream::OnTaskChanged(const std::string&) {
  Wake();
}
void OutputStream::OnServiceEnded() {
  End(NotServing());
}

void OutputStream::Wake() {
  if (posted_ || closed_) return;
  posted_ = true;
  loop_->Post([this, alive = alive_] {
    if (!*alive) return;
    posted_ = false;
    Pump();
  });
}

absl::StatusOr<OutputStream::Known> OutputStream::Look() {
  const state::TaskView* task = master_->view().Find(request_.id());
  if (task == nullptr) {
    absl::Status no_record = NoRecord(request_.id(), master_->view());
    // It will be handed out.
    if (absl::IsFailedPrecondition(no_record) && request_.follow()) return Known();
    return no_record;
  }
  if (task->array) {
    return absl::FailedPreconditionError(absl::StrCat(
        "task ", request_.id(), " is an array, which writes nothing itself: name one of its elements, as <array>:<index>"));
  }
  auto decoded = task->Decode();
  if (!decoded.ok()) return decoded.status();
  const worker::v1::TaskRecord& record = *decoded;
  const bool stands = record.state() == task::v1::ASSIGNED || record.state() == task::v1::RUNNING;
  const std::uint32_t total = record.attempts_total();
  Known known;
  if (attempt_ == 0) attempt_ = total;
  if (attempt_ == 0 || attempt_ > total) {
    known.ended = records::IsTerminal(record.state());
    // The newest of none is empty; one that was named must be, or may still come.
    if (attempt_ > total && (known.ended || !request_.follow())) return NoAttempt(request_.id(), attempt_, total);
    return known;
  }
  const int index = record.attempts_size() - 1 - static_cast<int>(total - attempt_);
  if (index < 0) return absl::NotFoundError(absl::StrCat("attempt ", attempt_, " is too long ago: only the last 5 are known"));
  known.fence = record.attempts(index).fence();
  if (attempt_ == total && stands) {
    const state::AssignmentView* assignment = master_->view().FindAssignment(record.worker(), request_.id());
    if (assignment != nullptr) known.fence = assignment->czxid.value;
    return known;
  }
  known.ended = true;
  if (attempt_ == total && record.has_output()) {
    const worker::v1::OutputStream& stream = records::StreamOf(record.output(), request_.stream());
    known.chunks = stream.chunks();
    known.tail = stream.data();
  }
  return known;
}

void OutputStream::Pump() {
  if (closed_ || reading_ || !started_ || connection_->queued_bytes() > options_.queued_bytes_max) return;
  if (!master_->serving()) return End(NotServing());
  const auto known = Look();
  if (!known.ok()) return End(known.status());
  if (known->fence == 0) {
    if (known->ended || !request_.follow()) return End(absl::OkStatus());
    return;  // a change of the task wakes us
  }
  if (!known->chunks.has_value() || chunk_ < *known->chunks) return ReadChunk();
  // All chunks are read; the rest is in the record.
  if (offset_ < position_ + known->tail.size()) SendData(absl::string_view(known->tail).substr(offset_ - position_));
  End(absl::OkStatus());
}

void OutputStream::ReadChunk() {
  const auto known = Look();
  auto store = store_->Now();
  ended_at_read_ = known->ended;
  // Without a store there are no chunks: what there is comes with the record.
  if (absl::IsFailedPrecondition(store.status()) && !known->chunks.has_value()) return WaitForMore();
  if (!store.ok()) return End(store.status());
  reading_ = true;
  // Chunks before the offset are only measured.
  const std::uint64_t skip = offset_ > position_ ? offset_ - position_ : 0;
  (*store)->Get(store::OutputKey(request_.id(), known->fence, static_cast<store::Part>(request_.stream()), chunk_),
                {.offset = skip}, [this, alive = alive_](absl::StatusOr<store::GetResult> got) {
                  if (!*alive || closed_) return;
                  reading_ = false;
                  OnChunk(got);
                });
}

void OutputStream::OnChunk(const absl::StatusOr<store::GetResult>& got) {
  if (absl::IsNotFound(got.status())) return WaitForMore();
  if (!got.ok()) return End(got.status());
  SendData(got->data.view());
  position_ += got->object_size;
  ++chunk_;
  Wake();
}

// The chunk that comes next is not there: it may come, or there is none.
void OutputStream::WaitForMore() {
  const auto known = master_->serving() ? Look() : absl::StatusOr<Known>(NotServing());
  if (!known.ok()) return End(known.status());
  if (known->chunks.has_value() && chunk_ < *known->chunks) {
    return End(absl::DataLossError(absl::StrCat("chunk ", chunk_, " of the output is not in the store")));
  }
  if (known->chunks.has_value()) return Wake();
  // It may have written this chunk and ended since it was asked for.
  if (known->ended && !ended_at_read_) return Wake();
  if (known->ended || !request_.follow()) return End(absl::OkStatus());
  poll_.Set(options_.poll, [this] { Wake(); });
}

void OutputStream::SendData(absl::string_view data) {
  while (!data.empty()) {
    const absl::string_view part = data.substr(0, options_.frame_bytes);
    task::v1::ReadOutputResponse response;
    response.set_data(std::string(part));
    response.set_offset(offset_);
    connection_->Send(transport::Encode(response));
    offset_ += part.size();
    data.remove_prefix(part.size());
  }
}

void OutputStream::End(const absl::Status& status) {
  if (closed_) return;
  closed_ = true;
  poll_.Cancel();
  connection_->Close(status);
}

void OutputStream::OnClosed(base::CloseCause, const absl::Status&) {
  closed_ = true;
  poll_.Cancel();
  loop_->Post(on_done_);
}

}  // namespace drover::master::server

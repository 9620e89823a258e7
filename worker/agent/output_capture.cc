#include "worker/agent/output_capture.h"

#include <algorithm>
#include <utility>

#include "client/store/names.h"

namespace drover::worker::agent {

OutputCapture::OutputCapture(base::Loop* loop, const OutputOptions& options, pool::PoolStore* store, std::string task,
                             std::uint64_t fence, std::function<void(std::size_t)> taken)
    : loop_(loop),
      options_(options),
      store_(store),
      task_(std::move(task)),
      fence_(fence),
      taken_(std::move(taken)),
      timer_(loop),
      put_timers_{{base::Timer(loop), base::Timer(loop), base::Timer(loop)}} {}

OutputCapture::~OutputCapture() = default;

void OutputCapture::Started() {
  started_at_ = loop_->Now();
}

void OutputCapture::Append(exec::Stream which, base::Bytes data) {
  StreamState& stream = streams_[static_cast<std::size_t>(which)];
  stream.size += data.size();
  not_taken_ += data.size();
  if (failure_.ok()) {
    if (stream.buffer.empty()) stream.first_unwritten = loop_->Now();
    stream.buffer.append(data.view().data(), data.size());
    Pump();
  }
  TakeFromProgram();
}

void OutputCapture::Finish(Rest rest, absl::AnyInvocable<void(absl::StatusOr<v1::Output>)> done) {
  loop_->Post([this, alive = std::weak_ptr<int>(alive_), rest, done = std::move(done)]() mutable {
    if (alive.expired()) return;
    rest_ = rest;
    done_ = std::move(done);
    timer_.Cancel();
    FinishIfDone();
  });
}

std::size_t OutputCapture::Buffered() const {
  std::size_t bytes = 0;
  for (const StreamState& stream : streams_) bytes += stream.buffer.size() + stream.writing.size();
  return bytes;
}

std::uint64_t OutputCapture::Written() const {
  std::uint64_t bytes = 0;
  for (const StreamState& stream : streams_) bytes += stream.size;
  return bytes;
}

// When the stream's buffer is to become a chunk; nothing: not by itself.
std::optional<base::Instant> OutputCapture::DueAt(const StreamState& stream) const {
  if (stream.buffer.empty() || !stream.writing.empty()) return std::nullopt;
  if (stream.buffer.size() >= options_.chunk_bytes) return loop_->Now();
  const base::Instant due = *stream.first_unwritten + options_.flush_delay;
  const bool fits_the_record = Written() <= options_.inline_bytes_max;
  if (!fits_the_record) return due;
  if (!started_at_) return std::nullopt;
  return std::max(due, *started_at_ + options_.quiet);
}

void OutputCapture::Pump() {
  std::optional<base::Instant> next;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto due = DueAt(streams_[i]);
    if (!due) continue;
    if (*due <= loop_->Now()) {
      WriteChunk(i);
    } else if (!next || *due < *next) {
      next = due;
    }
  }
  if (next) {
    timer_.Set(*next - loop_->Now(), [this] { Pump(); });
  } else {
    timer_.Cancel();
  }
}

void OutputCapture::WriteChunk(std::size_t index) {
  StreamState& stream = streams_[index];
  if (stream.buffer.size() <= options_.chunk_bytes_max) {
    stream.writing = base::Bytes::Adopt(std::exchange(stream.buffer, {}));
  } else {
    stream.writing = base::Bytes::Copy(absl::string_view(stream.buffer).substr(0, options_.chunk_bytes_max));
    stream.buffer.erase(0, options_.chunk_bytes_max);
  }
  stream.first_unwritten.reset();
  if (!stream.buffer.empty()) stream.first_unwritten = loop_->Now();
  Put(index, false);
}

void OutputCapture::Put(std::size_t index, bool again) {
  store_->Use([this, alive = std::weak_ptr<int>(alive_), index, again](absl::StatusOr<store::ObjectStore*> store) {
    if (alive.expired()) return;
    if (!store.ok()) return OnPut(index, again, store.status());
    const StreamState& stream = streams_[index];
    put_timers_[index].Set(options_.patience, [this] { Fail(absl::DeadlineExceededError("the object store does not answer")); });
    (*store)->Put(store::OutputKey(task_, fence_, static_cast<store::Part>(index), stream.chunks), stream.writing,
                  [this, alive, index, again](absl::StatusOr<store::ObjectRef> put) {
                    if (!alive.expired()) OnPut(index, again, put.status());
                  });
  });
}

void OutputCapture::OnPut(std::size_t index, bool again, const absl::Status& status) {
  StreamState& stream = streams_[index];
  if (!failure_.ok()) return;
  put_timers_[index].Cancel();
  // Written by a try whose answer was an error: the fence is this attempt's alone.
  const bool written_before = again && absl::IsAlreadyExists(status);
  if (!status.ok() && !written_before) {
    if (!failing_since_) failing_since_ = loop_->Now();
    const bool hopeless = absl::IsFailedPrecondition(status) || absl::IsInvalidArgument(status) || absl::IsAlreadyExists(status);
    if (hopeless || loop_->Now() - *failing_since_ >= options_.patience) return Fail(status);
    return put_timers_[index].Set(options_.retry_delay, [this, index] { Put(index, true); });
  }
  failing_since_.reset();
  stream.writing = base::Bytes();
  ++stream.chunks;
  TakeFromProgram();
  if (done_) {
    FinishIfDone();
  } else {
    Pump();
  }
}

void OutputCapture::Fail(absl::Status why) {
  failure_ = std::move(why);
  // What is left may fit into the record after all.
  const bool fits = done_ && Buffered() <= options_.inline_bytes_max;
  for (StreamState& stream : streams_) {
    stream.buffer = fits ? stream.writing.ToString() + stream.buffer : std::string();
    stream.writing = base::Bytes();
  }
  timer_.Cancel();
  for (base::Timer& timer : put_timers_) timer.Cancel();
  TakeFromProgram();
  if (fits) return TellRecord();
  if (done_) FinishIfDone();
}

void OutputCapture::TakeFromProgram() {
  if (not_taken_ == 0 || Buffered() > options_.buffered_bytes_max) return;
  taken_(std::exchange(not_taken_, 0));
}

void OutputCapture::FinishIfDone() {
  if (!failure_.ok()) return std::exchange(done_, nullptr)(failure_);
  std::size_t left = 0, largest = 0;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (!streams_[i].writing.empty()) return;
    left += streams_[i].buffer.size();
    if (streams_[i].buffer.size() > streams_[largest].buffer.size()) largest = i;
  }
  if (left > (rest_ == Rest::kIntoStore ? 0 : options_.inline_bytes_max)) return WriteChunk(largest);
  TellRecord();
}

void OutputCapture::TellRecord() {
  v1::Output output;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    StreamState& stream = streams_[i];
    if (stream.size == 0) continue;
    const auto which = static_cast<exec::Stream>(i);
    v1::OutputStream* said = which == exec::Stream::kOut   ? output.mutable_out()
                             : which == exec::Stream::kErr ? output.mutable_err()
                                                           : output.mutable_result();
    said->set_data(std::move(stream.buffer));
    said->set_size(stream.size);
    said->set_chunks(stream.chunks);
  }
  std::exchange(done_, nullptr)(std::move(output));
}

}  // namespace drover::worker::agent

#include "coord/transport/stream_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/transport/frame_bytes.h"

namespace drover::transport {

class StreamCall::Face final : public base::Connection {
 public:
  explicit Face(StreamCall* call) : call_(call) {}
  ~Face() override { call_->Abandon(); }
  void Send(base::Bytes frame) override { call_->Send(std::move(frame)); }
  [[nodiscard]] std::size_t queued_bytes() const override { return call_->queued_bytes_; }
  void Close(const absl::Status& status) override { call_->Close(status); }

 private:
  StreamCall* const call_;  // not deleted before this lets it go
};

StreamCall::StreamCall(CqLoop::Impl* loop, std::size_t receive_bytes_max, base::Duration linger)
    : Call(loop),
      receive_bytes_max_(receive_bytes_max),
      linger_(linger),
      read_op_(this, &StreamCall::OnRead),
      write_op_(this, &StreamCall::OnWrite) {}

StreamCall::~StreamCall() {
  loop()->Cancel(linger_timer_);
}

std::unique_ptr<base::Connection> StreamCall::MakeConnection() {
  return std::make_unique<Face>(this);
}

void StreamCall::Open() {
  open_ = true;
  FlushSoon();
}

void StreamCall::ReadNext() {
  StartRead(&incoming_, read_op_.Begin());
}

void StreamCall::OnRead(bool ok) {
  if (!ok) {
    read_ended_ = true;
    OnReadEnded();
    return;
  }
  if (incoming_.Length() > receive_bytes_max_) {
    refusal_ = absl::ResourceExhaustedError(
        absl::StrCat("a message of ", incoming_.Length(), " bytes; at most ", receive_bytes_max_, " are taken"));
    incoming_.Clear();
    Refuse(refusal_);
    return;
  }
  base::Bytes frame = FromByteBuffer(incoming_);
  incoming_.Clear();
  OnMessage(std::move(frame));
}

void StreamCall::OnMessage(base::Bytes frame) {
  if (events_ != nullptr) events_->OnFrame(std::move(frame));
  ReadNext();
}

void StreamCall::Send(base::Bytes frame) {
  if (closing_ || ended_ || broken_) return;
  queued_bytes_ += frame.size();
  outbox_.push_back(std::move(frame));
  FlushSoon();
}

void StreamCall::Close(const absl::Status& status) {
  if (closing_ || ended_) return;
  closing_ = true;
  close_status_ = status;
  FlushSoon();
}

void StreamCall::Abandon() {
  events_ = nullptr;
  if (!ended_) {
    if (closing_) {
      linger_timer_ = loop()->After(linger_, [this] { Cut(); });
    } else {
      Cut();
    }
  }
  LetGo();
}

void StreamCall::EndSoon() {
  ending_ = true;
  FlushSoon();
}

void StreamCall::DropOutbox() {
  broken_ = true;
  outbox_.clear();
  queued_bytes_ = writing_bytes_;
}

bool StreamCall::Flush() {
  SendNext();
  return false;
}

void StreamCall::SendNext() {
  if (!open_ || broken_ || write_op_.out()) return;
  if (!outbox_.empty()) {
    const base::Bytes frame = std::move(outbox_.front());
    outbox_.pop_front();
    writing_bytes_ = frame.size();
    StartWrite(ToByteBuffer(frame), write_op_.Begin());
    return;
  }
  if ((closing_ || ending_) && !end_started_) {
    end_started_ = true;
    StartEnd();
  }
}

void StreamCall::OnWrite(bool ok) {
  queued_bytes_ -= writing_bytes_;
  writing_bytes_ = 0;
  if (!ok) {
    DropOutbox();
    return;
  }
  SendNext();
  if (!write_op_.out() && !closing_ && !broken_ && events_ != nullptr) events_->OnDrained();
}

void StreamCall::AfterCompletion() {
  if (out() != 0 || ended_) return;
  ended_ = true;
  DropOutbox();
  const End end = HowItEnded();
  if (events_ != nullptr) std::exchange(events_, nullptr)->OnClosed(end.cause, end.status);
}

}  // namespace drover::transport

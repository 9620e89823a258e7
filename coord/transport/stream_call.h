// What the two ends of a stream have in common: one read out at all times, and an outbox. For this folder's .cc files only.
#ifndef DROVER_COORD_TRANSPORT_STREAM_CALL_H_
#define DROVER_COORD_TRANSPORT_STREAM_CALL_H_

#include <cstddef>
#include <deque>
#include <memory>

#include "absl/status/status.h"
#include "coord/base/bytes.h"
#include "coord/base/connection.h"
#include "coord/transport/cq_internal.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/config.h"

namespace drover::transport {

// Frames go to gRPC one at a time, each when it has taken the one before, from the end of the wake-up in which they were sent.
// (gRPC has a hint that more frames follow, to join their writes; with 1.51 a stream that uses it stalls. Users who have much to
// say in one wake-up say it in one frame.) Life: open -> (Close) -> ended, which is when every operation has come back; then
// OnClosed, once.
class StreamCall : public Call {
 public:
  // The connection that stands for this call. Its destruction lets the call go.
  std::unique_ptr<base::Connection> MakeConnection();
  void SetEvents(base::ConnectionEvents* events) { events_ = events; }

  bool Flush() final;

 protected:
  StreamCall(CqLoop::Impl* loop, std::size_t receive_bytes_max, base::Duration linger);
  ~StreamCall() override;

  virtual void StartRead(grpc::ByteBuffer* into, void* tag) = 0;
  virtual void StartWrite(const grpc::ByteBuffer& frame, void* tag) = 0;
  // The outbox is empty and this side, or the other, has ended the stream.
  virtual void StartEnd() = 0;
  struct End {
    base::CloseCause cause;
    absl::Status status;
  };
  // How the call ended, once nothing is out any more.
  [[nodiscard]] virtual End HowItEnded() = 0;

  void ReadNext();
  void Close(const absl::Status& status);
  // From now on frames may be handed to gRPC.
  void Open();
  // No write can succeed any more.
  void DropOutbox();
  // Called where the other side may send no more: ends this side, too, after what is queued.
  void EndSoon();

  [[nodiscard]] bool closing() const { return closing_; }
  [[nodiscard]] const absl::Status& close_status() const { return close_status_; }
  [[nodiscard]] bool read_ended() const { return read_ended_; }
  // This end refused what it got: why. OK otherwise.
  [[nodiscard]] const absl::Status& refusal() const { return refusal_; }

  // The other side sends no more.
  virtual void OnReadEnded() = 0;
  // By default: a frame for the events, then the next read.
  virtual void OnMessage(base::Bytes frame);
  // This end will not have what it got.
  virtual void Refuse(const absl::Status& why) = 0;
  void AfterCompletion() final;

 private:
  class Face;

  void Send(base::Bytes frame);
  void Abandon();
  void SendNext();
  void OnRead(bool ok);
  void OnWrite(bool ok);

  const std::size_t receive_bytes_max_;
  const base::Duration linger_;
  base::ConnectionEvents* events_ = nullptr;
  grpc::ByteBuffer incoming_;
  std::deque<base::Bytes> outbox_;
  std::size_t queued_bytes_ = 0;
  std::size_t writing_bytes_ = 0;
  bool open_ = false;
  bool closing_ = false;
  bool ending_ = false;
  bool end_started_ = false;
  bool read_ended_ = false;
  bool broken_ = false;
  bool ended_ = false;
  absl::Status close_status_;
  absl::Status refusal_;
  base::TimerId linger_timer_;
  Op read_op_;
  Op write_op_;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_STREAM_CALL_H_

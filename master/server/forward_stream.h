// A server stream handed on to the elected master: its answers are read one at a time and passed back as fast as the client takes
// them. Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_FORWARD_STREAM_H_
#define DROVER_MASTER_SERVER_FORWARD_STREAM_H_

#include <functional>
#include <memory>
#include <string>

#include "coord/base/connection.h"
#include "coord/base/loop.h"
#include "coord/transport/unary_client.h"

namespace drover::master::server {

class ForwardStream final : public base::ConnectionEvents {
 public:
  static constexpr std::size_t kQueuedBytesMax = std::size_t{1} << 20;

  // `address` is where it was handed on to. `on_done` is posted after the last event; the stream may be destroyed then.
  ForwardStream(base::Loop* loop, std::string address, std::unique_ptr<transport::ServerStreamCall> call,
                std::unique_ptr<base::Connection> connection, std::function<void()> on_done)
      : loop_(loop),
        address_(std::move(address)),
        call_(std::move(call)),
        connection_(std::move(connection)),
        on_done_(std::move(on_done)) {
    ReadNext();
  }
  ~ForwardStream() { *alive_ = false; }

  [[nodiscard]] const std::string& address() const { return address_; }
  // Ends it here, whatever its master does. Not from inside its own events.
  void End(const absl::Status& status) {
    if (closed_) return;
    closed_ = true;
    call_.reset();
    connection_->Close(status);
  }

  void OnFrame(base::Bytes) override {}
  void OnDrained() override {
    if (!reading_) ReadNext();
  }
  void OnClosed(base::CloseCause, const absl::Status&) override {
    closed_ = true;
    loop_->Post([this, alive = alive_] {
      if (!*alive) return;
      call_.reset();
      on_done_();
    });
  }

 private:
  void ReadNext() {
    if (closed_) return;
    reading_ = true;
    call_->Read([this, alive = alive_](absl::StatusOr<std::optional<base::Bytes>> answer) {
      if (!*alive || closed_) return;
      reading_ = false;
      if (answer.ok() && answer->has_value()) {
        connection_->Send(**std::move(answer));
        if (connection_->queued_bytes() <= kQueuedBytesMax) ReadNext();
        return;
      }
      closed_ = true;
      connection_->Close(answer.status());
    });
  }

  base::Loop* const loop_;
  const std::string address_;
  std::unique_ptr<transport::ServerStreamCall> call_;
  std::unique_ptr<base::Connection> connection_;
  const std::function<void()> on_done_;
  bool reading_ = false;
  bool closed_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_FORWARD_STREAM_H_

// An ordered, reliable stream of frames between two processes, as an event-driven machine sees it.
//
// Implementations: transport (gRPC bidi streams) and sim (a simulated network; frames cross it encoded).
// Threads: everything here is called, and calls back, on the loop thread. No callback comes from inside a call.
#ifndef DROVER_COORD_BASE_CONNECTION_H_
#define DROVER_COORD_BASE_CONNECTION_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/bytes.h"

namespace drover::base {

// Why a connection ended, as far as this end can know. Only kPeerGone (FIN, RST, stream cancelled with its link) says anything
// about the other process; silence is never reported here.
enum class CloseCause {
  kPeerGone,    // the link broke or the other process went without a word
  kPeerClosed,  // the other side ended the stream with a status
  kLocal,       // this side closed it
};

class ConnectionEvents {
 public:
  virtual void OnFrame(Bytes frame) = 0;
  // Everything handed to Send so far has left the process's own queue (the kernel may still hold it).
  virtual void OnDrained() {}
  // Last event of a connection; it may be destroyed from here on. `status` is what the peer said, or what broke.
  virtual void OnClosed(CloseCause cause, const absl::Status& status) = 0;

 protected:
  ~ConnectionEvents() = default;
};

class Connection {
 public:
  // Closes at once if still open; no event comes afterwards.
  virtual ~Connection() = default;

  // Queues a frame; frames arrive whole and in order, or the connection closes. Unbounded by itself: its user bounds it by
  // `queued_bytes`. Ignored after Close or OnClosed.
  virtual void Send(Bytes frame) = 0;
  // Bytes handed to Send and not yet taken by the transport.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  // Sends what is queued, then ends the stream: with `status` from a server, half-close from a client. OnClosed follows.
  virtual void Close(const absl::Status& status) = 0;
};

// Opens connections to servers. `events` must outlive the connection, which starts working at once: frames sent before it is
// established wait; a failure to connect is OnClosed(kPeerGone, UNAVAILABLE).
class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual std::unique_ptr<Connection> Dial(const std::string& address, ConnectionEvents* events) = 0;
};

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_CONNECTION_H_

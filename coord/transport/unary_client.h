// Single calls to gRPC servers: one request, one answer (or a stream of answers that is read as fast as it is asked for).
//
// Links are kept per address and shared by calls; a link over which a call ended UNAVAILABLE is dropped, so that the next call
// connects anew at once.
#ifndef DROVER_COORD_TRANSPORT_UNARY_CLIENT_H_
#define DROVER_COORD_TRANSPORT_UNARY_CLIENT_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "coord/base/bytes.h"
#include "coord/transport/call_info.h"
#include "coord/transport/cq_loop.h"
#include "coord/transport/grpc_dialer.h"

namespace drover::transport {

struct CallOptions {
  // After this the call ends DEADLINE_EXCEEDED; what the server did is unknown then. 0: none.
  base::Duration timeout = std::chrono::seconds(10);
  Metadata metadata;
};

// A call under way. Destroying it cancels; its callback does not run any more.
class PendingCall {
 public:
  virtual ~PendingCall() = default;
};

// A call with many answers. Destroying it cancels.
class ServerStreamCall {
 public:
  virtual ~ServerStreamCall() = default;
  // The next answer; nullopt when the server has ended the stream with OK; else its status. Never from inside Read, one Read at a
  // time. Only as much is taken off the network as is read, and gRPC's window.
  virtual void Read(absl::AnyInvocable<void(absl::StatusOr<std::optional<base::Bytes>>)> done) = 0;
};

// Loop thread; must not outlive the loop. Destroy calls before the client.
class UnaryClient {
 public:
  explicit UnaryClient(CqLoop* loop, LinkOptions options = {});
  ~UnaryClient();
  UnaryClient(const UnaryClient&) = delete;
  UnaryClient& operator=(const UnaryClient&) = delete;

  // `done` runs once, never from inside Call. The status is the server's, or UNAVAILABLE when there is none.
  [[nodiscard]] std::unique_ptr<PendingCall> Call(const std::string& address, const std::string& method, base::Bytes request,
                                                  CallOptions options, absl::AnyInvocable<void(absl::StatusOr<base::Bytes>)> done);
  [[nodiscard]] std::unique_ptr<ServerStreamCall> CallForStream(const std::string& address, const std::string& method,
                                                                base::Bytes request, CallOptions options);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// The same for programs without a loop: each call turns a private loop on the calling thread until the answer is there.
// One thread at a time.
class BlockingUnary {
 public:
  explicit BlockingUnary(LinkOptions options = {});
  ~BlockingUnary();
  [[nodiscard]] absl::StatusOr<base::Bytes> Call(const std::string& address, const std::string& method, base::Bytes request,
                                                 CallOptions options = {});

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_UNARY_CLIENT_H_

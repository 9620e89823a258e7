// How the processes of an example talk: one unary call, a method's name and arguments in, lines out (example.proto).
//
//   auto server = examples::Server::Start([](const std::string& method, const std::vector<std::string>& arguments)
//                                             -> absl::StatusOr<std::vector<std::string>> { ... });
//   ... (*server)->address() goes into the tree ...
//   auto lines = examples::Call(address, "read", {"ann"}, std::chrono::seconds(5));
//
// Errors: what the handler refuses with is what the caller gets, code and message. Besides: UNAVAILABLE (nobody listens there, or
// the link broke) and DEADLINE_EXCEEDED; after both the call may have taken effect, so whoever asks again must send what can be
// told from a second wish. Links are not encrypted, so a server binds loopback alone.
#ifndef DROVER_CLIENT_EXAMPLES_RPC_RPC_H_
#define DROVER_CLIENT_EXAMPLES_RPC_RPC_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "coord/base/time.h"

namespace drover::examples {

using Lines = std::vector<std::string>;

// Answers one call. Several run at once, in threads of the server; it may block, and must not throw.
using Handler = std::function<absl::StatusOr<Lines>(const std::string& method, const std::vector<std::string>& arguments)>;

class Server {
 public:
  // Binds a free port of 127.0.0.1, or `port`, and serves. UNAVAILABLE: the port is taken.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Handler handler, int port = 0);
  // Takes no more calls, and waits for those under way.
  virtual ~Server() = default;

  // "127.0.0.1:PORT".
  [[nodiscard]] virtual const std::string& address() const = 0;
};

// Waits for the answer, at most `timeout`. Any thread but a gRPC one.
[[nodiscard]] absl::StatusOr<Lines> Call(const std::string& address, const std::string& method,
                                         const std::vector<std::string>& arguments, base::Duration timeout);

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_RPC_RPC_H_

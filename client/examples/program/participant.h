// A server of an example takes part in something that the core coordinates: on one session, and when that has expired, on the next.
//
//   examples::Stop stop;
//   return examples::TakePart(options, &stop, [&](const auto&, coord::Session& session) {
//     return std::make_unique<Clerk>(&session, ...);   // makes its recipes with this session
//   });
#ifndef DROVER_CLIENT_EXAMPLES_PROGRAM_PARTICIPANT_H_
#define DROVER_CLIENT_EXAMPLES_PROGRAM_PARTICIPANT_H_

#include <csignal>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "coord/base/time.h"
#include "drover/coord/blocking.h"

namespace drover::examples {

// SIGTERM and SIGINT as a question. Make it before there are other threads: they inherit that the signals wait.
class Stop {
 public:
  Stop();
  // Waits so long for a signal; true from the first one on.
  bool AskedWithin(base::Duration time);

 private:
  sigset_t signals_;
  bool asked_ = false;
};

// What a server has on one session. Everything on the session's loop, also construction and destruction.
class Participant {
 public:
  virtual ~Participant() = default;
  // About once a second: the time to try again what was refused for a reason that may pass (a full disk).
  virtual void OnTick() {}

 protected:
  // A callback for the session, which may outlive this: `done` is called only while this lives.
  template <typename Done>
  [[nodiscard]] auto WhileAlive(Done done) {
    return [alive = std::weak_ptr<const int>(alive_), done = std::move(done)](const auto& result) mutable {
      if (alive.lock() != nullptr) done(result);
    };
  }

 private:
  const std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);
};
// `core` is the same session for other threads. A thread that makes a call with it keeps it until the call is over.
using MakeParticipant =
    std::function<std::unique_ptr<Participant>(const std::shared_ptr<coord::BlockingClient>& core, coord::Session& session)>;

// Until `stop`: connects, makes the participant, and when the session has expired destroys it and begins anew. The first session
// must come about, else that is the error; later ones are waited for.
[[nodiscard]] absl::Status TakePart(const coord::BlockingOptions& options, Stop* stop, const MakeParticipant& make);

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_PROGRAM_PARTICIPANT_H_

// Closes the session of a process that has died, from its ticket: what a reaper does once everything that the process started is
// dead.
//
// It resumes the session and writes its end, again and again and on every node in turn, until a node says that the session is no
// more. That word alone counts as success, whether the close, the timeout or another closer ended it. Only for a session whose
// owner is dead: a living owner would number its writes against ours.
//
// Threads: all on the loop. Destroying the closer stops it, `done` uncalled.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SESSION_CLOSER_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SESSION_CLOSER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"

namespace drover::coord {

struct SessionCloserOptions {
  std::vector<std::string> endpoints;
  base::Duration attempt_timeout = std::chrono::seconds(2);  // a node that says nothing for so long is left for the next
  base::Duration retry_min = std::chrono::milliseconds(20);
  base::Duration retry_max = std::chrono::seconds(1);
};

class SessionCloser {
 public:
  // Starts at once. `done` is called once: OK when the session has ended; refused with kInvalidArgument when the secret is wrong.
  // It retries without end: destroy it to give up.
  static std::unique_ptr<SessionCloser> Start(base::Loop* loop, base::Dialer* dialer, SessionTicket ticket,
                                              SessionCloserOptions options, DoneCallback done);
  virtual ~SessionCloser() = default;
};

// The same with a loop and dialer of its own, for a process that has none. Blocks up to `deadline` (0: without end);
// DEADLINE_EXCEEDED when it passed: the session may live on until its timeout.
[[nodiscard]] absl::Status CloseSessionByTicket(SessionTicket ticket, SessionCloserOptions options, base::Duration deadline);

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_SESSION_CLOSER_H_

// Finds a master that answers, and tries again until one does.
//
// The masters are those that were given, or those in the tree, the elected one first; any master serves any call. A call goes to
// the one that answered last; on a failure that may pass, to the next; after a round without an answer the tree is asked anew.
// Threads: any.
#ifndef DROVER_CLIENT_INTERNAL_MASTER_CALLS_H_
#define DROVER_CLIENT_INTERNAL_MASTER_CALLS_H_

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/internal/directory.h"
#include "client/internal/retry.h"
#include "client/internal/task_stub.h"
#include "client/internal/waiter.h"
#include "coord/base/mutex.h"

namespace drover::client {

class MasterCalls {
 public:
  struct Options {
    std::vector<std::string> masters;  // not empty: never looked up
    std::string pool;
    std::chrono::milliseconds request_timeout;
    std::chrono::milliseconds try_timeout;
  };
  // All must outlive this.
  MasterCalls(Options options, Directory* directory, TaskStubs* stubs, Waiter* waiter, base::Random* random);

  // Runs `call` with one master after the other until it returns OK or an error that will not pass, or the time is over: then
  // UNAVAILABLE with all that was tried. The limits given to `call` are those of one try.
  using CallFunction = std::function<absl::Status(TaskStub*, const CallLimits&)>;
  absl::Status Run(Idempotency idempotency, const CallFunction& call);

  // What a try of a stream brought.
  enum class News {
    kNone,      // nothing, though something was due: counts against the request's time-out
    kQuiet,     // nothing, and nothing had to come: no failure, but another master may know more
    kProgress,  // something
  };
  // The same for streams that last: `call` is run again and again until it returns OK or an error that will not pass. A try ends
  // after `lifetime`, so that a master that hangs is left; that is no failure unless `call` says kNone (the default). The request's
  // time-out counts from the last progress. `deadline` (DEADLINE_EXCEEDED, not UNAVAILABLE) and `stop` (CANCELLED) are the
  // caller's.
  using StreamFunction = std::function<absl::Status(TaskStub*, const CallLimits&, News* news)>;
  absl::Status RunStream(Clock::duration lifetime, Deadline deadline, const std::stop_token& stop, const StreamFunction& call);

 private:
  // The address to ask next; looks into the tree when there is none.
  absl::StatusOr<std::string> Pick(Deadline deadline);
  // `address` did not answer: the next is asked; after a whole round the list is forgotten and true comes back: time to pause.
  bool GoOn(const std::string& address);
  absl::Status GiveUp(const Trail& trail, std::chrono::milliseconds waited) const;

  const Options options_;
  Directory* const directory_;
  TaskStubs* const stubs_;
  Waiter* const waiter_;
  base::Random* const random_;

  base::Mutex mu_;
  std::vector<std::string> addresses_ ABSL_GUARDED_BY(mu_);
  std::size_t next_ ABSL_GUARDED_BY(mu_) = 0;
  std::size_t failed_in_a_row_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_MASTER_CALLS_H_

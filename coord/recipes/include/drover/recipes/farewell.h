// How long a process that stops waits until the core has taken its last words (a member's leaving, a session's close).
//
// A core that serves takes them in milliseconds, one that elects a leader in a second or two: both are worth waiting for, as who is
// not deregistered is missed only at its session's time-out. A core that is gone takes nothing, and the session times out whether
// its process waits or not. The two are told apart by contacts, of which a session makes one each third of its time-out: where
// two in a row brought no word the core is gone.
//
// Threads: all on the loop. Destroying it ends the wait, `over` uncalled.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_FAREWELL_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_FAREWELL_H_

#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"

namespace drover::base {
class Loop;
class Timer;
}  // namespace drover::base

namespace drover::recipes {

struct FarewellOptions {
  // Never longer than this.
  base::Duration patience = std::chrono::seconds(5);
  // So long also for a core that is gone: it may be back, and where it refuses links a session dials each second.
  base::Duration least = std::chrono::milliseconds(1500);
};

class Farewell {
 public:
  // `session` gives the process's session as it is then; null: there is none.
  Farewell(base::Loop* loop, std::function<const coord::Session*()> session);
  ~Farewell();

  // Calls `over` once, when waiting is of no more use. A wait that goes on is replaced.
  void Wait(FarewellOptions options, absl::AnyInvocable<void()> over);
  void Cancel();

 private:
  [[nodiscard]] base::Instant End() const;
  void Look();

  base::Loop* const loop_;
  const std::function<const coord::Session*()> session_;
  FarewellOptions options_;
  base::Instant began_{};
  absl::AnyInvocable<void()> over_;
  const std::unique_ptr<base::Timer> timer_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_FAREWELL_H_

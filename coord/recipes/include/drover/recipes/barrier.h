// Barriers: processes that wait until a way is free, or until all are there and until all have left.
//
//   recipes::Barrier barrier(session, "/app/upgrading");
//   barrier.Raise(done);  ...  barrier.Await([](const absl::Status& free) { ... });  ...  barrier.Lower(done);
//
//   recipes::DoubleBarrier phase(session, {.path = "/app/phase-1", .name = "worker-7", .count = 10}, &observer);
//   phase.Enter();   // OnEntered, for all alike, once ten are there
//   phase.Leave();   // OnLeft, once all have left
//
// Guarantees
//   A barrier is a node: as long as it is there the way is closed, also when whoever raised it has died.
//   A double barrier is used round after round. A round begins with who comes while nobody is inside, in front of a closed way,
//   however the round before came to its end. It opens once `count` are inside at the same time, and stays open, for those who come
//   later too, until nobody is inside any more: then it is over. OnEntered: the round has opened. OnLeft, for who had been let in:
//   the round is over, so everybody who was inside with this process, or came later, has left. Inside is whose ephemeral node is
//   there: who dies, stands still or is cut off inside counts until its session is over, for `count` too, and has left then. So
//   nobody waits for the dead for longer than that. Waiting needs no asking: the tree tells.
//
// Failure
//   Link lost: nothing changes here. Session expired: Await is answered with kSessionExpired; OnBroken(kSessionExpired), or kNoNode
//   if the news of the deletion came first: this process has left. Its node deleted by somebody: OnBroken(kNoNode). Its name is
//   inside already, as that of a process that began anew may be until the session before is over: OnBroken(kNodeExists), and Enter
//   changed nothing.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy before the session; callbacks then do not come, and
// who was inside stays so until it has left or its session is over.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_BARRIER_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_BARRIER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"

namespace drover::recipes {

class Barrier {
 public:
  Barrier(coord::Session* session, std::string path);
  ~Barrier();
  Barrier(const Barrier&) = delete;
  Barrier& operator=(const Barrier&) = delete;

  // Closes the way. OK also if it was closed.
  void Raise(coord::DoneCallback done);
  // Opens it. OK also if it was open.
  void Lower(coord::DoneCallback done);
  // Once the way is open; at once if it is.
  void Await(coord::DoneCallback done);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

class DoubleBarrierObserver {
 public:
  // `count` are, or were, inside together.
  virtual void OnEntered() = 0;
  // All have left; or this process has, which gave up before it was let in. Final.
  virtual void OnLeft() = 0;
  // This process is not inside, or not any more, and did not ask for it. Final.
  virtual void OnBroken(const absl::Status& why) = 0;

 protected:
  ~DoubleBarrierObserver() = default;
};

struct DoubleBarrierOptions {
  std::string path;       // the barrier's own; made if missing
  std::string name;       // of this process, unique
  std::size_t count = 2;  // so many must be inside
};

class DoubleBarrier {
 public:
  // `observer` must outlive it.
  DoubleBarrier(coord::Session* session, DoubleBarrierOptions options, DoubleBarrierObserver* observer);
  ~DoubleBarrier();
  DoubleBarrier(const DoubleBarrier&) = delete;
  DoubleBarrier& operator=(const DoubleBarrier&) = delete;

  // Once; then Leave, once. Leave before OnEntered gives up: it waits for nobody else.
  void Enter();
  void Leave();

  // From OnEntered on. True in the service only while this process is inside.
  [[nodiscard]] coord::Compare Guard() const;
  // The state of the tree at which what the observer was told last was so: its round had opened, or was over.
  [[nodiscard]] coord::Zxid since() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_BARRIER_H_

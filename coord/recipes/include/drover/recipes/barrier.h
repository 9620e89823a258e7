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
//   A barrier is a node: as long as it is there the way is closed, also when whoever raised it has died. A double barrier opens
//   once `count` are inside at the same time, and stays open, for those who come later too, until the last has left; who dies
//   inside counts as having left, so nobody waits for the dead. Waiting needs no asking: the tree tells.
//
// Failure
//   Link lost: nothing changes here. Session expired: Await is answered with kSessionExpired; OnBroken(kSessionExpired): this
//   process counts as having left. Its node deleted by somebody: OnBroken(kNoNode).
//
// Threads: all on the session's loop; no callback from inside a call. Destroy before the session; callbacks then do not come.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_BARRIER_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_BARRIER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "drover/coord/session.h"

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
  // All have left.
  virtual void OnLeft() = 0;
  // This process is not inside any more and did not ask for it. Final.
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

  // Once; then Leave, once.
  void Enter();
  void Leave();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_BARRIER_H_

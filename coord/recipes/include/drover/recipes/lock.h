// Locks: a mutex, a read-write lock, a semaphore, and several mutexes at once. Whoever comes first is served first.
//
// Each place is an ephemeral sequential node below the lock's path; its czxid is the *token*, a number that only grows from holder
// to holder of a mutex.
//
//   class Job : public recipes::LockObserver {
//     void OnAcquired(const recipes::LockGrant& grant) override { store_->Write(data, grant.token); mutex_->Release(...); }
//     void OnLost(const absl::Status& why) override { ... stop; Acquire again if wanted ... }
//   };
//   recipes::Mutex mutex(session, {.path = "/app/locks/report"}, &job);
//   mutex.Acquire();
//
// Guarantees
//   A lock alone stops nobody who is paused between looking at it and acting. What does is the token: give it with every write to
//   the resource that the lock protects, and let the resource refuse a token lower than the highest that it has seen; or, where the
//   resource is the tree, put Guard() among the compares: it fails for ever once the place is gone. As seen by such a resource at
//   most one holds a mutex, at most `permits` a semaphore, and a writer of a read-write lock alone. Places are taken by numbered
//   writes: reconnects make no second one. Nobody overtakes: readers behind a waiting writer wait.
//
// Failure
//   Link lost: nothing changes here; the place lasts as long as the session does. Whoever acts on more than guarded writes heeds
//   Session::lease_deadline(). Session expired: OnLost(kSessionExpired), if it held or waited, or kNoNode if the
//   news of the deletion came first; the object is of no more use. The
//   node deleted by somebody: OnLost(kNoNode). Patience over: OnLost(DEADLINE_EXCEEDED), and the place is given up. A holder that
//   dies is missed at its session's time-out, and a holder whose link breaks after its disconnect_grace.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy a lock before its session; that gives nothing back:
// Release first, or let the session end.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_LOCK_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_LOCK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"

namespace drover::recipes {

struct LockGrant {
  std::string path;  // of the place's node
  base::Zxid token;  // its czxid
  // At this state of the tree it held: nobody before it can have committed under a guard since.
  base::Zxid since;
};

class LockObserver {
 public:
  // Once per Acquire.
  virtual void OnAcquired(const LockGrant& grant) = 0;
  // It holds or waits no more, and nobody here asked for it (see Failure). Not after Release.
  virtual void OnLost(const absl::Status& why) = 0;

 protected:
  ~LockObserver() = default;
};

struct LockOptions {
  std::string path;  // the lock's own; made if missing, and gone again when nobody uses it
  std::string data;  // of the place's node: who this is, for people
};

// What the locks have in common.
class Lock {
 public:
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Gives the place up, held or not, and says when that is certain: from then on every guard of it fails. OK also if it was gone.
  void Release(coord::DoneCallback done);

  // It may Acquire.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] bool held() const;
  // Only while held.
  [[nodiscard]] const LockGrant& grant() const;
  // True in the service only while this very place is there. Only while held.
  [[nodiscard]] coord::Compare Guard() const;

 protected:
  Lock(coord::Session* session, LockOptions options, LockObserver* observer);
  ~Lock();

  class Impl;
  const std::unique_ptr<Impl> impl_;
};

class Mutex final : public Lock {
 public:
  // `observer` must outlive it.
  Mutex(coord::Session* session, LockOptions options, LockObserver* observer);
  // Takes the next place. Ignored unless idle. `patience`: how long to wait; 0: for ever.
  void Acquire(base::Duration patience = base::Duration{0});
};

class ReadWriteLock final : public Lock {
 public:
  ReadWriteLock(coord::Session* session, LockOptions options, LockObserver* observer);
  // Beside other readers, not beside a writer.
  void AcquireRead(base::Duration patience = base::Duration{0});
  // Alone.
  void AcquireWrite(base::Duration patience = base::Duration{0});
};

class Semaphore final : public Lock {
 public:
  // So many may hold at a time; at least one. All who use the path must say the same number: the first says it, and who says
  // another is lost with FAILED_PRECONDITION.
  Semaphore(coord::Session* session, LockOptions options, std::uint32_t permits, LockObserver* observer);
  void Acquire(base::Duration patience = base::Duration{0});

 private:
  const std::uint32_t permits_;
};

class MultiLockObserver {
 public:
  // All are held: a grant for each path.
  virtual void OnAcquired(const std::map<std::string, LockGrant>& grants) = 0;
  // At least one is not any more; the others are being released.
  virtual void OnLost(const absl::Status& why) = 0;

 protected:
  ~MultiLockObserver() = default;
};

// Several mutexes, all or none. Taken one after the other in the order of their paths, so that two who want the same ones never
// wait for each other.
class MultiLock {
 public:
  // Paths that are there twice count once. `observer` must outlive it.
  MultiLock(coord::Session* session, std::vector<std::string> paths, std::string data, MultiLockObserver* observer);
  ~MultiLock();
  MultiLock(const MultiLock&) = delete;
  MultiLock& operator=(const MultiLock&) = delete;

  // Ignored unless idle. `patience`: for all together; 0: for ever.
  void Acquire(base::Duration patience = base::Duration{0});
  // Gives all up and says when that is certain.
  void Release(coord::DoneCallback done);

  [[nodiscard]] bool held() const;
  // A compare for each. Only while held.
  [[nodiscard]] std::vector<coord::Compare> Guards() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_LOCK_H_

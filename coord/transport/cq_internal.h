// The inside of CqLoop, for this folder's .cc files only: it shows gRPC.
//
// A `Call` is what one gRPC call of either side needs while it exists: it owns itself, is known to the loop, counts the operations
// it has given to gRPC, and goes when none is out and its user has let go. That order is what gRPC demands: no buffer, context or
// tag may go while an operation is out.
#ifndef DROVER_COORD_TRANSPORT_CQ_INTERNAL_H_
#define DROVER_COORD_TRANSPORT_CQ_INTERNAL_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "coord/base/check.h"
#include "coord/base/mailbox.h"
#include "coord/base/mutex.h"
#include "coord/transport/cq_loop.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_builder.h"

namespace drover::transport {

// What a completion queue's tag points to.
class Completion {
 public:
  virtual void OnCompletion(bool ok) = 0;

 protected:
  ~Completion() = default;
};

class Call;

class CqLoop::Impl final : public Completion {
 public:
  explicit Impl(CqLoopOptions options);
  ~Impl();

  void Run();
  void Stop();
  void Post(base::Task task);
  void PostFromAnyThread(base::Task task);
  base::TimerId After(base::Duration delay, base::Task task);
  void Cancel(base::TimerId timer);
  std::unique_ptr<CqLoop::Hook> AddHook(base::Task hook);
  base::Instant Now();
  base::WallTime WallNow();
  base::Duration BusyFor() const;

  grpc::CompletionQueue* queue() { return queue_.get(); }
  grpc::ServerCompletionQueue* server_queue() { return queue_.get(); }
  // The builder of which the queue is a part: for the loop's one server.
  std::unique_ptr<grpc::ServerBuilder> TakeServerBuilder() { return std::move(builder_); }

  // `call->Flush()` runs once at the end of this wake-up.
  void FlushLater(Call* call) { dirty_.push_back(call); }
  void Forget(Call* call);
  void Enlist(Call* call);
  // Handles completions only (no tasks, timers or hooks) until `done` says so: for destructors.
  void Pump(absl::AnyInvocable<bool()> done);

 private:
  class HookHandle;
  struct HookEntry {
    std::uint64_t id;
    base::Task task;
    bool gone;
  };

  void OnCompletion(bool ok) override;  // the alarm by which other threads wake the loop
  void ReadClocks();
  // Waits until `deadline` (0: not at all; max: for ever) for a first completion, then takes those that are ready.
  void TakeCompletions(base::Duration wait);
  void TakeMail();
  void RunTasks(base::Instant until);
  void RunTimers();
  void RunHooks();
  void FlushCalls();
  [[nodiscard]] base::Duration TimeToSleep();

  const CqLoopOptions options_;
  std::unique_ptr<grpc::ServerBuilder> builder_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;

  // Owned by the loop thread.
  base::Instant now_;
  base::WallTime wall_now_;
  bool running_ = false;
  std::deque<base::Task> tasks_;
  std::map<std::pair<base::Instant, std::uint64_t>, base::Task> timers_;
  absl::flat_hash_map<std::uint64_t, base::Instant> timer_times_;
  std::uint64_t next_timer_ = 1;
  std::vector<std::unique_ptr<HookEntry>> hooks_;
  std::uint64_t next_hook_ = 1;
  std::vector<Call*> dirty_;
  std::vector<Call*> flushing_;
  bool turn_again_ = false;  // there may be something to do: the next turn does not sleep
  Call* calls_ = nullptr;  // head of a doubly linked list
  std::vector<base::Task> mail_;

  // Crossing threads.
  base::Mailbox<base::Task> mailbox_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> wake_pending_{false};
  std::atomic<std::int64_t> busy_since_{0};  // nanoseconds of the boot clock; 0: asleep
  base::Mutex room_mu_;
  base::CondVar room_;
  grpc::Alarm alarm_;
};

// One operation a call may have out; a call has one of these per kind of operation.
class Op final : public Completion {
 public:
  using Handler = void (Call::*)(bool ok);
  template <typename Derived>
  Op(Call* call, void (Derived::*handler)(bool)) : call_(call), handler_(static_cast<Handler>(handler)) {}

  // The tag to give to gRPC. Not while out.
  void* Begin();
  [[nodiscard]] bool out() const { return out_; }
  void OnCompletion(bool ok) override;

 private:
  Call* const call_;
  const Handler handler_;
  bool out_ = false;
};

class Call {
 public:
  explicit Call(CqLoop::Impl* loop);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Ends the call at once; its operations come back soon after. Idempotent.
  virtual void Cut() = 0;
  // End of a wake-up, after FlushSoon. True if it called its user, who may have posted or sent: the loop turns once more.
  virtual bool Flush() { return false; }

 protected:
  virtual ~Call();
  [[nodiscard]] CqLoop::Impl* loop() const { return loop_; }
  [[nodiscard]] int out() const { return out_; }
  void FlushSoon();
  // The user has let go: the call is deleted when nothing is out (at the end of the handler under way, or here, now).
  void LetGo();
  // Runs after each operation that came back, unless the call was let go.
  virtual void AfterCompletion() {}

 private:
  friend class CqLoop::Impl;
  friend class Op;
  void DeleteIfDone();

  CqLoop::Impl* const loop_;
  Call* previous_ = nullptr;
  Call* next_ = nullptr;
  int out_ = 0;
  int depth_ = 0;  // handlers of this call on the stack
  bool flush_pending_ = false;
  bool let_go_ = false;
};

}  // namespace drover::transport

#endif  // DROVER_COORD_TRANSPORT_CQ_INTERNAL_H_

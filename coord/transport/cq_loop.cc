#include "coord/transport/cq_loop.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "coord/transport/cq_internal.h"
#include "grpc/support/time.h"

namespace drover::transport {
namespace {

constexpr base::Duration kForever = base::Duration::max();
// How many completions or tasks are handled between two looks at the clock.
constexpr int kEventsPerClockRead = 16;

std::int64_t ReadClock(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

base::Instant ReadBootClock() {
  return base::Instant(base::Duration(ReadClock(CLOCK_BOOTTIME)));
}

gpr_timespec Deadline(base::Duration wait) {
  if (wait == kForever) return gpr_inf_future(GPR_CLOCK_MONOTONIC);
  if (wait <= base::Duration::zero()) return gpr_time_0(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(wait.count(), GPR_TIMESPAN));
}

}  // namespace

// ---- the loop ----

CqLoop::Impl::Impl(CqLoopOptions options)
    : options_(options),
      builder_(std::make_unique<grpc::ServerBuilder>()),
      queue_(builder_->AddCompletionQueue()),
      mailbox_(options.mailbox_max) {
  ReadClocks();
}

CqLoop::Impl::~Impl() {
  DROVER_CHECK(!running_) << "a loop is destroyed while it runs";
  Stop();
  // Tasks may own connections: they go while the loop can still pump for them. What goes may post, set and cancel: so everything is
  // moved out before it is destroyed.
  mailbox_.Take(&mail_);
  while (!mail_.empty() || !tasks_.empty() || !timers_.empty() || !hooks_.empty()) {
    timer_times_.clear();
    const auto mail = std::exchange(mail_, {});
    const auto tasks = std::exchange(tasks_, {});
    const auto timers = std::exchange(timers_, {});
    const auto hooks = std::exchange(hooks_, {});
  }
  for (Call* call = calls_; call != nullptr;) {
    Call* const next = call->next_;
    call->Cut();
    call = next;
  }
  Pump([this] { return calls_ == nullptr && !wake_pending_.load(); });
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) static_cast<Completion*>(tag)->OnCompletion(ok);
}

void CqLoop::Impl::Run() {
  DROVER_CHECK(!running_) << "a loop runs once at a time";
  running_ = true;
  while (!stop_.load(std::memory_order_acquire)) {
    TakeCompletions(TimeToSleep());
    const base::Instant until = now_ + options_.slice;
    TakeMail();
    RunTasks(until);
    RunTimers();
    RunTasks(until);
    RunHooks();
    FlushCalls();
  }
  running_ = false;
  busy_since_.store(0, std::memory_order_relaxed);
}

void CqLoop::Impl::Stop() {
  if (stop_.exchange(true)) return;
  mailbox_.Close();
  { base::MutexLock lock(&room_mu_); }
  room_.NotifyAll();
  if (!wake_pending_.exchange(true)) alarm_.Set(queue_.get(), gpr_time_0(GPR_CLOCK_MONOTONIC), static_cast<Completion*>(this));
}

void CqLoop::Impl::ReadClocks() {
  now_ = ReadBootClock();
  wall_now_ = base::WallTime(ReadClock(CLOCK_REALTIME) / 1'000'000);
}

base::Instant CqLoop::Impl::Now() {
  if (!running_) ReadClocks();
  return now_;
}

base::WallTime CqLoop::Impl::WallNow() {
  if (!running_) ReadClocks();
  return wall_now_;
}

base::Duration CqLoop::Impl::BusyFor() const {
  const std::int64_t since = busy_since_.load(std::memory_order_relaxed);
  if (since == 0) return base::Duration::zero();
  return base::Duration(std::max<std::int64_t>(0, ReadClock(CLOCK_BOOTTIME) - since));
}

base::Duration CqLoop::Impl::TimeToSleep() {
  if (!tasks_.empty() || !dirty_.empty() || std::exchange(turn_again_, false)) return base::Duration::zero();
  if (timers_.empty()) return kForever;
  return std::max(base::Duration::zero(), timers_.begin()->first.first - ReadBootClock());
}

void CqLoop::Impl::TakeCompletions(base::Duration wait) {
  void* tag = nullptr;
  bool ok = false;
  busy_since_.store(0, std::memory_order_relaxed);
  auto next = queue_->AsyncNext(&tag, &ok, Deadline(wait));
  ReadClocks();
  busy_since_.store(now_.time_since_epoch().count(), std::memory_order_relaxed);
  const base::Instant until = now_ + options_.slice;
  const gpr_timespec no_wait = gpr_time_0(GPR_CLOCK_MONOTONIC);
  int count = 0;
  while (next == grpc::CompletionQueue::GOT_EVENT) {
    static_cast<Completion*>(tag)->OnCompletion(ok);
    if (++count % kEventsPerClockRead == 0 && ReadBootClock() >= until) return;
    next = queue_->AsyncNext(&tag, &ok, no_wait);
  }
}

void CqLoop::Impl::OnCompletion(bool /*ok*/) {
  wake_pending_.store(false);
}

void CqLoop::Impl::TakeMail() {
  mailbox_.Take(&mail_);
  if (mail_.empty()) return;
  if (mail_.size() >= options_.mailbox_max) {
    { base::MutexLock lock(&room_mu_); }
    room_.NotifyAll();
  }
  for (base::Task& task : mail_) tasks_.push_back(std::move(task));
  mail_.clear();
}

void CqLoop::Impl::RunTasks(base::Instant until) {
  int count = 0;
  while (!tasks_.empty() && !stop_.load(std::memory_order_relaxed)) {
    base::Task task = std::move(tasks_.front());
    tasks_.pop_front();
    task();
    if (++count % kEventsPerClockRead == 0 && ReadBootClock() >= until) return;
  }
}

void CqLoop::Impl::RunTimers() {
  const std::uint64_t set_before = next_timer_;  // those that timers set wait for the next wake-up, or none would ever come
  while (!timers_.empty() && !stop_.load(std::memory_order_relaxed)) {
    const auto first = timers_.begin();
    if (first->first.first > now_ || first->first.second >= set_before) return;
    base::Task task = std::move(first->second);
    timer_times_.erase(first->first.second);
    timers_.erase(first);
    task();
  }
}

void CqLoop::Impl::Post(base::Task task) {
  tasks_.push_back(std::move(task));
}

void CqLoop::Impl::PostFromAnyThread(base::Task task) {
  while (true) {
    switch (mailbox_.Push(std::move(task))) {
      case base::PushResult::kFirst:
        if (!wake_pending_.exchange(true)) {
          alarm_.Set(queue_.get(), gpr_time_0(GPR_CLOCK_MONOTONIC), static_cast<Completion*>(this));
        }
        return;
      case base::PushResult::kQueued:
      case base::PushResult::kClosed:
        return;
      case base::PushResult::kFull: {
        // The loop tells when it has emptied the box; the time-out covers the moment between Push and here.
        base::MutexLock lock(&room_mu_);
        room_.WaitFor(&room_mu_, std::chrono::milliseconds(1));
      }
    }
  }
}

base::TimerId CqLoop::Impl::After(base::Duration delay, base::Task task) {
  const std::uint64_t id = next_timer_++;
  const base::Instant when = Now() + std::max(base::Duration::zero(), delay);
  timers_.emplace(std::pair(when, id), std::move(task));
  timer_times_.emplace(id, when);
  return base::TimerId(id);
}

void CqLoop::Impl::Cancel(base::TimerId timer) {
  const auto found = timer_times_.find(timer.value);
  if (found == timer_times_.end()) return;
  const auto entry = timers_.find(std::pair(found->second, timer.value));
  timer_times_.erase(found);
  base::Task dropped = std::move(entry->second);  // its destructor may call back here
  timers_.erase(entry);
}

// ---- hooks ----

class CqLoop::Impl::HookHandle final : public CqLoop::Hook {
 public:
  HookHandle(CqLoop::Impl* loop, std::uint64_t id) : loop_(loop), id_(id) {}
  ~HookHandle() override {
    // Marked only: the hook may be running.
    for (auto& hook : loop_->hooks_) {
      if (hook->id == id_) hook->gone = true;
    }
  }

 private:
  CqLoop::Impl* const loop_;
  const std::uint64_t id_;
};

std::unique_ptr<CqLoop::Hook> CqLoop::Impl::AddHook(base::Task hook) {
  const std::uint64_t id = next_hook_++;
  hooks_.push_back(std::make_unique<HookEntry>(HookEntry{id, std::move(hook), false}));
  return std::make_unique<HookHandle>(this, id);
}

void CqLoop::Impl::RunHooks() {
  bool removed = false;
  const std::size_t size = hooks_.size();
  for (std::size_t i = 0; i < size; ++i) {
    HookEntry* const hook = hooks_[i].get();
    if (!hook->gone) hook->task();
    removed |= hook->gone;
  }
  if (removed) std::erase_if(hooks_, [](const auto& hook) { return hook->gone; });
}

// ---- calls ----

void CqLoop::Impl::Enlist(Call* call) {
  call->next_ = calls_;
  if (calls_ != nullptr) calls_->previous_ = call;
  calls_ = call;
}

void CqLoop::Impl::Forget(Call* call) {
  if (call->previous_ != nullptr) call->previous_->next_ = call->next_;
  if (call->next_ != nullptr) call->next_->previous_ = call->previous_;
  if (calls_ == call) calls_ = call->next_;
  if (call->flush_pending_) {
    for (auto* list : {&dirty_, &flushing_}) {
      for (Call*& entry : *list) {
        if (entry == call) entry = nullptr;
      }
    }
  }
}

void CqLoop::Impl::FlushCalls() {
  flushing_.swap(dirty_);
  for (std::size_t i = 0; i < flushing_.size(); ++i) {
    Call* const call = flushing_[i];
    if (call == nullptr) continue;
    flushing_[i] = nullptr;
    call->flush_pending_ = false;
    turn_again_ |= call->Flush();
  }
  flushing_.clear();
}

void CqLoop::Impl::Pump(absl::AnyInvocable<bool()> done) {
  FlushCalls();
  // A wake-up taken here was for mail that only Run reads: it looks before it sleeps again.
  turn_again_ = true;
  while (!done()) {
    void* tag = nullptr;
    bool ok = false;
    // Short, because `done` may turn true by another thread's doing.
    const auto next = queue_->AsyncNext(&tag, &ok, Deadline(std::chrono::milliseconds(5)));
    if (next == grpc::CompletionQueue::SHUTDOWN) return;
    if (next == grpc::CompletionQueue::GOT_EVENT) static_cast<Completion*>(tag)->OnCompletion(ok);
    FlushCalls();
  }
}

void* Op::Begin() {
  DROVER_CHECK(!out_) << "an operation is started twice";
  out_ = true;
  ++call_->out_;
  return static_cast<Completion*>(this);
}

void Op::OnCompletion(bool ok) {
  Call* const call = call_;
  out_ = false;
  --call->out_;
  ++call->depth_;
  (call->*handler_)(ok);
  if (!call->let_go_) call->AfterCompletion();
  --call->depth_;
  call->DeleteIfDone();
}

Call::Call(CqLoop::Impl* loop) : loop_(loop) {
  loop_->Enlist(this);
}
Call::~Call() {
  loop_->Forget(this);
}

void Call::FlushSoon() {
  if (flush_pending_) return;
  flush_pending_ = true;
  loop_->FlushLater(this);
}

void Call::LetGo() {
  let_go_ = true;
  DeleteIfDone();
}

void Call::DeleteIfDone() {
  if (let_go_ && out_ == 0 && depth_ == 0) delete this;
}

// ---- the public face ----

CqLoop::CqLoop(CqLoopOptions options) : impl_(std::make_unique<Impl>(options)) {}
CqLoop::~CqLoop() = default;
void CqLoop::Run() {
  impl_->Run();
}
void CqLoop::Stop() {
  impl_->Stop();
}
base::Instant CqLoop::Now() const {
  return impl_->Now();
}
base::WallTime CqLoop::WallNow() const {
  return impl_->WallNow();
}
void CqLoop::Post(base::Task task) {
  impl_->Post(std::move(task));
}
void CqLoop::PostFromAnyThread(base::Task task) {
  impl_->PostFromAnyThread(std::move(task));
}
base::TimerId CqLoop::After(base::Duration delay, base::Task task) {
  return impl_->After(delay, std::move(task));
}
void CqLoop::Cancel(base::TimerId timer) {
  impl_->Cancel(timer);
}
std::unique_ptr<CqLoop::Hook> CqLoop::AtEndOfWakeup(base::Task hook) {
  return impl_->AddHook(std::move(hook));
}
base::Duration CqLoop::BusyFor() const {
  return impl_->BusyFor();
}

// ---- a loop in a thread ----

LoopThread::LoopThread(CqLoopOptions options) : loop_(options), thread_([this] { loop_.Run(); }) {}

LoopThread::~LoopThread() {
  loop_.Stop();
  thread_.join();
}

void LoopThread::RunOnLoop(base::Task task) {
  struct Gate {
    base::Mutex mu;
    base::CondVar opened;
    bool open ABSL_GUARDED_BY(mu) = false;
  };
  // Opens when it is destroyed: after the task has run, or undone when the loop has stopped.
  struct Opener {
    explicit Opener(std::shared_ptr<Gate> g) : gate(std::move(g)) {}
    ~Opener() {
      base::MutexLock lock(&gate->mu);
      gate->open = true;
      gate->opened.NotifyAll();
    }
    std::shared_ptr<Gate> gate;
  };
  auto gate = std::make_shared<Gate>();
  loop_.PostFromAnyThread([task = std::move(task), opener = std::make_unique<Opener>(gate)]() mutable {
    task();
    task = nullptr;
  });
  base::MutexLock lock(&gate->mu);
  while (!gate->open) gate->opened.Wait(&gate->mu);
}

}  // namespace drover::transport

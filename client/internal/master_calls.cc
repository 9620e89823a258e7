#include "client/internal/master_calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace drover::client {
namespace {

std::string Seconds(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? absl::StrCat(time.count() / 1000, " s") : absl::StrCat(time.count(), " ms");
}

}  // namespace

MasterCalls::MasterCalls(Options options, Directory* directory, TaskStubs* stubs, Waiter* waiter, base::Random* random)
    : options_(std::move(options)),
      directory_(directory),
      stubs_(stubs),
      waiter_(waiter),
      random_(random),
      addresses_(options_.masters) {}

absl::Status MasterCalls::Run(Idempotency idempotency, const CallFunction& call) {
  const Deadline deadline = waiter_->Now() + options_.request_timeout;
  Backoff backoff(random_);
  Trail trail;
  while (true) {
    const auto address = Pick(deadline);
    bool pause = true;
    if (address.ok()) {
      const absl::Status status =
          call(stubs_->For(*address).get(), {std::min(deadline, waiter_->Now() + options_.try_timeout), {}});
      if (status.ok() || !MayRetry(status, idempotency)) return status;
      trail.Add(*address, status);
      pause = GoOn(*address);
    } else if (MayRetry(address.status(), Idempotency::kSafe)) {
      trail.Add("the tree", address.status());
    } else {
      return address.status();
    }
    if (waiter_->Now() >= deadline) break;
    if (pause) waiter_->Wait(std::min<Clock::duration>(backoff.Next(), deadline - waiter_->Now()), {});
  }
  return GiveUp(trail, options_.request_timeout);
}

absl::Status MasterCalls::RunStream(Clock::duration lifetime, Deadline deadline, const std::stop_token& stop,
                                    const StreamFunction& call) {
  Clock::time_point last_progress = waiter_->Now();
  Backoff backoff(random_);
  Trail trail;
  while (true) {
    const Deadline give_up = last_progress + options_.request_timeout;
    const auto address = Pick(std::min(deadline, give_up));
    bool pause = true;
    if (address.ok()) {
      News news = News::kNone;
      const absl::Status status = call(stubs_->For(*address).get(), {std::min(deadline, waiter_->Now() + lifetime), stop}, &news);
      if (stop.stop_requested()) return absl::CancelledError("stopped");
      if (status.ok() || !MayRetry(status, Idempotency::kSafe)) return status;
      if (news != News::kNone) {
        last_progress = waiter_->Now();
        backoff.Reset();
        trail = Trail();
      }
      const bool lived_out = absl::IsDeadlineExceeded(status);
      if (news == News::kProgress && lived_out) {
        pause = false;  // all was well: the same master again
      } else {
        if (news == News::kNone || !lived_out) trail.Add(*address, status);
        pause = GoOn(*address) && news == News::kNone;
      }
    } else if (MayRetry(address.status(), Idempotency::kSafe)) {
      trail.Add("the tree", address.status());
    } else {
      return address.status();
    }
    const Clock::time_point now = waiter_->Now();
    if (now >= deadline) return absl::DeadlineExceededError("the time to wait is over");
    if (now >= last_progress + options_.request_timeout) return GiveUp(trail, options_.request_timeout);
    if (pause && !waiter_->Wait(std::min<Clock::duration>(backoff.Next(), deadline - now), stop))
      return absl::CancelledError("stopped");
  }
}

absl::StatusOr<std::string> MasterCalls::Pick(Deadline deadline) {
  {
    base::MutexLock lock(&mu_);
    if (!addresses_.empty()) return addresses_[next_ % addresses_.size()];
  }
  auto found = directory_->Masters(deadline);
  if (!found.ok()) return found.status();
  if (found->empty()) {
    return absl::UnavailableError(absl::StrCat("no master is registered in pool ", options_.pool, ": is a drover-master running?"));
  }
  base::MutexLock lock(&mu_);
  if (addresses_.empty()) {
    addresses_ = *std::move(found);
    next_ = 0;
    failed_in_a_row_ = 0;
  }
  return addresses_[next_ % addresses_.size()];
}

bool MasterCalls::GoOn(const std::string& address) {
  base::MutexLock lock(&mu_);
  // Another thread may have gone on already.
  if (addresses_.empty() || addresses_[next_ % addresses_.size()] != address) return true;
  ++next_;
  if (++failed_in_a_row_ < addresses_.size()) return false;
  failed_in_a_row_ = 0;
  if (options_.masters.empty()) addresses_.clear();
  return true;
}

absl::Status MasterCalls::GiveUp(const Trail& trail, std::chrono::milliseconds waited) const {
  return absl::UnavailableError(absl::StrCat("no master answered within ", Seconds(waited), "; asked: ", trail.Describe()));
}

}  // namespace drover::client

#include "tests/bench/steady_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/bench/interrupt.h"

namespace drover::bench {
namespace {

constexpr std::chrono::milliseconds kInterruptLook{100};  // how often a waiter looks for an interrupt
// Writes that may wait for an answer; a system that is away for longer than that has had its chance.
constexpr std::size_t kUnansweredMax = 50'000;

}  // namespace

SteadyWriter::SteadyWriter(std::unique_ptr<Clients> clients, std::vector<std::string> keys, std::string value,
                           int writes_per_second)
    : keys_(std::move(keys)),
      value_(std::move(value)),
      interval_(std::chrono::nanoseconds(std::chrono::seconds(1)) / writes_per_second),
      clients_(std::move(clients)),
      thread_([this] { Write(); }) {}

SteadyWriter::~SteadyWriter() {
  Stop();
}

void SteadyWriter::Stop() {
  {
    base::MutexLock lock(&mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void SteadyWriter::Write() {
  Clock::time_point next = Clock::now();
  for (std::size_t n = 0;; ++n) {
    bool room = false;
    {
      base::MutexLock lock(&mu_);
      while (!stopping_ && Clock::now() < next) changed_.WaitFor(&mu_, next - Clock::now());
      if (stopping_) return;
      room = unanswered_ < kUnansweredMax;
      if (room) ++unanswered_;
    }
    // Beats that were missed (a busy machine) are not made up for.
    next = std::max(next + interval_, Clock::now());
    if (!room) continue;
    const int client = static_cast<int>(n % static_cast<std::size_t>(clients_->count()));
    clients_->Run(client, [this, client, n] { Issue(client, n % keys_.size()); });
  }
}

void SteadyWriter::Issue(int client, std::size_t key) {
  const Clock::time_point made = Clock::now();
  clients_->Issue(client, Operation::kSet, keys_[key], value_, [this, made](const absl::Status& status) { OnDone(made, status); });
}

void SteadyWriter::OnDone(Clock::time_point made, const absl::Status& status) {
  const Clock::time_point now = Clock::now();
  base::MutexLock lock(&mu_);
  --unanswered_;
  if (!status.ok()) {
    ++failed_;
    last_failure_ = status;
    return;
  }
  ++acknowledged_;
  if (made >= since_ && !first_.has_value()) {
    first_ = now;
    changed_.NotifyAll();
  }
}

absl::StatusOr<SteadyWriter::Clock::time_point> SteadyWriter::AwaitAcknowledged(std::chrono::nanoseconds limit) {
  base::MutexLock lock(&mu_);
  since_ = Clock::now();
  first_.reset();
  last_failure_ = absl::OkStatus();
  const Clock::time_point end = since_ + limit;
  while (!first_.has_value()) {
    if (Interrupted()) return absl::CancelledError("interrupted");
    const auto left = end - Clock::now();
    if (left <= std::chrono::nanoseconds::zero()) {
      return absl::DeadlineExceededError(
          absl::StrCat("no write was acknowledged in time; ",
                       last_failure_.ok() ? "none was answered" : "the last answer: ", last_failure_.message()));
    }
    changed_.WaitFor(&mu_, std::min<std::chrono::nanoseconds>(left, kInterruptLook));
  }
  return *first_;
}

std::size_t SteadyWriter::acknowledged() {
  base::MutexLock lock(&mu_);
  return acknowledged_;
}

std::size_t SteadyWriter::failed() {
  base::MutexLock lock(&mu_);
  return failed_;
}

}  // namespace drover::bench

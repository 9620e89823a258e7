#include "drover/recipes/farewell.h"

#include <algorithm>
#include <utility>

#include "coord/base/loop.h"

namespace drover::recipes {

Farewell::Farewell(base::Loop* loop, std::function<const coord::Session*()> session)
    : loop_(loop), session_(std::move(session)), timer_(std::make_unique<base::Timer>(loop)) {}
Farewell::~Farewell() = default;

void Farewell::Wait(FarewellOptions options, absl::AnyInvocable<void()> over) {
  options_ = options;
  began_ = loop_->Now();
  over_ = std::move(over);
  Look();
}

void Farewell::Cancel() {
  timer_->Cancel();
}

base::Instant Farewell::End() const {
  base::Instant end = began_ + options_.least;
  if (const coord::Session* const session = session_()) {
    // The lease is counted from when the last acknowledged contact was sent; two thirds later two more went unanswered.
    end = std::max(end, session->lease_deadline() - session->timeout() / 3);
  }
  return std::min(end, began_ + options_.patience);
}

void Farewell::Look() {
  // Whatever is heard until then moves the end.
  timer_->Set(std::max(End() - loop_->Now(), base::Duration(0)), [this] {
    if (loop_->Now() < End()) return Look();
    std::exchange(over_, nullptr)();
  });
}

}  // namespace drover::recipes

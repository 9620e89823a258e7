#include "tests/sim/sim_executor.h"

#include <algorithm>
#include <utility>

namespace drover::sim {

SimExecutor::~SimExecutor() {
  loop_->world()->Cancel(next_);
}

void SimExecutor::Submit(base::Task work, base::Task done) {
  jobs_.push_back(Job{std::move(work), std::move(done)});
  if (jobs_.size() == 1) Begin();
}

void SimExecutor::Stall(base::Duration duration) {
  stalled_until_ = std::max(stalled_until_, loop_->world()->Now() + duration);
}

void SimExecutor::Begin() {
  SimWorld* const world = loop_->world();
  const base::Duration half = world->Between(options_.work_min, options_.work_max) / 2;
  next_ = world->Schedule(loop_, half, [this] { Work(); });
}

void SimExecutor::Work() {
  SimWorld* const world = loop_->world();
  if (world->Now() < stalled_until_) {
    next_ = world->Schedule(loop_, stalled_until_ - world->Now(), [this] { Work(); });
    return;
  }
  jobs_.front().work();
  jobs_.front().work = nullptr;
  next_ = world->Schedule(loop_, world->Between(options_.work_min, options_.work_max) / 2, [this] { Finish(); });
}

void SimExecutor::Finish() {
  SimWorld* const world = loop_->world();
  if (world->Now() < stalled_until_) {
    next_ = world->Schedule(loop_, stalled_until_ - world->Now(), [this] { Finish(); });
    return;
  }
  base::Task done = std::move(jobs_.front().done);
  jobs_.pop_front();
  next_ = 0;
  if (!jobs_.empty()) Begin();
  done();  // may destroy this executor
}

}  // namespace drover::sim

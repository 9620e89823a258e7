#include "tests/bench/tasks/decisions.h"

#include <unistd.h>

#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coord/base/random.h"
#include "master/scheduler/scheduler.h"
#include "tests/bench/process_memory.h"
#include "tests/bench/statistics.h"

namespace drover::bench::tasks {
namespace {

using master::scheduler::Scheduler;
using master::scheduler::TaskFacts;
using master::scheduler::TaskRef;

std::uint64_t Resident() {
  const auto memory = ReadProcessMemory(getpid());
  if (!memory.ok()) throw std::runtime_error(memory.status().ToString());
  return memory->resident_bytes;
}

class Pool {
 public:
  explicit Pool(const DecisionsOptions& options) : scheduler_(std::make_unique<Scheduler>()) {
    for (std::size_t i = 0; i < options.workers; ++i) {
      scheduler_->PutWorker({.name = absl::StrCat("w", i),
                             .slots = static_cast<std::uint32_t>(options.slots),
                             .labels = {{"zone", absl::StrCat(i % 8)}},
                             .resources = {{"cpu", 1'000 * static_cast<std::int64_t>(options.slots)}}});
    }
    while (placed_.size() < options.workers * options.slots) {
      Arrive();
      Decide();
    }
    const std::uint64_t before = Resident();
    while (scheduler_->waiting() < options.waiting) Arrive();
    bytes_ = static_cast<double>(Resident()) - static_cast<double>(before);
  }

  void Arrive() {
    TaskRef ref(next_);
    if (free_.empty()) {
      ++next_;
    } else {
      ref = free_.back();
      free_.pop_back();
    }
    ++order_;
    scheduler_->SetWaiting(ref, {.queue = absl::StrCat("q", random_.Below(8)),
                                 .labels = {{"zone", absl::StrCat(random_.Below(8))}},
                                 .priority = static_cast<std::uint8_t>(random_.Below(4)),
                                 .order = order_,
                                 .submitted_ms = static_cast<std::int64_t>(order_ / 100),
                                 .resources = {{"cpu", 1'000}}});
  }
  void End() {
    scheduler_->Forget(placed_.front());
    free_.push_back(placed_.front());
    placed_.pop_front();
  }
  void Decide() {
    for (const auto& placement : scheduler_->Schedule(1).placements) placed_.push_back(placement.task);
  }

  [[nodiscard]] const Scheduler& scheduler() const { return *scheduler_; }
  [[nodiscard]] double bytes() const { return bytes_; }

 private:
  std::unique_ptr<Scheduler> scheduler_;
  base::SeededRandom random_{1};
  std::deque<TaskRef> placed_;  // the oldest ends first
  std::vector<TaskRef> free_;
  std::uint32_t next_ = 0;
  std::uint64_t order_ = 0;
  double bytes_ = 0;
};

}  // namespace

DecisionsReport MeasureDecisions(const DecisionsOptions& options) {
  Pool pool(options);
  std::vector<float> micros;
  const std::uint64_t steps = pool.scheduler().steps();
  for (std::size_t i = 0; i < options.decisions; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    pool.End();
    pool.Decide();
    const auto end = std::chrono::steady_clock::now();
    micros.push_back(std::chrono::duration<float, std::micro>(end - begin).count());
    pool.Arrive();
  }
  DecisionsReport report;
  report.steps = static_cast<double>(pool.scheduler().steps() - steps) / static_cast<double>(options.decisions);
  report.p50_us = Percentile(&micros, 0.5);
  report.p99_us = Percentile(&micros, 0.99);
  report.bytes = pool.bytes() / static_cast<double>(options.waiting);
  return report;
}

}  // namespace drover::bench::tasks

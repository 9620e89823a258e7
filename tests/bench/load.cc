#include "tests/bench/load.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/base/mutex.h"
#include "coord/base/random.h"
#include "tests/bench/interrupt.h"
#include "tests/bench/latch.h"
#include "tests/bench/statistics.h"
#include "tests/support/await.h"

namespace drover::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kAnswerLimit{60};
constexpr int kFillWindow = 64;
constexpr std::chrono::milliseconds kUntilPause{20};

// The first error of many requests.
class FirstError {
 public:
  void Note(const absl::Status& status) {
    base::MutexLock lock(&mu_);
    if (status_.ok()) status_ = status;
  }
  [[nodiscard]] absl::Status Get() {
    base::MutexLock lock(&mu_);
    return status_;
  }

 private:
  base::Mutex mu_;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

// Shared with the requests under way, of which some may outlive it if the service hangs.
class RequestRun : public std::enable_shared_from_this<RequestRun> {
 public:
  RequestRun(Clients* clients, Requests requests)
      : clients_(clients), requests_(std::move(requests)), left_(kFillWindow * clients->count()) {}

  absl::Status Run() {
    for (int client = 0; client < clients_->count(); ++client) {
      clients_->Run(client, [self = shared_from_this(), client] {
        for (int i = 0; i < kFillWindow; ++i) self->Next(client);
      });
    }
    Clock::time_point last = Clock::now();
    for (std::uint64_t before = 0; !left_.WaitFor(std::chrono::milliseconds(100));) {
      if (Interrupted()) return absl::CancelledError("interrupted");
      const std::uint64_t answered = answered_.load();
      if (answered != std::exchange(before, answered)) last = Clock::now();
      if (Clock::now() - last > kAnswerLimit) return absl::DeadlineExceededError("no request was answered for a minute");
    }
    return error_.Get();
  }

 private:
  void Next(int client) {
    const std::size_t i = next_++;
    if (i >= requests_.count) return left_.CountDown();
    clients_->Issue(client, requests_.operation, requests_.key(i), requests_.value(i),
                    [self = shared_from_this(), client](const absl::Status& status) {
                      ++self->answered_;
                      if (status.ok()) return self->Next(client);
                      self->error_.Note(status);
                      self->left_.CountDown();
                    });
  }

  Clients* const clients_;
  const Requests requests_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> answered_{0};
  FirstError error_;
  Latch left_;
};

class LoadRun {
 public:
  LoadRun(const LoadSpec& spec, Clients* clients) : spec_(spec), clients_(clients), running_(spec.window * clients->count()) {
    for (int client = 0; client < clients->count(); ++client) {
      for (int i = 0; i < spec.window; ++i) lanes_.emplace_back(client, spec.seed + lanes_.size());
    }
  }

  absl::StatusOr<Measurement> Run() {
    for (int client = 0; client < clients_->count(); ++client) {
      clients_->Run(client, [this, client] {
        for (Lane& lane : lanes_) {
          if (lane.client == client) Next(&lane);
        }
      });
    }
    absl::Status paused = Pause(spec_.warm_up);
    if (spec_.at_begin) spec_.at_begin();
    const Clock::time_point begin = Clock::now();
    last_answer_ = begin.time_since_epoch().count();
    phase_ = Phase::kMeasure;
    if (paused.ok()) paused = Pause(spec_.measure);
    // A disk that stalls for longer than that is measured, too: until the first answer.
    testing::Await([this] { return answered_.load() > 0 || Ended(); }, kAnswerLimit);
    while (spec_.until && !Ended() && !spec_.until(answered_.load())) paused = Pause(kUntilPause);
    const Clock::time_point end = Clock::now();
    NoteGap(end);
    phase_ = Phase::kStop;
    if (!running_.WaitFor(kAnswerLimit)) return absl::DeadlineExceededError("requests were not answered within a minute");
    if (!paused.ok()) return paused;
    if (const absl::Status error = error_.Get(); !error.ok()) return error;
    return Measure(std::chrono::duration<double>(end - begin).count());
  }

 private:
  enum class Phase { kWarmUp, kMeasure, kStop };

  // One request at a time, and the figures of those answered: no two threads are ever in one lane, so nothing here is shared.
  struct Lane {
    Lane(int of, std::uint64_t seed) : client(of), random(seed) {}
    const int client;
    base::SeededRandom random;
    Clock::time_point asked;
    std::vector<float> micros;
  };

  [[nodiscard]] bool Ended() { return !error_.Get().ok() || Interrupted(); }

  // Something was answered now.
  void NoteGap(Clock::time_point now) {
    const Clock::rep at = now.time_since_epoch().count();
    const Clock::rep gap = at - last_answer_.exchange(at);
    for (Clock::rep most = largest_gap_; gap > most && !largest_gap_.compare_exchange_weak(most, gap);) {
    }
  }

  void Next(Lane* lane) {
    const std::uint64_t bits = lane->random.Next();
    const std::string& key = (*spec_.keys)[lane->random.Below(spec_.keys->size())];
    lane->asked = Clock::now();
    clients_->Issue(lane->client, ChooseOperation(spec_.workload, spec_.set_percent, bits), key,
                    spec_.random_values ? RandomText(bits, spec_.value.size()) : spec_.value,
                    [this, lane](const absl::Status& status) { OnDone(lane, status); });
  }

  void OnDone(Lane* lane, const absl::Status& status) {
    const Phase phase = phase_.load(std::memory_order_relaxed);
    if (!status.ok()) error_.Note(status);
    if (!status.ok() || phase == Phase::kStop) return running_.CountDown();
    if (phase == Phase::kMeasure) {
      const Clock::time_point now = Clock::now();
      lane->micros.push_back(std::chrono::duration<float, std::micro>(now - lane->asked).count());
      NoteGap(now);
      answered_.fetch_add(1, std::memory_order_relaxed);
    }
    Next(lane);
  }

  absl::StatusOr<Measurement> Measure(double seconds) {
    std::vector<float> micros;
    for (const Lane& lane : lanes_) micros.insert(micros.end(), lane.micros.begin(), lane.micros.end());
    if (micros.empty()) return absl::DeadlineExceededError("nothing was answered within a minute");
    Measurement measurement;
    measurement.per_second = static_cast<double>(micros.size()) / seconds;
    measurement.p50_us = Percentile(&micros, 0.5);
    measurement.p99_us = Percentile(&micros, 0.99);
    measurement.largest_gap_us = std::chrono::duration<double, std::micro>(Clock::duration(largest_gap_.load())).count();
    return measurement;
  }

  const LoadSpec& spec_;
  Clients* const clients_;
  std::atomic<Phase> phase_{Phase::kWarmUp};
  std::atomic<std::uint64_t> answered_{0};  // while it was measured
  std::atomic<Clock::rep> last_answer_{0};
  std::atomic<Clock::rep> largest_gap_{0};
  std::vector<Lane> lanes_;
  FirstError error_;
  Latch running_;
};

}  // namespace

absl::Status MakeRequests(Clients* clients, Requests requests) {
  return std::make_shared<RequestRun>(clients, std::move(requests))->Run();
}

absl::Status ForEachKey(Clients* clients, const std::vector<std::string>& keys, Operation operation, const std::string& value) {
  Requests requests;
  requests.count = keys.size();
  requests.operation = operation;
  requests.key = [keys](std::size_t i) { return keys[i]; };
  requests.value = [value](std::size_t) { return value; };
  return MakeRequests(clients, std::move(requests));
}

absl::StatusOr<Measurement> RunLoad(std::unique_ptr<Clients> clients, const LoadSpec& spec) {
  LoadRun run(spec, clients.get());
  absl::StatusOr<Measurement> measurement = run.Run();
  clients.reset();  // before the run, into which requests not answered still point
  return measurement;
}

}  // namespace drover::bench

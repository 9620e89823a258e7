// A steady stream of writes, whatever becomes of them: it tells when a system takes writes and when it does not.
//
// Open loop: a write is made every so often, by each of the clients in turn, answered or not. So a write that is stuck in a server
// that has lost its leader does not hide that the next one would succeed.
//
// Threads: made, asked and destroyed by one; a thread of its own makes the writes.
#ifndef DROVER_TESTS_BENCH_STEADY_WRITER_H_
#define DROVER_TESTS_BENCH_STEADY_WRITER_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/mutex.h"
#include "tests/bench/systems/clients.h"

namespace drover::bench {

class SteadyWriter {
 public:
  using Clock = std::chrono::steady_clock;

  SteadyWriter(std::unique_ptr<Clients> clients, std::vector<std::string> keys, std::string value, int writes_per_second);
  // Stops; the clients go with it.
  ~SteadyWriter();
  SteadyWriter(const SteadyWriter&) = delete;
  SteadyWriter& operator=(const SteadyWriter&) = delete;

  // No write is made from here on. Idempotent.
  void Stop();

  // Waits for the first acknowledgement of a write that is made after this call, and gives its time. DEADLINE_EXCEEDED: none came
  // within `limit`; says what the last answer was. CANCELLED: interrupted.
  [[nodiscard]] absl::StatusOr<Clock::time_point> AwaitAcknowledged(std::chrono::nanoseconds limit);

  [[nodiscard]] std::size_t acknowledged();
  [[nodiscard]] std::size_t failed();

 private:
  void Write();
  void Issue(int client, std::size_t key);
  void OnDone(Clock::time_point made, const absl::Status& status);

  const std::vector<std::string> keys_;
  const std::string value_;
  const std::chrono::nanoseconds interval_;

  base::Mutex mu_;
  base::CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::size_t unanswered_ ABSL_GUARDED_BY(mu_) = 0;
  std::size_t acknowledged_ ABSL_GUARDED_BY(mu_) = 0;
  std::size_t failed_ ABSL_GUARDED_BY(mu_) = 0;
  Clock::time_point since_ ABSL_GUARDED_BY(mu_);
  std::optional<Clock::time_point> first_ ABSL_GUARDED_BY(mu_);
  absl::Status last_failure_ ABSL_GUARDED_BY(mu_);

  // These two last, in this order: they use everything above, and the clients have requests out when the thread has ended.
  std::unique_ptr<Clients> clients_;
  std::thread thread_;
};

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_STEADY_WRITER_H_

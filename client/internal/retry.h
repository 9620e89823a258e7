// When and how a call is tried again.
#ifndef DROVER_CLIENT_INTERNAL_RETRY_H_
#define DROVER_CLIENT_INTERNAL_RETRY_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/random.h"

namespace drover::client {

enum class Idempotency {
  kSafe,  // doing it twice is doing it once: try again after any failure that may pass
  kOnce,  // never again once it may have arrived
};

// `status` (not OK) may be gone on another try, and trying is allowed.
[[nodiscard]] bool MayRetry(const absl::Status& status, Idempotency idempotency);

// Pauses between rounds of tries: 20 ms, doubling to 1 s, each between half and all of that so that many clients do not return
// together.
class Backoff {
 public:
  explicit Backoff(base::Random* random) : random_(random) {}
  [[nodiscard]] std::chrono::milliseconds Next();
  void Reset() { step_ms_ = kFirstMs; }

 private:
  static constexpr std::uint64_t kFirstMs = 20, kLastMs = 1000;
  base::Random* const random_;
  std::uint64_t step_ms_ = kFirstMs;
};

// Who was tried and what came back last from each, for the message when all is over. A try that ended by its time does not hide
// what an earlier one met: the last has whatever time is left, which may be none.
class Trail {
 public:
  void Add(absl::string_view who, const absl::Status& status);
  [[nodiscard]] bool empty() const { return tried_.empty(); }
  // "127.0.0.1:7410 (cannot connect: Connection refused, then no answer in time, 12 times), ..."
  [[nodiscard]] std::string Describe() const;

 private:
  struct Tried {
    std::string who;
    std::string cause;    // of the last failure that was none of time; empty: there was none
    std::string silence;  // not empty: a later try ended by its time
    int times = 0;
  };
  std::vector<Tried> tried_;
};

}  // namespace drover::client

#endif  // DROVER_CLIENT_INTERNAL_RETRY_H_

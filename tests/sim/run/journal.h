// What happened in a run, word by word: printed if asked for, and always part of the digest by which two runs are compared.
#ifndef DROVER_TESTS_SIM_RUN_JOURNAL_H_
#define DROVER_TESTS_SIM_RUN_JOURNAL_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tests/sim/sim_world.h"

namespace drover::sim::run {

// One thread. Keeps the first failure; the run ends soon after it.
class Journal {
 public:
  Journal(SimWorld* world, bool print) : world_(world), print_(print) {}

  template <typename... Words>
  void Note(const Words&... words) {
    Line(absl::StrCat(words...));
  }
  // Ignored if OK.
  void Fail(const absl::Status& status);
  [[nodiscard]] const absl::Status& failure() const { return failure_; }
  [[nodiscard]] bool failed() const { return !failure_.ok(); }

  // Of everything noted, in order.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

 private:
  void Line(const std::string& words);

  SimWorld* const world_;
  const bool print_;
  std::uint64_t digest_ = 0;
  absl::Status failure_;
};

}  // namespace drover::sim::run

#endif  // DROVER_TESTS_SIM_RUN_JOURNAL_H_

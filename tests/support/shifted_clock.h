// A host's clock that somebody sets: what a process takes for the time of day jumps, its timers do not. By a small library that the
// process is started with.
//
// Threads: any one at a time.
#ifndef DROVER_TESTS_SUPPORT_SHIFTED_CLOCK_H_
#define DROVER_TESTS_SUPPORT_SHIFTED_CLOCK_H_

#include <chrono>
#include <map>
#include <string>

namespace drover::testing {

class ShiftedClock {
 public:
  // `path`: a file of its own, in a directory that is there.
  explicit ShiftedClock(std::string path);

  // What the process is started with.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

  // From now on it is so much ahead of the real one (behind, if negative).
  void Set(std::chrono::seconds ahead);

 private:
  const std::string path_;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_SHIFTED_CLOCK_H_

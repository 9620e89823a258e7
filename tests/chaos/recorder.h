// What the clients of a round asked and were told, for the checks behind it.
#ifndef DROVER_TESTS_CHAOS_RECORDER_H_
#define DROVER_TESTS_CHAOS_RECORDER_H_

#include <mutex>
#include <string>
#include <vector>

#include "tests/sim/check/history.h"

namespace drover::chaos {

namespace check = sim::check;

// Any thread.
class Recorder {
 public:
  check::History& history() { return history_; }

  // The session ended at some time between these two, and its ephemerals with it.
  void SessionEnded(base::SessionId session, check::Stamp alive, check::Stamp ended);
  // What a client must never see, beyond what the history is judged by.
  void Fault(std::string what);

  // The history with the ends of sessions in it.
  [[nodiscard]] std::vector<check::Operation> Operations() const;
  [[nodiscard]] std::vector<std::string> faults() const;

 private:
  check::History history_;
  mutable std::mutex mu_;  // guards what follows
  std::vector<check::Operation> ends_;
  std::vector<std::string> faults_;
};

}  // namespace drover::chaos

#endif  // DROVER_TESTS_CHAOS_RECORDER_H_

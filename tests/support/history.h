// What clients asked and what they were told, in the order of one clock: the raw material of checkers.
#ifndef DROVER_TESTS_SUPPORT_HISTORY_H_
#define DROVER_TESTS_SUPPORT_HISTORY_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace drover::testing {

enum class Told { kDone, kRefused, kUnknown };

struct Operation {
  int client = 0;
  std::string call;    // "set /a 5"
  std::string answer;  // what was returned
  Told told = Told::kUnknown;
  std::uint64_t asked_at = 0;  // steady-clock nanoseconds
  std::uint64_t told_at = 0;   // 0: never told
};

// Any thread.
class History {
 public:
  // Returns the operation's number, for Told.
  std::size_t Ask(int client, std::string call);
  void Answer(std::size_t operation, Told told, std::string answer);
  [[nodiscard]] std::vector<Operation> Operations() const;

 private:
  mutable std::mutex mu_;
  std::vector<Operation> operations_;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_HISTORY_H_

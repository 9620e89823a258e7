// What is submitted while everything is hit, and what must become of it. Pure.
//
// Programs are shell scripts that leave a line in the witness file when they begin: `<task> <attempt> <fence> <ms since 1970>`.
#ifndef DROVER_TESTS_CHAOS_TASKS_ORDERS_H_
#define DROVER_TESTS_CHAOS_TASKS_ORDERS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coord/base/random.h"
#include "drover/client/task.h"

namespace drover::chaos::tasks {

struct Order {
  client::TaskSpec spec;
  // Any of these is right.
  std::vector<client::State> ends;
  std::optional<client::Reason> reason;  // what it must be, unless it SUCCEEDED
  bool runs = true;                      // false: it must never begin
  int begins_min = 1;                    // how often it begins at least, if it ends by itself
  std::string after;                     // begins only once this one has ended
  bool cancel = false;                   // its customer cancels it, as soon as it is submitted
  // Of an array: how many of its elements fail.
  std::uint64_t elements = 0;
  std::uint64_t elements_failed = 0;
};

// About `count` orders, ids beginning with `prefix`; what others wait for comes before them.
[[nodiscard]] std::vector<Order> MakeOrders(base::Random* random, const std::string& prefix, std::size_t count,
                                            const std::string& witness);

// The script that leaves a line in `witness`, then does `what`.
[[nodiscard]] std::vector<std::string> Witnessed(const std::string& witness, const std::string& what);

}  // namespace drover::chaos::tasks

#endif  // DROVER_TESTS_CHAOS_TASKS_ORDERS_H_

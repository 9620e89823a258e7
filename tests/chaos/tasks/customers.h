// Who orders tasks, and writes down what they are told of each until it has ended.
//
// Threads: one for each customer; the methods are called from another.
#ifndef DROVER_TESTS_CHAOS_TASKS_CUSTOMERS_H_
#define DROVER_TESTS_CHAOS_TASKS_CUSTOMERS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/chaos/tasks/judge.h"
#include "tests/chaos/tasks/orders.h"

namespace drover::chaos::tasks {

struct CustomersOptions {
  std::vector<std::string> coords;
  int customers = 6;
  std::size_t batch = 40;
  std::uint64_t seed = 1;
  std::string witness;
  // So long, after the last order, may the end of all be in coming.
  std::chrono::minutes patience{5};
};

class Customers {
 public:
  // They begin at once, and order one batch after the other.
  explicit Customers(CustomersOptions options);
  ~Customers();
  Customers(const Customers&) = delete;
  Customers& operator=(const Customers&) = delete;

  // No order is made from here on; waits until all have been told of the ends of theirs.
  void Finish();
  [[nodiscard]] std::size_t ordered() const { return ordered_; }

  // After Finish. Faults: what a customer was told and should not have been.
  [[nodiscard]] const std::vector<Story>& stories() const { return stories_; }
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }

 private:
  void Serve(int customer);
  void Fault(std::string what);

  const CustomersOptions options_;
  std::atomic<bool> finishing_{false};
  std::atomic<std::size_t> ordered_{0};
  std::mutex mu_;  // guards what follows
  std::deque<std::vector<Order>> orders_;
  std::vector<Story> stories_;
  std::vector<std::string> faults_;
  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace drover::chaos::tasks

#endif  // DROVER_TESTS_CHAOS_TASKS_CUSTOMERS_H_

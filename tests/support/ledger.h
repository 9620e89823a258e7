// Writers that keep book: each creates one node of the tree after the other, whatever happens to the core, and notes what was
// acknowledged. Afterwards everything acknowledged must be there.
//
// Threads: one for each writer; every method may be called from any thread.
#ifndef DROVER_TESTS_SUPPORT_LEDGER_H_
#define DROVER_TESTS_SUPPORT_LEDGER_H_

#include <cstddef>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace drover::testing {

class Ledger {
 public:
  // `endpoints`: the coordination nodes, joined by commas. The writers begin at once, each at another node.
  Ledger(std::string endpoints, int writers);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  [[nodiscard]] std::size_t acknowledged() const;
  // Writes whose outcome their client was never told; each ended a session.
  [[nodiscard]] std::size_t unknown() const;
  // Waits until `count` writes were acknowledged after this call; false: not within the deadline of all waiting (await.h).
  [[nodiscard]] bool AwaitMore(std::size_t count) const;
  // No write is made from here on. Idempotent.
  void Stop();
  // After Stop: what is wrong, one sentence each: an acknowledged write that is not there or was there before it was made, a write
  // that nobody made, an answer that the client must not give.
  [[nodiscard]] std::vector<std::string> Faults();

 private:
  void Write(int writer);
  [[nodiscard]] bool stopping() const;
  void Fault(std::string what);

  const std::vector<std::string> endpoints_;

  mutable std::mutex mu_;  // guards what follows
  bool stopping_ = false;
  std::set<std::string> acknowledged_;
  std::set<std::string> unknown_;
  std::vector<std::string> faults_;

  std::vector<std::thread> threads_;  // last: they use everything above
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_LEDGER_H_

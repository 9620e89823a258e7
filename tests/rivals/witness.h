// A client that nothing happens to and that sees all events of the tree, from before the first rival on.
//
// Threads: one of its own hears them; every method may be called from any thread.
#ifndef DROVER_TESTS_RIVALS_WITNESS_H_
#define DROVER_TESTS_RIVALS_WITNESS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "drover/coord/blocking.h"

namespace drover::rivals {

class Witness {
 public:
  // Returns when it sees. Throws if that does not come.
  explicit Witness(const std::vector<std::string>& endpoints);
  ~Witness();
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // For other calls.
  [[nodiscard]] coord::BlockingClient& client() { return *client_; }
  // All that was committed before this call, and perhaps more. Throws if that does not come, as when its history has a gap.
  [[nodiscard]] std::vector<coord::Event> Events();

 private:
  // Writes marks into the tree until one of them has come back; false: none does.
  bool AwaitMark();

  std::unique_ptr<coord::BlockingClient> client_;
  std::atomic<bool> stop_{false};
  std::uint64_t marks_ = 0;

  std::mutex mu_;           // guards what follows
  std::uint64_t seen_ = 0;  // the newest mark
  std::vector<coord::Event> events_;
  bool ended_ = false;  // it hears no more

  std::thread thread_;  // last: it uses everything above
};

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_WITNESS_H_

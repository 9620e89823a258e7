// A client that watches all of a round, through every fault: what it is told is recorded as it comes.
//
// Threads: its session has one of its own, on which events come; every method may be called from any thread.
#ifndef DROVER_TESTS_CHAOS_WATCHER_H_
#define DROVER_TESTS_CHAOS_WATCHER_H_

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "drover/coord/blocking.h"
#include "tests/sim/check/watch_stream.h"

namespace drover::chaos {

namespace check = sim::check;

class Watcher final : private coord::WatchListener {
 public:
  // Opens a session that begins at node `first`, and waits until its watch of `root` stands. UNAVAILABLE: nobody answers.
  static absl::StatusOr<std::unique_ptr<Watcher>> Begin(const std::vector<std::string>& addresses, std::size_t first,
                                                        const std::string& root);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Waits until it has been told of everything up to `zxid`; false if that does not come, or its session ended.
  bool AwaitToldOf(base::Zxid zxid);
  // Why its session ended before it was to; empty: it did not.
  [[nodiscard]] std::string ended() const;
  // One for each time that the watch had to be armed.
  [[nodiscard]] std::vector<check::WatchTrace> Traces() const;

 private:
  Watcher(std::string name, std::string root) : name_(std::move(name)), root_(std::move(root)) {}

  void Arm();
  void OnArmed(base::Zxid zxid) override;
  void OnEvent(const coord::Event& event) override;
  void OnProgress(base::Zxid zxid) override;
  void OnCompacted() override;
  void OnEnded(const absl::Status& why) override;

  const std::string name_;
  const std::string root_;
  mutable std::mutex mu_;  // guards what follows
  std::condition_variable changed_;
  std::deque<check::WatchTrace> traces_;
  bool standing_ = false;
  base::Zxid told_;
  std::string ended_;

  coord::Session* session_ = nullptr;              // on its loop alone
  std::unique_ptr<coord::BlockingClient> client_;  // last: its thread uses everything above
};

}  // namespace drover::chaos

#endif  // DROVER_TESTS_CHAOS_WATCHER_H_

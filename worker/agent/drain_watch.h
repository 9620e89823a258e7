// Whether somebody drains this worker, and until when it may run what it has.
//
// Follows drain/<worker>. The masters give a drained worker nothing new; once the drain's deadline is over, by the cluster's time,
// the worker returns what still runs.
//
// Threads: the loop's.
#ifndef DROVER_WORKER_AGENT_DRAIN_WATCH_H_
#define DROVER_WORKER_AGENT_DRAIN_WATCH_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "coord/base/loop.h"
#include "drover/coord/session.h"
#include "drover/coord/subtree.h"
#include "drover/worker/v1/record.pb.h"

namespace drover::worker::agent {

class DrainWatch final : private coord::SubtreeListener {
 public:
  // `due` is called whenever due() becomes true.
  DrainWatch(base::Loop* loop, std::string path, std::function<void()> due);
  ~DrainWatch();
  DrainWatch(const DrainWatch&) = delete;
  DrainWatch& operator=(const DrainWatch&) = delete;

  // From now on by this session; what is known stands until it has been read anew.
  void Follow(coord::Session* session);
  void Stop();

  // The drain's deadline is over: nothing is to run here.
  [[nodiscard]] bool due() const { return due_; }

 private:
  void OnReset(coord::ResetCause cause) override;
  void OnNode(const coord::Node& node, base::Zxid zxid) override;
  void OnEvent(const coord::Event& event) override;
  void OnSynced(base::Zxid zxid) override;

  void Read(const std::string& path, const std::string& data);
  void Judge();

  const std::string path_;
  const std::function<void()> tell_due_;
  coord::Session* session_ = nullptr;
  std::optional<v1::Drain> drain_;
  bool seen_ = false;  // in the reading that is under way
  bool due_ = false;
  base::Timer timer_;
  std::unique_ptr<coord::SubtreeFollower> follower_;
};

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_DRAIN_WATCH_H_

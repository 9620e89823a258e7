// One Watch call: each task once as it stands, then again at every change, until all have ended or are unknown.
//
// Bounded: changes of a task that the client has not taken yet become one; while a megabyte waits in the transport nothing is
// added. An end that an event showed is the core's word; "unknown" is confirmed by the core before it is said.
//
// Ownership: deletes itself by `on_done` once the connection has closed. Threads: the loop's.
#ifndef DROVER_MASTER_SERVER_WATCH_STREAM_H_
#define DROVER_MASTER_SERVER_WATCH_STREAM_H_

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "coord/base/connection.h"
#include "coord/base/loop.h"
#include "drover/task/v1/task.pb.h"
#include "master/server/master.h"

namespace drover::master::server {

class WatchStream final : public base::ConnectionEvents, private TaskListener {
 public:
  static constexpr std::size_t kIdsMax = 10'000;

  // `on_done` is posted after the last event; the stream may be destroyed then.
  WatchStream(base::Loop* loop, Master* master, const task::v1::WatchRequest& request, std::unique_ptr<base::Connection> connection,
              std::function<void()> on_done);
  ~WatchStream();

  void OnFrame(base::Bytes) override {}
  void OnDrained() override { Wake(); }
  void OnClosed(base::CloseCause cause, const absl::Status& status) override;

 private:
  void OnTaskChanged(const std::string& id) override;
  void OnServiceEnded() override;
  void Wake();
  void Flush();
  void ConfirmMissing();
  void End(const absl::Status& status);

  base::Loop* const loop_;
  Master* const master_;
  std::unique_ptr<base::Connection> connection_;
  const std::function<void()> on_done_;
  std::set<std::string> open_;     // not known to have ended
  std::set<std::string> due_;      // to be sent
  std::set<std::string> missing_;  // not in the view; not confirmed yet
  bool started_ = false;
  bool posted_ = false;
  bool confirming_ = false;
  bool closed_ = false;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace drover::master::server

#endif  // DROVER_MASTER_SERVER_WATCH_STREAM_H_

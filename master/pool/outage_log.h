// Says in the log that the core cannot be reached: when that is found, then at a low rate, and once when it is reached again.
//
// A session dials for ever, many times a second, and tells of links that broke but not of dials that fail: this asks it now and
// then. Loop thread. Must not outlive the loop; the session is asked for anew each time and may be null meanwhile.
#ifndef DROVER_MASTER_POOL_OUTAGE_LOG_H_
#define DROVER_MASTER_POOL_OUTAGE_LOG_H_

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/loop.h"
#include "coord/process/logging.h"
#include "drover/coord/session.h"

namespace drover::pool {

struct OutageLogOptions {
  // A session that was opened is looked at after this, and again, until a dial of it has failed or it is connected.
  base::Duration look_interval = std::chrono::milliseconds(500);
  base::Duration repeat_interval = std::chrono::seconds(30);
};

class OutageLog {
 public:
  // `nodes`: the addresses that it dials.
  OutageLog(base::Loop* loop, process::Logger log, const std::vector<std::string>& nodes, std::function<coord::Session*()> session,
            OutageLogOptions options = {});

  // A session was opened.
  void Opened();
  // Its link broke.
  void Lost(const absl::Status& why);
  // It has a link.
  void Connected();
  // No more is said.
  void Stop();

 private:
  void Look();
  void Warn(const absl::Status& why);

  base::Loop* const loop_;
  const process::Logger log_;
  const std::string nodes_;
  const std::function<coord::Session*()> session_;
  const OutageLogOptions options_;
  std::optional<base::Instant> since_;  // without a link
  bool told_ = false;
  base::Timer timer_;
};

}  // namespace drover::pool

#endif  // DROVER_MASTER_POOL_OUTAGE_LOG_H_

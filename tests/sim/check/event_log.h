// The truth that watches and sessions are judged by: every event of the run, in order, as the replicas applied it.
#ifndef DROVER_TESTS_SIM_CHECK_EVENT_LOG_H_
#define DROVER_TESTS_SIM_CHECK_EVENT_LOG_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "coord/tree/code.h"
#include "coord/tree/views.h"

namespace drover::sim::check {

using coord::tree::EventType;
using coord::tree::Position;

struct LoggedEvent {
  Position position;
  EventType type = EventType::kCreated;
  std::string path;
  std::string data;              // of a deletion: empty
  base::SessionId owner;         // stat.ephemeral_owner; of a deletion, of the node before it
  base::SessionId ends_session;  // the transaction is the end of this session; else 0

  friend bool operator==(const LoggedEvent&, const LoggedEvent&) = default;
};

using EventLog = std::vector<LoggedEvent>;

[[nodiscard]] std::string TextOf(const LoggedEvent& event);

// INTERNAL unless zxids ascend, ordinals of one count 0, 1, 2 ..., and each path's events are possible in their order.
[[nodiscard]] absl::Status CheckEventLog(const EventLog& log);

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_EVENT_LOG_H_

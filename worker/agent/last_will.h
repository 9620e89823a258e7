// What a worker leaves with its reaper, so that its death is known at once: where to say it, and the session to close.
#ifndef DROVER_WORKER_AGENT_LAST_WILL_H_
#define DROVER_WORKER_AGENT_LAST_WILL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"

namespace drover::worker::agent {

struct LastWill {
  std::string worker;
  std::string died_path;  // of this process
  coord::SessionTicket ticket;
  std::vector<std::string> endpoints;
  // How long the reaper tries.
  base::Duration patience = std::chrono::minutes(15);
};

// Within one binary: no format to keep. Secret, as the ticket is.
std::string EncodeLastWill(const LastWill& will);
absl::StatusOr<LastWill> DecodeLastWill(absl::string_view bytes);

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_LAST_WILL_H_

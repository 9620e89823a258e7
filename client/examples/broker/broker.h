// A broker: registers, owns slots, and serves the partitions of those that it owns.
#ifndef DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_
#define DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_

#include <signal.h>

#include <string>

#include "absl/status/status.h"
#include "drover/coord/blocking.h"

namespace drover::examples {

// Runs until one of the signals `stop`, which are blocked, comes (OK), or until the session is over. `directory`: of the logs, the
// same for all brokers.
absl::Status RunBroker(coord::BlockingClient& core, const std::string& name, const std::string& directory, const sigset_t& stop);

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_

// A broker: registers, owns slots, and serves the partitions of those that it owns.
#ifndef DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_
#define DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_

#include <string>

#include "absl/status/status.h"
#include "client/examples/program/participant.h"
#include "drover/coord/blocking.h"

namespace drover::examples::broker {

// Runs until `stop` (OK), or until the session is over. `store`: the directory of the logs, the same for all brokers.
[[nodiscard]] absl::Status RunBroker(const coord::BlockingOptions& options, const std::string& name, const std::string& store,
                                     Stop* stop);

}  // namespace drover::examples::broker

#endif  // DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_

// One consumer of a group: takes its share of a topic's partitions, prints their messages, and commits how far it has come.
#ifndef DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_
#define DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_

#include <signal.h>

#include <string>

#include "absl/status/status.h"
#include "client/examples/broker/broker_calls.h"
#include "drover/coord/blocking.h"

namespace drover::examples {

struct ConsumeOptions {
  std::string topic;
  std::string group;
  std::string name;        // of this consumer, unique in its group
  bool until_end = false;  // ends when the group has consumed all that there is
};

// Runs until one of the signals `stop`, which are blocked, comes (OK).
absl::Status RunConsumer(coord::BlockingClient& core, BrokerCalls& brokers, const ConsumeOptions& options, const sigset_t& stop);

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_

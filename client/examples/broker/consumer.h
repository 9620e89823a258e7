// One consumer of a group: takes its share of a topic's partitions, prints their messages, and commits how far it has come.
#ifndef DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_
#define DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_

#include <string>

#include "absl/status/status.h"
#include "client/examples/broker/broker_calls.h"
#include "client/examples/program/participant.h"
#include "drover/coord/blocking.h"

namespace drover::examples::broker {

struct ConsumeOptions {
  std::string topic;
  std::string group;
  std::string name;        // of this consumer, unique in its group
  bool until_end = false;  // ends when the group has consumed all that there is
};

// Runs until `stop` (OK).
[[nodiscard]] absl::Status RunConsumer(coord::BlockingClient* core, BrokerCalls* brokers, const ConsumeOptions& options,
                                       Stop* stop);

}  // namespace drover::examples::broker

#endif  // DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_

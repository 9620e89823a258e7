// What clients of the brokers know: where things are in the tree, and how to call whichever broker owns a partition.
#ifndef DROVER_CLIENT_EXAMPLES_BROKER_BROKER_CALLS_H_
#define DROVER_CLIENT_EXAMPLES_BROKER_BROKER_CALLS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "client/examples/rpc/rpc.h"
#include "coord/base/time.h"
#include "drover/coord/blocking.h"
#include "drover/recipes/service.h"

namespace drover::examples::broker {

inline constexpr char kRoot[] = "/broker";
inline constexpr char kBrokers[] = "brokers";  // a service below it
inline constexpr char kTopics[] = "/broker/topics";
inline constexpr char kGroups[] = "/broker/groups";

// How many partitions a topic has. NOT_FOUND: there is no such topic.
absl::StatusOr<std::uint32_t> PartitionsOf(coord::BlockingClient* core, const std::string& topic);

// Asks any broker, goes where it is sent, and asks again until one answers. One thread.
class BrokerCalls {
 public:
  BrokerCalls(coord::BlockingClient* core, base::Duration timeout);
  ~BrokerCalls();

  // UNAVAILABLE: no broker that owns the partition answered in time; the call may have taken effect. So give only calls that may be
  // made twice.
  absl::StatusOr<Lines> Call(const std::string& topic, std::uint32_t partition, const std::string& method, Lines arguments);
  // Who answered last.
  [[nodiscard]] std::string OwnerOf(const std::string& topic, std::uint32_t partition) { return owners_[{topic, partition}]; }

 private:
  // One attempt. UNAVAILABLE or DEADLINE_EXCEEDED: `owner` is then whom that broker named instead; empty: ask any.
  absl::StatusOr<Lines> AskOne(std::string* owner, const std::string& method, const Lines& arguments);

  coord::BlockingClient* const core_;
  const base::Duration timeout_;
  std::map<std::pair<std::string, std::uint32_t>, std::string> owners_;  // addresses; empty: not known
  std::unique_ptr<recipes::ServiceDirectory> brokers_;
};

}  // namespace drover::examples::broker

#endif  // DROVER_CLIENT_EXAMPLES_BROKER_BROKER_CALLS_H_

// One consumer of a group: takes its share of a topic's partitions, prints their messages, and commits how far it has come.
//
// The partitions are the shards of a map of the group's own. A position is committed under the guard of the shard, so a consumer
// that has lost a partition cannot set back who has it now.
#ifndef DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_
#define DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/examples/broker/broker_calls.h"
#include "drover/coord/blocking.h"
#include "drover/recipes/shard_map.h"

namespace drover::examples {

// One thread; the map inside lives on the client's.
class Consumer final : public recipes::ShardObserver {
 public:
  Consumer(coord::BlockingClient* core, BrokerCalls* brokers, std::string topic, std::uint32_t partitions, const std::string& group,
           const std::string& name);
  // Gives its partitions back first, if the core answers.
  ~Consumer();

  // One look at each partition that is this consumer's. Gives how many messages it has printed.
  absl::StatusOr<std::uint64_t> Round();
  // The group has consumed all that there is.
  absl::StatusOr<bool> AtEnd();

 private:
  struct Position {
    base::Zxid token;  // under which it was read
    std::uint64_t next = 0;
  };

  [[nodiscard]] std::string PathOf(std::uint32_t partition) const;
  absl::StatusOr<std::uint64_t> Committed(std::uint32_t partition);
  absl::StatusOr<std::uint64_t> Consume(std::uint32_t partition, const recipes::LockGrant& grant);

  // On the loop. What is revoked is given back between two rounds: then all that was printed is committed.
  void OnAcquired(std::uint32_t /*partition*/, const recipes::LockGrant& /*grant*/) override {}
  void OnRevoked(std::uint32_t partition) override { revoked_.insert(partition); }
  void OnLost(std::uint32_t partition, const absl::Status& /*why*/) override { revoked_.erase(partition); }
  void OnShardsEnded(const absl::Status& why) override { ended_ = why; }

  coord::BlockingClient* const core_;
  BrokerCalls* const brokers_;
  const std::string topic_;
  const std::uint32_t partitions_;
  const std::string path_;  // of the group's share in the tree
  std::map<std::uint32_t, Position> positions_;
  // The loop's.
  std::set<std::uint32_t> revoked_;
  absl::Status ended_;
  std::unique_ptr<recipes::ShardMap> share_;
};

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_BROKER_CONSUMER_H_

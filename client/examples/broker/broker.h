// A broker: registers, owns slots, and serves the partitions of those that it owns.
//
// A partition belongs to a slot by its name, for ever; so the tokens of successive owners of a partition grow.
#ifndef DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_
#define DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/examples/broker/partition_log.h"
#include "client/examples/rpc/rpc.h"
#include "drover/coord/blocking.h"
#include "drover/recipes/membership.h"
#include "drover/recipes/service.h"
#include "drover/recipes/shard_map.h"

namespace drover::examples {

inline constexpr char kRoot[] = "/broker";
inline constexpr char kBrokers[] = "brokers";  // a service below it
inline constexpr char kTopics[] = "/broker/topics";
inline constexpr char kGroups[] = "/broker/groups";
inline constexpr std::uint32_t kSlots = 16;

// How many partitions a topic has. NOT_FOUND: there is no such topic.
absl::StatusOr<std::uint32_t> PartitionsOf(coord::BlockingClient& core, const std::string& topic);

// Any thread but the client's own; the recipes inside live on that one.
class Broker final : public recipes::ShardObserver, public recipes::MemberObserver {
 public:
  // `directory`: of the logs, the same for all brokers.
  static absl::StatusOr<std::unique_ptr<Broker>> Start(coord::BlockingClient* core, const std::string& name,
                                                       const std::string& directory);
  // Gives back what it owns first, if the core answers.
  ~Broker();

  // Why this process must end: its session is over.
  [[nodiscard]] absl::Status trouble();
  [[nodiscard]] const std::string& address() const { return server_->address(); }

 private:
  Broker(coord::BlockingClient* core, std::string directory) : core_(core), directory_(std::move(directory)) {}

  // Who serves a partition: this broker, with a token, or whoever has that address; empty: nobody at the moment.
  struct Owner {
    std::optional<std::uint64_t> token;
    std::string address;
  };
  [[nodiscard]] Owner OwnerOf(const std::string& partition);
  // "ok", then the answer; or "moved" and where to.
  absl::StatusOr<Lines> Answer(const std::string& method, const std::vector<std::string>& arguments);
  absl::StatusOr<PartitionLog*> LogOf(const std::string& topic, const std::string& partition);

  // On the loop.
  void OnAcquired(std::uint32_t slot, const recipes::LockGrant& grant) override;
  void OnRevoked(std::uint32_t slot) override { slots_->Release(slot); }
  void OnLost(std::uint32_t slot, const absl::Status& why) override;
  void OnShardsEnded(const absl::Status& why) override { trouble_ = why; }
  void OnRegistered(base::Zxid /*incarnation*/) override {}
  void OnNameTaken(const coord::Node& holder) override;
  void OnLost(const absl::Status& why) override { trouble_ = why; }

  coord::BlockingClient* const core_;
  const std::string directory_;
  std::mutex mu_;                                              // of the next one
  std::map<std::string, std::unique_ptr<PartitionLog>> logs_;  // by partition, as far as they were asked for
  // The loop's.
  absl::Status trouble_;
  std::unique_ptr<recipes::ServiceDirectory> brokers_;
  std::unique_ptr<recipes::ShardMap> slots_;
  std::unique_ptr<recipes::ServiceRegistration> here_;
  std::unique_ptr<Server> server_;
};

}  // namespace drover::examples

#endif  // DROVER_CLIENT_EXAMPLES_BROKER_BROKER_H_

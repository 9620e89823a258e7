#include "client/examples/broker/consumer.h"

#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "drover/coord/status.h"
#include "drover/recipes/shard_map.h"

namespace drover::examples::broker {
namespace {

constexpr base::Duration kPause = std::chrono::milliseconds(20);

// The partitions are the shards of a map of the group's own. A position is committed under the guard of the shard, so a consumer
// that has lost a partition cannot set back who has it now.
class Consumer final : public recipes::ShardObserver {
 public:
  Consumer(coord::BlockingClient* core, BrokerCalls* brokers, const ConsumeOptions& options, std::uint32_t partitions)
      : core_(core),
        brokers_(brokers),
        topic_(options.topic),
        partitions_(partitions),
        path_(absl::StrCat(kGroups, "/", options.group, "/", topic_)) {
    core_->OnLoop([&](coord::Session& session) {
      recipes::ShardOptions share{.path = absl::StrCat(path_, "/share"), .name = options.name, .shards = partitions};
      share_ = std::make_unique<recipes::ShardMap>(session.loop(), &session, std::move(share), this);
    });
  }
  ~Consumer() {
    core_->OnLoop([this](coord::Session&) { share_ = nullptr; });
  }

  // One look at each partition that is this consumer's. Gives how many messages it has printed.
  absl::StatusOr<std::uint64_t> Round() {
    std::map<std::uint32_t, recipes::LockGrant> mine;
    absl::Status ended;
    core_->OnLoop([&](coord::Session&) {
      // Only here, where all that was printed is committed.
      for (const std::uint32_t partition : std::exchange(revoked_, {})) share_->Release(partition);
      mine = share_->owned();
      ended = ended_;
    });
    if (!ended.ok()) return ended;
    std::uint64_t printed = 0;
    for (const auto& [partition, grant] : mine) {
      const auto consumed = Consume(partition, grant);
      if (!consumed.ok()) return consumed.status();
      printed += *consumed;
    }
    return printed;
  }

  // The group has consumed all that there is.
  absl::StatusOr<bool> AtEnd() {
    for (std::uint32_t partition = 0; partition < partitions_; ++partition) {
      const auto summary = brokers_->Call(topic_, partition, "summarize", {""});
      if (!summary.ok()) return summary.status();
      const auto committed = Committed(partition);
      if (!committed.ok()) return committed.status();
      if (summary->front() != absl::StrCat(*committed)) return false;
    }
    return true;
  }

 private:
  struct Position {
    base::Zxid token;  // under which it was read
    std::uint64_t next = 0;
  };

  [[nodiscard]] std::string PathOf(std::uint32_t partition) const { return absl::StrCat(path_, "/positions/", partition); }

  absl::StatusOr<std::uint64_t> Committed(std::uint32_t partition) {
    const auto got = core_->Get(PathOf(partition));
    if (coord::IsNoNode(got.status())) return 0;
    if (!got.ok()) return got.status();
    std::uint64_t next = 0;
    if (!absl::SimpleAtoi(got->node.data, &next)) return absl::DataLossError(absl::StrCat(got->node.path, " holds no number"));
    return next;
  }

  absl::StatusOr<std::uint64_t> Consume(std::uint32_t partition, const recipes::LockGrant& grant) {
    Position& position = positions_[partition];
    if (position.token != grant.token) {  // somebody else may have had it meanwhile
      const auto committed = Committed(partition);
      if (!committed.ok()) return committed.status();
      position = {grant.token, *committed};
    }
    const auto messages = brokers_->Call(topic_, partition, "read", {absl::StrCat(position.next)});
    if (!messages.ok()) return messages.status();
    if (messages->empty()) return 0;
    for (const std::string& message : *messages) std::cout << partition << " " << position.next++ << " " << message << "\n";
    std::cout.flush();
    // Printed before it is committed: who dies in between is followed by one who prints it again. The other order would lose it.
    const auto committed =
        core_->Commit({.compares = {coord::Compare::Czxid(grant.path, grant.token)},
                       .then = {coord::Operation::Create(PathOf(partition), "", {.parents = true, .if_absent = true}),
                                coord::Operation::Set(PathOf(partition), absl::StrCat(position.next))},
                       .otherwise = {}});
    if (!committed.ok()) return committed.status();
    if (!committed->succeeded) positions_.erase(partition);  // it is another one's
    return messages->size();
  }

  // On the loop.
  void OnAcquired(std::uint32_t /*partition*/, const recipes::LockGrant& /*grant*/) override {}
  void OnRevoked(std::uint32_t partition) override { revoked_.insert(partition); }
  void OnLost(std::uint32_t partition, const absl::Status& /*why*/) override { revoked_.erase(partition); }
  void OnShardsEnded(const absl::Status& why) override { ended_ = why; }

  coord::BlockingClient* const core_;
  BrokerCalls* const brokers_;
  const std::string topic_;
  const std::uint32_t partitions_;
  const std::string path_;  // of what the group has in the tree
  std::map<std::uint32_t, Position> positions_;
  // The loop's.
  std::set<std::uint32_t> revoked_;
  absl::Status ended_;
  std::unique_ptr<recipes::ShardMap> share_;
};

}  // namespace

absl::Status RunConsumer(coord::BlockingClient* core, BrokerCalls* brokers, const ConsumeOptions& options, Stop* stop) {
  const auto partitions = PartitionsOf(core, options.topic);
  if (!partitions.ok()) return partitions.status();
  Consumer consumer(core, brokers, options, *partitions);
  while (!stop->AskedWithin(kPause)) {
    const auto printed = consumer.Round();
    if (!printed.ok()) return printed.status();
    if (*printed > 0 || !options.until_end) continue;
    const auto at_end = consumer.AtEnd();
    if (!at_end.ok()) return at_end.status();
    if (*at_end) break;
  }
  return absl::OkStatus();
}

}  // namespace drover::examples::broker

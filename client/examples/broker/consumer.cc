#include "client/examples/broker/consumer.h"

#include <future>
#include <iostream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/examples/broker/broker.h"
#include "drover/coord/status.h"

namespace drover::examples {

Consumer::Consumer(coord::BlockingClient* core, BrokerCalls* brokers, std::string topic, std::uint32_t partitions,
                   const std::string& group, const std::string& name)
    : core_(core),
      brokers_(brokers),
      topic_(std::move(topic)),
      partitions_(partitions),
      path_(absl::StrCat(kGroups, "/", group, "/", topic_)) {
  core_->OnLoop([&](coord::Session& session) {
    share_ = std::make_unique<recipes::ShardMap>(
        session.loop(), &session, recipes::ShardOptions{.path = absl::StrCat(path_, "/share"), .name = name, .shards = partitions},
        this);
  });
}

Consumer::~Consumer() {
  const auto left = std::make_shared<std::promise<void>>();
  bool alive = false;
  core_->OnLoop([&](coord::Session&) {
    alive = ended_.ok();
    share_->Leave([left](const absl::Status&) { left->set_value(); });
    for (const std::uint32_t partition : std::exchange(revoked_, {})) share_->Release(partition);
  });
  if (alive) left->get_future().wait_for(std::chrono::seconds(5));
  core_->OnLoop([this](coord::Session&) { share_ = nullptr; });
}

std::string Consumer::PathOf(std::uint32_t partition) const {
  return absl::StrCat(path_, "/positions/", partition);
}

absl::StatusOr<std::uint64_t> Consumer::Round() {
  std::map<std::uint32_t, recipes::LockGrant> mine;
  absl::Status ended;
  core_->OnLoop([&](coord::Session&) {
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

absl::StatusOr<std::uint64_t> Consumer::Committed(std::uint32_t partition) {
  const auto got = core_->Get(PathOf(partition));
  if (coord::IsNoNode(got.status())) return 0;
  if (!got.ok()) return got.status();
  std::uint64_t next = 0;
  if (!absl::SimpleAtoi(got->node.data, &next)) return absl::DataLossError(absl::StrCat(got->node.path, " holds no number"));
  return next;
}

absl::StatusOr<std::uint64_t> Consumer::Consume(std::uint32_t partition, const recipes::LockGrant& grant) {
  Position& position = positions_[partition];
  if (position.token != grant.token) {  // somebody else may have had it meanwhile
    const auto committed = Committed(partition);
    if (!committed.ok()) return committed.status();
    position = {grant.token, *committed};
  }
  const auto messages = brokers_->Call(topic_, partition, "read", {absl::StrCat(position.next)});
  if (!messages.ok()) return messages.status();
  if (messages->empty()) return 0;
  for (std::size_t i = 0; i < messages->size(); ++i) {
    std::cout << partition << " " << position.next + i << " " << (*messages)[i] << "\n";
  }
  std::cout.flush();
  // Printed before it is committed: who dies in between is followed by one who prints it again. The other order would lose it.
  position.next += messages->size();
  const auto committed =
      core_->Commit({.compares = {coord::Compare::Czxid(grant.path, grant.token)},
                     .then = {coord::Operation::Create(PathOf(partition), "", {.parents = true, .if_absent = true}),
                              coord::Operation::Set(PathOf(partition), absl::StrCat(position.next))},
                     .otherwise = {}});
  if (!committed.ok()) return committed.status();
  if (!committed->succeeded) positions_.erase(partition);  // it is another one's
  return messages->size();
}

absl::StatusOr<bool> Consumer::AtEnd() {
  for (std::uint32_t partition = 0; partition < partitions_; ++partition) {
    const auto end = brokers_->Call(topic_, partition, "end");
    if (!end.ok()) return end.status();
    const auto committed = Committed(partition);
    if (!committed.ok()) return committed.status();
    if (end->front() != absl::StrCat(*committed)) return false;
  }
  return true;
}

}  // namespace drover::examples

#include "tests/scenarios/network.h"

#include <algorithm>

namespace drover::scenarios {

using coord::raft::Message;

void Network::Send(Message message) {
  const Link link{message.envelope.from, message.envelope.to};
  ++sent_[{link, std::string(coord::raft::NameOf(message.body))}];
  if (!cut_.contains(link)) queues_[link].push_back(std::move(message));
}

std::optional<Message> Network::Take(const Link& link) {
  const auto found = queues_.find(link);
  if (found == queues_.end()) return std::nullopt;
  Message message = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty()) queues_.erase(found);
  return message;
}

std::size_t Network::Queued(const Link& link) const {
  const auto found = queues_.find(link);
  return found == queues_.end() ? 0 : found->second.size();
}

std::vector<Link> Network::Busy() const {
  std::vector<Link> links;
  for (const auto& [link, queue] : queues_) links.push_back(link);
  return links;
}

void Network::Drop(const Link& link, std::size_t count) {
  while (count-- > 0 && Take(link)) {
  }
}

void Network::Duplicate(const Link& link, std::size_t count) {
  const auto found = queues_.find(link);
  if (found == queues_.end()) return;
  count = std::min(count, found->second.size());
  for (std::size_t i = 0; i < count; ++i) found->second.push_back(Message(found->second[i]));
}

void Network::Reverse(const Link& link) {
  const auto found = queues_.find(link);
  if (found != queues_.end()) std::reverse(found->second.begin(), found->second.end());
}

void Network::Delay(const Link& link, std::size_t count) {
  while (count-- > 0) {
    std::optional<Message> message = Take(link);
    if (!message) return;
    aside_[link].push_back(*std::move(message));
  }
}

void Network::Resume(const Link& link) {
  const auto found = aside_.find(link);
  if (found == aside_.end()) return;
  for (Message& message : found->second) queues_[link].push_back(std::move(message));
  aside_.erase(found);
}

void Network::Cut(const Link& link) {
  cut_.insert(link);
  queues_.erase(link);
}

void Network::DropTo(base::NodeId to) {
  for (auto queue = queues_.begin(); queue != queues_.end();) {
    queue = queue->first.second == to ? queues_.erase(queue) : std::next(queue);
  }
}

std::size_t Network::Sent(const Link& link, const std::string& name) const {
  std::size_t count = 0;
  for (const auto& [key, sent] : sent_) {
    if (key.first == link && (name.empty() || key.second == name)) count += sent;
  }
  return count;
}

}  // namespace drover::scenarios

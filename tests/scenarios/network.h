// The network of a scenario: a queue of messages for each directed link, moved only by the script.
#ifndef DROVER_TESTS_SCENARIOS_NETWORK_H_
#define DROVER_TESTS_SCENARIOS_NETWORK_H_

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coord/base/ids.h"
#include "coord/raft/messages.h"

namespace drover::scenarios {

// From one node to another.
using Link = std::pair<base::NodeId, base::NodeId>;

// A value. What is sent on a link that is cut is lost, silently, as is what was under way on it.
class Network {
 public:
  // Counted even if the link is cut.
  void Send(coord::raft::Message message);

  // The oldest message on the link leaves it.
  std::optional<coord::raft::Message> Take(const Link& link);
  [[nodiscard]] std::size_t Queued(const Link& link) const;
  // Links with messages under way, in ascending order.
  [[nodiscard]] std::vector<Link> Busy() const;

  void Drop(const Link& link, std::size_t count);
  // A second copy of each of the first `count` messages goes to the end.
  void Duplicate(const Link& link, std::size_t count);
  // The newest comes first.
  void Reverse(const Link& link);
  // The oldest `count` are set aside; Resume puts all that were set aside behind what is under way.
  void Delay(const Link& link, std::size_t count);
  void Resume(const Link& link);

  void Cut(const Link& link);
  void Open(const Link& link) { cut_.erase(link); }
  void OpenAll() { cut_.clear(); }
  // Nothing can arrive at a machine that is down.
  void DropTo(base::NodeId to);

  // Messages of this name ("" for all) sent on the link since ResetCounts.
  [[nodiscard]] std::size_t Sent(const Link& link, const std::string& name) const;
  void ResetCounts() { sent_.clear(); }

 private:
  std::map<Link, std::deque<coord::raft::Message>> queues_;
  std::map<Link, std::deque<coord::raft::Message>> aside_;
  std::set<Link> cut_;
  std::map<std::pair<Link, std::string>, std::size_t> sent_;
};

}  // namespace drover::scenarios

#endif  // DROVER_TESTS_SCENARIOS_NETWORK_H_

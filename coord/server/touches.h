// What a node that does not lead tells its leader about the sessions attached to it: who was heard, who attached, whose link broke.
// One message for all of them and an interval, never an entry of the log. Pure.
#ifndef DROVER_COORD_SERVER_TOUCHES_H_
#define DROVER_COORD_SERVER_TOUCHES_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "coord/base/ids.h"
#include "coord/server/peer_frame.h"
#include "coord/tree/watches.h"

namespace drover::coord::server {

// Not thread-safe.
class Touches {
 public:
  struct Confirmed {
    base::SessionId session;
    tree::StreamId stream;
    std::uint64_t contact = 0;
  };

  // `first_sequence`: random, so that a confirmation meant for an earlier process of this node is not taken for one of this one's.
  explicit Touches(std::uint64_t first_sequence) : last_sequence_(first_sequence) {}

  void Heard(base::SessionId session) { next_.heard.insert(session); }
  // A contact that its client wants confirmed; a newer one of the session replaces an older.
  void Contact(base::SessionId session, tree::StreamId stream, std::uint64_t contact);
  void Attached(const Attachment& attachment) { next_.attached.push_back(attachment); }
  void LinkBroke(const Attachment& attachment) { next_.broken.push_back(attachment); }

  [[nodiscard]] bool empty() const { return next_.heard.empty() && next_.attached.empty() && next_.broken.empty(); }
  // Everything since the last one.
  [[nodiscard]] Touch Take();
  // The leader has confirmed this one, and with it all before.
  [[nodiscard]] std::vector<Confirmed> OnAck(const TouchAck& ack);
  // Another leader, which knows nothing: `attached` are the streams there are. Contacts that were not confirmed are told again.
  void Restart(std::vector<Attachment> attached);
  // This node leads now: everything is forgotten, and the contacts that were not confirmed are returned.
  [[nodiscard]] std::vector<Confirmed> Stop();

 private:
  struct Gathered {
    std::set<base::SessionId> heard;
    std::map<base::SessionId, Confirmed> contacts;
    std::vector<Attachment> attached;
    std::vector<Attachment> broken;
  };
  struct Sent {
    std::uint64_t sequence = 0;
    std::map<base::SessionId, Confirmed> contacts;
  };

  std::uint64_t last_sequence_;
  Gathered next_;
  std::deque<Sent> sent_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_TOUCHES_H_

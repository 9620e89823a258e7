// Which sessions are alive, as their leader judges it. Pure: time comes in with every event.
//
// Silence is counted on a clock of its own that advances by ticks, each capped: while the leader's loop is paused or its host
// suspended, the clock stands (but for one capped tick), so that waking up expires nobody whose contacts wait in the inbox. The
// owner therefore drains its input before it calls Tick. A new leader, a restarted single node too, gives every session its full
// time-out again. An expiry is only proposed here; the session ends when the entry is applied, and until then its contacts are not
// acknowledged: an acknowledged client never loses its session to an expiry that was under way.
#ifndef DROVER_COORD_SERVER_LEASES_H_
#define DROVER_COORD_SERVER_LEASES_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/tree/watches.h"

namespace drover::coord::server {

using tree::StreamId;

struct LeaseTerms {
  base::SessionId session;
  base::Duration timeout{};
  base::Duration disconnect_grace{};  // 0: a broken link says nothing
};

// Where a session is attached: a stream of one of the nodes.
struct Place {
  base::NodeId node;
  StreamId stream;

  friend bool operator==(const Place&, const Place&) = default;
};

// Not thread-safe. Calls about a session that is not known are ignored.
class Leases {
 public:
  struct Options {
    // What one tick counts at most, however long ago the last one was. Must exceed the interval at which Tick is called.
    base::Duration tick_max = std::chrono::milliseconds(150);
  };

  explicit Leases(const Options& options) : options_(options) {}

  // This node leads from now on, with these sessions, and knows of nothing else: the owner attaches the streams it has.
  void Lead(base::Instant now, const std::vector<LeaseTerms>& sessions);
  // This node does not lead: nothing expires.
  void Follow();

  void Open(base::Instant now, const LeaseTerms& terms);
  void End(base::SessionId session);

  // `place` is the newest of this session, unless one was told of that its client attached later (`attach`, its own count): news
  // from two nodes may overtake each other. A link broken before is forgotten. Counts as a contact.
  void Attach(base::Instant now, base::SessionId session, const Place& place, std::uint64_t attach);
  // Something of the client's arrived.
  void Contact(base::Instant now, base::SessionId session);
  // No expiry of it is proposed, so a contact that a quorum round has confirmed may be acknowledged.
  [[nodiscard]] bool MayAcknowledge(base::SessionId session) const;
  // A contact that came by this node was acknowledged.
  void Acknowledged(base::SessionId session, base::NodeId node);
  // FIN or RST was seen on this stream (never told for one that this node ended itself). Starts the disconnect grace if the client
  // asked for one, this is the session's newest stream, and one of its contacts was acknowledged since Lead.
  void LinkBroke(base::Instant now, base::SessionId session, const Place& place);

  void Tick(base::Instant now);
  // The sessions whose time is over, ascending, at most `max`, each once: their expiry is to be proposed.
  [[nodiscard]] std::vector<base::SessionId> TakeExpired(std::size_t max);

  [[nodiscard]] std::size_t size() const { return leases_.size(); }

 private:
  using Silence = base::Duration;  // the clock: counted time since Lead

  struct Lease {
    Silence timeout{};
    Silence grace{};
    Silence deadline{};
    Silence queued{};  // its key in queue_; at or before the deadline
    Place newest;
    std::uint64_t attach = 0;
    bool acknowledged = false;  // a contact of the newest, since Lead
    bool expiring = false;
  };

  [[nodiscard]] Silence At(base::Instant now) const;
  void Queue(base::SessionId session, Lease* lease);

  const Options options_;
  bool leading_ = false;
  base::Instant last_tick_{};
  Silence clock_{};
  // Looked up, never iterated. Deadlines are moved here alone; the queue follows when an entry of it comes up.
  absl::flat_hash_map<base::SessionId, Lease> leases_;
  std::set<std::pair<Silence, base::SessionId>> queue_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_LEASES_H_

// What a leader knows of one other member's log, and what it has sent it.
#ifndef DROVER_COORD_RAFT_PROGRESS_H_
#define DROVER_COORD_RAFT_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <deque>

#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/types.h"

namespace drover::coord::raft {

// Bounds what is sent and not yet acknowledged as durable.
struct WindowLimits {
  std::size_t appends = 64;
  std::size_t bytes = 8U << 20;
};

// A value. Probing: one Append at a time until the place is found from which the logs agree. Replicating: many under way.
class Progress {
 public:
  // Nothing is known of the member; `next` is where a leader begins to look.
  explicit Progress(Index next) : next_(next) {}

  [[nodiscard]] Index match() const { return match_; }
  // The most that it has ever acknowledged as durable, by whatever process.
  [[nodiscard]] Index held() const { return held_; }
  [[nodiscard]] Index next() const { return next_; }
  [[nodiscard]] bool probing() const { return probing_; }
  // Something may be sent now: no probe is out, the window has room, what it needs is there.
  [[nodiscard]] bool CanSend(const WindowLimits& limits) const;

  // An Append with entries after next() - 1 through `last` has been sent.
  void Sent(Index last, std::size_t bytes);
  // An Append without entries went out as a probe.
  void SentProbe() { probe_out_ = true; }
  // A probe may have been lost: another may be sent.
  void ProbeAgain() { probe_out_ = false; }
  // An acknowledgement: equal to ours up to `received`, durable up to `match`.
  void Accepted(Index match, Index received);
  // The Append after `previous` did not fit; the logs may agree at `agree` at the latest. False: an old answer, which says nothing.
  bool Rejected(Index previous, Index agree);
  // What was under way may be lost (the link broke, the window stands still): begin again behind what is known.
  void Probe();
  // The member's process is another one: what it had acknowledged is unknown.
  void Forget(Index next);

  // Owned by the leader's code, which alone gives them meaning.
  base::BootNonce boot;          // of the process that answered last; 0: none has
  base::Duration heard{};        // when an answer in this term came last
  std::uint64_t heard_in = 0;    // the leader's newest round by then
  std::uint64_t round = 0;       // the newest round it has confirmed
  Index told;                    // the commit index of what was sent to it last
  bool needs_snapshot = false;   // what it needs is no longer in the log
  bool sent_this_flush = false;  // an Append is among the messages of the current output

 private:
  struct InFlight {
    Index last;
    std::size_t bytes = 0;
  };

  Index match_;
  Index held_;
  Index next_;
  bool probing_ = true;
  bool probe_out_ = false;
  std::deque<InFlight> in_flight_;
  std::size_t in_flight_bytes_ = 0;
};

}  // namespace drover::coord::raft

#endif  // DROVER_COORD_RAFT_PROGRESS_H_

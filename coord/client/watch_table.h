// The watches of a session: where each stands, so that it goes on from there on the next stream.
//
// A watch's position only grows: by its events, and by everything that proves that all its events up to a zxid have been sent
// (bookmarks, and answers, which never overtake an event). What is not newer than the position is a repetition and dropped.
//
// No loop and no connection in here. Threads: the session's loop. Listeners are called from inside, and may add and remove watches
// then; a listener may also destroy the session: `alive` turns false, and nothing in here is touched after that.
#ifndef DROVER_COORD_CLIENT_WATCH_TABLE_H_
#define DROVER_COORD_CLIENT_WATCH_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "coord/client/codec.h"
#include "coord/client/request_queue.h"
#include "drover/coord/session.h"

namespace drover::coord::client {

class WatchTable {
 public:
  // `endpoints`: how many there are to ask before a watch counts as compacted.
  WatchTable(std::size_t endpoints, std::shared_ptr<const bool> alive) : endpoints_(endpoints), alive_(std::move(alive)) {}

  // It is armed after the calls before `behind` were sent: a call's effect is no event of a watch that was made after it. (Not so
  // if it says itself where it goes on.)
  WatchId Add(std::string path, WatchOptions options, WatchListener* listener, RequestQueue::Key behind = 0);
  void Remove(WatchId id);

  // A new stream to `endpoint`: every watch is armed on it again, at its position.
  void StartStream(std::size_t endpoint);
  // Appends what arms and removes watches, as far as it need not wait for calls from `next_to_send` on. Returns how many requests.
  std::uint64_t Fill(std::string* frame, std::uint64_t credits, RequestQueue::Key next_to_send);
  [[nodiscard]] bool wants_to_send() const { return !outgoing_.empty() || !waiting_.empty(); }
  // Calls before it go out before the next watch does; kNoKey if none waits.
  [[nodiscard]] RequestQueue::Key Barrier() const {
    return waiting_.empty() ? RequestQueue::kNoKey : watches_.at(waiting_.front()).behind;
  }
  // Some watch has yet to be resumed on this stream, or given up: until then an answer could overtake its events.
  [[nodiscard]] bool catching_up() const { return to_resume_ > 0; }

  // Ids on the wire have the highest bit set, so that they are no key of a call.
  [[nodiscard]] static bool IsWatchAnswer(std::uint64_t id) { return (id & kIdBit) != 0; }
  void OnAnswer(const AnswerView& answer);
  // Watches that a node could not arm just now are asked for again at the node's pace: when it acknowledges a contact.
  void AskAgain();
  void OnEvent(const EventView& view);
  // All events up to `zxid` have been sent on this stream, for the watches armed on it.
  void OnProgress(Zxid zxid);

  // Some watch was COMPACTED where the stream is and there is an endpoint that may still have its history: which one.
  [[nodiscard]] std::optional<std::size_t> EndpointToTry(std::size_t current) const;
  // `endpoint` could not be reached: no watch hopes for it any more.
  void OnUnreachable(std::size_t endpoint);
  // Tells the listeners of watches that no endpoint can resume.
  void ReportCompacted();

  // The session ended: every listener hears it.
  void EndAll(const absl::Status& why);

 private:
  static constexpr std::uint64_t kIdBit = std::uint64_t{1} << 63;

  struct Watch {
    std::string path;
    WatchKind kind = WatchKind::kRecursive;
    bool with_data = true;
    WatchListener* listener = nullptr;
    std::optional<Position> position;
    RequestQueue::Key behind = 0;
    bool announced = false;  // OnArmed was called
    bool armed = false;      // on this stream
    bool resuming = false;   // asked on this stream with a position
    std::set<std::size_t> compacted_at;
  };

  using Watches = std::map<WatchId, Watch>;

  // A watch that is to be resumed counts in `to_resume_`, so these three alone change what it depends on, besides StartStream.
  [[nodiscard]] static bool ToResume(const Watch& watch) { return !watch.armed && watch.position.has_value(); }
  void Arm(Watch* watch);
  void MoveTo(Watch* watch, Position position);
  void Erase(Watches::iterator watch);
  void Append(WatchId id, std::string* frame);

  const std::size_t endpoints_;
  const std::shared_ptr<const bool> alive_;
  Watches watches_;
  std::size_t to_resume_ = 0;
  std::deque<std::pair<WatchId, bool>> outgoing_;  // to arm (true) or remove (false), at once
  std::deque<WatchId> waiting_;                    // to arm for the first time, each behind calls
  std::map<std::uint64_t, WatchId> asked_;         // answers awaited on this stream
  std::vector<WatchId> put_off_;                   // answered UNAVAILABLE on this stream
  std::uint64_t next_watch_ = 1;
  std::uint64_t next_ask_ = 1;
  std::size_t endpoint_ = 0;
  Zxid progress_;  // what every armed watch was told on this stream
};

}  // namespace drover::coord::client

#endif  // DROVER_COORD_CLIENT_WATCH_TABLE_H_

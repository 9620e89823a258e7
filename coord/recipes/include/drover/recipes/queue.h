// A queue of small items for several consumers, by priority, with delays. An item is handed to one consumer at a time and is gone
// once that one acknowledges it; of a consumer that dies it is handed to another.
//
//   recipes::Queue queue(session, {.path = "/app/mails"});
//   queue.Put("to: ...", {.priority = 7, .delay = std::chrono::minutes(5)}, done);
//
//   class Mailer : public recipes::QueueObserver {
//     void OnItem(const recipes::QueueItem& item) override { ... consumer_->Acknowledge(item.name, {record_of_it}, done); }
//     void OnItemLost(const std::string& name, const absl::Status& why) override { ... stop working on it ... }
//   };
//   recipes::QueueConsumer consumer(session, {.path = "/app/mails", .name = "mailer-1"}, &mailer);
//
// For coordination, not for data: every consumer keeps the whole queue in memory, and each item is a few writes of the core. Work
// that runs programs, retries and reports is what `drover submit` is for.
//
// Guarantees
//   Higher priorities first, then the order of Put, as far as items are free when a consumer looks; consumers work side by side, so
//   nothing is promised about the order in which they finish. Put is a numbered write: reconnects make no second item. An item is
//   handed out at least once; its `attempt` counts. What Acknowledge writes beside, takes effect exactly once: together with the
//   removal of the item, and only if the claim still stands, so a consumer that was taken for dead changes nothing when it wakes.
//   For resources outside of the tree: `token` grows with each claim of an item; see lock.h. A delay ends by the clock of the core,
//   which no process's clock changes.
//
// Failure
//   Link lost: calls wait; items in hand stay in hand as long as the session lives. Session expired: OnItemLost for each in hand,
//   then OnConsumerEnded; make another with the new session. A claim that somebody deletes: OnItemLost(kNoNode). A full queue
//   refuses: RESOURCE_EXHAUSTED. Delays need a cluster of feature level 3: else kUnimplemented.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy before the session; callbacks then do not come, and
// what is in hand stays claimed until the session ends.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_QUEUE_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"

namespace drover::recipes {

struct QueueOptions {
  std::string path;                  // the queue's own; made if missing
  std::uint32_t items_max = 10'000;  // Put is refused while so many are there
  // Part of the names of what this object puts; no two objects may use the same. Empty: a random one.
  std::string producer;
};

struct PutOptions {
  std::uint32_t priority = 0;  // 0..9, 9 first
  base::Duration delay{0};     // not handed out before
};

class Queue {
 public:
  Queue(coord::Session* session, QueueOptions options);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Gives the item's name. RESOURCE_EXHAUSTED: the queue is full.
  void Put(std::string data, const PutOptions& options, coord::Callback<std::string> done);
  // How many there are, in hand or delayed ones included.
  void Count(coord::Callback<std::uint64_t> done);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

struct QueueItem {
  std::string name;
  std::string data;
  std::uint32_t priority = 0;
  std::uint32_t attempt = 1;  // so many times it has been handed out, this one included
  base::Zxid token;           // the claim's czxid
};

class QueueObserver {
 public:
  virtual void OnItem(const QueueItem& item) = 0;
  // It is not in hand any more, and nobody here asked for it.
  virtual void OnItemLost(const std::string& name, const absl::Status& why) = 0;
  // The session is over, or the service refuses this consumer. Final.
  virtual void OnConsumerEnded(const absl::Status& /*why*/) {}

 protected:
  ~QueueObserver() = default;
};

struct QueueConsumerOptions {
  std::string path;             // the queue's
  std::string name;             // of this consumer, for people
  std::size_t in_hand_max = 1;  // so many at a time
};

class QueueConsumer {
 public:
  // Begins at once. `observer` must outlive it.
  QueueConsumer(coord::Session* session, QueueConsumerOptions options, QueueObserver* observer);
  ~QueueConsumer();
  QueueConsumer(const QueueConsumer&) = delete;
  QueueConsumer& operator=(const QueueConsumer&) = delete;

  // The item is done with, together with these writes: all of it or, if the claim is gone, nothing (kNoNode).
  void Acknowledge(const std::string& name, std::vector<coord::Operation> writes, coord::DoneCallback done);
  // Gives it back: to whoever comes first, not before `delay` has passed.
  void Return(const std::string& name, base::Duration delay, coord::DoneCallback done);
  // Takes no more items. What is in hand stays so.
  void Stop();

  // By name.
  [[nodiscard]] const std::map<std::string, QueueItem>& in_hand() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_QUEUE_H_

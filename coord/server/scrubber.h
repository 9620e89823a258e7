// Reads everything in a node's data directory again, now and then, so that what a disk has lost is found while the other nodes, and
// this one's own memory, still have it.
//
// Threads: the loop's; the reading is the executor's.
#ifndef DROVER_COORD_SERVER_SCRUBBER_H_
#define DROVER_COORD_SERVER_SCRUBBER_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "coord/base/loop.h"
#include "coord/base/random.h"
#include "coord/server/snapshot_seams.h"

namespace drover::coord::server {

class Scrubber {
 public:
  struct Options {
    base::Duration every = std::chrono::hours(24);  // from the end of one to the next; 0: not of itself
    // After one that could not look, or found damage, or after LookSoon; doubled each time that the damage is still there, up to
    // `every` (0: a day).
    base::Duration again = std::chrono::minutes(1);
  };
  // What one has found: OK, or the damage that was met first. Other errors say nothing about the files and are not told.
  using Found = std::function<void(const absl::Status& damage, base::Duration took)>;

  Scrubber(SnapshotSeams seams, const Options& options, Found found);
  ~Scrubber();
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

  // The first one is due after `every`, less what `random` takes of it, so that nodes begun together do not read together.
  void Start(base::Random* random);
  // Somebody else has met damage: one is due after `again`, and tells what it has found then.
  void LookSoon();

 private:
  void After(base::Duration pause);
  void Look();
  void OnLooked(const absl::Status& status);

  const SnapshotSeams seams_;
  const Options options_;
  const Found found_;
  base::Timer timer_;
  base::Instant began_;
  bool looking_ = false;
  bool wanted_ = false;              // by LookSoon, and not begun
  base::Duration again_{0};          // 0: the last one found nothing
  std::shared_ptr<Scrubber*> self_;  // completions may outlive the scrubber
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_SCRUBBER_H_

// What becomes of an assignment whose worker may have vanished: a pure decision, restating what is promised to users.
//
//   worker there, same process       nothing; a noted absence is cleared
//   cancelled, its process is dead   CANCELLED
//   may run again (at least once)    READY at once; the loss counts only if the process died; after five counted ones FAILED
//   at most once, not started        READY at once, no loss: it never ran
//   at most once, started            dead for certain: LOST at once; else the absence is noted, and LOST after `lost_after`
#ifndef DROVER_MASTER_STATE_TAKE_BACK_H_
#define DROVER_MASTER_STATE_TAKE_BACK_H_

#include <cstdint>
#include <string>

#include "drover/worker/v1/record.pb.h"
#include "master/records/codec.h"

namespace drover::master::state {

struct TakeBackFacts {
  bool worker_stands = false;  // a node of this name with the assignment's process id is there
  bool died = false;           // a reaper's word that the process is dead stands
  const worker::v1::TaskRecord* record = nullptr;
  const worker::v1::Assignment* assignment = nullptr;
  std::uint64_t fence = 0;
  std::string worker;
  // The cluster's time: from when on it has been away, and by what is decided how long (Planner::Hooks).
  std::int64_t now_ms = 0;
  std::int64_t passed_ms = 0;
  std::int64_t wall_ms = 0;  // this host's: what people are shown
  std::int64_t lost_after_ms = 0;
};

struct TakeBackDecision {
  enum class Kind {
    kLeave,     // nothing to do
    kNoteLost,  // write `since_ms` into the assignment (0: clear it)
    kWait,      // look again at `again_at_ms`
    kReady,     // to be run again
    kEnd,       // over, as `end` says
  };
  Kind kind = Kind::kLeave;
  bool count_loss = false;
  bool relies_on_died = false;
  std::int64_t since_ms = 0;
  std::int64_t again_at_ms = 0;
  std::string sentence;
  records::AttemptEnd end;
};

[[nodiscard]] TakeBackDecision DecideTakeBack(const TakeBackFacts& facts);

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_TAKE_BACK_H_

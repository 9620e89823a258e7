// Whether what a round has shown is what the service promises. Pure.
#ifndef DROVER_TESTS_CHAOS_VERDICT_H_
#define DROVER_TESTS_CHAOS_VERDICT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tests/chaos/truth.h"
#include "tests/sim/check/operation.h"
#include "tests/sim/check/watch_stream.h"

namespace drover::chaos {

// All that is known of a round.
struct Record {
  std::string root;
  base::Zxid begin;  // when the root was there and nothing below it; all that is asked, all watches, come later
  base::Zxid end;    // everything that was asked had ended
  std::vector<check::Operation> operations;
  std::vector<check::WatchTrace> watches;
  Truth truth;
};

struct Verdict {
  std::vector<std::string> faults;  // one sentence each
  std::size_t operations = 0;
  std::size_t sessions = 0;    // of clients, that ended
  std::size_t unknown = 0;     // writes of which nobody was told the outcome
  std::size_t events = 0;      // that there were, as far as the log is kept
  std::size_t deliveries = 0;  // of events, to all watchers
};

// - The history is linearizable, the ends of sessions included.
// - Every acknowledged write is an event of its zxid.
// - Every watcher was told of the events behind where it was armed: in order, each once, none left out.
// - Ephemerals were there while their session was, and went with it.
// The last three as far back as the log is kept; what is older is judged by what the watchers were told, which must agree.
[[nodiscard]] Verdict Judge(const Record& record);

}  // namespace drover::chaos

#endif  // DROVER_TESTS_CHAOS_VERDICT_H_

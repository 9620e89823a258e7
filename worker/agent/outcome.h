// How an attempt's end becomes a transition of its task: a pure function, and a table in its test.
#ifndef DROVER_WORKER_AGENT_OUTCOME_H_
#define DROVER_WORKER_AGENT_OUTCOME_H_

#include <cstdint>
#include <optional>
#include <string>

#include "drover/worker/v1/record.pb.h"
#include "master/records/codec.h"
#include "master/records/time_bounds.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::agent {

// What is known of an attempt that is over.
struct AttemptFacts {
  std::uint64_t fence = 0;
  std::int64_t started_at_ms = 0;  // 0: its program never ran
  std::int64_t finished_at_ms = 0;
  // How the program ended; nothing: it was never handed to the runner, because its inputs could not be had (`input_error`), or it
  // was cancelled before, or the worker stops and returns it.
  std::optional<exec::Exit> exit;
  std::string input_error;
  // Its output could not be stored.
  std::string output_error;
  // Not started: this was over before it could be.
  std::optional<records::TimeBound> overdue;
  // It was given less than its own time limit, for this ends all of its attempts.
  std::optional<records::TimeBound> total_bound;
  // The cluster's time of its end, and random bits: when it may be run again.
  std::int64_t cluster_now_ms = 0;
  std::uint64_t random = 0;
  // As the assignment said when this was decided.
  bool cancel = false;
  std::string cancel_reason;
};

struct Outcome {
  records::AttemptEnd end;
  // Another attempt follows; else `end` is the task's end. Such a transition must also compare the assignment's mzxid: a cancel
  // that came meanwhile forbids it.
  bool again = false;
  // Not sooner than this, by the cluster's time: WAITING; 0: READY at once.
  std::int64_t not_before_ms = 0;
  bool counts_failure = false;
  bool counts_loss = false;
};

// Not started because the worker's host ran out of descriptors, processes, memory or disk: no fault of the program's.
bool IsShortage(const exec::Exit& exit);

Outcome DecideOutcome(const v1::TaskRecord& record, const AttemptFacts& facts);

// Writes it into the record.
void ApplyOutcome(const Outcome& outcome, v1::TaskRecord* record);

}  // namespace drover::worker::agent

#endif  // DROVER_WORKER_AGENT_OUTCOME_H_

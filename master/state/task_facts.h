// What the scheduler needs to know of a task, from its record.
#ifndef DROVER_MASTER_STATE_TASK_FACTS_H_
#define DROVER_MASTER_STATE_TASK_FACTS_H_

#include <google/protobuf/map.h>

#include <algorithm>
#include <string>

#include "coord/base/ids.h"
#include "drover/worker/v1/record.pb.h"
#include "master/scheduler/types.h"

namespace drover::master::state {

inline scheduler::Labels SortedLabels(const google::protobuf::Map<std::string, std::string>& labels) {
  scheduler::Labels sorted(labels.begin(), labels.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// `order`: the creation zxid of the record, so that a task that comes back keeps its turn.
inline scheduler::TaskFacts FactsOf(const worker::v1::TaskRecord& record, base::Zxid order) {
  return {.queue = record.policy().queue(),
          .labels = SortedLabels(record.policy().labels()),
          .priority = static_cast<std::uint8_t>(std::min<std::uint32_t>(record.policy().priority(), scheduler::kPriorities - 1)),
          .order = order.value,
          .losses = record.losses()};
}

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_TASK_FACTS_H_

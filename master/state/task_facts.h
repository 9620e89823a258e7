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

inline scheduler::Resources SortedResources(const google::protobuf::Map<std::string, std::int64_t>& resources) {
  scheduler::Resources sorted(resources.begin(), resources.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Of a policy in its normal form (records::Normalise): its rules are sorted.
inline scheduler::LabelRules RulesOf(const task::v1::Policy& policy) {
  using Rule = task::v1::LabelRule;
  using Operator = scheduler::LabelOperator;
  scheduler::LabelRules rules;
  for (const Rule& rule : policy.rules()) {
    const Operator op = rule.op() == Rule::IN       ? Operator::kIn
                        : rule.op() == Rule::NOT_IN ? Operator::kNotIn
                        : rule.op() == Rule::EXISTS ? Operator::kExists
                        : rule.op() == Rule::ABOVE  ? Operator::kAbove
                        : rule.op() == Rule::BELOW  ? Operator::kBelow
                                                    : Operator::kMissing;
    rules.push_back({rule.label(), op, {rule.values().begin(), rule.values().end()}});
  }
  return rules;
}

inline scheduler::QueueFacts FactsOf(const task::v1::QueueSettings& settings) {
  return {.weight = std::max(1U, settings.weight()),
          .running_max = settings.running_max(),
          .starts_per_second = settings.starts_per_second(),
          .burst = std::max(1U, settings.burst()),
          .paused = settings.paused(),
          .pack = settings.placement() == task::v1::QueueSettings::PACK};
}

// `order` and `submitted_ms`: zxid and cluster time of the record's creation, so that a task that comes back keeps its turn.
inline scheduler::TaskFacts FactsOf(const worker::v1::TaskRecord& record, base::Zxid order, std::int64_t submitted_ms) {
  const task::v1::Policy& policy = record.policy();
  return {.queue = policy.queue(),
          .labels = SortedLabels(policy.labels()),
          .priority = static_cast<std::uint8_t>(std::min<std::uint32_t>(policy.priority(), scheduler::kPriorities - 1)),
          .order = order.value,
          .losses = record.losses(),
          .submitted_ms = submitted_ms,
          .rules = RulesOf(policy),
          .resources = SortedResources(policy.resources()),
          .key = policy.key(),
          .key_max = std::max(1U, policy.key_max())};
}

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_TASK_FACTS_H_

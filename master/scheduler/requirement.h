// Internal: whether a worker is one that a task may run on.
#ifndef DROVER_MASTER_SCHEDULER_REQUIREMENT_H_
#define DROVER_MASTER_SCHEDULER_REQUIREMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "master/scheduler/types.h"

namespace drover::master::scheduler {

// What of a task decides where it can run.
struct Requirement {
  Labels labels;
  LabelRules rules;
  Resources resources;

  friend auto operator<=>(const Requirement&, const Requirement&) = default;
};

// `have` has all of `want`; both sorted.
[[nodiscard]] bool HasAll(const Labels& have, const Labels& want);
[[nodiscard]] bool Satisfies(const Labels& have, const LabelRule& rule);
// A worker that runs handlers alone (records/handler_label.h), and a task that names none.
[[nodiscard]] bool RefusesPrograms(const Labels& have, const Requirement& want);
[[nodiscard]] bool Meets(const Labels& have, const Requirement& want);

// 0 if it is not there.
[[nodiscard]] std::int64_t AmountOf(const Resources& resources, absl::string_view name);
// Adds `sign` times each of `what`; what comes to 0 is dropped.
void AddTo(Resources* resources, const Resources& what, int sign);
// `have` less `taken` covers `want`.
[[nodiscard]] bool Covers(const Resources& have, const Resources& taken, const Resources& want);

// "zone in (a, b)", "!spot", "gpu>2": for people.
[[nodiscard]] std::string RuleText(const LabelRule& rule);

// What `have` misses of `want`, each as text; empty if nothing.
[[nodiscard]] std::vector<std::string> MissingLabels(const Labels& have, const Requirement& want);

}  // namespace drover::master::scheduler

#endif  // DROVER_MASTER_SCHEDULER_REQUIREMENT_H_

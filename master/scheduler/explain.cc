// Why a task is where it is, in words.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "master/records/amount.h"
#include "master/scheduler/scheduler.h"

namespace drover::master::scheduler {
namespace {

std::string ResourcesText(const Resources& have, const Resources& taken, const Resources& want, bool free) {
  std::vector<std::string> parts;
  for (const auto& [name, amount] : want) {
    const std::int64_t there = AmountOf(have, name) - (free ? AmountOf(taken, name) : 0);
    if (there < amount) parts.push_back(absl::StrCat(records::AmountText(there), " of ", records::AmountText(amount), " ", name));
  }
  return absl::StrJoin(parts, ", ");
}

std::string VerdictOf(const Worker& worker, const ClassKey& key) {
  const Requirement& want = key.requirement;
  if (RefusesPrograms(worker.group->labels, want)) return "runs only tasks that name one of its handlers";
  const std::vector<std::string> missing = MissingLabels(worker.group->labels, want);
  if (!missing.empty()) return absl::StrCat("has not the label ", absl::StrJoin(missing, ", "));
  if (!Covers(worker.resources, {}, want.resources)) {
    return absl::StrCat("has only ", ResourcesText(worker.resources, worker.taken, want.resources, false));
  }
  if (!worker.takes_work) return "takes no more work";
  const std::string load = absl::StrCat(worker.used, " of ", worker.slots, " slots are used");
  if (worker.alone > 0) return "runs a task that must run alone";
  if (worker.reserved) return absl::StrCat("is being emptied for a task that finds no place else; ", load);
  if (!worker.has_room() || (key.alone && worker.used > 0)) return absl::StrCat("is busy: ", load);
  if (!Covers(worker.resources, worker.taken, want.resources)) {
    return absl::StrCat("has only ", ResourcesText(worker.resources, worker.taken, want.resources, true), " free; ", load);
  }
  return absl::StrCat("has room: ", load);
}

}  // namespace

std::pair<WaitReason, std::string> Scheduler::WaitsForItsQueue(const Queue& queue) const {
  if (queue.facts.paused) return {WaitReason::kQueuePaused, absl::StrCat("its queue ", queue.name, " is paused")};
  if (queue.full()) {
    return {WaitReason::kQueueFull, absl::StrCat("as many tasks of its queue ", queue.name, " run as may: ", queue.running, " of ",
                                                 queue.facts.running_max)};
  }
  if (!queue.rate.Allows(now_ms_)) {
    return {WaitReason::kQueueRate,
            absl::StrCat("its queue ", queue.name, " starts not more than ", queue.facts.starts_per_second, " tasks a second")};
  }
  return {WaitReason::kNotWaiting, ""};
}

Explanation Scheduler::Explain(TaskRef task) const {
  if (task.value >= entries_.size()) return {};
  const Entry& entry = entries_[task.value];
  Explanation explanation;
  const auto because = [&explanation](WaitReason reason, std::string sentence) {
    explanation.reason = reason;
    explanation.sentence = std::move(sentence);
    return explanation;
  };
  if (entry.state == State::kQuarantined) {
    return because(WaitReason::kQuarantined,
                   absl::StrCat("given up: ", kLossesQuarantine, " attempts were lost with the process that ran them"));
  }
  if (entry.state != State::kWaiting && entry.state != State::kParked) return explanation;
  const RequirementClass& cls = *entry.cls;
  const scheduler::Place place{entry.line, task};
  for (const scheduler::Place& before : cls.waiting) {
    if (before >= place || explanation.ahead == kAheadMax) break;
    ++explanation.ahead;
  }
  std::size_t taking = 0, suiting = 0, suiting_taking = 0;
  for (const auto& [name, worker] : workers_.workers()) {
    if (!worker.present) continue;
    const bool suits =
        Meets(worker.group->labels, cls.key.requirement) && Covers(worker.resources, {}, cls.key.requirement.resources);
    const bool takes = worker.takes_work && worker.slots > 0;
    taking += takes ? 1 : 0;
    suiting += suits ? 1 : 0;
    suiting_taking += suits && takes ? 1 : 0;
    explanation.workers.push_back({name, suits, VerdictOf(worker, cls.key)});
  }
  const bool next = cls.open && cls.open_at.task == task;
  if (auto [reason, sentence] = WaitsForItsQueue(*cls.queue); reason != WaitReason::kNotWaiting) {
    return because(reason, std::move(sentence));
  }
  if (KeyLimits::Busy(entry.key, entry.key_max)) {
    return because(WaitReason::kKeyBusy, absl::StrCat("as many tasks of its key ", entry.key->name,
                                                      " run as may: ", entry.key->running, " of ", entry.key_max));
  }
  if (next) return because(WaitReason::kNext, "it is about to be assigned");
  if (taking == 0 && suiting == 0) return because(WaitReason::kNoWorkers, "no worker is there");
  if (suiting == 0) {
    return because(WaitReason::kNoMatchingWorker, cls.key.requirement.resources.empty()
                                                      ? "no worker has all the labels it asks for"
                                                      : "no worker has all the labels and resources it asks for");
  }
  if (suiting_taking == 0) {
    return because(WaitReason::kMatchingDraining,
                   absl::StrCat("all of the ", suiting, " workers that could run it take no more work"));
  }
  if (cls.key.alone) {
    return because(WaitReason::kNeedsIdleWorker,
                   "attempts were lost with the process that ran them, so it waits for a worker of its own");
  }
  return because(WaitReason::kBusy, absl::StrCat("all of the ", suiting_taking, " workers that could run it are busy"));
}

}  // namespace drover::master::scheduler

#include "tests/chaos/tasks/judge.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace drover::chaos::tasks {
namespace {

using client::State;

// By task; of arrays by element.
using BeginsOf = std::map<std::string, std::vector<Begin>>;

class Judgement {
 public:
  Judgement(const std::vector<Story>& stories, const std::vector<Begin>& begins) {
    for (const Begin& begin : begins) by_task_[begin.task].push_back(begin);
    for (const Story& story : stories) by_id_[story.order->spec.id] = &story;
  }

  std::vector<std::string> Run() {
    for (const auto& [id, begins] : by_task_) JudgeFences(id, begins);
    for (const auto& [id, story] : by_id_) JudgeStory(id, *story);
    return std::move(faults_);
  }

 private:
  void Fault(const std::string& id, const std::string& what) { faults_.push_back(absl::StrCat("task ", id, ": ", what)); }

  [[nodiscard]] const std::vector<Begin>& Begins(const std::string& id) const {
    static const std::vector<Begin> kNone;
    const auto it = by_task_.find(id);
    return it == by_task_.end() ? kNone : it->second;
  }

  // An attempt begins once.
  void JudgeFences(const std::string& id, const std::vector<Begin>& begins) {
    std::set<std::uint64_t> fences;
    for (const Begin& begin : begins) {
      if (!fences.insert(begin.fence).second) Fault(id, absl::StrCat("attempt of fence ", begin.fence, " began twice"));
    }
  }

  void JudgeStory(const std::string& id, const Story& story) {
    const Order& order = *story.order;
    const State end = story.last.state;
    const std::string name(client::StateName(end));
    if (!client::IsTerminal(end)) return Fault(id, absl::StrCat("it has not ended: ", name));

    const auto first_end = std::find_if(story.states.begin(), story.states.end(), client::IsTerminal);
    for (auto it = first_end; it != story.states.end(); ++it) {
      if (*it != *first_end)
        Fault(id, absl::StrCat("it was told to be ", client::StateName(*first_end), " and then ", client::StateName(*it)));
    }
    if (std::find(order.ends.begin(), order.ends.end(), end) == order.ends.end()) {
      return Fault(id, absl::StrCat("it is ", name, " (", client::ReasonName(story.last.reason), ": ", story.last.sentence, ")"));
    }
    if (end != State::kSucceeded && order.reason.has_value() && story.last.reason != *order.reason) {
      Fault(id, absl::StrCat("it is ", name, " for ", client::ReasonName(story.last.reason)));
    }
    if (order.elements > 0) return JudgeArray(id, story);
    JudgeBegins(id, story);
  }

  void JudgeBegins(const std::string& id, const Story& story) {
    const Order& order = *story.order;
    const std::vector<Begin>& begins = Begins(id);
    if (!order.runs && !begins.empty()) Fault(id, "it began, and should never have");
    if (order.spec.at_most_once && begins.size() > 1)
      Fault(id, absl::StrCat("it runs at most once, and began ", begins.size(), " times"));
    const auto count = static_cast<int>(begins.size());
    if (order.runs && story.last.state != State::kLost && count < order.begins_min) {
      Fault(id, absl::StrCat("it is ", client::StateName(story.last.state), " (", client::ReasonName(story.last.reason),
                             ") and began ", count, " times"));
    }
    if (story.last.state == State::kSucceeded) {
      const bool seen = std::any_of(begins.begin(), begins.end(), [&](const Begin& b) { return b.fence == story.last.fence; });
      if (!seen) Fault(id, absl::StrCat("it succeeded with fence ", story.last.fence, ", and no such attempt began"));
    }
    const std::int64_t may_begin_ms = story.submitted_ms + order.spec.delay.count();
    for (const Begin& begin : begins) {
      if (order.spec.delay.count() > 0 && begin.at_ms + kClockToleranceMs < may_begin_ms) {
        Fault(id, absl::StrCat("it began ", may_begin_ms - begin.at_ms, " ms before its delay was over"));
      }
    }
    JudgeOrder(id, order, begins);
    if (story.last.state == State::kSucceeded && order.spec.argv.back().find("DROVER_RESULT") != std::string::npos &&
        story.last.result != id + "\n") {
      Fault(id, absl::StrCat("its result is \"", story.last.result.value_or(""), "\""));
    }
  }

  // It did not begin before what it depends on had ended.
  void JudgeOrder(const std::string& id, const Order& order, const std::vector<Begin>& begins) {
    const auto before = by_id_.find(order.after);
    if (before == by_id_.end() || begins.empty()) return;
    const std::int64_t first =
        std::min_element(begins.begin(), begins.end(), [](const Begin& a, const Begin& b) { return a.at_ms < b.at_ms; })->at_ms;
    const std::int64_t ended = before->second->last.finished_at_ms;
    if (first + kClockToleranceMs < ended)
      Fault(id, absl::StrCat("it began ", ended - first, " ms before ", order.after, " ended"));
  }

  void JudgeArray(const std::string& id, const Story& story) {
    const Order& order = *story.order;
    if (!story.last.array.has_value()) return Fault(id, "it is no array");
    const client::ArrayProgress& array = *story.last.array;
    const bool adds_up = array.elements == order.elements && array.waiting + array.under_way == 0 &&
                         array.succeeded == order.elements - order.elements_failed && array.failed == order.elements_failed;
    if (!adds_up) {
      Fault(id,
            absl::StrCat("of ", array.elements, " elements ", array.succeeded, " succeeded, ", array.failed, " failed, ",
                         array.cancelled, " were cancelled, ", array.lost, " lost, ", array.waiting + array.under_way, " open"));
    }
    std::uint64_t begun = 0;
    const std::string prefix = id + ":";
    for (auto it = by_task_.lower_bound(prefix); it != by_task_.end() && absl::StartsWith(it->first, prefix); ++it) ++begun;
    if (begun != order.elements) Fault(id, absl::StrCat(begun, " of its ", order.elements, " elements began"));
    if (!Begins(id).empty()) Fault(id, "it is an array, and began itself");
  }

  // Both clocks are this host's; the core's may lag behind it by a message.
  static constexpr std::int64_t kClockToleranceMs = 200;

  BeginsOf by_task_;
  std::map<std::string, const Story*> by_id_;
  std::vector<std::string> faults_;
};

}  // namespace

std::vector<Begin> ReadWitness(const std::string& text, std::vector<std::string>* faults) {
  std::vector<Begin> begins;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    Begin begin;
    if (words.size() == 4 && absl::SimpleAtoi(words[1], &begin.attempt) && absl::SimpleAtoi(words[2], &begin.fence) &&
        absl::SimpleAtoi(words[3], &begin.at_ms)) {
      begin.task = words[0];
      begins.push_back(std::move(begin));
    } else {
      faults->push_back(absl::StrCat("a line of the witness file is none: ", line.substr(0, 200)));
    }
  }
  return begins;
}

std::vector<std::string> Judge(const std::vector<Story>& stories, const std::vector<Begin>& begins) {
  return Judgement(stories, begins).Run();
}

std::vector<std::string> JudgeSchedule(const client::Schedule& schedule, const std::vector<Begin>& begins) {
  std::vector<std::string> faults;
  const auto fault = [&](const std::string& what) { faults.push_back(absl::StrCat("schedule ", schedule.name, ": ", what)); };
  const auto times = static_cast<std::uint64_t>((schedule.last_at_ms - schedule.created_at_ms) / schedule.every.count());
  if (schedule.fired != times) fault(absl::StrCat("it fired ", schedule.fired, " times, and ", times, " times have passed"));
  std::map<std::string, int> seen;
  for (const Begin& begin : begins) {
    if (absl::StartsWith(begin.task, schedule.name + ".")) ++seen[begin.task];
  }
  for (const auto& [task, count] : seen) {
    if (count > 1) fault(absl::StrCat("task ", task, " runs at most once, and began ", count, " times"));
  }
  if (seen.size() > times) fault(absl::StrCat(seen.size(), " tasks of it began, and ", times, " times have passed"));
  return faults;
}

}  // namespace drover::chaos::tasks

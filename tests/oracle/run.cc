#include "tests/oracle/run.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/oracle/generator.h"
#include "tests/oracle/judge.h"

namespace drover::oracle {
namespace {

constexpr std::size_t kLastSteps = 20;

std::string ToWords(const std::vector<Event>& events) {
  std::string words;
  for (const Event& event : events) absl::StrAppend(&words, words.empty() ? "" : ", ", ToWords(event));
  return words;
}

class Runner {
 public:
  Runner(const RunOptions& options, System* zookeeper, System* ours)
      : options_(options), zookeeper_(zookeeper), ours_(ours), generator_(options.seed, options.sessions) {}

  RunResult Run() {
    bool same = true;
    std::uint64_t next_audit = options_.audit_every;
    for (std::uint64_t asked = 0; same && asked < options_.operations;) {
      const std::vector<Operation> burst = generator_.Next();
      asked += burst.size();
      same = Step(burst);
      if (same && asked >= next_audit) {
        next_audit += options_.audit_every;
        same = Audit();
      }
    }
    if (same && End()) same = Audit();
    result_.transactions = judge_.transactions();
    result_.events = judge_.events();
    result_.stats = judge_.stats();
    result_.differences = judge_.differences();
    return std::move(result_);
  }

 private:
  // False: something differed, and the result says what. `answer` is that of the last.
  bool Step(const std::vector<Operation>& burst, Answer* answer = nullptr) {
    for (const Operation& operation : burst) {
      last_.push_back(absl::StrCat("  step ", step_ + 1, burst.size() > 1 ? " (burst)" : "", ": ", oracle::ToWords(operation)));
      if (&operation != &burst.back()) ++step_;
    }
    ++step_;
    absl::StatusOr<std::vector<Reply>> zookeeper = zookeeper_->Execute(burst);
    if (!zookeeper.ok()) return Fault(burst.back(), {absl::StrCat("ZooKeeper: ", zookeeper.status().ToString())});
    absl::StatusOr<std::vector<Reply>> ours = ours_->Execute(burst);
    if (!ours.ok()) return Fault(burst.back(), {absl::StrCat("Drover: ", ours.status().ToString())});
    EventsToTheLast(&*zookeeper);
    EventsToTheLast(&*ours);
    step_ -= burst.size();
    for (std::size_t i = 0; i < burst.size(); ++i) {
      ++step_;
      if (!Judged(burst[i], (*zookeeper)[i], (*ours)[i], &last_[last_.size() - burst.size() + i])) return false;
    }
    while (last_.size() > kLastSteps) last_.pop_front();
    if (answer != nullptr) *answer = ours->back().answer;
    return true;
  }

  // Between the answers of a burst events may stand anywhere.
  static void EventsToTheLast(std::vector<Reply>* replies) {
    std::vector<Event> events;
    for (Reply& reply : *replies) {
      for (Event& event : reply.events) events.push_back(std::move(event));
      reply.events.clear();
    }
    replies->back().events = std::move(events);
  }

  bool Judged(const Operation& operation, const Reply& zookeeper, const Reply& ours, std::string* line) {
    absl::StrAppend(line, " -> ", CodeName(zookeeper.answer.code), ", ", CodeName(ours.answer.code),
                    ours.answer.path.empty() ? "" : absl::StrCat(" ", Quoted(ours.answer.path)));
    std::vector<std::string> faults = judge_.Compare(operation, zookeeper, ours);
    if (!faults.empty()) {
      faults.push_back(absl::StrCat("ZooKeeper: ", oracle::ToWords(zookeeper.answer)));
      faults.push_back(absl::StrCat("Drover:    ", oracle::ToWords(ours.answer)));
      if (!zookeeper.events.empty()) faults.push_back(absl::StrCat("ZooKeeper told before: ", ToWords(zookeeper.events)));
      if (!ours.events.empty()) faults.push_back(absl::StrCat("Drover told before:    ", ToWords(ours.events)));
      return Fault(operation, faults);
    }
    ++result_.operations;
    ++result_.answers[absl::StrCat(KindName(operation.kind), " ", CodeName(ours.answer.code))];
    generator_.Told(operation, ours.answer);
    return true;
  }

  bool Fault(const Operation& operation, const std::vector<std::string>& words) {
    result_.fault = absl::StrCat("seed ", options_.seed, ", step ", step_, ", ", oracle::ToWords(operation), "\n");
    for (const std::string& line : words) absl::StrAppend(&result_.fault, "  ", line, "\n");
    absl::StrAppend(&result_.fault, "the last steps (ZooKeeper's code, ours):\n");
    for (const std::string& line : last_) absl::StrAppend(&result_.fault, line, "\n");
    return false;
  }

  bool Ask(Kind kind, const std::string& path, Answer* answer = nullptr) {
    Operation operation;
    operation.session = options_.sessions;
    operation.kind = kind;
    operation.path = path;
    if (kind == Kind::kAuthenticate) operation.data = kSuperUser;
    return Step({operation}, answer);
  }

  // Everything that both hold, node by node, by a session that may do everything.
  bool Audit() {
    if (!generator_.open(options_.sessions) && (!Ask(Kind::kOpen, "") || !Ask(Kind::kAuthenticate, ""))) return false;
    std::vector<std::string> paths = {"/"};
    while (!paths.empty()) {
      const std::string path = std::move(paths.back());
      paths.pop_back();
      Answer children;
      if (!Ask(Kind::kGet, path) || !Ask(Kind::kGetAcl, path) || !Ask(Kind::kChildren, path, &children)) return false;
      for (const std::string& name : children.names) paths.push_back(absl::StrCat(path == "/" ? "" : path, "/", name));
    }
    return true;
  }

  // Every session hears what is still to be told, and ends.
  bool End() {
    for (int session = 0; session < options_.sessions; ++session) {
      if (!generator_.open(session)) continue;
      Operation operation;
      operation.session = session;
      operation.kind = Kind::kSync;
      operation.path = "/";
      if (!Step({operation})) return false;
      operation.kind = Kind::kClose;
      if (!Step({operation})) return false;
    }
    return true;
  }

  const RunOptions options_;
  System* const zookeeper_;
  System* const ours_;
  Generator generator_;
  Judge judge_;
  RunResult result_;
  std::uint64_t step_ = 0;
  std::deque<std::string> last_;
};

}  // namespace

void RunResult::Add(const RunResult& other) {
  if (fault.empty()) fault = other.fault;
  operations += other.operations;
  transactions += other.transactions;
  events += other.events;
  stats += other.stats;
  for (const auto& [name, count] : other.answers) answers[name] += count;
  for (const auto& [name, count] : other.differences) differences[name] += count;
}

RunResult RunOn(const RunOptions& options, System* zookeeper, System* ours) {
  return Runner(options, zookeeper, ours).Run();
}

}  // namespace drover::oracle

#include "tests/chaos/verdict.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coord/tree/path.h"
#include "tests/sim/check/linearizability.h"

namespace drover::chaos {
namespace {

// Much may be under way at once while nobody can be reached.
constexpr check::SearchOptions kSearch{2'000'000, 200'000'000};

using Events = std::map<check::Position, check::LoggedEvent>;

class Judgement {
 public:
  explicit Judgement(const Record& record) : record_(record) {}

  Verdict Run() {
    Add(check::ToStatus(check::CheckLinearizability(record_.operations, kSearch)));
    CollectEvents();
    JudgeWatches();
    JudgeWrites();
    // Of sessions the log alone tells.
    if (whole()) Add(check::CheckEphemerals(events_, record_.truth.sessions));
    verdict_.operations = record_.operations.size();
    return std::move(verdict_);
  }

 private:
  // The log reaches back to the beginning of the round.
  [[nodiscard]] bool whole() const { return record_.truth.after <= record_.begin; }
  [[nodiscard]] bool IsOfRound(const check::LoggedEvent& event) const {
    return event.position.zxid > record_.begin && event.position.zxid <= record_.end &&
           coord::tree::IsAtOrBelow(event.path, record_.root);
  }
  void Add(const absl::Status& status) {
    if (!status.ok()) verdict_.faults.emplace_back(status.message());
  }

  // Of the log where it is kept; before that, all that any watcher was told.
  void CollectEvents() {
    Events events;
    for (const check::LoggedEvent& event : record_.truth.events) {
      if (IsOfRound(event)) events.emplace(event.position, event);
    }
    verdict_.events = events.size();
    for (const check::WatchTrace& trace : record_.watches) {
      for (const check::Delivery& delivery : trace.deliveries) {
        if (delivery.what != check::Delivery::What::kEvent) continue;
        ++verdict_.deliveries;
        if (delivery.event.position.zxid <= record_.truth.after && IsOfRound(delivery.event)) {
          events.emplace(delivery.event.position, delivery.event);
        }
      }
    }
    for (auto& [position, event] : events) events_.push_back(std::move(event));
    Add(check::CheckEventLog(events_));
  }

  void JudgeWatches() {
    for (const check::WatchTrace& trace : record_.watches) {
      check::WatchTrace of_round = trace;
      std::erase_if(of_round.deliveries, [this](const check::Delivery& d) {
        return d.what == check::Delivery::What::kEvent ? !IsOfRound(d.event) : d.zxid > record_.end;
      });
      Add(check::CheckWatchStream(events_, of_round));
    }
  }

  // Somebody is known to have been told of this zxid's events, or the log has them.
  [[nodiscard]] bool Covered(base::Zxid zxid) const {
    if (zxid > record_.truth.after) return true;
    return std::any_of(record_.watches.begin(), record_.watches.end(), [zxid](const check::WatchTrace& trace) {
      const bool reached = std::any_of(trace.deliveries.begin(), trace.deliveries.end(), [zxid](const check::Delivery& d) {
        return d.what == check::Delivery::What::kBookmark && d.zxid >= zxid;
      });
      return trace.after.zxid < zxid && reached;
    });
  }

  void JudgeWrites() {
    for (const check::Operation& operation : record_.operations) {
      if (check::IsRead(operation.kind)) continue;
      if (!operation.returned) ++verdict_.unknown;
      if (operation.kind == check::Kind::kEndSession) ++verdict_.sessions;
      if (!operation.returned || operation.result.code != check::Code::kOk || operation.kind == check::Kind::kEndSession) continue;
      if (!Covered(operation.zxid)) continue;
      const auto at = std::lower_bound(events_.begin(), events_.end(), check::Position{operation.zxid, 0},
                                       [](const check::LoggedEvent& e, const check::Position& p) { return e.position < p; });
      if (at == events_.end() || at->position.zxid != operation.zxid || !Shows(*at, operation)) {
        verdict_.faults.push_back(absl::StrCat("acknowledged as zxid ", operation.zxid.value, ", but there it says ",
                                               at == events_.end() ? "nothing" : check::TextOf(*at), ": ", Text(operation)));
      }
    }
  }

  static bool Shows(const check::LoggedEvent& event, const check::Operation& operation) {
    if (operation.kind == check::Kind::kTransaction) {
      const std::vector<check::Change>& branch = operation.result.succeeded ? operation.then : operation.otherwise;
      return event.type == check::EventType::kChanged && event.path == branch.front().path && event.data == branch.front().data;
    }
    if (event.path != operation.path) return false;
    if (operation.kind == check::Kind::kDelete) return event.type == check::EventType::kDeleted;
    const check::EventType type = operation.kind == check::Kind::kCreate ? check::EventType::kCreated : check::EventType::kChanged;
    return event.type == type && event.data == operation.data;
  }

  static std::string Text(const check::Operation& operation) {
    std::ostringstream text;
    text << operation;
    return text.str();
  }

  const Record& record_;
  check::EventLog events_;
  Verdict verdict_;
};

}  // namespace

Verdict Judge(const Record& record) {
  return Judgement(record).Run();
}

}  // namespace drover::chaos

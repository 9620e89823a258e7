#include "tests/sim/check/search.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <tuple>

#include "tests/sim/check/hash.h"

namespace drover::sim::check {
namespace {

constexpr std::size_t kOrderShown = 6;
constexpr std::size_t kNodesShown = 8;

}  // namespace

Search::Search(const std::vector<std::string>& paths, const std::vector<const Operation*>& operations, const SearchOptions& options)
    : operations_(operations), options_(options), model_(paths), rank_(operations.size()), placed_(operations.size(), false) {
  std::vector<Id> by_rank(operations.size());
  std::iota(by_rank.begin(), by_rank.end(), 0);
  // By the zxids that the answers claim; without them by return.
  auto key = [&](Id id) {
    const Operation& o = *operations[id];
    return std::make_tuple(o.zxid.value, o.returned.value_or(o.invoked), id);
  };
  std::sort(by_rank.begin(), by_rank.end(), [&](Id a, Id b) { return key(a) < key(b); });
  for (Id i = 0; i < by_rank.size(); ++i) rank_[by_rank[i]] = i;
  for (Id id = 0; id < operations.size(); ++id) {
    const Operation& o = *operations[id];
    steps_.push_back(model_.Compile(o));
    if (!steps_[id].told && steps_[id].effect_free) continue;  // a read without an answer says nothing
    events_.push_back({o.invoked, false, id});
    if (o.returned) events_.push_back({*o.returned, true, id});
  }
  std::map<Model::Signature, Id> first;
  twin_.resize(operations.size());
  std::iota(twin_.begin(), twin_.end(), 0);
  for (const Id id : by_rank) {
    const Model::Signature signature = model_.SignatureOf(steps_[id]);
    if (!steps_[id].told && !signature.empty()) twin_[id] = first.emplace(signature, id).first->second;
  }
  std::sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
    return std::tie(a.stamp, a.is_return, a.operation) < std::tie(b.stamp, b.is_return, b.operation);
  });
}

std::vector<Search::Id>& Search::PendingOf(Id operation) {
  const Model::Step& step = steps_[operation];
  return step.effect_free ? pending_free_ : step.told ? pending_writes_ : pending_unknown_;
}

void Search::FlipPlaced(Id operation) {
  placed_hash_.first ^= Mix(1, operation);
  placed_hash_.second ^= Mix(2, operation);
}

bool Search::Place(Id operation) {
  ++tries_;
  if (!model_.Apply(steps_[operation])) return false;
  std::vector<Id>& pending = PendingOf(operation);
  pending.erase(std::find(pending.begin(), pending.end(), operation));
  if (steps_[operation].told) {
    FlipPlaced(operation);
  } else {
    used_unknown_.insert(std::lower_bound(used_unknown_.begin(), used_unknown_.end(), operation), operation);
  }
  placed_[operation] = true;
  order_.push_back(operation);
  actions_.push_back({Did::kPlaced, operation});
  return true;
}

void Search::PlaceEffectFree() {
  for (std::size_t i = 0; i < pending_free_.size();) {
    if (!Place(pending_free_[i])) ++i;
  }
}

bool Search::Walk() {
  for (; event_ < events_.size(); ++event_) {
    const Event& event = events_[event_];
    const Id id = event.operation;
    if (event.is_return) {
      if (!placed_[id]) return true;
      FlipPlaced(id);
      actions_.push_back({Did::kReturned, id});
      continue;
    }
    std::vector<Id>& pending = PendingOf(id);
    pending.insert(std::lower_bound(pending.begin(), pending.end(), id, [this](Id a, Id b) { return rank_[a] < rank_[b]; }), id);
    actions_.push_back({Did::kCalled, id});
    if (steps_[id].effect_free) (void)Place(id);
  }
  return false;
}

void Search::Undo(const Frame& frame) {
  while (actions_.size() > frame.actions) {
    const auto [did, id] = actions_.back();
    actions_.pop_back();
    std::vector<Id>& pending = PendingOf(id);
    switch (did) {
      case Did::kCalled:
        pending.erase(std::find(pending.begin(), pending.end(), id));
        break;
      case Did::kPlaced:
        pending.insert(std::lower_bound(pending.begin(), pending.end(), id, [this](Id a, Id b) { return rank_[a] < rank_[b]; }),
                       id);
        placed_[id] = false;
        if (steps_[id].told) {
          FlipPlaced(id);
        } else {
          used_unknown_.erase(std::lower_bound(used_unknown_.begin(), used_unknown_.end(), id));
        }
        break;
      case Did::kReturned:
        FlipPlaced(id);
        break;
    }
  }
  model_.UndoTo(frame.mark);
  order_.resize(frame.order);
  event_ = frame.event;
}

bool Search::Remember() {
  const Model::Hash state = model_.hash();
  std::vector<std::vector<Id>>& known = known_[Key{event_, state, placed_hash_.first, placed_hash_.second}];
  for (const std::vector<Id>& used : known) {
    tries_ += 1 + used.size() / 8;
    if (std::includes(used_unknown_.begin(), used_unknown_.end(), used.begin(), used.end())) return false;
  }
  known.push_back(used_unknown_);
  ++configurations_;
  return true;
}

void Search::Note() {
  if (noted_ && event_ <= noted_event_) return;
  noted_ = true;
  noted_event_ = event_;
  blocked_ = events_[event_].operation;
  last_of_order_.assign(order_.end() - static_cast<std::ptrdiff_t>(std::min(order_.size(), kOrderShown)), order_.end());
  state_ = model_.Text(kNodesShown);
}

Search::Frame Search::NewFrame() const {
  Frame frame{event_, actions_.size(), model_.mark(), order_.size(), {}, 0};
  const Id blocked = events_[event_].operation;
  // Whatever claims to come before the blocked one, in that order, then the other unknown, then the rest.
  const auto claims_before = [&](Id id) {
    return operations_[id]->zxid.value != 0 && operations_[id]->zxid <= operations_[blocked]->zxid;
  };
  std::vector<Id> unknown;
  std::vector<Id> twins;
  for (const Id id : pending_unknown_) {
    if (std::find(twins.begin(), twins.end(), twin_[id]) != twins.end()) continue;
    twins.push_back(twin_[id]);
    unknown.push_back(id);
  }
  const auto claimless = std::stable_partition(unknown.begin(), unknown.end(), claims_before);
  const auto split = std::find_if(pending_writes_.begin(), pending_writes_.end(),
                                  [&](Id id) { return operations_[id]->zxid > operations_[blocked]->zxid; });
  std::merge(pending_writes_.begin(), split, unknown.begin(), claimless, std::back_inserter(frame.candidates),
             [this](Id a, Id b) { return rank_[a] < rank_[b]; });
  frame.candidates.insert(frame.candidates.end(), claimless, unknown.end());
  frame.candidates.insert(frame.candidates.end(), split, pending_writes_.end());
  return frame;
}

Verdict Search::Run() {
  if (!Walk()) return Verdict::kLinearizable;
  std::vector<Frame> frames;
  Note();
  (void)Remember();
  frames.push_back(NewFrame());
  while (!frames.empty()) {
    Frame& frame = frames.back();
    if (frame.next == frame.candidates.size()) {
      frames.pop_back();
      if (!frames.empty()) Undo(frames.back());
      continue;
    }
    if (configurations_ >= options_.configurations_max || tries_ >= options_.tries_max) return Verdict::kUndecided;
    if (!Place(frame.candidates[frame.next++])) continue;
    PlaceEffectFree();
    if (!Walk()) return Verdict::kLinearizable;
    if (!Remember()) {
      Undo(frame);
      continue;
    }
    Note();
    frames.push_back(NewFrame());
  }
  return Verdict::kViolated;
}

}  // namespace drover::sim::check

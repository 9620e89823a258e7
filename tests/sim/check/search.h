// The search for an order of one object's operations that explains every answer.
//
// Wing and Gong's search, made just-in-time and memoised (Lowe, "Testing for linearizability", 2016; Porcupine does alike): the
// history's calls and returns are walked in order; only when an operation returns that has no place yet, one of those under way is
// given the next place. A configuration (event, state, who of those under way has a place) that failed is not entered again.
// Besides:
// - An operation without effect takes its place at once where the state agrees with it: nothing later can need it to wait.
// - A write of unknown outcome takes a place only where it changes something; else "never" explains as much. A configuration that
//   used more of these than one known, which is otherwise equal, is not entered; of those that nobody could tell apart the first
//   called is used first.
// - Whoever claims a zxid (a write of unknown outcome, too, if the log knows it) is tried in that order.
#ifndef DROVER_TESTS_SIM_CHECK_SEARCH_H_
#define DROVER_TESTS_SIM_CHECK_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tests/sim/check/model.h"
#include "tests/sim/check/operation.h"

namespace drover::sim::check {

enum class Verdict { kLinearizable, kViolated, kUndecided };

// Of one object's search. Either spent: undecided.
struct SearchOptions {
  std::size_t configurations_max = 200'000;  // kept: the bound of memory, about 100 bytes each
  std::size_t tries_max = 10'000'000;        // the bound of time: steps applied and sets compared, at most some 100 ns each
};

// One use. One thread. `paths` and `operations` outlive it; every path of an operation is among `paths`, ascending.
class Search {
 public:
  Search(const std::vector<std::string>& paths, const std::vector<const Operation*>& operations, const SearchOptions& options);

  [[nodiscard]] Verdict Run();

  // After kViolated: the operation that no order got past (an index into `operations`); everything up to its return already has no
  // explanation. And of the first order that got as far: its last operations and the state that they led to.
  [[nodiscard]] std::size_t blocked() const { return blocked_; }
  [[nodiscard]] const std::vector<std::size_t>& last_of_order() const { return last_of_order_; }
  [[nodiscard]] const std::string& state() const { return state_; }
  [[nodiscard]] std::size_t configurations() const { return configurations_; }

 private:
  using Id = std::uint32_t;
  struct Event {
    Stamp stamp;
    bool is_return;
    Id operation;
  };
  enum class Did : std::uint8_t { kCalled, kPlaced, kReturned };
  struct Action {
    Did did;
    Id operation;
  };
  // A return that was met without a place, and whom to give one instead.
  struct Frame {
    std::size_t event, actions, mark, order;
    std::vector<Id> candidates;
    std::size_t next = 0;
  };
  using Key = std::tuple<std::size_t, Model::Hash, std::uint64_t, std::uint64_t>;

  // Walks on to the next return without a place. False at the end of the history.
  bool Walk();
  bool Place(Id operation);
  // Places whatever has no effect and agrees with the state.
  void PlaceEffectFree();
  void Undo(const Frame& frame);
  // False if it, or one that is as good, is known.
  bool Remember();
  void Note();
  [[nodiscard]] Frame NewFrame() const;
  std::vector<Id>& PendingOf(Id operation);
  void FlipPlaced(Id operation);

  const std::vector<const Operation*>& operations_;
  const SearchOptions options_;
  Model model_;
  std::vector<Model::Step> steps_;
  std::vector<Event> events_;
  std::vector<Id> rank_;  // the order in which they are tried
  std::vector<Id> twin_;  // of a write of unknown outcome: the first of those that nobody could tell from it

  std::size_t event_ = 0;
  std::vector<bool> placed_;
  // Called and not placed, by rank.
  std::vector<Id> pending_free_, pending_writes_, pending_unknown_;
  std::vector<Id> used_unknown_;   // placed, ascending
  Model::Hash placed_hash_{0, 0};  // of those placed that did not return yet
  std::vector<Action> actions_;
  std::vector<Id> order_;

  absl::flat_hash_map<Key, std::vector<std::vector<Id>>> known_;  // looked up, never iterated
  std::size_t configurations_ = 0;
  std::size_t tries_ = 0;

  bool noted_ = false;
  std::size_t noted_event_ = 0;
  std::size_t blocked_ = 0;
  std::vector<std::size_t> last_of_order_;
  std::string state_;
};

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_SEARCH_H_

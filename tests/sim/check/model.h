// The specification that a history is judged by: a few nodes, what each operation does to them and says of them.
#ifndef DROVER_TESTS_SIM_CHECK_MODEL_H_
#define DROVER_TESTS_SIM_CHECK_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/check/operation.h"

namespace drover::sim::check {

// A state of one object (the nodes that a history's operations tie together), changed in place and taken back by undo. One thread.
class Model {
 public:
  // 128 bits: two states of one search that collide are not to be met.
  using Hash = std::pair<std::uint64_t, std::uint64_t>;

  explicit Model(const std::vector<std::string>& paths);

  // An operation with its names looked up. Of a history's operation, what touches none of this model's nodes is left out.
  struct Step {
    struct Write {
      Kind kind;
      std::uint32_t cell;
      std::uint32_t data;
      std::optional<std::uint32_t> expected_version;
      std::uint64_t owner;
    };
    struct Test {
      Compare::Field field;
      std::uint32_t cell;
      std::uint64_t equals;
    };
    Kind kind;
    bool told;         // with a result, which must be the one that the state gives
    bool effect_free;  // whatever the state: a read or a refusal
    std::vector<Write> writes;
    std::vector<Write> otherwise;
    std::vector<Test> tests;
    std::uint64_t owner;
    std::vector<std::uint32_t> below;   // children: the cells
    std::vector<std::uint32_t> listed;  // children: of those, the ones that were named, ascending
    bool listed_unknown;                // children: a name that no operation ever made
    Code code;
    std::optional<std::uint32_t> version;
    std::uint32_t data;
    bool succeeded;
  };
  // All of them before the first Apply: what no answer shows is all one to the hash.
  [[nodiscard]] Step Compile(const Operation& operation);
  // Two steps of equal signature do the same wherever they are applied, and nobody could tell which of them it was. Empty: unlike
  // any.
  using Signature = std::vector<std::uint64_t>;
  [[nodiscard]] Signature SignatureOf(const Step& step) const;

  // Applies it if that gives what was told. Of a step that was never told, also false if it would change nothing.
  [[nodiscard]] bool Apply(const Step& step);
  // How much was changed so far, and back to it.
  [[nodiscard]] std::size_t mark() const { return undo_.size(); }
  void UndoTo(std::size_t mark);

  [[nodiscard]] Hash hash() const { return hash_; }
  // For people: the nodes that exist, at most `max`.
  [[nodiscard]] std::string Text(std::size_t max) const;

 private:
  struct Cell {
    bool exists = false;
    std::uint32_t data = 0;
    std::uint32_t version = 0;
    std::uint64_t owner = 0;
  };

  std::uint32_t Intern(const std::string& data);
  std::optional<std::uint32_t> Find(const std::string& path) const;
  [[nodiscard]] Hash HashOf(std::uint32_t index, const Cell& cell) const;
  // The data, or one number for all that was never read.
  [[nodiscard]] std::uint64_t Seen(std::uint32_t data) const { return read_[data] ? data : ~std::uint64_t{0}; }
  void Put(std::uint32_t index, const Cell& cell);
  // The version after it, where the node exists then.
  Code Perform(const Step::Write& write, std::optional<std::uint32_t>* version);
  [[nodiscard]] bool Agrees(const Step& step);

  std::map<std::string, std::uint32_t> index_;
  std::vector<std::string> names_;
  std::vector<Cell> cells_;
  std::map<std::string, std::uint32_t> data_index_;
  std::vector<std::string> data_;
  std::vector<bool> read_;  // some answer shows this data
  std::vector<std::pair<std::uint32_t, Cell>> undo_;
  Hash hash_{0, 0};
};

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_MODEL_H_

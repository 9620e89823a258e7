// The words of a script's line, and what they may stand for.
#ifndef DROVER_TESTS_SCENARIOS_WORDS_H_
#define DROVER_TESTS_SCENARIOS_WORDS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "coord/raft/types.h"

namespace drover::scenarios {

// Where a number says how many there may be, or how far.
inline constexpr std::uint64_t kAll = ~std::uint64_t{0};

inline base::Duration Millis(std::uint64_t ms) {
  return std::chrono::milliseconds(ms);
}

// Read from the left. The first word that is missing or is not what it should be is told by `error`, and all later reads yield
// zeros: a verb reads all it needs and asks once.
class Words {
 public:
  // Splits at blanks; # begins a comment.
  explicit Words(const std::string& line);

  [[nodiscard]] bool more() const { return next_ < words_.size(); }
  [[nodiscard]] const std::string& text() const { return text_; }

  std::string Word();
  // Takes the next word only if it is this one.
  bool Accept(const std::string& word);
  std::uint64_t Number();
  std::uint64_t NumberOr(std::uint64_t otherwise) { return more() ? Number() : otherwise; }
  bool OnOff();
  base::NodeId Node();                       // n3
  std::optional<base::NodeId> NodeOrNone();  // n3, or none
  std::optional<base::NodeId> NodeOrAll();   // n3, or *
  // n1>n2, either of them may be *, which is 0 here.
  std::pair<base::NodeId, base::NodeId> Link();
  // The rest of the line: terms, each perhaps with a count: 1 1x5 4.
  std::vector<coord::raft::Term> Terms();
  // The rest of the line: = (or nothing), <, <=, >, >= and a number, which `actual` must meet. Says what it is, if not.
  absl::Status Compare(std::uint64_t actual);

  // INVALID_ARGUMENT if a word was wrong, or if there are more words than were read.
  [[nodiscard]] absl::Status Done() const;

 private:
  void Fail(const std::string& what);

  std::string text_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
  absl::Status error_;
};

}  // namespace drover::scenarios

#endif  // DROVER_TESTS_SCENARIOS_WORDS_H_

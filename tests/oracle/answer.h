// What a system says to an operation, in words that both share. Zxids, times and ids are still each system's own
// (correspondence.h). Plain data.
#ifndef DROVER_TESTS_ORACLE_ANSWER_H_
#define DROVER_TESTS_ORACLE_ANSWER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

enum class Code {
  kOk,
  kNoNode,
  kNodeExists,
  kBadVersion,
  kNotEmpty,
  kNoChildrenForEphemerals,
  kBadArguments,
  kTooLarge,
  kSessionExpired,
  kNoWatcher,
  kNoAuth,
  kInvalidAcl,
  kUndone,    // part of a multi: a later one was refused
  kNotTried,  // part of a multi: an earlier one was refused
  kOther,     // Answer::said tells
};

struct Stat {
  std::uint64_t czxid = 0;
  std::uint64_t mzxid = 0;
  std::uint64_t pzxid = 0;
  std::int64_t ctime = 0;
  std::int64_t mtime = 0;
  std::int32_t version = 0;
  std::int32_t cversion = 0;
  std::int32_t aversion = 0;
  std::uint64_t ephemeral_owner = 0;
  std::int32_t data_length = 0;
  std::int32_t num_children = 0;
  bool lifetime_told = true;  // what follows means something
  bool container = false;
  std::int64_t ttl_ms = 0;  // 0: none

  friend bool operator==(const Stat&, const Stat&) = default;
};

struct Answer {
  Code code = Code::kOk;
  std::string said;                 // of a refusal, in the system's own words
  std::uint64_t zxid = 0;           // as the answer carries it; 0: it carries none
  std::uint64_t session = 0;        // open: the new session's id
  std::string path;                 // create: the path made
  std::optional<Stat> stat;         // create, set, get, exists
  bool stat_untold = false;         // there is one, and the system does not tell it
  std::optional<std::string> data;  // get; nothing: null
  std::vector<std::string> names;   // children, sorted by bytes; get-acl: its entries, sorted
  std::vector<Answer> parts;        // multi

  friend bool operator==(const Answer&, const Answer&) = default;
};

struct Event {
  enum class Type { kCreated, kChanged, kDeleted, kChildren };  // the last: a child of it came or went

  Type type = Type::kCreated;
  std::string path;
  // Of a system that tells them; zxid 0: it does not.
  std::uint64_t zxid = 0;
  std::uint32_t ordinal = 0;
  Stat stat;
  std::uint64_t data_bytes = 0;

  friend bool operator==(const Event&, const Event&) = default;
};

// An answer, and what the session had heard before it since its last answer.
struct Reply {
  Answer answer;
  std::vector<Event> events;
};

[[nodiscard]] absl::string_view CodeName(Code code);
[[nodiscard]] std::string ToWords(const Stat& stat);
[[nodiscard]] std::string ToWords(const Answer& answer);
// Type and path.
[[nodiscard]] std::string ToWords(const Event& event);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_ANSWER_H_

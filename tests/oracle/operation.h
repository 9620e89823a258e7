// What a client asks of both systems: one step of a random sequence. Plain data.
#ifndef DROVER_TESTS_ORACLE_OPERATION_H_
#define DROVER_TESTS_ORACLE_OPERATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace drover::oracle {

enum class Kind {
  kOpen,     // a session, in a slot that has none
  kClose,    // the slot's session
  kAbandon,  // it, without a word: it ends by itself, which is waited for
  kCreate,
  kDelete,
  kSet,
  kCheck,  // in a multi, before its writes
  kMulti,
  kGet,
  kExists,
  kChildren,
  kSync,
  kWatch,  // persistent and recursive
  kUnwatch,
};

inline constexpr std::int32_t kAnyVersion = -1;

struct Operation {
  int session = 0;  // the slot that asks
  Kind kind = Kind::kSync;
  std::string path;
  std::optional<std::string> data;     // create, set; nothing: null, where a system has such a thing
  std::int32_t version = kAnyVersion;  // delete, set, check
  bool ephemeral = false;
  bool sequential = false;
  bool local = false;            // a read that may come from the node at hand, where a system lets one choose
  std::vector<Operation> parts;  // of a multi: checks, then writes

  friend bool operator==(const Operation&, const Operation&) = default;
};

[[nodiscard]] absl::string_view KindName(Kind kind);
// "session 2: create \"/a/b\" ephemeral, 5 bytes".
[[nodiscard]] std::string ToWords(const Operation& operation);
// With quotes, without bytes that a terminal cannot show; the middle of what is long is left out.
[[nodiscard]] std::string Quoted(absl::string_view text);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_OPERATION_H_

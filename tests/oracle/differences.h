// Where we differ from ZooKeeper on purpose: the table of it. Each entry says what differs, in a sentence, and how: it turns what
// ZooKeeper answered into what we are expected to answer. What is not in this table must be the same.
//
// An operation that is to be compared one day has its own entries here and nothing elsewhere. Pure. Threads: any.
#ifndef DROVER_TESTS_ORACLE_DIFFERENCES_H_
#define DROVER_TESTS_ORACLE_DIFFERENCES_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/types/span.h"
#include "tests/oracle/answer.h"
#include "tests/oracle/operation.h"

namespace drover::oracle {

struct Difference {
  const char* name;
  const char* sentence;
  // True if it applies: `answer` was ZooKeeper's and is now ours. Null: it shows elsewhere than in one answer; the sentence says
  // where.
  bool (*apply)(const Operation& operation, Answer* answer);
};

// In the order in which they are applied.
[[nodiscard]] absl::Span<const Difference> Differences();

// What we are expected to answer where ZooKeeper answered this. Counts, by name, the entries that changed something.
[[nodiscard]] Answer Expected(const Operation& operation, Answer zookeeper, std::map<std::string, std::uint64_t>* applied);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_DIFFERENCES_H_

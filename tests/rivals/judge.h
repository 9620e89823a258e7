// What must hold of what rivals did to the resources, by the resource server's own records. Pure.
#ifndef DROVER_TESTS_RIVALS_JUDGE_H_
#define DROVER_TESTS_RIVALS_JUDGE_H_

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "coord/base/ids.h"
#include "tests/rivals/report.h"

namespace drover::rivals {

// A report, as it came to the server.
struct Record {
  std::string user;  // a rival and which life of it: "r2.3"
  Report report;
  bool accepted = true;  // false: a use with a token older than the newest
};

// What is wrong, one sentence each:
// - a token of a resource has two users;
// - a write was accepted after one with a newer token, or refused though none was newer;
// - the counter gave a number twice;
// - of a commit two things were decided.
[[nodiscard]] std::vector<std::string> Faults(const std::vector<Record>& records);

// What they claim to have held, for recipes::CheckClaims.
[[nodiscard]] std::vector<recipes::Claim> Claims(const std::vector<Record>& records);
// The newest number of the counter; 0: none.
[[nodiscard]] std::int64_t NewestNumber(const std::vector<Record>& records);
[[nodiscard]] std::size_t Refused(const std::vector<Record>& records);

// The kinds of what is there to be had: of "shard-3" it is "shard".
[[nodiscard]] std::set<std::string> AllKinds();
// Of them, what the rival `name` has not used (in any of its lives) in `records` from number `first` on.
[[nodiscard]] std::set<std::string> NotHadBy(const std::string& name, const std::vector<Record>& records, std::size_t first = 0);

// Resource and token of each fenced resource whose last accepted use is by the rival `name`.
struct Held {
  std::string resource;
  base::Zxid token;
};
[[nodiscard]] std::vector<Held> LastUsedBy(const std::string& name, const std::vector<Record>& records);

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_JUDGE_H_

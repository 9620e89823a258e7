// What one client asked of the tree and what it was told: the raw material of the linearizability checker.
//
// The model is flat: a node exists or not, has data, a version and perhaps an owner. Nodes have no children of their own: keep
// every parent there from before the history begins, and operate on leaves only. Sequential creates whose name never became known
// cannot be modelled; leave the whole prefix out.
#ifndef DROVER_TESTS_SIM_CHECK_OPERATION_H_
#define DROVER_TESTS_SIM_CHECK_OPERATION_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "coord/base/ids.h"
#include "coord/tree/code.h"

namespace drover::sim::check {

using coord::tree::Code;

// A place in one total order of everything that was observed: the recorder counts. A greater one is really later.
using Stamp = std::uint64_t;

enum class Kind {
  kCreate,
  kDelete,
  kSet,
  kGet,
  kExists,
  kChildren,     // names of the nodes right below `path`
  kTransaction,  // all compares hold: `then`, else `otherwise`; atomic
  kEndSession,   // deletes the nodes that `owner` owns
};

struct Compare {
  enum class Field { kExists, kVersion };
  std::string path;
  Field field = Field::kVersion;
  std::uint64_t equals = 0;  // a missing node has no version: no compare of it holds
};

// One write of a transaction.
struct Change {
  Kind kind = Kind::kSet;  // kCreate, kDelete, kSet
  std::string path;
  std::string data;
  std::optional<std::uint32_t> expected_version;
  base::SessionId owner;
};

struct Result {
  // OK, NO_NODE, NODE_EXISTS, BAD_VERSION are judged. Any other code says "refused without effect, for reasons outside of the
  // model". Of a transaction: OK, or the code of the operation that undid it.
  Code code = Code::kOk;
  std::optional<std::uint32_t> version;  // create, set, get, exists; not judged where absent
  std::string data;                      // get
  std::vector<std::string> names;        // children, ascending
  bool succeeded = true;                 // transaction: the branch was `then`
};

struct Operation {
  std::uint64_t client = 0;
  Stamp invoked = 0;
  // Absent: never told, or told that the outcome is unknown. A write may then take effect at any later time, or never.
  std::optional<Stamp> returned;

  Kind kind = Kind::kGet;
  std::string path;
  std::string data;
  std::optional<std::uint32_t> expected_version;
  base::SessionId owner;  // create: of an ephemeral, else 0; end of a session: which
  std::vector<Compare> compares;
  std::vector<Change> then;
  std::vector<Change> otherwise;

  Result result;
  // As answered, if it was: tried first as the order of effects, which makes the search short. It never decides.
  base::Zxid zxid;
};

[[nodiscard]] bool IsRead(Kind kind);
std::ostream& operator<<(std::ostream& os, const Operation& operation);

}  // namespace drover::sim::check

#endif  // DROVER_TESTS_SIM_CHECK_OPERATION_H_

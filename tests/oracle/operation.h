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
  kCheck,  // in a multi
  kMulti,
  kGet,
  kExists,
  kChildren,
  kSync,
  kWatch,
  kUnwatch,
  kAuthenticate,  // with scheme digest
  kSetAcl,
  kGetAcl,
};

// ZooKeeper's two modes of addWatch, and what an exists and a getChildren leave.
enum class WatchKind { kRecursive, kPersistent, kOnce, kOnceChildren };

struct AclEntry {
  std::int32_t permissions = 31;
  std::string scheme;
  std::string id;

  friend bool operator==(const AclEntry&, const AclEntry&) = default;
};
using Acl = std::vector<AclEntry>;

inline constexpr std::int32_t kAnyVersion = -1;

struct Operation {
  int session = 0;  // the slot that asks
  Kind kind = Kind::kSync;
  std::string path;
  std::optional<std::string> data;     // create, set; nothing: null, where a system has such a thing. Authenticate: USER:PASSWORD
  std::int32_t version = kAnyVersion;  // delete, set, check, set-acl
  Acl acl = {};                        // create, set-acl; of a create, none: everybody may do everything
  bool ephemeral = false;
  bool sequential = false;
  bool container = false;              // create; neither ephemeral nor sequential
  std::optional<std::int64_t> ttl_ms;  // create: time to live; not ephemeral
  bool local = false;                  // a read that may come from the node at hand, where a system lets one choose
  std::vector<Operation> parts;        // of a multi
  WatchKind watch = WatchKind::kRecursive;

  friend bool operator==(const Operation&, const Operation&) = default;
};

// Who may do everything, in both systems.
inline constexpr char kSuperUser[] = "super:test";
inline constexpr char kSuperDigest[] = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";

[[nodiscard]] absl::string_view KindName(Kind kind);
// "session 2: create \"/a/b\" ephemeral, 5 bytes".
[[nodiscard]] std::string ToWords(const Operation& operation);
// "5 digest ann:hash".
[[nodiscard]] std::string ToWords(const AclEntry& entry);
// With quotes, without bytes that a terminal cannot show; the middle of what is long is left out.
[[nodiscard]] std::string Quoted(absl::string_view text);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_OPERATION_H_

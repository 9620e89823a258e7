// The values that a program exchanges with the coordination service. Plain data; copyable; any thread.
//
// Limits (over one: refused with kTooLarge or kInvalidArgument): data of a node 1 MiB; path 4,096 bytes; 1,024 operations and 4 MiB
// in a transaction; 10,000 nodes in the subtrees that one write deletes; 1,024 reads at once, and 4 MiB of answers to them; a page
// of a list 1 MiB or 10,000 nodes; 128 entries of an access control list, 256 bytes of an id in it; 16 identities of a session,
// 1,024 bytes of a credential. Times are the cluster's, in milliseconds since 1970.
#ifndef DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_TYPES_H_
#define DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_TYPES_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "coord/base/time.h"
#include "drover/coord/status.h"

namespace drover::coord {

using base::SessionId;
using base::Zxid;

struct Stat {
  Zxid czxid;  // of the creation: names come back, this never does
  Zxid mzxid;  // of the last change of the data
  Zxid pzxid;  // of the last creation or deletion of a child
  base::WallTime ctime;
  base::WallTime mtime;
  std::uint32_t version = 0;
  std::uint32_t cversion = 0;
  std::uint32_t aversion = 0;
  SessionId ephemeral_owner;  // 0: not ephemeral
  std::uint32_t data_length = 0;
  std::uint32_t num_children = 0;
  bool container = false;
  base::Duration ttl{0};  // milliseconds; 0: none. What is longer than a Duration (292 years) is Duration::max()

  friend bool operator==(const Stat&, const Stat&) = default;
};

struct Node {
  std::string path;
  Stat stat;
  std::string data;
  bool hidden = false;  // in a list: who asks may not read it, so its data and what is below it are left out

  friend bool operator==(const Node&, const Node&) = default;
};

// A place in the history of the tree. The changes of one transaction have ordinals 0, 1, 2 ...
struct Position {
  static constexpr std::uint32_t kAll = std::numeric_limits<std::uint32_t>::max();

  Zxid zxid;
  std::uint32_t ordinal = kAll;  // everything of `zxid` up to and including this one; kAll: all of it

  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Event {
  enum class Type : std::uint8_t { kCreated = 1, kChanged = 2, kDeleted = 3 };

  Zxid zxid;
  std::uint32_t ordinal = 0;
  Type type = Type::kCreated;
  std::string path;
  Stat stat;         // after the change; of a deletion: before it
  std::string data;  // where the watch asked for it; not of a deletion

  [[nodiscard]] Position position() const { return Position{zxid, ordinal}; }
  friend bool operator==(const Event&, const Event&) = default;
};

// What an entry of an access control list allows: a sum of these.
struct Permission {
  static constexpr std::uint32_t kRead = 1;    // data, names of children, the list itself
  static constexpr std::uint32_t kWrite = 2;   // of data
  static constexpr std::uint32_t kCreate = 4;  // of children
  static constexpr std::uint32_t kDelete = 8;  // of children
  static constexpr std::uint32_t kAdmin = 16;  // the list, and the quota
  static constexpr std::uint32_t kAll = 31;
};

struct AclEntry {
  std::uint32_t permissions = Permission::kAll;
  std::string scheme;
  std::string id;

  [[nodiscard]] static AclEntry World(std::uint32_t permissions = Permission::kAll) { return {permissions, "world", "anyone"}; }
  // All that who creates the node has proved to be.
  [[nodiscard]] static AclEntry Auth(std::uint32_t permissions = Permission::kAll) { return {permissions, "auth", ""}; }
  // `user_and_hash`: as PasswordDigest makes it.
  [[nodiscard]] static AclEntry Digest(std::string user_and_hash, std::uint32_t permissions = Permission::kAll) {
    return {permissions, "digest", std::move(user_and_hash)};
  }
  // An address, or a network like 10.0.0.0/8.
  [[nodiscard]] static AclEntry Ip(std::string network, std::uint32_t permissions = Permission::kAll) {
    return {permissions, "ip", std::move(network)};
  }

  friend bool operator==(const AclEntry&, const AclEntry&) = default;
};

// Who may do what with one node; not inherited.
using Acl = std::vector<AclEntry>;

// "user:BASE64(SHA1(user:password))", the id that scheme "digest" has for this user and password.
[[nodiscard]] std::string PasswordDigest(absl::string_view user, absl::string_view password);

// What proves who somebody is: scheme "digest", "user:password".
struct Credential {
  std::string scheme;
  std::string secret;
};

// What somebody has proved to be.
struct Identity {
  std::string scheme;  // digest, ip, super
  std::string id;      // of a digest the user alone

  friend bool operator==(const Identity&, const Identity&) = default;
};

// Bounds of a subtree; 0: none. What would grow over one is refused with kQuotaExceeded.
struct Quota {
  std::uint64_t nodes_max = 0;  // at or below the node
  std::uint64_t bytes_max = 0;  // of their data

  friend bool operator==(const Quota&, const Quota&) = default;
};

struct QuotaUsage {
  std::string path;
  Quota quota;
  std::uint64_t nodes = 0;
  std::uint64_t bytes = 0;
  Zxid czxid;  // of the node
};

struct SessionInfo {
  SessionId id;
  std::string name;     // that its client gave it
  std::string address;  // from where it was opened; empty: not known
  base::Duration timeout{};
  base::Duration disconnect_grace{};  // 0: none
  std::uint64_t ephemerals = 0;       // how many nodes are its own
};

struct CreateOptions {
  bool ephemeral = false;   // deleted with the session that made it; cannot have children
  bool sequential = false;  // a ten-digit number is appended to the path
  bool parents = false;     // missing parents are made too: persistent and empty
  bool container = false;   // deleted by the service once it has had children and has none
  base::Duration ttl{
      0};  // if not 0: deleted by the service when it has no children and was not set for so long; at most 2^48 - 1 ms
  bool if_absent = false;  // a node that is there already is taken as it is
  Acl acl = {};            // of it, and of the parents that are made; empty: everybody may do everything
};

// One condition of a transaction. Only kExists holds a value for a missing node (0); every other compare on one is false.
struct Compare {
  enum class Field : std::uint8_t {
    kExists = 1,
    kCzxid = 2,
    kMzxid = 3,
    kPzxid = 4,
    kVersion = 5,
    kCversion = 6,
    kEphemeralOwner = 7,
    kDataLength = 8,
    kNumChildren = 9,
    kCtime = 10,
    kMtime = 11,
    kAversion = 12,
  };
  enum class Relation : std::uint8_t { kEqual = 0, kNotEqual = 1, kLess = 2, kGreater = 3 };

  std::string path;
  Field field = Field::kExists;
  Relation relation = Relation::kEqual;
  std::uint64_t value = 0;

  [[nodiscard]] static Compare Exists(std::string path) { return {std::move(path), Field::kExists, Relation::kEqual, 1}; }
  [[nodiscard]] static Compare Absent(std::string path) { return {std::move(path), Field::kExists, Relation::kEqual, 0}; }
  [[nodiscard]] static Compare Czxid(std::string path, Zxid zxid) {
    return {std::move(path), Field::kCzxid, Relation::kEqual, zxid.value};
  }
  [[nodiscard]] static Compare Mzxid(std::string path, Zxid zxid) {
    return {std::move(path), Field::kMzxid, Relation::kEqual, zxid.value};
  }
  [[nodiscard]] static Compare Version(std::string path, std::uint32_t version) {
    return {std::move(path), Field::kVersion, Relation::kEqual, version};
  }
  [[nodiscard]] static Compare EphemeralOwner(std::string path, SessionId owner) {
    return {std::move(path), Field::kEphemeralOwner, Relation::kEqual, owner.value};
  }
  [[nodiscard]] static Compare NumChildren(std::string path, std::uint32_t count) {
    return {std::move(path), Field::kNumChildren, Relation::kEqual, count};
  }

  friend bool operator==(const Compare&, const Compare&) = default;
};

// One write inside a transaction. A check changes nothing and is refused like a Set of that version.
struct Operation {
  enum class Kind : std::uint8_t { kCreate, kDelete, kSet, kCheck, kDeleteSubtree, kSetAcl };

  Kind kind = Kind::kCreate;
  std::string path;
  std::string data;                      // create, set
  CreateOptions create;                  // create; of a set-acl its list
  std::optional<std::uint32_t> version;  // all but create: refused with kBadVersion unless the node has it (set-acl: its aversion)

  [[nodiscard]] static Operation Create(std::string path, std::string data, CreateOptions options = {}) {
    return {Kind::kCreate, std::move(path), std::move(data), std::move(options), std::nullopt};
  }
  [[nodiscard]] static Operation Set(std::string path, std::string data, std::optional<std::uint32_t> version = std::nullopt) {
    return {Kind::kSet, std::move(path), std::move(data), {}, version};
  }
  [[nodiscard]] static Operation Delete(std::string path, std::optional<std::uint32_t> version = std::nullopt) {
    return {Kind::kDelete, std::move(path), {}, {}, version};
  }
  [[nodiscard]] static Operation Check(std::string path, std::optional<std::uint32_t> version = std::nullopt) {
    return {Kind::kCheck, std::move(path), {}, {}, version};
  }
  [[nodiscard]] static Operation DeleteSubtree(std::string path, std::optional<std::uint32_t> version = std::nullopt) {
    return {Kind::kDeleteSubtree, std::move(path), {}, {}, version};
  }
  [[nodiscard]] static Operation SetAcl(std::string path, Acl acl, std::optional<std::uint32_t> aversion = std::nullopt) {
    return {Kind::kSetAcl, std::move(path), {}, {.acl = std::move(acl)}, aversion};
  }
};

// All compares hold: `then` is applied, else `otherwise`. One zxid; the branch is atomic: if one of its operations is refused,
// nothing of it takes effect and the transaction is refused with that operation's code.
//
//   Transaction{.compares = {Compare::Czxid(candidate, epoch), Compare::Mzxid(record, fence)},
//               .then = {Operation::Set(record, running)}}
struct Transaction {
  std::vector<Compare> compares;
  std::vector<Operation> then;
  std::vector<Operation> otherwise;
};

struct OperationResult {
  std::string path;         // create: the path made, with its sequence number
  Stat stat;                // create, set, set-acl
  std::uint64_t count = 0;  // delete-subtree: the nodes deleted
  bool existed = false;     // create with if_absent
};

struct TransactionResult {
  bool succeeded = false;  // the compares held, so `then` was the branch
  Zxid zxid;
  std::vector<OperationResult> results;  // one per operation of the branch
};

struct CreateResult {
  std::string path;
  Stat stat;
  Zxid zxid;
  bool existed = false;  // with if_absent: it was there, and is as it was
};

struct SetResult {
  Stat stat;
  Zxid zxid;
};

struct DeleteResult {
  Zxid zxid;
};

struct DeleteSubtreeResult {
  std::uint64_t count = 0;  // nodes deleted
  Zxid zxid;
};

struct GetResult {
  Node node;
  Zxid zxid;  // of the state read
};

struct ExistsResult {
  std::optional<Stat> stat;  // nothing: there is no such node
  Zxid zxid;
};

struct ChildrenPage {
  std::vector<std::string> names;  // sorted by bytes
  bool more = false;               // ask again after the last one
  Zxid zxid;
};

struct ListPage {
  std::vector<Node> nodes;  // sorted by path components, the root of the list first
  bool more = false;
  Zxid zxid;  // each page is one consistent state; two pages may be of different ones
};

struct CountResult {
  std::uint64_t count = 0;
  Zxid zxid;
};

struct AclResult {
  Acl acl;  // digests without their hashes for who may not change it
  Stat stat;
  Zxid zxid;
};

struct IdentitiesResult {
  std::vector<Identity> identities;
  Zxid zxid;
};

struct QuotasPage {
  std::vector<QuotaUsage> quotas;
  bool more = false;
  Zxid zxid;
};

struct SessionsPage {
  std::vector<SessionInfo> sessions;
  bool more = false;
  Zxid zxid;
};

// One of several reads of one state.
struct ReadOperation {
  enum class Kind : std::uint8_t { kGet, kExists, kChildren };

  Kind kind = Kind::kGet;
  std::string path;
  std::string after;        // children: names greater than this
  std::uint32_t limit = 0;  // children; 0: as many as a page holds

  [[nodiscard]] static ReadOperation Get(std::string path) { return {Kind::kGet, std::move(path), {}, 0}; }
  [[nodiscard]] static ReadOperation Exists(std::string path) { return {Kind::kExists, std::move(path), {}, 0}; }
  [[nodiscard]] static ReadOperation Children(std::string path, std::string after = "", std::uint32_t limit = 0) {
    return {Kind::kChildren, std::move(path), std::move(after), limit};
  }
};

struct ReadAnswer {
  absl::Status status;  // why it was refused: kNoNode (of Exists, too), or kTooLarge for what found no room in the answer
  Stat stat;            // get, exists
  std::string data;     // get
  std::vector<std::string> names;  // children
  bool more = false;               // children
};

struct MultiReadResult {
  std::vector<ReadAnswer> answers;  // one per read
  Zxid zxid;                        // of the state that all of them are of
};

// Behind which node a page of ephemerals or quotas begins: the last one of the page before.
struct AfterNode {
  Zxid czxid;
  std::string path;
};

// Order of lists: by path components, so a node comes right before everything below it ("/a" < "/a/b" < "/a-b").
[[nodiscard]] bool PathLess(absl::string_view a, absl::string_view b);
// "/a" and everything below it; "/" covers all.
[[nodiscard]] bool PathCovers(absl::string_view root, absl::string_view path);

}  // namespace drover::coord

#endif  // DROVER_COORD_CLIENT_INCLUDE_DROVER_COORD_TYPES_H_

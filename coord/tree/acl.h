// Access control lists: who may do what with a node. ZooKeeper's, with its schemes and its rules.
//
// A list has entries (permissions, scheme, id); whoever is one of the ids has their permissions. A list speaks of one node and is
// not inherited: whoever may read a node may not for that read its children. Threads: one; an Acl is immutable.
#ifndef DROVER_COORD_TREE_ACL_H_
#define DROVER_COORD_TREE_ACL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "coord/base/ids.h"
#include "coord/base/ip_address.h"

namespace drover::coord::tree {

// Bits of AclEntry::permissions.
struct Permission {
  static constexpr std::uint32_t kRead = 1;    // data, names of children, the list itself
  static constexpr std::uint32_t kWrite = 2;   // Set
  static constexpr std::uint32_t kCreate = 4;  // of children
  static constexpr std::uint32_t kDelete = 8;  // of children
  static constexpr std::uint32_t kAdmin = 16;  // the list, and the quota
  static constexpr std::uint32_t kAll = 31;
};

struct Scheme {
  static constexpr absl::string_view kWorld = "world";    // its one id is "anyone"
  static constexpr absl::string_view kDigest = "digest";  // "user:hash", of who has proved to know the password
  static constexpr absl::string_view kIp = "ip";          // an address or a network
  static constexpr absl::string_view kAuth = "auth";      // of a request: all that who asks has proved to be
  static constexpr absl::string_view kSuper = "super";    // of who asks: may do everything
};

// What somebody has proved to be.
struct Identity {
  std::string scheme;
  std::string id;

  friend bool operator==(const Identity&, const Identity&) = default;
};

// Who asks. Views: as good as what they point at.
struct Asker {
  base::SessionId session;         // 0: outside of any
  absl::string_view address = {};  // bytes of an IP address (coord/base/ip_address.h), or none
  absl::Span<const Identity> identities = {};
};

struct AclEntry {
  std::uint32_t permissions = 0;
  std::string scheme;
  std::string id;

  friend bool operator==(const AclEntry&, const AclEntry&) = default;
};

class Acl {
 public:
  explicit Acl(std::vector<AclEntry> entries);

  // Everybody may do everything: what a node has that was created without a list.
  static const Acl& Open();

  [[nodiscard]] const std::vector<AclEntry>& entries() const { return entries_; }
  // A drover.coord.v1.Acl. Equal lists have equal bytes.
  [[nodiscard]] const std::string& encoded() const { return encoded_; }
  // Whoever asks has one of these permissions.
  [[nodiscard]] bool Grants(std::uint32_t any_of, const Asker& asker) const;

 private:
  std::vector<AclEntry> entries_;
  std::vector<std::optional<base::IpNetwork>> networks_;  // of entries with scheme ip
  std::string encoded_;
};

// Entries of an encoded drover.coord.v1.Acl, as they are. False: malformed.
[[nodiscard]] bool ParseAclEntries(absl::string_view bytes, std::vector<AclEntry>* out);
// Null if it may stand in a node's list, or what is wrong with it. (Not "auth", which is no one's id.)
[[nodiscard]] const char* AclEntryFault(const AclEntry& entry);

// The number of a list within one process. 0: the open one.
using AclNumber = std::uint16_t;
inline constexpr AclNumber kOpenAcl = 0;

// The lists that the nodes of a tree have, each once, for there are millions of nodes and few lists. Counts the uses of each.
class AclTable {
 public:
  // Different ones at a time, besides the open one.
  static constexpr std::size_t kAclsMax = 65'534;

  // It is there already, or there is room for it.
  [[nodiscard]] bool Admits(const Acl& acl) const;
  // What bytes() grows by if it is used.
  [[nodiscard]] std::size_t Growth(const Acl& acl) const;
  // One use more. It must be admitted.
  AclNumber Use(const Acl& acl);
  void UseAgain(AclNumber number);
  // One use less.
  void Drop(AclNumber number);

  [[nodiscard]] const Acl& Get(AclNumber number) const { return number == kOpenAcl ? Acl::Open() : *slots_[number - 1].acl; }
  // Null for the open one. It may outlive its use here.
  [[nodiscard]] std::shared_ptr<const Acl> Share(AclNumber number) const;
  [[nodiscard]] std::uint64_t uses(AclNumber number) const { return slots_[number - 1].uses; }

  [[nodiscard]] std::size_t size() const { return by_bytes_.size(); }  // without the open one
  [[nodiscard]] bool empty() const { return by_bytes_.empty(); }
  // What they count for in the tree's size.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    std::shared_ptr<const Acl> acl;
    std::uint64_t uses = 0;
  };

  [[nodiscard]] AclNumber Find(const Acl& acl) const;
  [[nodiscard]] static std::size_t BytesOf(const Acl& acl) { return 256 + 2 * acl.encoded().size(); }

  std::vector<Slot> slots_;                                     // [number - 1]
  std::vector<AclNumber> free_;                                 // numbers of slots without a list
  absl::flat_hash_map<absl::string_view, AclNumber> by_bytes_;  // looked up, never iterated
  std::size_t bytes_ = 0;
};

}  // namespace drover::coord::tree

#endif  // DROVER_COORD_TREE_ACL_H_

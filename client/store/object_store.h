// Where application data lives: task inputs, task output, and nothing that has to be decided on.
//
// All objects are write-once: a key that was put never holds anything else, so a process that wakes up late can destroy nothing and
// readers may cache without asking. Names therefore carry what makes them unique: inputs the task and a random upload number,
// outputs the task and its fence.
//
// Keys are one or more components joined by '/'; a component matches [A-Za-z0-9][A-Za-z0-9._-]{0,199}, a key has at most 512 bytes.
// Anything else is INVALID_ARGUMENT. "a" and "a/b" may both exist.
//
// Threads: called on one thread (the loop's); completions run where the store's executor runs them: on that loop, after the call
// has returned. Operations are independent of each other: nothing is promised about the order of two that are under way together.
// Destroying the store drops the completions that have not run.
//
// Errors, of every call:
//   NOT_FOUND           no such object
//   ALREADY_EXISTS      Put of a key that was put before, whatever its content
//   DATA_LOSS           what is stored is damaged, or not what the caller's digest or size says
//   RESOURCE_EXHAUSTED  the disk is full, or the object is over the store's size limit
//   INVALID_ARGUMENT    a bad key, or a range that makes no sense
//   UNAVAILABLE         the store cannot be reached now; worth trying again
//   INTERNAL            anything else; the message names the object and the system's words
#ifndef DROVER_CLIENT_STORE_OBJECT_STORE_H_
#define DROVER_CLIENT_STORE_OBJECT_STORE_H_

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "coord/base/bytes.h"
#include "coord/base/loop.h"
#include "coord/base/time.h"

namespace drover::store {

// XXH3-128 of an object's bytes, big-endian (the canonical form). Finds damage; proves nothing against an attacker.
using Digest = std::array<std::uint8_t, 16>;
Digest DigestOf(absl::string_view data);
// The 16 bytes as they travel in an ObjectRef message.
std::string DigestBytes(const Digest& digest);
absl::StatusOr<Digest> DigestFromBytes(absl::string_view bytes);

// What a record keeps of an object.
struct ObjectRef {
  std::string key;
  std::uint64_t size = 0;
  Digest digest{};
  friend bool operator==(const ObjectRef&, const ObjectRef&) = default;
};

// Bytes [offset, offset + length) of an object; what lies past its end is left out, so a range behind the end is empty.
struct Range {
  std::uint64_t offset = 0;
  std::uint64_t length = std::numeric_limits<std::uint64_t>::max();
};

struct GetResult {
  base::Bytes data;
  std::uint64_t object_size = 0;
};

struct Listed {
  std::string key;
  std::uint64_t size = 0;
  base::WallTime modified;
};

struct ListPage {
  std::vector<Listed> objects;  // by bytes of their keys
  bool more = false;            // ask again with `after` = the last of these
};

template <typename T>
using Done = absl::AnyInvocable<void(absl::StatusOr<T>)>;
using DoneStatus = absl::AnyInvocable<void(absl::Status)>;

inline constexpr std::size_t kKeyBytesMax = 512;
inline constexpr std::size_t kKeyComponentBytesMax = 200;
inline constexpr std::uint64_t kObjectBytesMax = 64ull << 20;
inline constexpr std::size_t kListLimitMax = 10'000;

// OK or INVALID_ARGUMENT with a sentence that quotes the key.
absl::Status CheckKey(absl::string_view key);

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Durable once done with a reference. After any error but ALREADY_EXISTS the object is whole or absent, and a Put of the same
  // bytes may be tried again: then ALREADY_EXISTS can mean the first try.
  virtual void Put(std::string key, base::Bytes data, Done<ObjectRef> done) = 0;

  // The bytes are checked against the digests stored with them.
  virtual void Get(std::string key, Range range, Done<GetResult> done) = 0;

  // Objects whose key begins with `prefix` (a plain string prefix, may be empty) and is greater than `after`, at most `limit` of
  // them (1..kListLimitMax).
  virtual void List(std::string prefix, std::string after, std::size_t limit, Done<ListPage> done) = 0;

  // Objects that are not there are fine: deleting again is safe. On an error some may be deleted.
  virtual void Delete(std::vector<std::string> keys, DoneStatus done) = 0;
};

// The whole object that `ref` names; DATA_LOSS if size or digest differ from the reference.
void GetObject(ObjectStore* store, const ObjectRef& ref, Done<base::Bytes> done);

struct OpenOptions {
  // Make the store's root if it is not there. Clients say no: a path that does not exist on their host is not the pool's store.
  bool create = true;
  // With !create: looks after a store that is there as one that was made is looked after (leftovers of writers that died).
  bool tend = false;
  // Largest object, bytes.
  std::uint64_t object_bytes_max = kObjectBytesMax;
  // Leftovers of crashed writers that are older are removed when the store is opened.
  base::Duration leftover_age = std::chrono::hours(24);
};

// `url`: "file:/absolute/path" (one host, or a path that all hosts share). "s3:" is known and refused (UNIMPLEMENTED). Blocks for a
// few file operations: call it before the loop starts, or from a blocking program. `executor` runs the disk work and must outlive
// the store. Errors: INVALID_ARGUMENT (not such a URL), UNIMPLEMENTED, NOT_FOUND (no such directory and !create), or of the file
// system.
absl::StatusOr<std::unique_ptr<ObjectStore>> OpenStore(absl::string_view url, base::Executor* executor,
                                                       const OpenOptions& options = {});

// OK if OpenStore could understand the URL; touches nothing.
absl::Status CheckUrl(absl::string_view url);

// ---- is this the pool's store? ----
//
// Two hosts may both have a /var/lib/drover/store and mean two disks. So one write-once object, the marker, holds a random string;
// the pool's record in the tree holds the same; each process compares them at start and refuses a store that is not the same one.

inline constexpr absl::string_view kMarkerKey = "marker";

// Puts `fresh` (random, 1..64 printable bytes) as the marker if there is none; completes with the marker that stands.
void EnsureMarker(ObjectStore* store, std::string fresh, Done<std::string> done);

// FAILED_PRECONDITION, with a sentence for the operator, if the store has no marker or another one.
void CheckMarker(ObjectStore* store, std::string expected, DoneStatus done);

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_OBJECT_STORE_H_

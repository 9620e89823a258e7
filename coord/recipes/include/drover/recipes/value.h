// One node as a value: changed atomically, counted with, or watched.
//
//   recipes::AtomicValue value(session, "/app/limits");
//   value.Update([](const std::optional<std::string>& now) { return absl::StrCat(now.value_or(""), "x"); }, done);
//   recipes::Counter counter(session, "/app/tickets");
//   counter.Add(1, [](absl::StatusOr<std::int64_t> now) { ... });       // each caller gets another number
//   recipes::ConfigValue config(session, "/app/config", &listener);      // OnValue now, and at every change
//
// Guarantees
//   An update is a read and a write that takes effect only if nobody wrote in between; else it is done again with what is there
//   then. So no update is lost, and each sees the ones before it. A ConfigValue tells every listener the same values in the same
//   order; one that is overwritten at once may be left out only where the history of the watch was lost and the value is read anew.
//
// Failure
//   Link lost: calls wait, as all calls of a session do. Session expired: a call whose write was under way is unknown (status.h),
//   the others are refused with kSessionExpired. Under contention an update is tried until it succeeds: each failure of one is the
//   success of another. No node: reads as nothing; it is made by the first write, with its parents.
//
// Threads: all on the session's loop; no callback from inside a call. Destroy before the session; callbacks then do not come.
#ifndef DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_VALUE_H_
#define DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_VALUE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coord/base/ids.h"
#include "drover/coord/session.h"
#include "drover/coord/types.h"

namespace drover::recipes {

struct UpdateResult {
  std::optional<std::string> before;  // nothing: there was no node
  std::optional<std::string> after;   // nothing: it was left without one
  bool changed = false;
  base::Zxid zxid;  // of the write; of what was read, if nothing was changed
};

class AtomicValue {
 public:
  AtomicValue(coord::Session* session, std::string path);
  ~AtomicValue();
  AtomicValue(const AtomicValue&) = delete;
  AtomicValue& operator=(const AtomicValue&) = delete;

  // `change` is given the value and gives the next one; nothing: leave it as it is. It may be called more than once, and must not
  // look at anything else that changes.
  using Change = absl::AnyInvocable<std::optional<std::string>(const std::optional<std::string>&)>;
  void Update(Change change, coord::Callback<UpdateResult> done);
  // Nothing: there is no node.
  void Get(coord::Callback<std::optional<std::string>> done);

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

// A number of 64 bits, in decimal.
class Counter {
 public:
  Counter(coord::Session* session, std::string path);
  ~Counter();

  // Gives the number after it. No node counts as 0. OUT_OF_RANGE: it would not fit; FAILED_PRECONDITION: the node holds no number.
  void Add(std::int64_t delta, coord::Callback<std::int64_t> done);
  void Get(coord::Callback<std::int64_t> done);

 private:
  AtomicValue value_;
  const std::string path_;
};

class ConfigListener {
 public:
  // What holds from now on. Once at the beginning, then at every change. Nothing: there is no node.
  virtual void OnValue(const std::optional<coord::Node>& value) = 0;
  // The session ended; the value stays as it was last seen.
  virtual void OnConfigEnded(const absl::Status& /*why*/) {}

 protected:
  ~ConfigListener() = default;
};

class ConfigValue {
 public:
  // `listener` must outlive it.
  ConfigValue(coord::Session* session, std::string path, ConfigListener* listener);
  ~ConfigValue();
  ConfigValue(const ConfigValue&) = delete;
  ConfigValue& operator=(const ConfigValue&) = delete;

  // Replaces the value. `version`: only if it is still this one (of the node's Stat), else kBadVersion: somebody else has edited it
  // meanwhile. Nothing: whatever it is; the node is made if it is missing.
  void Set(std::string value, std::optional<std::uint32_t> version, coord::Callback<coord::Stat> done);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace drover::recipes

#endif  // DROVER_COORD_RECIPES_INCLUDE_DROVER_RECIPES_VALUE_H_

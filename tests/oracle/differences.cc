#include "tests/oracle/differences.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "tests/oracle/path_rule.h"

namespace drover::oracle {
namespace {

constexpr std::size_t kPathBytesMax = 4'096;
constexpr std::size_t kSequenceDigits = 10;

// What we say to the operation's path alone: kOk, kTooLarge or kBadArguments.
Code PathVerdict(const Operation& o) {
  switch (o.kind) {
    case Kind::kOpen:
    case Kind::kClose:
    case Kind::kAbandon:
    case Kind::kMulti:
    case Kind::kSync:
    case Kind::kUnwatch:
    case Kind::kAuthenticate:
      return Code::kOk;
    case Kind::kCreate:
      if (o.path.size() + (o.sequential ? kSequenceDigits : 0) > kPathBytesMax) return Code::kTooLarge;
      return IsPathToCreate(o.path, o.sequential) ? Code::kOk : Code::kBadArguments;
    default:
      if (o.path.size() > kPathBytesMax) return Code::kTooLarge;
      return IsPath(o.path) ? Code::kOk : Code::kBadArguments;
  }
}

// A part of a multi that was refused by itself, not for another's sake.
bool IsRefused(Code code) {
  return code != Code::kOk && code != Code::kUndone && code != Code::kNotTried;
}

bool PathFirst(const Operation& o, Answer* answer) {
  const Code verdict = PathVerdict(o);
  if (verdict == Code::kOk) return false;
  const bool writes = o.kind == Kind::kCreate || o.kind == Kind::kDelete || o.kind == Kind::kSet || o.kind == Kind::kSetAcl;
  if (writes && answer->code == Code::kOk) return false;  // it took effect there: that is no matter of words
  const bool same = answer->code == verdict;
  *answer = Answer{.code = verdict, .said = answer->said, .zxid = answer->zxid};
  return !same;
}

bool PathFirstInMulti(const Operation& o, Answer* answer) {
  if (o.kind != Kind::kMulti || answer->parts.size() != o.parts.size()) return false;
  for (std::size_t i = 0; i < o.parts.size(); ++i) {
    const Code verdict = PathVerdict(o.parts[i]);
    Answer& part = answer->parts[i];
    if (!IsRefused(part.code) || verdict == Code::kOk || part.code == verdict) continue;
    part.code = answer->code = verdict;
    return true;
  }
  return false;
}

bool NoNullData(const Operation& o, Answer* answer) {
  if (o.kind != Kind::kGet || answer->code != Code::kOk || answer->data.has_value()) return false;
  answer->data = "";
  return true;
}

// ZooKeeper's root holds a child of its own, which it did not count as created.
void HideSystemChild(const std::string& path, Answer* answer) {
  if (path != "/") return;
  if (answer->stat.has_value()) {
    --answer->stat->num_children;
    ++answer->stat->cversion;
  }
  answer->names.erase(std::remove(answer->names.begin(), answer->names.end(), "zookeeper"), answer->names.end());
}

bool NoSystemNodes(const Operation& o, Answer* answer) {
  const Answer before = *answer;
  if (o.kind != Kind::kCreate) HideSystemChild(o.path, answer);
  if (o.kind == Kind::kMulti && answer->code == Code::kOk && answer->parts.size() == o.parts.size()) {
    for (std::size_t i = 0; i < o.parts.size(); ++i) {
      if (o.parts[i].kind == Kind::kSet) HideSystemChild(o.parts[i].path, &answer->parts[i]);
    }
  }
  return *answer != before;
}

// What was asked for is what a Stat must show.
bool LifetimeInStat(const Operation& o, Answer* answer) {
  if (o.kind == Kind::kMulti && answer->parts.size() == o.parts.size()) {
    bool differs = false;
    for (std::size_t i = 0; i < o.parts.size(); ++i) differs = LifetimeInStat(o.parts[i], &answer->parts[i]) || differs;
    return differs;
  }
  if (o.kind != Kind::kCreate || !answer->stat.has_value() || answer->stat->lifetime_told) return false;
  answer->stat->lifetime_told = true;
  answer->stat->container = o.container;
  answer->stat->ttl_ms = o.ttl_ms.value_or(0);
  return o.container || o.ttl_ms.has_value();
}

constexpr Difference kDifferences[] = {
    {"path-first",
     "A path that is none, or is longer than 4,096 bytes, is refused as such (INVALID_ARGUMENT, TOO_LARGE) by every "
     "operation, whatever the tree holds. ZooKeeper's server looks for the parent first, or for the node without judging its "
     "name, and says NO_NODE (its client libraries refuse such a path before they send it); it takes \"\" for the root when "
     "it reads; it arms a watch on anything, and has no limit for a path.",
     PathFirst},
    {"path-first-in-multi", "The same for the operation of a transaction that is refused.", PathFirstInMulti},
    {"no-system-nodes",
     "The tree begins empty: there is no /zookeeper, so the root's numChildren is one less and its cversion one more than "
     "there.",
     NoSystemNodes},
    {"lifetime-in-stat",
     "A container and a node with a time to live show that in fields of the Stat of their own; ZooKeeper's Stat says nothing "
     "of it.",
     LifetimeInStat},
    {"create-in-multi-has-stat",
     "A create of a transaction is answered with path and Stat; a create of ZooKeeper's multi with the path alone, create2 "
     "or not. So these Stats are compared when somebody reads the node.",
     nullptr},
    {"no-null-data", "There is no null data: what was written as such reads as empty.", NoNullData},
    {"end-of-session-in-order",
     "The ephemerals of a session that ends are deleted in the order of their creation, and so told; in ZooKeeper in no "
     "order. Shows in events, which are compared as a set within such a transaction.",
     nullptr},
    {"refusals-take-no-zxid",
     "A refused write takes no zxid; in ZooKeeper it takes one that no node shows. Shows in zxids, which are compared by "
     "order; ours must have no gaps.",
     nullptr},
    {"authentication-is-a-write",
     "What a session has proved is the session's, so it takes a zxid; in ZooKeeper it is the connection's. Shows in zxids.",
     nullptr},
    {"unwatch-has-no-answer",
     "Taking a watch away is not answered by our client library: no event comes from then on. So a burst has none.", nullptr},
    {"new-list-counts-at-once",
     "What comes behind a SetAcl is judged by the new list. In ZooKeeper what is in its pipeline behind a setACL that is not "
     "applied yet is judged by the list before. So a burst has none.",
     nullptr},
    {"once-is-what-may-be-heard",
     "A watch that hears once waits for an event that its session may read. In ZooKeeper an event that it may not read takes the "
     "watch away, and nobody is told. So where there are lists only who may do everything arms such a watch.",
     nullptr},
    {"limits",
     "Data of 1 MiB, 1,024 operations and 4 MiB in a transaction: more is refused with TOO_LARGE. ZooKeeper has one limit "
     "for a request as a whole (1 MiB less a byte, jute.maxbuffer), and breaks the connection at one more. What is asked "
     "here stays below both.",
     nullptr},
};

}  // namespace

absl::Span<const Difference> Differences() {
  return kDifferences;
}

Answer Expected(const Operation& operation, Answer zookeeper, std::map<std::string, std::uint64_t>* applied) {
  for (const Difference& difference : kDifferences) {
    if (difference.apply != nullptr && difference.apply(operation, &zookeeper)) ++(*applied)[difference.name];
  }
  return zookeeper;
}

}  // namespace drover::oracle

#include "tests/oracle/generator.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/oracle/odd_paths.h"

namespace drover::oracle {
namespace {

struct Weight {
  Kind kind;
  std::uint64_t of_thousand;
};
constexpr Weight kWeights[] = {
    {Kind::kCreate, 245}, {Kind::kDelete, 160},  {Kind::kSet, 140},  {Kind::kMulti, 110}, {Kind::kGet, 80},
    {Kind::kExists, 60},  {Kind::kChildren, 60}, {Kind::kSync, 15},  {Kind::kWatch, 30},  {Kind::kUnwatch, 20},
    {Kind::kSetAcl, 25},  {Kind::kGetAcl, 25},   {Kind::kClose, 14}, {Kind::kAbandon, 1}, {Kind::kAuthenticate, 15},
};

constexpr std::uint64_t kMultiMax = 100;
constexpr std::uint64_t kBurstOneIn = 5;
constexpr std::uint64_t kBurstMax = 8;
constexpr std::size_t kNodesMax = 150;  // above it, creates become deletes
constexpr std::size_t kDepthMax = 60;
constexpr std::size_t kWatchesMax = 5;  // of a session
constexpr std::size_t kParentBytesMax = 3500;
// Both systems take them; the largest leaves room for the rest of ZooKeeper's largest request (1 MiB less a byte).
constexpr std::size_t kLargeData[] = {4'096, 65'535, 65'536, 1'000'000, 1'040'000};
// Nothing ends by them while a run lasts (system.h); the longest that ZooKeeper takes, and such as are none.
constexpr std::int64_t kTimesToLiveMs[] = {1, 60'000, (std::int64_t{1} << 40) - 1, -1, -5'000};
constexpr const char* kLetters[] = {"a", "b", "c", "d"};
// Who is who: what proves it, and the id that lists know it by. The last may do everything.
struct User {
  const char* credential;
  const char* digest;
};
constexpr User kUsers[] = {
    {"user1:12345", "user1:+owfoSBn/am19roBPzR1/MfCblE="}, {"user2:", "user2:no such hash"}, {kSuperUser, kSuperDigest}};

std::string Below(const std::string& parent, const std::string& name) {
  return parent == "/" ? absl::StrCat("/", name) : absl::StrCat(parent, "/", name);
}

// Taking a watch away is not answered, a new list is not seen by what ZooKeeper has in its pipeline (differences.cc), and who a
// session is shall not change while it waits, for events are told by that.
bool StandsAlone(Kind kind) {
  return kind == Kind::kOpen || kind == Kind::kClose || kind == Kind::kAbandon || kind == Kind::kUnwatch ||
         kind == Kind::kAuthenticate || kind == Kind::kSetAcl;
}

std::size_t DepthOf(const std::string& path) {
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

}  // namespace

Generator::Generator(std::uint64_t seed, int sessions)
    : random_(seed), sessions_(static_cast<std::uint64_t>(sessions)), lists_(!OneIn(3)), slots_(sessions_ + 1) {}

std::vector<Operation> Generator::Next() {
  const int session = static_cast<int>(random_.Below(sessions_));
  std::vector<Operation> burst = {NextOf(session)};
  if (StandsAlone(burst.front().kind) || !OneIn(kBurstOneIn)) return burst;
  for (std::uint64_t more = 1 + random_.Below(kBurstMax - 1); more > 0; --more) {
    Operation o = Ask(session);
    // What the burst itself watches it does not watch again.
    const bool again = o.kind == Kind::kWatch && std::any_of(burst.begin(), burst.end(), [&o](const Operation& other) {
                         return other.kind == Kind::kWatch && other.path == o.path;
                       });
    if (!StandsAlone(o.kind) && !again) burst.push_back(std::move(o));
  }
  return burst;
}

Operation Generator::NextOf(int session) {
  const Slot& slot = slots_[static_cast<std::size_t>(session)];
  Operation operation;
  operation.session = session;
  operation.path = "/";
  if (!slot.open) {
    operation.kind = Kind::kOpen;
  } else if (slot.ending.has_value()) {
    operation.kind = *slot.ending;
  } else {
    operation = Ask(session);
  }
  return operation;
}

Operation Generator::Ask(int session) {
  Slot& slot = slots_[static_cast<std::size_t>(session)];
  std::uint64_t pick = random_.Below(1000);
  const Weight* weight = kWeights;
  while (pick >= weight->of_thousand) pick -= weight++->of_thousand;
  Operation operation;
  operation.path = "/";  // of the sync that it stays where nothing else is to be done
  if (weight->kind == Kind::kWatch) {
    operation = MakeWatch(session);
  } else if (weight->kind == Kind::kUnwatch && !slot.watched.empty()) {
    operation.kind = Kind::kUnwatch;
    operation.path = *std::next(slot.watched.begin(), static_cast<std::ptrdiff_t>(random_.Below(slot.watched.size())));
  } else if (!lists_ && (weight->kind == Kind::kSetAcl || weight->kind == Kind::kAuthenticate)) {
    operation = Make(Kind::kGet);
  } else if (weight->kind == Kind::kClose || weight->kind == Kind::kAbandon) {
    slot.ending = weight->kind;
  } else if (weight->kind != Kind::kUnwatch) {
    operation = Make(weight->kind);
  }
  operation.session = session;
  return operation;
}

Operation Generator::Make(Kind kind) {
  if (kind == Kind::kMulti) return MakeMulti();
  if (kind == Kind::kCreate && known_.size() > kNodesMax) kind = Kind::kDelete;
  Operation o;
  o.kind = kind;
  switch (kind) {
    case Kind::kCreate:
      MakeCreate(&o);
      return o;
    case Kind::kDelete:
      o.path = OneIn(25) ? OddPath(Existing(), &random_) : Existing();
      if (!OneIn(4)) o.path = LeafBelow(o.path);
      o.version = VersionOf(o.path);
      return o;
    case Kind::kSet:
      o.path = OneIn(25) ? OddPath(Existing(), &random_) : Existing();
      o.version = VersionOf(o.path);
      o.data = Data();
      return o;
    case Kind::kSync:
      o.path = "/";
      return o;
    case Kind::kAuthenticate:
      o.data = kUsers[OneIn(6) ? std::size(kUsers) - 1 : random_.Below(std::size(kUsers) - 1)].credential;
      return o;
    case Kind::kSetAcl:
      o.path = OneIn(25) ? OddPath(Existing(), &random_) : Existing();
      o.acl = MakeAcl(/*may_be_empty=*/true);
      if (OneIn(3)) o.version = static_cast<std::int32_t>(random_.Below(4)) - 2;
      // Where nobody may create or delete anything nothing is left to compare.
      if (o.path == "/") o.acl.push_back({31, "world", "anyone"});
      return o;
    default:
      o.path = OneIn(20) ? OddPath(Existing(), &random_) : Existing();
      o.local = OneIn(2);
      return o;
  }
}

Acl Generator::MakeAcl(bool may_be_empty) {
  Acl acl;
  for (std::uint64_t entries = random_.Below(may_be_empty && OneIn(10) ? 1 : 3) + (may_be_empty ? 0 : 1); entries > 0; --entries) {
    AclEntry entry;
    entry.permissions = OneIn(3) ? static_cast<std::int32_t>(random_.Below(32)) : 31;
    switch (random_.Below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        entry.scheme = "digest";
        entry.id = kUsers[random_.Below(std::size(kUsers))].digest;
        break;
      case 4:
      case 5:
        entry.scheme = "auth";
        break;
      case 6:
        entry.scheme = "ip";
        entry.id = OneIn(2) ? "127.0.0.1" : "127.0.0.0/8";
        break;
      case 7:
        entry.scheme = "ip";
        entry.id = OneIn(2) ? "10.0.0.0/8" : "128.0.0.0/1";
        break;
      case 8:
        entry.scheme = OneIn(2) ? "digest" : "ip";
        entry.id = OneIn(2) ? "nonsense" : "";
        break;
      case 9:
        entry.scheme = OneIn(2) ? "nonsense" : "super";
        entry.id = "x";
        break;
      default:
        entry.scheme = "world";
        entry.id = OneIn(12) ? "everyone" : "anyone";
        break;
    }
    acl.push_back(entry);
  }
  return acl;
}

Operation Generator::MakeWatch(int session) {
  const Slot& slot = slots_[static_cast<std::size_t>(session)];
  Operation o;
  o.path = OneIn(12) ? OddPath(Existing(), &random_) : OneIn(4) ? "/" : Existing();
  const bool one_more = slot.watched.size() < kWatchesMax && slot.watched.count(o.path) == 0;
  o.kind = one_more ? Kind::kWatch : Kind::kSync;
  // What its session may not read takes a watch that hears once away in ZooKeeper, and nobody is told (differences.cc).
  if (one_more) o.watch = static_cast<WatchKind>(random_.Below(lists_ && !slot.super ? 2 : 4));
  if (!one_more) o.path = "/";
  return o;
}

Operation Generator::MakeMulti() {
  Operation multi;
  multi.kind = Kind::kMulti;
  // Around one node that need not be there, so that the operations build on each other.
  const std::string about = Below(Existing(), Name());
  const std::uint64_t checks = OneIn(2) ? 0 : 1 + random_.Below(3);
  for (std::uint64_t i = 0; i < checks; ++i) {
    Operation check;
    check.kind = Kind::kCheck;
    check.path = OneIn(40) ? OddPath(Existing(), &random_) : Existing();
    check.version = VersionOf(check.path);
    multi.parts.push_back(std::move(check));
  }
  const std::uint64_t writes = OneIn(50) ? random_.Below(kMultiMax) : random_.Below(6);
  for (std::uint64_t i = 0; i < writes; ++i) {
    multi.parts.push_back(MakePart(about));
    if (i == 0 && !OneIn(4)) multi.parts.back() = {.kind = Kind::kCreate, .path = about, .data = "first", .ephemeral = OneIn(8)};
  }
  return multi;
}

Operation Generator::MakePart(const std::string& about) {
  Operation part;
  if (OneIn(5)) {
    constexpr Kind kKinds[] = {Kind::kCreate, Kind::kDelete, Kind::kSet};
    part = Make(kKinds[random_.Below(std::size(kKinds))]);
    return part;
  }
  switch (random_.Below(7)) {
    case 6:
      part.kind = Kind::kCheck;
      part.path = OneIn(2) ? about : Existing();
      part.version = VersionOf(part.path);
      return part;
    case 0:
      part.kind = Kind::kDelete;
      part.path = OneIn(2) ? about : Below(about, Name());
      part.version = OneIn(3) ? 0 : kAnyVersion;
      return part;
    case 1:
      part.kind = Kind::kSet;
      part.path = OneIn(2) ? about : Below(about, Name());
      part.version = OneIn(3) ? static_cast<std::int32_t>(random_.Below(3)) : kAnyVersion;
      part.data = "set";
      return part;
    case 2:
      part.kind = Kind::kCreate;
      part.path = Below(about, "s-");
      part.sequential = true;
      part.ephemeral = OneIn(2);
      part.data = "";
      return part;
    case 3:
      part.kind = Kind::kCreate;
      part.path = Below(about, Name());
      part.ephemeral = OneIn(3);
      part.data = "child";
      return part;
    default:
      part.kind = Kind::kCreate;
      part.path = about;
      part.ephemeral = OneIn(6);
      part.data = "node";
      return part;
  }
}

void Generator::MakeCreate(Operation* o) {
  const std::string parent = OneIn(8) ? Deepest() : Existing();
  if (OneIn(16)) {
    o->path = OddPath(parent, &random_);
  } else if (OneIn(6)) {
    o->path = Existing();
  } else {
    o->path = Below(DepthOf(parent) < kDepthMax && parent.size() < kParentBytesMax ? parent : "/", Name());
  }
  o->ephemeral = OneIn(4);
  o->sequential = OneIn(4);
  if (o->sequential && OneIn(2)) o->path = OneIn(2) ? absl::StrCat(o->path, "-") : Below(o->path, "");
  if (!o->ephemeral && OneIn(6)) {
    o->container = !o->sequential && OneIn(2);
    if (!o->container) o->ttl_ms = kTimesToLiveMs[random_.Below(std::size(kTimesToLiveMs))];
  }
  o->data = Data();
  if (lists_ && OneIn(6)) o->acl = MakeAcl(/*may_be_empty=*/false);
}

std::string Generator::Name() {
  return kLetters[random_.Below(std::size(kLetters))];
}

std::string Generator::Guess() {
  std::string path;
  for (std::uint64_t depth = random_.Below(4); depth > 0; --depth) absl::StrAppend(&path, "/", Name());
  return path.empty() ? "/" : path;
}

std::string Generator::Existing() {
  if (known_.empty() || OneIn(4)) return Guess();
  return std::next(known_.begin(), static_cast<std::ptrdiff_t>(random_.Below(known_.size())))->first;
}

std::string Generator::Deepest() const {
  std::string deepest = "/";
  for (const auto& [path, version] : known_) {
    if (DepthOf(path) > DepthOf(deepest)) deepest = path;
  }
  return deepest;
}

std::string Generator::LeafBelow(const std::string& path) const {
  // The last in order below it: what lies below that one would be behind it.
  const std::string below = path == "/" ? path : absl::StrCat(path, "/");
  auto it = known_.lower_bound(absl::StrCat(below, "\xff"));
  if (it == known_.begin()) return path;
  --it;
  return absl::StartsWith(it->first, below) ? it->first : path;
}

std::int32_t Generator::VersionOf(const std::string& path) {
  if (OneIn(2)) return kAnyVersion;
  const auto it = known_.find(path);
  const std::int32_t known = it == known_.end() ? static_cast<std::int32_t>(random_.Below(3)) : it->second;
  if (!OneIn(5)) return known;
  const std::int32_t others[] = {
      known + 1, known - 1, 0, -2, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
  return others[random_.Below(std::size(others))];
}

std::optional<std::string> Generator::Data() {
  if (OneIn(1'500)) return std::string(kLargeData[random_.Below(std::size(kLargeData))], 'x');
  if (OneIn(20)) return std::nullopt;
  if (OneIn(8)) return "";
  std::string data(1 + random_.Below(40), '\0');
  for (char& c : data) c = static_cast<char>(random_.Below(256));
  return data;
}

void Generator::Told(const Operation& operation, const Answer& answer) {
  Slot& slot = slots_[static_cast<std::size_t>(operation.session)];
  if (answer.code == Code::kNoNode && operation.kind != Kind::kCreate && operation.kind != Kind::kMulti) Forget(operation.path);
  if (answer.code != Code::kOk) return;
  switch (operation.kind) {
    case Kind::kOpen:
      slot = {.open = true};
      break;
    case Kind::kClose:
    case Kind::kAbandon:
      slot = {};
      break;
    case Kind::kWatch:
      slot.watched.insert(operation.path);
      break;
    case Kind::kUnwatch:
      slot.watched.erase(operation.path);
      break;
    case Kind::kCreate:
      Learn(answer.path, 0);
      break;
    case Kind::kDelete:
      Forget(operation.path);
      break;
    case Kind::kSet:
    case Kind::kGet:
    case Kind::kExists:
      if (answer.stat.has_value() && operation.path != "/") Learn(operation.path, answer.stat->version);
      break;
    case Kind::kChildren:
      for (const std::string& name : answer.names) known_.try_emplace(Below(operation.path, name), 0);
      break;
    case Kind::kMulti: {
      for (std::size_t i = 0; i < std::min(operation.parts.size(), answer.parts.size()); ++i) {
        Operation asked = operation.parts[i];
        asked.session = operation.session;
        Told(asked, answer.parts[i]);
      }
      break;
    }
    case Kind::kAuthenticate:
      slot.super = slot.super || operation.data == kSuperUser;
      break;
    case Kind::kCheck:
    case Kind::kSync:
    case Kind::kSetAcl:
    case Kind::kGetAcl:
      break;
  }
}

void Generator::Forget(const std::string& path) {
  known_.erase(path);
  const std::string below = absl::StrCat(path, "/");
  known_.erase(known_.lower_bound(below), known_.lower_bound(absl::StrCat(path, "0")));  // '0' follows '/'
}

}  // namespace drover::oracle

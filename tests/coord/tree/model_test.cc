// The state machine against a naive oracle: a flat map from path to node, transactions by copying all of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "coord/base/random.h"
#include "coord/tree/invariants.h"
#include "coord/tree/path.h"
#include "coord/tree/snapshot_loader.h"
#include "coord/tree/snapshot_walk.h"
#include "coord/tree/state_machine.h"
#include "tests/coord/tree/harness.h"

namespace drover::coord::tree {
namespace {

struct Op {
  RequestKind kind = RequestKind::kNone;
  std::string path;
  std::string data;
  bool ephemeral = false, sequential = false, parents = false;
  bool container = false, if_absent = false;
  std::uint64_t ttl_ms = 0;
  std::uint32_t version_plus_one = 0;

  [[nodiscard]] CreateView create() const { return {path, data, ephemeral, sequential, parents, container, ttl_ms, if_absent}; }
  [[nodiscard]] DeleteView remove() const { return {path, version_plus_one}; }
  [[nodiscard]] SetView set() const { return {path, data, version_plus_one}; }
};

struct Compare {
  std::string path;
  CompareField field;
  CompareRelation relation;
  std::uint64_t value;
};

struct NaiveNode {
  std::string data;
  std::uint64_t czxid = 0, mzxid = 0, pzxid = 0, owner = 0;
  std::int64_t ctime = 0, mtime = 0;
  std::uint32_t version = 0, creations = 0, deletions = 0;
  bool container = false;
  std::uint64_t ttl_ms = 0;
};

class Oracle {
 public:
  struct Outcome {
    Code code = Code::kOk;
    std::string path;
    Stat stat;
    std::uint64_t count = 0;
    bool existed = false;
  };

  Oracle() { nodes_["/"]; }

  std::uint64_t zxid = 0;
  std::int64_t time = 0;
  std::vector<std::string> events;  // of the current transaction

  [[nodiscard]] std::vector<std::string> ChildrenOf(const std::string& path) const {
    std::vector<std::string> names;
    for (const auto& [other, node] : nodes_) {
      if (other != "/" && ParentOf(other) == path) names.emplace_back(NameOf(other));
    }
    return names;  // of one parent, the map's order is that of the names
  }

  [[nodiscard]] Stat StatOf(const std::string& path) const {
    const NaiveNode& node = nodes_.at(path);
    Stat stat;
    stat.czxid = base::Zxid(node.czxid);
    stat.mzxid = base::Zxid(node.mzxid);
    stat.pzxid = base::Zxid(node.pzxid);
    stat.ctime = base::WallTime(node.ctime);
    stat.mtime = base::WallTime(node.mtime);
    stat.version = node.version;
    stat.cversion = node.creations + node.deletions;
    stat.ephemeral_owner = base::SessionId(node.owner);
    stat.data_length = static_cast<std::uint32_t>(node.data.size());
    stat.num_children = static_cast<std::uint32_t>(ChildrenOf(path).size());
    stat.container = node.container;
    stat.ttl_ms = node.ttl_ms;
    return stat;
  }

  // The subtree, in list order.
  [[nodiscard]] std::vector<std::string> Subtree(const std::string& root) const {
    std::vector<std::string> paths;
    for (const auto& [path, node] : nodes_) {
      if (IsAtOrBelow(path, root)) paths.push_back(path);
    }
    std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) { return ComparePaths(a, b) < 0; });
    return paths;
  }

  Outcome Do(const Op& op, std::uint64_t session) {
    switch (op.kind) {
      case RequestKind::kCreate:
        return Create(op, session);
      case RequestKind::kDelete:
        return Delete(op);
      case RequestKind::kDeleteSubtree:
        return DeleteSubtree(op);
      case RequestKind::kCheck:
        return {CheckVersion(op), {}, {}};
      default:
        return Set(op);
    }
  }

  [[nodiscard]] bool Holds(const Compare& compare) const {
    const bool exists = nodes_.count(compare.path) != 0;
    std::uint64_t value = exists ? 1 : 0;
    if (compare.field != CompareField::kExists) {
      if (!exists) return false;
      const NaiveNode& node = nodes_.at(compare.path);
      const Stat stat = StatOf(compare.path);
      value = compare.field == CompareField::kCzxid            ? node.czxid
              : compare.field == CompareField::kMzxid          ? node.mzxid
              : compare.field == CompareField::kPzxid          ? node.pzxid
              : compare.field == CompareField::kVersion        ? node.version
              : compare.field == CompareField::kCversion       ? stat.cversion
              : compare.field == CompareField::kEphemeralOwner ? node.owner
              : compare.field == CompareField::kDataLength     ? node.data.size()
                                                               : stat.num_children;
    }
    switch (compare.relation) {
      case CompareRelation::kEqual:
        return value == compare.value;
      case CompareRelation::kNotEqual:
        return value != compare.value;
      case CompareRelation::kLess:
        return value < compare.value;
      default:
        return value > compare.value;
    }
  }

  void EndSession(std::uint64_t session) {
    std::map<std::pair<std::uint64_t, std::string>, std::string> order;
    for (const auto& [path, node] : nodes_) {
      if (node.owner == session) order[{node.czxid, path}] = path;
    }
    for (const auto& [key, path] : order) Remove(path);
  }

  // Each has its own transaction; EndCommand when all are done.
  void EndCommand() { events_before_ = 0; }
  bool Reap(const std::string& path, std::uint64_t czxid) {
    const auto it = nodes_.find(path);
    if (it == nodes_.end() || it->second.czxid != czxid || !ChildrenOf(path).empty()) return false;
    const NaiveNode& node = it->second;
    const bool over = node.ttl_ms != 0 && time - node.mtime > static_cast<std::int64_t>(node.ttl_ms);
    if (!over && !(node.container && node.creations > 0)) return false;
    ++zxid;
    events_before_ = events.size();
    Remove(path);
    return true;
  }

  [[nodiscard]] std::map<std::string, NaiveNode>& nodes() { return nodes_; }

 private:
  void Note(const char* what, const std::string& path, const std::string& data) {
    events.push_back(absl::StrCat(zxid, ".", events.size() - events_before_, " ", what, " ", path, " '", data, "'"));
  }

  void Add(const std::string& path, const std::string& data, std::uint64_t owner, const Op& op = {}) {
    NaiveNode node;
    node.container = op.container;
    node.ttl_ms = op.ttl_ms;
    node.data = data;
    node.czxid = node.mzxid = node.pzxid = zxid;
    node.ctime = node.mtime = time;
    node.owner = owner;
    NaiveNode& parent = nodes_[std::string(ParentOf(path))];
    ++parent.creations;
    parent.pzxid = zxid;
    nodes_[path] = node;
    Note("created", path, data);
  }

  void Remove(const std::string& path) {
    nodes_.erase(path);
    NaiveNode& parent = nodes_[std::string(ParentOf(path))];
    ++parent.deletions;
    parent.pzxid = zxid;
    Note("deleted", path, "");
  }

  Outcome Create(const Op& op, std::uint64_t session) {
    if (op.sequential ? !IsSequentialPath(op.path) : !IsPath(op.path)) return {Code::kInvalidArgument, {}, {}};
    if (op.ephemeral && session == 0) return {Code::kInvalidArgument, {}, {}};
    if (op.ephemeral + op.container + (op.ttl_ms != 0) > 1) return {Code::kInvalidArgument, {}, {}};
    if (op.if_absent && op.sequential) return {Code::kInvalidArgument, {}, {}};
    if (op.if_absent && nodes_.count(op.path) != 0) return {Code::kOk, op.path, StatOf(op.path), 0, true};
    if (op.path == "/" && !op.sequential) return {Code::kNodeExists, {}, {}};
    std::vector<std::string> missing;
    std::string above(ParentOf(op.path));
    for (; nodes_.count(above) == 0; above = std::string(ParentOf(above))) missing.insert(missing.begin(), above);
    if (!missing.empty() && !op.parents) return {Code::kNoNode, {}, {}};
    const std::uint32_t count = missing.empty() ? nodes_[above].creations : 0;
    const std::string path = op.sequential ? absl::StrCat(op.path, absl::StrFormat("%010d", count)) : op.path;
    if (nodes_.count(path) != 0) return {Code::kNodeExists, {}, {}};
    if (nodes_[above].owner != 0) return {Code::kNoChildrenForEphemerals, {}, {}};
    for (const std::string& parent : missing) Add(parent, "", 0);
    Add(path, op.data, op.ephemeral ? session : 0, op);
    return {Code::kOk, path, StatOf(path)};
  }

  [[nodiscard]] Code CheckVersion(const Op& op) const {
    if (!IsPath(op.path)) return Code::kInvalidArgument;
    const auto it = nodes_.find(op.path);
    if (it == nodes_.end()) return Code::kNoNode;
    return op.version_plus_one != 0 && it->second.version + 1 != op.version_plus_one ? Code::kBadVersion : Code::kOk;
  }

  Outcome DeleteSubtree(const Op& op) {
    if (op.path == "/") return {Code::kInvalidArgument, {}, {}};
    if (const Code code = CheckVersion(op); code != Code::kOk) return {code, {}, {}};
    std::vector<std::string> paths = Subtree(op.path);
    const std::uint64_t count = paths.size();
    for (; !paths.empty(); paths.pop_back()) Remove(paths.back());
    return {Code::kOk, {}, {}, count};
  }

  Outcome Delete(const Op& op) {
    if (op.path == "/") return {Code::kInvalidArgument, {}, {}};
    if (const Code code = CheckVersion(op); code != Code::kOk) return {code, {}, {}};
    if (!ChildrenOf(op.path).empty()) return {Code::kNotEmpty, {}, {}};
    Remove(op.path);
    return {};
  }

  Outcome Set(const Op& op) {
    if (const Code code = CheckVersion(op); code != Code::kOk) return {code, {}, {}};
    NaiveNode& node = nodes_[op.path];
    node.data = op.data;
    ++node.version;
    node.mzxid = zxid;
    node.mtime = time;
    Note("changed", op.path, op.data);
    return {Code::kOk, {}, StatOf(op.path)};
  }

  std::map<std::string, NaiveNode> nodes_;
  std::size_t events_before_ = 0;  // of earlier transactions of the same command
};

struct NaiveSession {
  std::uint64_t last = 0, seen = 0;
  std::map<std::uint64_t, std::string> kept;
  std::map<std::uint64_t, std::string> sent;  // requests by number, to be sent again

  [[nodiscard]] std::size_t kept_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [number, answer] : kept) bytes += Session::kAnswerBytes + answer.size();
    return bytes;
  }
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed), machine_(SmallOptions()) {}

  static Options SmallOptions() {
    Options options;
    options.window_max = 6;
    options.kept_bytes_max = 500;
    return options;
  }

  // The codes that its writes were answered with.
  [[nodiscard]] const std::set<Code>& met() const { return met_; }
  [[nodiscard]] int reaped() const { return reaped_; }

  void Run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE(absl::StrCat("step ", step));
      if (random_.Below(3) == 0) machine_.now_ms += static_cast<std::int64_t>(random_.Below(50)) - 10;
      const std::uint64_t dice = random_.Below(100);
      StepSnapshot();
      if (dice < 4 && sessions_.size() < 4) {
        Open();
      } else if (dice < 6) {
        Expire();
      } else if (dice < 9) {
        Reap();
      } else if (dice < 13) {
        CheckReads();
      } else {
        Write();
      }
    }
    CheckState();
    CheckReplay();
  }

 private:
  std::string Path() {
    if (random_.Below(40) == 0) return random_.Below(2) == 0 ? "/" : "bad//path";
    std::string path;
    for (std::uint64_t depth = 1 + random_.Below(3); depth > 0; --depth)
      absl::StrAppend(&path, "/", std::string(1, static_cast<char>('a' + random_.Below(3))));
    return path;
  }
  // What must be refused, as long as there is an ephemeral.
  std::string BelowAnEphemeral() {
    for (const auto& [path, node] : oracle_.nodes()) {
      if (node.owner != 0) return absl::StrCat(path, "/a");
    }
    return Path();
  }
  std::string Data() { return std::string(random_.Below(6), static_cast<char>('0' + random_.Below(10))); }

  Op RandomOp(bool in_transaction) {
    Op op;
    op.path = Path();
    const std::uint64_t dice = random_.Below(20);
    op.kind = dice < 9         ? RequestKind::kCreate
              : dice < 13      ? RequestKind::kSet
              : dice < 18      ? RequestKind::kDelete
              : dice < 19      ? RequestKind::kDeleteSubtree
              : in_transaction ? RequestKind::kCheck
                               : RequestKind::kSet;
    if (op.kind == RequestKind::kCreate || op.kind == RequestKind::kSet) op.data = Data();
    if (op.kind == RequestKind::kCreate) {
      op.ephemeral = random_.Below(4) == 0;
      if (random_.Below(8) == 0) op.path = BelowAnEphemeral();
      op.sequential = random_.Below(4) == 0;
      op.parents = random_.Below(3) == 0;
      op.container = random_.Below(6) == 0;
      if (random_.Below(6) == 0) op.ttl_ms = 1 + random_.Below(60);
      op.if_absent = random_.Below(6) == 0;
      if (op.sequential && random_.Below(3) == 0) op.path += op.path == "/" ? "" : "/";
    } else {
      op.version_plus_one = static_cast<std::uint32_t>(random_.Below(6) == 0 ? random_.Below(4) : 0);
    }
    return op;
  }

  // Numbers, times and zxids of what may hold.
  Compare RandomCompare() {
    static constexpr CompareField kFields[] = {CompareField::kExists,     CompareField::kExists,         CompareField::kCzxid,
                                               CompareField::kMzxid,      CompareField::kPzxid,          CompareField::kVersion,
                                               CompareField::kCversion,   CompareField::kEphemeralOwner, CompareField::kDataLength,
                                               CompareField::kNumChildren};
    Compare compare{Path(), kFields[random_.Below(std::size(kFields))], static_cast<CompareRelation>(random_.Below(4)), 0};
    if (!IsPath(compare.path)) compare.path = "/a";
    const bool zxid = compare.field == CompareField::kCzxid || compare.field == CompareField::kMzxid ||
                      compare.field == CompareField::kPzxid || compare.field == CompareField::kEphemeralOwner;
    compare.value = zxid ? random_.Below(oracle_.zxid + 1) : random_.Below(3);
    return compare;
  }

  void Open() {
    Tick();
    const base::SessionId id = machine_.Open();
    ++oracle_.zxid;
    ASSERT_EQ(id.value, oracle_.zxid);
    sessions_[id.value];
  }

  std::uint64_t AnySession() {
    auto it = sessions_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(random_.Below(sessions_.size())));
    return it->first;
  }

  void Expire() {
    if (sessions_.empty()) return;
    const std::uint64_t session = AnySession();
    const bool is_void = random_.Below(3) == 0;
    Tick();
    machine_.Expire({base::SessionId(session), base::SessionId(1'000'000)}, is_void ? raft::Term(1) : Machine::kTerm);
    oracle_.events.clear();
    if (!is_void) {
      ++oracle_.zxid;
      oracle_.EndSession(session);
      sessions_.erase(session);
    }
    CheckEvents();
  }

  // Whatever there is, and what there was.
  void Reap() {
    std::vector<std::pair<std::string, std::uint64_t>> nodes;
    for (const auto& [path, node] : oracle_.nodes()) nodes.emplace_back(path, node.czxid - (random_.Below(10) == 0 ? 1 : 0));
    nodes.emplace_back("/gone", 1);
    std::vector<ReapedNodeView> views;
    for (const auto& [path, czxid] : nodes) views.push_back({path, base::Zxid(czxid)});
    Tick();
    machine_.Reap(views);
    oracle_.events.clear();
    for (const auto& [path, czxid] : nodes) reaped_ += oracle_.Reap(path, czxid) ? 1 : 0;
    oracle_.EndCommand();
    CheckEvents();
  }

  void Tick() { oracle_.time = std::max(oracle_.time, machine_.now_ms); }

  void CheckEvents() {
    ASSERT_EQ(machine_.TakeEvents(), oracle_.events);
    ASSERT_EQ(machine_->last_zxid().value, oracle_.zxid);
  }

  void Write() {
    const std::uint64_t session = sessions_.empty() || random_.Below(4) == 0 ? 0 : AnySession();
    NaiveSession* naive = session == 0 ? nullptr : &sessions_[session];
    std::uint64_t number = 0;
    std::uint64_t seen = 0;
    if (naive != nullptr) {
      const std::uint64_t dice = random_.Below(20);
      number = naive->last + 1;
      if (dice == 0) number += 1 + random_.Below(8);
      if (dice >= 1 && dice <= 3 && naive->last > 0) number = 1 + random_.Below(naive->last);
      seen = random_.Below(3) == 0 ? random_.Below(naive->last + 2) : naive->seen;
      // Else the model would mostly look at full windows.
      if (naive->last - naive->seen > 4) seen = naive->last - random_.Below(4);
    }
    std::vector<Op> ops;
    std::vector<Compare> compares;
    std::string request;
    const RequestHead head{.number = number};
    const bool close = naive != nullptr && random_.Below(60) == 0;
    const bool transaction = !close && random_.Below(3) == 0;
    if (naive != nullptr && number <= naive->last) {
      request = naive->sent[number];  // sent again as it was
    } else if (close) {
      request = EncodeCloseSession(head);
    } else if (transaction) {
      TransactionBuilder builder;
      for (std::uint64_t n = random_.Below(3); n > 0; --n) {
        compares.push_back(RandomCompare());
        builder.Compare({compares.back().path, compares.back().field, compares.back().relation, compares.back().value});
      }
      bool hold = true;
      for (const Compare& compare : compares) hold &= oracle_.Holds(compare);
      for (std::uint64_t n = random_.Below(5); n > 0; --n) {
        ops.push_back(RandomOp(true));
        // Into the branch that will be taken; the other gets one that must not be.
        AddTo(&builder, ops.back(), hold);
        AddTo(&builder, RandomOp(true), !hold);
      }
      request = builder.Encode(head);
    } else {
      ops.push_back(RandomOp(false));
      const Op& op = ops[0];
      request = op.kind == RequestKind::kCreate          ? EncodeCreate(head, op.create())
                : op.kind == RequestKind::kDelete        ? EncodeDelete(head, op.remove())
                : op.kind == RequestKind::kDeleteSubtree ? EncodeDeleteSubtree(head, op.remove())
                                                         : EncodeSet(head, op.set());
    }

    Tick();
    const DecodedAnswer answer = machine_.Write(base::SessionId(session), seen, request);
    oracle_.events.clear();
    const std::string bytes = machine_.answers.back().bytes.ToString();
    met_.insert(answer.code);
    if (naive != nullptr) {
      naive->seen = std::max(naive->seen, std::min(seen, naive->last));
      while (!naive->kept.empty() && naive->kept.begin()->first <= naive->seen) naive->kept.erase(naive->kept.begin());
      if (number <= naive->last) {
        if (number <= naive->seen) {
          ASSERT_EQ(answer.code, Code::kOutOfOrder);
        } else {
          ASSERT_EQ(bytes, naive->kept[number]);
        }
        return CheckEvents();
      }
      if (number > naive->seen + 6 || naive->kept_bytes() >= 500) {
        ASSERT_EQ(answer.code, Code::kWindowFull);
        return CheckEvents();
      }
      if (number != naive->last + 1) {
        ASSERT_EQ(answer.code, Code::kOutOfOrder);
        return CheckEvents();
      }
      ASSERT_EQ(answer.number, number);
    }
    if (close) {
      ++oracle_.zxid;
      oracle_.EndSession(session);
      sessions_.erase(session);
      ASSERT_EQ(answer.code, Code::kOk);
      ASSERT_EQ(answer.zxid, oracle_.zxid);
      return CheckEvents();
    }
    CheckApplied(answer, ops, compares, transaction, session);
    if (naive != nullptr) {
      ++naive->last;
      naive->kept[number] = bytes;
      naive->sent[number] = request;
    }
  }

  static void AddTo(TransactionBuilder* builder, const Op& op, bool then) {
    const auto add = [&](const auto& view) {
      if (then) {
        builder->Then(view);
      } else {
        builder->Otherwise(view);
      }
    };
    if (op.kind == RequestKind::kCreate) add(op.create());
    if (op.kind == RequestKind::kDelete) add(op.remove());
    if (op.kind == RequestKind::kSet) add(op.set());
    if (op.kind == RequestKind::kCheck) then ? builder->ThenCheck(op.remove()) : builder->OtherwiseCheck(op.remove());
    if (op.kind == RequestKind::kDeleteSubtree) {
      then ? builder->ThenDeleteSubtree(op.remove()) : builder->OtherwiseDeleteSubtree(op.remove());
    }
  }

  void CheckApplied(const DecodedAnswer& answer, const std::vector<Op>& ops, const std::vector<Compare>& compares, bool transaction,
                    std::uint64_t session) {
    const Oracle before = oracle_;
    ++oracle_.zxid;
    bool hold = true;
    for (const Compare& compare : compares) hold &= oracle_.Holds(compare);
    std::vector<Oracle::Outcome> outcomes;
    Code code = Code::kOk;
    for (const Op& op : ops) {
      outcomes.push_back(code == Code::kOk ? oracle_.Do(op, session) : Oracle::Outcome{Code::kNotTried, {}, {}});
      if (code == Code::kOk) code = outcomes.back().code;
    }
    if (code != Code::kOk) {
      oracle_ = before;
      oracle_.events.clear();
      for (Oracle::Outcome& outcome : outcomes) {
        if (outcome.code == Code::kOk) outcome = {Code::kRolledBack, {}, {}};
      }
    }
    ASSERT_EQ(answer.code, code);
    ASSERT_EQ(answer.zxid, oracle_.zxid);
    ASSERT_EQ(answer.has_transaction, transaction);
    if (transaction) {
      ASSERT_EQ(answer.succeeded, hold);
      ASSERT_EQ(answer.results.size(), outcomes.size());
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        ASSERT_EQ(answer.results[i].code, outcomes[i].code) << i;
        ASSERT_EQ(answer.results[i].path, outcomes[i].path) << i;
        ASSERT_EQ(answer.results[i].stat, outcomes[i].stat) << i;
        ASSERT_EQ(answer.results[i].count, outcomes[i].count) << i;
        ASSERT_EQ(answer.results[i].existed, outcomes[i].existed) << i;
      }
    } else if (code == Code::kOk) {
      ASSERT_EQ(answer.path, outcomes[0].path);
      ASSERT_EQ(answer.stat, outcomes[0].stat);
      ASSERT_EQ(answer.count, outcomes[0].count);
      ASSERT_EQ(answer.existed, outcomes[0].existed);
    }
    CheckEvents();
  }

  // Takes snapshots all the while, each in many steps.
  void StepSnapshot() {
    if (walk_ == nullptr) {
      digest_ = machine_->Digest();
      walk_ = std::make_unique<SnapshotWalk>(&*machine_);
      loader_ = std::make_unique<SnapshotLoader>(SmallOptions());
      return;
    }
    const bool more = walk_->Step(random_.Below(3), 1000);
    if (more && random_.Below(4) != 0) return;
    const absl::Status added = loader_->Add(walk_->TakePart());
    ASSERT_TRUE(added.ok()) << added;
    if (more) return;
    walk_.reset();
    const auto loaded = loader_->Finish();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    ASSERT_EQ((*loaded)->Digest(), digest_);
    const absl::Status invariants = CheckInvariants(**loaded);
    ASSERT_TRUE(invariants.ok()) << invariants;
  }

  void CheckReads() {
    const std::string path = Path();
    const bool exists = oracle_.nodes().count(path) != 0;
    const DecodedAnswer get = machine_.Read(EncodeGet({.id = 1}, path));
    const Code code = !IsPath(path) ? Code::kInvalidArgument : exists ? Code::kOk : Code::kNoNode;
    ASSERT_EQ(get.code, code);
    ASSERT_EQ(get.zxid, oracle_.zxid);
    if (!exists) return;
    ASSERT_EQ(get.stat, oracle_.StatOf(path));
    ASSERT_EQ(get.data, oracle_.nodes()[path].data);
    ASSERT_EQ(machine_.Read(EncodeChildren({}, {path})).names, oracle_.ChildrenOf(path));
    ASSERT_EQ(machine_.Read(EncodeCountDescendants({}, path)).count + 1, oracle_.Subtree(path).size());
  }

  // Everything, through pages of two.
  void CheckState() {
    std::map<std::string, NaiveNode> rest = oracle_.nodes();
    std::string after;
    for (bool more = true; more;) {
      const DecodedAnswer page = machine_.Read(EncodeList({}, {"/", after, 2}));
      ASSERT_EQ(page.code, Code::kOk);
      for (const DecodedNode& node : page.nodes) {
        ASSERT_TRUE(after.empty() || ComparePaths(after, node.path) < 0);
        after = node.path;
        ASSERT_EQ(rest.count(node.path), 1u);
        ASSERT_EQ(node.data, rest[node.path].data);
        ASSERT_EQ(node.stat, oracle_.StatOf(node.path));
        rest.erase(node.path);
      }
      more = page.more;
    }
    ASSERT_TRUE(rest.empty());
    ASSERT_EQ(machine_->sessions().size(), sessions_.size());
    for (const auto& [id, naive] : sessions_) {
      const Session* session = machine_->sessions().Find(base::SessionId(id));
      ASSERT_NE(session, nullptr);
      ASSERT_EQ(session->last_write(), naive.last);
      ASSERT_EQ(session->seen(), naive.seen);
    }
  }

  // The log applied once more gives the same state, the same answers, the same events.
  void CheckReplay() {
    Machine other(SmallOptions());
    for (const auto& [term, batch] : machine_.log) other.Apply(batch, term);
    ASSERT_EQ(other->Digest(), machine_->Digest());
    ASSERT_EQ(other.answers.size(), machine_.answers.size());
    for (std::size_t i = 0; i < other.answers.size(); ++i) {
      ASSERT_EQ(other.answers[i].bytes, machine_.answers[i].bytes);
      ASSERT_EQ(other.answers[i].origin, machine_.answers[i].origin);
    }
    ASSERT_EQ(other.events.size(), machine_.events.size());
    for (std::size_t i = 0; i < other.events.size(); ++i) {
      ASSERT_EQ(other.events[i].encoded(true), machine_.events[i].encoded(true));
    }
  }

  base::SeededRandom random_;
  std::set<Code> met_;
  int reaped_ = 0;
  Machine machine_;
  Oracle oracle_;
  std::map<std::uint64_t, NaiveSession> sessions_;
  std::unique_ptr<SnapshotWalk> walk_;
  std::unique_ptr<SnapshotLoader> loader_;
  std::uint64_t digest_ = 0;  // of the state that the walk is of
};

class ModelTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ModelTest, AgreesWithTheOracle) {
  Model(GetParam()).Run(2500);
}

// A model that never got there would prove nothing.
TEST(Model, MeetsEveryOutcomeOfAWrite) {
  Model model(99);
  model.Run(4000);
  for (const Code code : {Code::kOk, Code::kNoNode, Code::kNodeExists, Code::kBadVersion, Code::kNotEmpty,
                          Code::kNoChildrenForEphemerals, Code::kInvalidArgument, Code::kOutOfOrder, Code::kWindowFull}) {
    EXPECT_EQ(model.met().count(code), 1u) << code;
  }
  EXPECT_GT(model.reaped(), 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ModelTest, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace drover::coord::tree

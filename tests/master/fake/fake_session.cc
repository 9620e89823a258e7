#include "tests/master/fake/fake_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "coord/base/check.h"

namespace drover::testing {

using coord::Code;
using coord::Compare;
using coord::Event;
using coord::Node;
using coord::Operation;
using coord::RefusedError;
using coord::SessionId;
using coord::Transaction;
using coord::TransactionResult;
using coord::Zxid;

namespace {

absl::Status Unimplemented() {
  return RefusedError(Code::kUnimplemented, "the fake does not do this");
}

std::string ParentOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool Related(Compare::Relation relation, std::uint64_t left, std::uint64_t right) {
  switch (relation) {
    case Compare::Relation::kEqual:
      return left == right;
    case Compare::Relation::kNotEqual:
      return left != right;
    case Compare::Relation::kLess:
      return left < right;
    case Compare::Relation::kGreater:
      return left > right;
  }
  return false;
}

}  // namespace

// ---- tree ----

const Node* FakeTree::Find(const std::string& path) const {
  const auto it = nodes_.find(path);
  return it == nodes_.end() ? nullptr : &it->second;
}

bool FakeTree::Holds(const Compare& compare) const {
  const Node* node = Find(compare.path);
  if (compare.field == Compare::Field::kExists) return Related(compare.relation, node == nullptr ? 0 : 1, compare.value);
  if (node == nullptr) return false;
  std::uint64_t value = 0;
  switch (compare.field) {
    case Compare::Field::kCzxid:
      value = node->stat.czxid.value;
      break;
    case Compare::Field::kMzxid:
      value = node->stat.mzxid.value;
      break;
    case Compare::Field::kVersion:
      value = node->stat.version;
      break;
    case Compare::Field::kEphemeralOwner:
      value = node->stat.ephemeral_owner.value;
      break;
    default:
      DROVER_CHECK(false) << "the fake does not know this field";
  }
  return Related(compare.relation, value, compare.value);
}

absl::Status FakeTree::ApplyOperation(const Operation& operation, SessionId session, coord::SubtreeCache::Nodes* nodes,
                                      std::vector<Event>* events, coord::OperationResult* result) {
  const auto add = [&](Event::Type type, const Node& node) {
    events->push_back({zxid_, static_cast<std::uint32_t>(events->size()), type, node.path, node.stat,
                       type == Event::Type::kDeleted ? "" : node.data});
  };
  const auto make = [&](const std::string& path, const std::string& data, SessionId owner) -> Node& {
    Node node;
    node.path = path;
    node.data = data;
    node.stat.czxid = node.stat.mzxid = zxid_;
    node.stat.ctime = node.stat.mtime = base::WallTime(now_ms);
    node.stat.ephemeral_owner = owner;
    Node& made = (*nodes)[path] = std::move(node);
    ++made_[ParentOf(path)];
    add(Event::Type::kCreated, made);
    return made;
  };
  switch (operation.kind) {
    case Operation::Kind::kCreate: {
      std::string path = operation.path;
      const std::string parent = ParentOf(path);
      if (operation.create.sequential) path += absl::StrFormat("%010d", made_[parent]);
      if (nodes->count(path) > 0) return RefusedError(Code::kNodeExists, path, zxid_);
      std::vector<std::string> missing;
      for (std::string p = parent; p != "/" && nodes->count(p) == 0; p = ParentOf(p)) missing.push_back(p);
      if (!missing.empty() && !operation.create.parents) return RefusedError(Code::kNoNode, parent, zxid_);
      for (auto it = missing.rbegin(); it != missing.rend(); ++it) make(*it, "", SessionId());
      result->path = path;
      result->stat = make(path, operation.data, operation.create.ephemeral ? session : SessionId()).stat;
      return absl::OkStatus();
    }
    case Operation::Kind::kSet: {
      const auto it = nodes->find(operation.path);
      if (it == nodes->end()) return RefusedError(Code::kNoNode, operation.path, zxid_);
      it->second.data = operation.data;
      it->second.stat.mzxid = zxid_;
      it->second.stat.mtime = base::WallTime(now_ms);
      ++it->second.stat.version;
      result->stat = it->second.stat;
      add(Event::Type::kChanged, it->second);
      return absl::OkStatus();
    }
    case Operation::Kind::kDelete: {
      const auto it = nodes->find(operation.path);
      if (it == nodes->end()) return RefusedError(Code::kNoNode, operation.path, zxid_);
      add(Event::Type::kDeleted, it->second);
      nodes->erase(it);
      return absl::OkStatus();
    }
    case Operation::Kind::kCheck:
    case Operation::Kind::kDeleteSubtree:
    case Operation::Kind::kSetAcl:
      return Unimplemented();
  }
  return absl::OkStatus();
}

absl::StatusOr<TransactionResult> FakeTree::Apply(const Transaction& transaction, SessionId session) {
  TransactionResult result;
  result.succeeded =
      std::all_of(transaction.compares.begin(), transaction.compares.end(), [&](const Compare& c) { return Holds(c); });
  const std::vector<Operation>& branch = result.succeeded ? transaction.then : transaction.otherwise;
  if (branch.empty()) {
    result.zxid = zxid_;
    return result;
  }
  const Zxid before = zxid_;
  zxid_ = zxid_.Next();
  coord::SubtreeCache::Nodes nodes = nodes_;
  const auto made = made_;
  std::vector<Event> events;
  for (const Operation& operation : branch) {
    coord::OperationResult one;
    const absl::Status status = ApplyOperation(operation, session, &nodes, &events, &one);
    if (!status.ok()) {
      zxid_ = before;
      made_ = made;
      return status;
    }
    result.results.push_back(std::move(one));
  }
  nodes_ = std::move(nodes);
  result.zxid = zxid_;
  for (FakeSession* open : open_) {
    for (const Event& event : events) open->Deliver(event);
  }
  return result;
}

coord::Stat FakeTree::Create(const std::string& path, std::string data, SessionId owner) {
  auto result =
      Apply({.then = {Operation::Create(path, std::move(data), {.ephemeral = owner != SessionId(), .parents = true})}}, owner);
  DROVER_CHECK(result.ok()) << result.status().ToString();
  return result->results.at(0).stat;
}

coord::Stat FakeTree::Set(const std::string& path, std::string data) {
  auto result = Apply({.then = {Operation::Set(path, std::move(data))}});
  DROVER_CHECK(result.ok()) << result.status().ToString();
  return result->results.at(0).stat;
}

void FakeTree::Delete(const std::string& path) {
  auto result = Apply({.then = {Operation::Delete(path)}});
  DROVER_CHECK(result.ok()) << result.status().ToString();
}

void FakeTree::DropEphemerals(SessionId session) {
  Transaction t;
  for (const auto& [path, node] : nodes_) {
    if (node.stat.ephemeral_owner == session) t.then.push_back(Operation::Delete(path));
  }
  if (!t.then.empty()) DROVER_CHECK(Apply(t).ok());
}

// ---- session ----

FakeSession::FakeSession(FakeTree* tree) : tree_(tree), id_(++tree->sessions_) {
  tree_->open_.push_back(this);
}

FakeSession::~FakeSession() {
  *alive_ = false;
  tree_->open_.erase(std::find(tree_->open_.begin(), tree_->open_.end(), this));
}

coord::SessionState FakeSession::state() const {
  return expired_ ? coord::SessionState::kExpired : coord::SessionState::kConnected;
}

void FakeSession::AddObserver(coord::SessionObserver* observer) {
  observers_.push_back(observer);
}
void FakeSession::RemoveObserver(coord::SessionObserver* observer) {
  observers_.erase(std::remove(observers_.begin(), observers_.end(), observer), observers_.end());
}

void FakeSession::Post(base::Task task) {
  tree_->loop_->Post([alive = alive_, task = std::move(task)]() mutable {
    if (*alive) task();
  });
}

void FakeSession::Expire() {
  expired_ = true;
  tree_->DropEphemerals(id_);
  Post([this] {
    const auto watches = std::exchange(watches_, {});
    for (const auto& [id, watching] : watches) watching.listener->OnEnded(RefusedError(Code::kSessionExpired, "expired"));
  });
  Post([this] {
    for (coord::SessionObserver* observer : std::vector(observers_))
      observer->OnExpired(RefusedError(Code::kSessionExpired, "expired"));
  });
}

void FakeSession::Compact() {
  Post([this] {
    const auto watches = std::exchange(watches_, {});
    for (const auto& [id, watching] : watches) watching.listener->OnCompacted();
  });
}

void FakeSession::Deliver(const Event& event) {
  if (expired_) return;
  Post([this, event] {
    const auto watches = watches_;
    for (const auto& [id, watching] : watches) {
      if (watches_.count(id) > 0 && coord::PathCovers(watching.path, event.path)) watching.listener->OnEvent(event);
    }
  });
}

void FakeSession::Progress(Zxid zxid) {
  const auto watches = watches_;
  for (const auto& [id, watching] : watches) {
    if (watches_.count(id) > 0) watching.listener->OnProgress(zxid);
  }
}

template <typename T, typename F>
void FakeSession::Answer(coord::Callback<T> done, F&& answer) {
  if (expired_) {
    Post([done = std::move(done)]() mutable { done(RefusedError(Code::kSessionExpired, "the session has expired")); });
    return;
  }
  absl::StatusOr<T> result = answer();
  Post([this, zxid = tree_->zxid(), done = std::move(done), result = std::move(result)]() mutable {
    Progress(zxid);
    done(std::move(result));
  });
}

void FakeSession::Commit(Transaction transaction, coord::Callback<TransactionResult> done, coord::WriteOptions) {
  if (before_commit && !expired_) before_commit(transaction);
  commits.push_back(transaction);
  Answer<TransactionResult>(std::move(done), [&] { return tree_->Apply(transaction, id_); });
}

void FakeSession::Create(std::string path, std::string data, coord::CreateOptions how, coord::Callback<coord::CreateResult> done,
                         coord::WriteOptions) {
  Answer<coord::CreateResult>(std::move(done), [&]() -> absl::StatusOr<coord::CreateResult> {
    auto result = tree_->Apply({.then = {Operation::Create(path, data, how)}}, id_);
    if (!result.ok()) return result.status();
    return coord::CreateResult{result->results[0].path, result->results[0].stat, result->zxid};
  });
}

void FakeSession::Set(std::string path, std::string data, std::optional<std::uint32_t> version,
                      coord::Callback<coord::SetResult> done, coord::WriteOptions) {
  Answer<coord::SetResult>(std::move(done), [&]() -> absl::StatusOr<coord::SetResult> {
    auto result = tree_->Apply({.then = {Operation::Set(path, data, version)}}, id_);
    if (!result.ok()) return result.status();
    return coord::SetResult{result->results[0].stat, result->zxid};
  });
}

void FakeSession::Delete(std::string path, std::optional<std::uint32_t> version, coord::Callback<coord::DeleteResult> done,
                         coord::WriteOptions) {
  Answer<coord::DeleteResult>(std::move(done), [&]() -> absl::StatusOr<coord::DeleteResult> {
    auto result = tree_->Apply({.then = {Operation::Delete(path, version)}}, id_);
    if (!result.ok()) return result.status();
    return coord::DeleteResult{result->zxid};
  });
}

void FakeSession::Get(std::string path, coord::Callback<coord::GetResult> done, coord::ReadOptions) {
  Answer<coord::GetResult>(std::move(done), [&]() -> absl::StatusOr<coord::GetResult> {
    const Node* node = tree_->Find(path);
    if (node == nullptr) return RefusedError(Code::kNoNode, path, tree_->zxid());
    return coord::GetResult{*node, tree_->zxid()};
  });
}

void FakeSession::Exists(std::string path, coord::Callback<coord::ExistsResult> done, coord::ReadOptions) {
  Answer<coord::ExistsResult>(std::move(done), [&]() -> absl::StatusOr<coord::ExistsResult> {
    const Node* node = tree_->Find(path);
    coord::ExistsResult result;
    if (node != nullptr) result.stat = node->stat;
    result.zxid = tree_->zxid();
    return result;
  });
}

void FakeSession::Children(std::string path, std::string, std::uint32_t, coord::Callback<coord::ChildrenPage> done,
                           coord::ReadOptions) {
  Answer<coord::ChildrenPage>(std::move(done), [&]() -> absl::StatusOr<coord::ChildrenPage> {
    coord::ChildrenPage page;
    for (const auto& [child, node] : tree_->nodes()) {
      if (child != path && ParentOf(child) == path) page.names.push_back(child.substr(path.size() + 1));
    }
    page.zxid = tree_->zxid();
    return page;
  });
}

void FakeSession::List(std::string path, std::string after, std::uint32_t, coord::Callback<coord::ListPage> done,
                       coord::ReadOptions) {
  Answer<coord::ListPage>(std::move(done), [&]() -> absl::StatusOr<coord::ListPage> {
    coord::ListPage page;
    for (const auto& [child, node] : tree_->nodes()) {
      if (coord::PathCovers(path, child) && (after.empty() || coord::PathLess(after, child))) page.nodes.push_back(node);
    }
    page.zxid = tree_->zxid();
    if (page.nodes.empty() && after.empty()) return RefusedError(Code::kNoNode, path, tree_->zxid());
    return page;
  });
}

void FakeSession::ListWithoutData(std::string path, std::string after, std::uint32_t limit, coord::Callback<coord::ListPage> done,
                                  coord::ReadOptions options) {
  List(std::move(path), std::move(after), limit, std::move(done), options);
}

// What no master does.
void FakeSession::DeleteSubtree(std::string, std::optional<std::uint32_t>, coord::Callback<coord::DeleteSubtreeResult> done,
                                coord::WriteOptions) {
  Answer<coord::DeleteSubtreeResult>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::MultiRead(std::vector<coord::ReadOperation>, coord::Callback<coord::MultiReadResult> done, coord::ReadOptions) {
  Answer<coord::MultiReadResult>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::SetAcl(std::string, coord::Acl, std::optional<std::uint32_t>, coord::Callback<coord::SetResult> done,
                         coord::WriteOptions) {
  Answer<coord::SetResult>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::SetQuota(std::string, coord::Quota, coord::Callback<coord::Zxid> done, coord::WriteOptions) {
  Answer<coord::Zxid>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::Authenticate(coord::Credential, coord::Callback<coord::Zxid> done, coord::WriteOptions) {
  Answer<coord::Zxid>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::GetAcl(std::string, coord::Callback<coord::AclResult> done, coord::ReadOptions) {
  Answer<coord::AclResult>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::Quotas(std::string, coord::AfterNode, std::uint32_t, coord::Callback<coord::QuotasPage> done,
                         coord::ReadOptions) {
  Answer<coord::QuotasPage>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::WhoAmI(coord::Callback<coord::IdentitiesResult> done, coord::ReadOptions) {
  Answer<coord::IdentitiesResult>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::Sessions(coord::SessionId, std::uint32_t, coord::Callback<coord::SessionsPage> done, coord::ReadOptions) {
  Answer<coord::SessionsPage>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::CountDescendants(std::string, coord::Callback<coord::CountResult> done, coord::ReadOptions) {
  Answer<coord::CountResult>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::Ephemerals(coord::SessionId, std::string, coord::AfterNode, std::uint32_t, coord::Callback<coord::ListPage> done,
                             coord::ReadOptions) {
  Answer<coord::ListPage>(std::move(done), [] { return Unimplemented(); });
}

void FakeSession::Sync(coord::Callback<Zxid> done, coord::ReadOptions) {
  Answer<Zxid>(std::move(done), [&]() -> absl::StatusOr<Zxid> { return tree_->zxid(); });
}

coord::WatchId FakeSession::Watch(std::string path, coord::WatchOptions, coord::WatchListener* listener) {
  const coord::WatchId id(++last_watch_);
  // Armed as of now: what is delivered from here on is newer.
  Post([this, id, path = std::move(path), listener, zxid = tree_->zxid()] {
    watches_[id] = {path, listener};
    listener->OnArmed(zxid);
  });
  return id;
}

void FakeSession::Unwatch(coord::WatchId id) {
  watches_.erase(id);
}

void FakeSession::Close(coord::DoneCallback done) {
  expired_ = true;
  tree_->DropEphemerals(id_);
  Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
}

}  // namespace drover::testing

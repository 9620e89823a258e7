#include "tests/sim/check/linearizability.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <tuple>
#include <utility>

#include "coord/tree/path.h"

namespace drover::sim::check {
namespace {

constexpr std::size_t kOperationsShown = 24;
constexpr std::size_t kShrinkTriesMax = 100;

struct Object {
  std::vector<std::string> paths;
  std::vector<const Operation*> operations;
};

// Which nodes belong together.
class Ties {
 public:
  void Add(const std::string& path) { parent_.emplace(path, path); }
  void Tie(const std::string& a, const std::string& b) {
    const std::string& root_a = Root(a);
    const std::string& root_b = Root(b);
    if (root_a < root_b) {
      parent_[root_b] = root_a;
    } else if (root_b < root_a) {
      parent_[root_a] = root_b;
    }
  }
  // The least path of the object.
  const std::string& Root(const std::string& path) {
    std::string* up = &parent_.at(path);
    if (*up == path) return *up;
    const std::string& root = Root(*up);
    *up = root;
    return root;
  }
  [[nodiscard]] const std::map<std::string, std::string>& paths() const { return parent_; }

 private:
  std::map<std::string, std::string> parent_;
};

bool IsJudged(const Operation& operation) {
  if (!operation.returned) return !IsRead(operation.kind);
  switch (operation.result.code) {
    case Code::kOk:
    case Code::kNoNode:
    case Code::kNodeExists:
    case Code::kBadVersion:
      return true;
    default:
      return false;
  }
}

// The nodes an operation names itself.
std::vector<std::string> PathsOf(const Operation& operation) {
  std::vector<std::string> paths;
  switch (operation.kind) {
    case Kind::kTransaction:
      for (const Compare& compare : operation.compares) paths.push_back(compare.path);
      for (const Change& change : operation.then) paths.push_back(change.path);
      for (const Change& change : operation.otherwise) paths.push_back(change.path);
      break;
    case Kind::kChildren:
      for (const std::string& name : operation.result.names)
        paths.push_back(operation.path == "/" ? "/" + name : operation.path + "/" + name);
      break;
    case Kind::kEndSession:
      break;
    default:
      paths.push_back(operation.path);
  }
  return paths;
}

std::vector<base::SessionId> OwnersOf(const Operation& operation) {
  std::vector<base::SessionId> owners;
  if (operation.kind == Kind::kCreate && operation.owner.value != 0) owners.push_back(operation.owner);
  for (const auto* branch : {&operation.then, &operation.otherwise}) {
    for (const Change& change : *branch) {
      if (change.owner.value != 0) owners.push_back(change.owner);
    }
  }
  return owners;
}

std::vector<Object> Partition(const std::vector<Operation>& history) {
  Ties ties;
  for (const Operation& operation : history) {
    if (!IsJudged(operation)) continue;
    for (const std::string& path : PathsOf(operation)) ties.Add(path);
  }
  std::map<std::string, std::vector<std::string>> below;
  for (const auto& [path, parent] : ties.paths()) {
    if (path != "/") below[std::string(coord::tree::ParentOf(path))].push_back(path);
  }
  // What an operation ties, its first node standing for all; a list of children names more than it found.
  auto first_of = [&](const Operation& operation) -> const std::string* {
    if (operation.kind == Kind::kChildren) {
      const auto children = below.find(operation.path);
      return children == below.end() ? nullptr : &children->second.front();
    }
    if (operation.kind != Kind::kTransaction) return &operation.path;
    if (!operation.compares.empty()) return &operation.compares.front().path;
    if (!operation.then.empty()) return &operation.then.front().path;
    return operation.otherwise.empty() ? nullptr : &operation.otherwise.front().path;
  };
  std::set<std::string> listed;
  for (const Operation& operation : history) {
    if (!IsJudged(operation) || operation.kind == Kind::kEndSession) continue;
    const std::string* first = first_of(operation);
    if (first == nullptr) continue;
    if (operation.kind == Kind::kTransaction) {
      for (const std::string& path : PathsOf(operation)) ties.Tie(*first, path);
    } else if (operation.kind == Kind::kChildren && listed.insert(operation.path).second) {
      for (const std::string& path : below[operation.path]) ties.Tie(*first, path);
    }
  }
  std::map<std::string, Object> objects;
  std::map<base::SessionId, std::set<std::string>> owned;
  const std::map<std::string, std::string> paths = ties.paths();
  for (const auto& [path, parent] : paths) objects[ties.Root(path)].paths.push_back(path);
  for (const Operation& operation : history) {
    if (!IsJudged(operation) || operation.kind == Kind::kEndSession) continue;
    const std::string* first = first_of(operation);
    if (first == nullptr) continue;
    const std::string& root = ties.Root(*first);
    objects[root].operations.push_back(&operation);
    for (const base::SessionId owner : OwnersOf(operation)) owned[owner].insert(root);
  }
  for (const Operation& operation : history) {
    if (!IsJudged(operation) || operation.kind != Kind::kEndSession) continue;
    for (const std::string& root : owned[operation.owner]) objects[root].operations.push_back(&operation);
  }
  std::vector<Object> result;
  for (auto& [root, object] : objects) result.push_back(std::move(object));
  return result;
}

Verdict Judge(const Object& object, const std::vector<Operation>& history, const SearchOptions& options) {
  std::vector<const Operation*> operations;
  operations.reserve(history.size());
  for (const Operation& operation : history) operations.push_back(&operation);
  return Search(object.paths, operations, options).Run();
}

// Up to the blocked one's return, and without the reads that are not needed for the contradiction. A history stays as possible as
// it was when a read is left out or a write's answer is withheld, so what is left proves as much.
std::vector<Operation> Shrink(const Object& object, const Operation& blocked, const SearchOptions& options) {
  std::vector<Operation> history;
  std::vector<bool> removable;
  for (const Operation* operation : object.operations) {
    if (operation->invoked > *blocked.returned) continue;
    const bool open = !operation->returned || *operation->returned > *blocked.returned;
    const bool read = IsRead(operation->kind) || (operation->returned && operation->result.code != Code::kOk);
    if (open && read) continue;
    history.push_back(*operation);
    if (open) history.back().returned.reset();
    removable.push_back(read && operation != &blocked);
  }
  std::size_t tries = 0;
  for (std::size_t chunk = history.size(); chunk > 0 && tries < kShrinkTriesMax; chunk /= 2) {
    for (std::size_t begin = 0; begin < history.size() && tries < kShrinkTriesMax;) {
      std::vector<Operation> smaller;
      std::vector<bool> removable_there;
      const std::size_t end = std::min(history.size(), begin + chunk);
      for (std::size_t i = 0; i < history.size(); ++i) {
        if (i >= begin && i < end && removable[i]) continue;
        smaller.push_back(history[i]);
        removable_there.push_back(removable[i]);
      }
      if (smaller.size() == history.size()) {
        begin = end;
        continue;
      }
      ++tries;
      if (Judge(object, smaller, options) == Verdict::kViolated) {
        begin = end - (history.size() - smaller.size());
        history = std::move(smaller);
        removable = std::move(removable_there);
      } else {
        begin = end;
      }
    }
  }
  return history;
}

std::string Explain(const Object& object, const Search& search, const SearchOptions& options) {
  const Operation& blocked = *object.operations[search.blocked()];
  std::ostringstream os;
  os << "no order of the operations on";
  for (std::size_t i = 0; i < object.paths.size() && i < kOperationsShown; ++i) os << " " << object.paths[i];
  os << " explains\n  " << blocked << "\nThe longest one that explains everything before it ends with\n";
  for (const std::size_t id : search.last_of_order()) os << "  " << *object.operations[id] << "\n";
  os << "which leaves" << search.state() << "\nIn contradiction are, reads that do not matter left out:\n";
  std::vector<Operation> window = Shrink(object, blocked, options);
  std::sort(window.begin(), window.end(),
            [](const Operation& a, const Operation& b) { return std::tie(a.invoked, a.client) < std::tie(b.invoked, b.client); });
  // The latest to return; a write of unknown outcome is under way for ever.
  std::vector<Stamp> ends;
  for (const Operation& operation : window) ends.push_back(operation.returned.value_or(*blocked.returned));
  std::sort(ends.begin(), ends.end());
  const Stamp from = ends.size() > kOperationsShown ? ends[ends.size() - kOperationsShown] : 0;
  for (const Operation& operation : window) {
    if (operation.returned.value_or(*blocked.returned) >= from) os << "  " << operation << "\n";
  }
  if (ends.size() > kOperationsShown) os << "  (and earlier ones)\n";
  return os.str();
}

}  // namespace

LinearizabilityReport CheckLinearizability(const std::vector<Operation>& history, const SearchOptions& options) {
  LinearizabilityReport report;
  for (const Object& object : Partition(history)) {
    ++report.objects;
    Search search(object.paths, object.operations, options);
    const Verdict verdict = search.Run();
    report.configurations += search.configurations();
    if (verdict == Verdict::kViolated) {
      report.verdict = verdict;
      report.explanation = Explain(object, search, options);
      return report;
    }
    if (verdict == Verdict::kUndecided && report.verdict == Verdict::kLinearizable) {
      report.verdict = verdict;
      report.explanation = "undecided: " + object.paths.front() + " with " + std::to_string(object.operations.size()) +
                           " operations needs more than " + std::to_string(search.configurations()) + " configurations";
    }
  }
  return report;
}

absl::Status ToStatus(const LinearizabilityReport& report) {
  switch (report.verdict) {
    case Verdict::kLinearizable:
      return absl::OkStatus();
    case Verdict::kViolated:
      return absl::InternalError("not linearizable: " + report.explanation);
    case Verdict::kUndecided:
      return absl::ResourceExhaustedError("linearizability is " + report.explanation);
  }
  return absl::InternalError("no verdict");
}

}  // namespace drover::sim::check

#include "tests/sim/check/model.h"

#include <algorithm>
#include <sstream>

#include "coord/base/check.h"
#include "coord/tree/path.h"
#include "tests/sim/check/hash.h"

namespace drover::sim::check {

Model::Model(const std::vector<std::string>& paths) : names_(paths), cells_(paths.size()) {
  for (std::uint32_t i = 0; i < paths.size(); ++i) index_.emplace(paths[i], i);
}

std::uint32_t Model::Intern(const std::string& data) {
  const auto [at, added] = data_index_.emplace(data, static_cast<std::uint32_t>(data_.size()));
  if (added) {
    data_.push_back(data);
    read_.push_back(false);
  }
  return at->second;
}

std::optional<std::uint32_t> Model::Find(const std::string& path) const {
  const auto at = index_.find(path);
  if (at == index_.end()) return std::nullopt;
  return at->second;
}

Model::Step Model::Compile(const Operation& operation) {
  Step step{};
  step.kind = operation.kind;
  step.told = operation.returned.has_value();
  step.code = step.told ? operation.result.code : Code::kOk;
  step.effect_free = IsRead(operation.kind) || step.code != Code::kOk;
  step.version = operation.result.version;
  step.succeeded = operation.result.succeeded;
  step.owner = operation.owner.value;
  auto write = [this](const auto& w) {
    const std::optional<std::uint32_t> cell = Find(w.path);
    DROVER_CHECK(cell.has_value()) << w.path << " is not of this object";
    return Step::Write{w.kind, *cell, Intern(w.data), w.expected_version, w.owner.value};
  };
  switch (operation.kind) {
    case Kind::kCreate:
    case Kind::kDelete:
    case Kind::kSet:
    case Kind::kGet:
    case Kind::kExists:
      step.writes.push_back(write(operation));
      step.data = Intern(operation.result.data);
      if (step.told && operation.kind == Kind::kGet) read_[step.data] = true;
      break;
    case Kind::kTransaction:
      for (const Compare& compare : operation.compares)
        step.tests.push_back({compare.field, Find(compare.path).value(), compare.equals});
      for (const Change& change : operation.then) step.writes.push_back(write(change));
      for (const Change& change : operation.otherwise) step.otherwise.push_back(write(change));
      break;
    case Kind::kChildren: {
      for (std::uint32_t i = 0; i < names_.size(); ++i) {
        if (coord::tree::ParentOf(names_[i]) == absl::string_view(operation.path)) step.below.push_back(i);
      }
      const std::string parent = operation.path == "/" ? "" : operation.path;
      for (const std::string& name : operation.result.names) {
        const std::optional<std::uint32_t> cell = Find(parent + "/" + name);
        if (cell) {
          step.listed.push_back(*cell);
        } else {
          step.listed_unknown = true;
        }
      }
      std::sort(step.listed.begin(), step.listed.end());
      break;
    }
    case Kind::kEndSession:
      break;
  }
  return step;
}

Model::Signature Model::SignatureOf(const Step& step) const {
  if (step.kind == Kind::kEndSession) return {static_cast<std::uint64_t>(step.kind), step.owner};
  if (step.writes.size() != 1 || step.kind == Kind::kTransaction) return {};
  const Step::Write& write = step.writes.front();
  return {static_cast<std::uint64_t>(write.kind), write.cell, Seen(write.data),
          write.expected_version ? *write.expected_version + std::uint64_t{1} : 0, write.owner};
}

Model::Hash Model::HashOf(std::uint32_t index, const Cell& cell) const {
  if (!cell.exists) return {0, 0};  // so that the empty state needs no set-up
  const std::uint64_t data = Seen(cell.data);
  const std::uint64_t a = Mix(Mix(index, data), Mix(cell.version, cell.owner));
  return {a, Mix(Mix(cell.owner, cell.version), Mix(data, ~std::uint64_t{index}))};
}

void Model::Put(std::uint32_t index, const Cell& cell) {
  Cell& there = cells_[index];
  undo_.emplace_back(index, there);
  const Hash before = HashOf(index, there);
  const Hash after = HashOf(index, cell);
  hash_.first ^= before.first ^ after.first;
  hash_.second ^= before.second ^ after.second;
  there = cell;
}

void Model::UndoTo(std::size_t mark) {
  while (undo_.size() > mark) {
    const auto [index, cell] = undo_.back();
    Put(index, cell);
    undo_.pop_back();
    undo_.pop_back();
  }
}

Code Model::Perform(const Step::Write& write, std::optional<std::uint32_t>* version) {
  const Cell cell = cells_[write.cell];
  if (write.kind == Kind::kCreate) {
    if (cell.exists) return Code::kNodeExists;
    Put(write.cell, Cell{true, write.data, 0, write.owner});
    *version = 0;
    return Code::kOk;
  }
  if (!cell.exists) return Code::kNoNode;
  if (write.expected_version && *write.expected_version != cell.version) return Code::kBadVersion;
  if (write.kind == Kind::kDelete) {
    Put(write.cell, Cell{});
  } else if (write.kind == Kind::kSet) {
    Put(write.cell, Cell{true, write.data, cell.version + 1, cell.owner});
    *version = cell.version + 1;
  } else {
    *version = cell.version;  // get, exists
  }
  return Code::kOk;
}

bool Model::Agrees(const Step& step) {
  std::optional<std::uint32_t> version;
  switch (step.kind) {
    case Kind::kCreate:
    case Kind::kDelete:
    case Kind::kSet:
    case Kind::kGet:
    case Kind::kExists: {
      const Step::Write& only = step.writes.front();
      const Code code = Perform(only, &version);
      if (code != step.code) return false;
      if (!step.told || code != Code::kOk) return true;
      if (step.version && version && *step.version != *version) return false;
      return step.kind != Kind::kGet || cells_[only.cell].data == step.data;
    }
    case Kind::kTransaction: {
      bool holds = true;
      for (const Step::Test& test : step.tests) {
        const Cell& cell = cells_[test.cell];
        holds = holds && (test.field == Compare::Field::kExists ? (cell.exists ? 1U : 0U) == test.equals
                                                                : cell.exists && cell.version == test.equals);
      }
      Code code = Code::kOk;
      for (const Step::Write& write : holds ? step.writes : step.otherwise) {
        code = Perform(write, &version);
        if (code != Code::kOk) break;
      }
      if (code != step.code) return false;
      return !step.told || code != Code::kOk || holds == step.succeeded;
    }
    case Kind::kChildren: {
      if (step.code != Code::kOk || step.listed_unknown) return false;  // the parent is there, by the model's terms
      std::size_t next = 0;
      for (const std::uint32_t cell : step.below) {
        if (!cells_[cell].exists) continue;
        if (next == step.listed.size() || step.listed[next] != cell) return false;
        ++next;
      }
      return next == step.listed.size();
    }
    case Kind::kEndSession:
      for (std::uint32_t i = 0; i < cells_.size(); ++i) {
        if (cells_[i].exists && cells_[i].owner == step.owner) Put(i, Cell{});
      }
      return true;
  }
  return false;
}

bool Model::Apply(const Step& step) {
  const std::size_t before = undo_.size();
  if (!Agrees(step)) {
    UndoTo(before);
    return false;
  }
  // A refused transaction leaves what its first operations did.
  if (step.effect_free) UndoTo(before);
  return step.told || undo_.size() > before;
}

std::string Model::Text(std::size_t max) const {
  std::ostringstream os;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (!cells_[i].exists) continue;
    if (shown++ == max) {
      os << " ...";
      break;
    }
    os << " " << names_[i] << "=\"" << data_[cells_[i].data] << "\" v" << cells_[i].version;
    if (cells_[i].owner != 0) os << " of session " << cells_[i].owner;
  }
  return shown == 0 ? " nothing" : os.str();
}

}  // namespace drover::sim::check

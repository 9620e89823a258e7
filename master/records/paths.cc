#include "master/records/paths.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace drover::records {
namespace {

// Splits off the part before the first '/', or all of it.
absl::string_view TakeComponent(absl::string_view* rest) {
  const auto slash = rest->find('/');
  const absl::string_view part = rest->substr(0, slash);
  *rest = slash == absl::string_view::npos ? absl::string_view() : rest->substr(slash + 1);
  return part;
}

}  // namespace

PoolPaths::PoolPaths(absl::string_view pool) : pool_(pool), root_(absl::StrCat("/drover/", pool)) {}

std::string PoolPaths::Masters() const {
  return root_ + "/masters";
}
std::string PoolPaths::CandidatePrefix() const {
  return root_ + "/masters/c-";
}
std::string PoolPaths::Workers() const {
  return root_ + "/workers";
}
std::string PoolPaths::Worker(absl::string_view worker) const {
  return absl::StrCat(root_, "/workers/", worker);
}
std::string PoolPaths::Tasks() const {
  return root_ + "/tasks";
}
std::string PoolPaths::Task(absl::string_view task) const {
  return absl::StrCat(root_, "/tasks/", task);
}
std::string PoolPaths::Assign() const {
  return root_ + "/assign";
}
std::string PoolPaths::Assignees(absl::string_view worker) const {
  return absl::StrCat(root_, "/assign/", worker);
}
std::string PoolPaths::Assignment(absl::string_view worker, absl::string_view task) const {
  return absl::StrCat(root_, "/assign/", worker, "/", task);
}
std::string PoolPaths::DiedAll() const {
  return root_ + "/died";
}
std::string PoolPaths::Died(absl::string_view process_id) const {
  return absl::StrCat(root_, "/died/", process_id);
}
std::string PoolPaths::Drain(absl::string_view worker) const {
  return absl::StrCat(root_, "/drain/", worker);
}
std::string PoolPaths::Queue(absl::string_view queue) const {
  return absl::StrCat(root_, "/queues/", queue);
}
std::string PoolPaths::Schedule(absl::string_view schedule) const {
  return absl::StrCat(root_, "/schedules/", schedule);
}
std::string PoolPaths::ArrayChunks(absl::string_view task) const {
  return absl::StrCat(root_, "/arrays/", task);
}
std::string PoolPaths::ArrayChunk(absl::string_view task, std::uint32_t chunk) const {
  return absl::StrCat(root_, "/arrays/", task, "/", chunk);
}
std::string PoolPaths::Horizon() const {
  return root_ + "/horizon";
}
std::string PoolPaths::Store() const {
  return root_ + "/store";
}

PathParts PoolPaths::Parse(absl::string_view path) const {
  if (!absl::StartsWith(path, root_) || path.size() <= root_.size() || path[root_.size()] != '/') return {};
  absl::string_view rest = path.substr(root_.size() + 1);
  const absl::string_view kind = TakeComponent(&rest);
  const absl::string_view first = TakeComponent(&rest);
  const absl::string_view second = TakeComponent(&rest);
  if (!rest.empty()) return {};
  if (kind == "assign") {
    if (!second.empty()) return {PathKind::kAssignment, second, first};
    if (!first.empty()) return {PathKind::kAssignees, first, first};
    return {};
  }
  if (kind == "arrays") {
    std::uint32_t chunk = 0;
    if (second.empty() || !absl::SimpleAtoi(second, &chunk)) return {};
    return {PathKind::kArrayChunk, first, {}, chunk};
  }
  if (!second.empty()) return {};
  if (first.empty()) {
    if (kind == "horizon") return {PathKind::kHorizon, {}, {}};
    if (kind == "store") return {PathKind::kStore, {}, {}};
    return {};
  }
  if (kind == "tasks") return {PathKind::kTask, first, {}};
  if (kind == "schedules") return {PathKind::kSchedule, first, {}};
  if (kind == "workers") return {PathKind::kWorker, first, {}};
  if (kind == "masters") return {PathKind::kCandidate, first, {}};
  if (kind == "drain") return {PathKind::kDrain, first, {}};
  if (kind == "queues") return {PathKind::kQueue, first, {}};
  if (kind == "died") return {PathKind::kDied, first, {}};
  return {};
}

}  // namespace drover::records

#include "tests/scenarios/disk.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "coord/base/check.h"

namespace drover::scenarios {

using coord::raft::Configuration;
using coord::raft::Entry;
using coord::raft::EntryKind;
using coord::raft::Index;
using coord::raft::Recovered;

Disk::Disk(coord::raft::HardState hard_state, const std::vector<Entry>& log, Index commit)
    : hard_state_(hard_state), durable_(log), written_(log), commit_(commit) {
  for (const Entry& entry : log) terms_.Append(entry.term);
}

void Disk::Apply(const coord::raft::Write& write, std::vector<Entry>* log) {
  if (write.restart) log->clear();
  if (write.truncate_from) {
    DROVER_CHECK(!log->empty() && log->back().index >= *write.truncate_from) << "truncates what the disk does not hold";
    while (!log->empty() && log->back().index >= *write.truncate_from) log->pop_back();
  }
  for (const Entry& entry : write.entries) {
    DROVER_CHECK(log->empty() || entry.index == log->back().index.Next()) << "a write that does not follow the log";
    log->push_back(entry);
  }
}

void Disk::Write(const coord::raft::Write& write, Index commit) {
  Apply(write, &written_);
  pending_.push_back({write, commit});
}

std::uint64_t Disk::Complete() {
  DROVER_CHECK(!pending_.empty());
  const Pending done = std::move(pending_.front());
  pending_.pop_front();
  Apply(done.write, &durable_);
  if (done.write.restart) Restart(*done.write.restart);
  if (done.write.truncate_from) terms_.TruncateFrom(*done.write.truncate_from);
  for (const Entry& entry : done.write.entries) terms_.Append(entry.term);
  if (done.write.hard_state) hard_state_ = *done.write.hard_state;
  commit_ = std::max(commit_, std::min(done.commit, terms_.last()));
  return done.write.sequence;
}

void Disk::Restart(const coord::raft::SnapshotPoint& point) {
  terms_ = coord::raft::TermRuns(point.index, point.term);
  compacted_.clear();
  compacted_[point.configuration_index] = *coord::raft::DecodeConfiguration(point.configuration.view());
  commit_ = point.index;
}

coord::raft::SnapshotPoint Disk::snapshot() const {
  coord::raft::SnapshotPoint point;
  point.index = terms_.before();
  point.term = terms_.TermAt(point.index).value_or(coord::raft::Term());
  const auto later = compacted_.upper_bound(point.index);
  if (later == compacted_.begin()) return {};
  point.configuration_index = std::prev(later)->first;
  point.configuration = coord::raft::EncodeConfiguration(std::prev(later)->second);
  return point;
}

void Disk::Crash() {
  pending_.clear();
  written_ = durable_;
}

void Disk::RollBack(Index last) {
  DROVER_CHECK(last >= terms_.before() && pending_.empty());
  while (!durable_.empty() && durable_.back().index > last) durable_.pop_back();
  if (last < terms_.last()) terms_.TruncateFrom(last.Next());
  commit_ = std::min(commit_, last);
  written_ = durable_;
}

void Disk::Compact(Index through) {
  DROVER_CHECK(through <= terms_.last() && pending_.empty());
  coord::raft::TermRuns rest(through, terms_.TermAt(through).value_or(coord::raft::Term()));
  std::vector<Entry> kept;
  for (Entry& entry : durable_) {
    if (entry.index > through) {
      rest.Append(entry.term);
      kept.push_back(std::move(entry));
    } else if (entry.kind == EntryKind::kConfig) {
      compacted_[entry.index] = *coord::raft::DecodeConfiguration(entry.payload.view());
    }
  }
  terms_ = std::move(rest);
  commit_ = std::max(commit_, through);
  durable_ = std::move(kept);
  written_ = durable_;
}

std::vector<Entry> Disk::Read(Index first, std::size_t bytes) const {
  std::vector<Entry> entries;
  if (written_.empty() || first < written_.front().index) return entries;
  std::size_t taken = 0;
  for (std::size_t i = first.value - written_.front().index.value; i < written_.size(); ++i) {
    taken += written_[i].payload.size();
    if (!entries.empty() && taken > bytes) break;
    entries.push_back(written_[i]);
  }
  return entries;
}

Recovered Disk::Recover(Index commit) const {
  Recovered recovered;
  recovered.hard_state = hard_state_;
  recovered.terms = terms_;
  recovered.commit = std::max(std::min(commit, commit_), terms_.before());
  recovered.configurations = compacted_;
  for (const Entry& entry : durable_) {
    if (entry.kind == EntryKind::kConfig) {
      recovered.configurations[entry.index] = *coord::raft::DecodeConfiguration(entry.payload.view());
    }
    if (entry.index > recovered.commit) recovered.tail.push_back(entry);
  }
  // The last one that is committed, and all later.
  const auto later = recovered.configurations.upper_bound(recovered.commit);
  if (later != recovered.configurations.begin()) recovered.configurations.erase(recovered.configurations.begin(), std::prev(later));
  return recovered;
}

}  // namespace drover::scenarios

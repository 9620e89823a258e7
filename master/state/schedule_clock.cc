#include "master/state/schedule_clock.h"

#include "master/records/schedule.h"

namespace drover::master::state {

void ScheduleClock::Put(const std::string& name, const worker::v1::ScheduleRecord& schedule) {
  Remove(name);
  auto table = records::TimetableOf(schedule.spec(), schedule.created_ms());
  if (!table.ok()) return;
  const std::int64_t next = schedule.paused() ? 0 : table->Next(schedule.done_ms()).value_or(0);
  if (next != 0) by_time_.insert({next, name});
  entries_.emplace(name, Entry{*std::move(table), next});
}

void ScheduleClock::Remove(const std::string& name) {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return;
  by_time_.erase({it->second.next_ms, name});
  entries_.erase(it);
}

void ScheduleClock::Clear() {
  entries_.clear();
  by_time_.clear();
}

const records::Timetable* ScheduleClock::Find(const std::string& name) const {
  const auto it = entries_.find(name);
  return it == entries_.end() ? nullptr : &it->second.table;
}

std::int64_t ScheduleClock::NextOf(const std::string& name) const {
  const auto it = entries_.find(name);
  return it == entries_.end() ? 0 : it->second.next_ms;
}

std::vector<std::string> ScheduleClock::Due(std::int64_t now_ms, std::size_t limit) const {
  std::vector<std::string> due;
  for (auto it = by_time_.begin(); it != by_time_.end() && it->first <= now_ms && due.size() < limit; ++it)
    due.push_back(it->second);
  return due;
}

std::optional<std::int64_t> ScheduleClock::NextAfter(std::int64_t now_ms) const {
  const auto it = by_time_.lower_bound({now_ms + 1, ""});
  if (it == by_time_.end()) return std::nullopt;
  return it->first;
}

}  // namespace drover::master::state

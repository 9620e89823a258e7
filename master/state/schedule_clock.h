// Which schedules are due, and when the next one is. Pure; not thread-safe. All times are the cluster's, in milliseconds.
#ifndef DROVER_MASTER_STATE_SCHEDULE_CLOCK_H_
#define DROVER_MASTER_STATE_SCHEDULE_CLOCK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "drover/worker/v1/record.pb.h"
#include "master/records/timetable.h"

namespace drover::master::state {

class ScheduleClock {
 public:
  // It is new, or has changed. One that is paused, or whose time zone this host does not know, is never due.
  void Put(const std::string& name, const worker::v1::ScheduleRecord& schedule);
  void Remove(const std::string& name);
  void Clear();

  // Null: it is not known, or has none here.
  [[nodiscard]] const records::Timetable* Find(const std::string& name) const;
  // When it fires next; 0: never.
  [[nodiscard]] std::int64_t NextOf(const std::string& name) const;
  // At most `limit` of those that are due at `now_ms`, the longest first.
  [[nodiscard]] std::vector<std::string> Due(std::int64_t now_ms, std::size_t limit) const;
  // When the first of those is due that are not due at `now_ms`; nothing: there is none.
  [[nodiscard]] std::optional<std::int64_t> NextAfter(std::int64_t now_ms) const;

 private:
  struct Entry {
    records::Timetable table;
    std::int64_t next_ms = 0;  // 0: never
  };
  std::map<std::string, Entry> entries_;
  std::set<std::pair<std::int64_t, std::string>> by_time_;
};

}  // namespace drover::master::state

#endif  // DROVER_MASTER_STATE_SCHEDULE_CLOCK_H_

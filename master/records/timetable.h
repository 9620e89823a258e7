// When a schedule fires: by a cron expression and the clocks of a time zone, or every so often. Pure; any thread. All times are
// milliseconds since 1970.
//
// The expression is that of crontab(5): five fields (minute, hour, day of the month, month, day of the week) of `*`, numbers, names
// (jan, mon), ranges, lists and steps; a day matches if both of its fields do, or, if neither begins with `*`, one of them. Or one
// of
// @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually).
//
// Where the clocks are put forward, a time in the gap fires at its end; where they are put back, one in the hour that comes twice
// fires in the first. Of an expression whose hour begins with `*` every hour counts as it comes: nothing fires for the gap, and
// both of the two hours fire.
#ifndef DROVER_MASTER_RECORDS_TIMETABLE_H_
#define DROVER_MASTER_RECORDS_TIMETABLE_H_

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace drover::records {

class Timetable {
 public:
  // INVALID_ARGUMENT says which field is wrong; FAILED_PRECONDITION: this host knows no such time zone.
  [[nodiscard]] static absl::StatusOr<Timetable> Cron(absl::string_view expression, const std::string& time_zone);
  // At `from_ms` + every_ms, + 2 every_ms ...; every_ms is not 0.
  [[nodiscard]] static Timetable Every(std::int64_t every_ms, std::int64_t from_ms);

  // The first time after `ms`; nothing: there is none for 50 years.
  [[nodiscard]] std::optional<std::int64_t> Next(std::int64_t ms) const;
  // The last time not after `ms`; nothing: there was none for 50 years.
  [[nodiscard]] std::optional<std::int64_t> Last(std::int64_t ms) const;

 private:
  Timetable() = default;
  [[nodiscard]] bool HasDay(absl::CivilDay day) const;
  // Of what fires in this hour of the clocks: the first time after `after_ms`, or the last one not after `until_ms`.
  [[nodiscard]] std::optional<std::int64_t> FirstOf(absl::CivilHour hour, std::int64_t after_ms) const;
  [[nodiscard]] std::optional<std::int64_t> LastOf(absl::CivilHour hour, std::int64_t until_ms) const;
  template <typename Visit>
  void EachOf(absl::CivilHour hour, Visit visit) const;

  std::int64_t every_ms_ = 0;  // 0: by the fields below
  std::int64_t from_ms_ = 0;
  absl::TimeZone zone_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;  // 0 is Sunday
  bool every_hour_ = false;  // the field begins with *
  bool either_day_ = false;  // neither of the fields of days begins with *
};

}  // namespace drover::records

#endif  // DROVER_MASTER_RECORDS_TIMETABLE_H_

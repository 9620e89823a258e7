#include "master/records/timetable.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "coord/base/status.h"
#include "master/records/record_limits.h"

namespace drover::records {
namespace {

constexpr int kYears = 50;

struct Field {
  const char* name;
  int min;
  int max;
  std::vector<absl::string_view> names;  // of min, min + 1 ...
};

const Field kMinute = {"minute", 0, 59, {}};
const Field kHour = {"hour", 0, 23, {}};
const Field kDay = {"day of the month", 1, 31, {}};
const Field kMonth = {"month", 1, 12, {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}};
const Field kWeekday = {"day of the week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}};

absl::Status Wrong(const Field& field, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("the ", field.name, " \"", text, "\" is no list of numbers from ", field.min,
                                                 " to ", field.max, field.names.empty() ? "" : " or names",
                                                 ", ranges, * and steps, like 0,30, 8-17 or */5"));
}

bool ParseValue(const Field& field, absl::string_view text, int* value) {
  for (std::size_t i = 0; i < field.names.size(); ++i) {
    if (absl::AsciiStrToLower(text) == field.names[i]) {
      *value = field.min + static_cast<int>(i);
      return true;
    }
  }
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
  return digits && absl::SimpleAtoi(text, value) && *value >= field.min && *value <= field.max;
}

// "*", "5", "8-17", each with "/2" behind it.
template <std::size_t kSize>
bool AddPart(const Field& field, absl::string_view text, std::bitset<kSize>* set) {
  const std::pair<absl::string_view, absl::string_view> stepped = absl::StrSplit(text, absl::MaxSplits('/', 1));
  const bool has_step = stepped.first.size() < text.size();
  int step = 1, first = field.min, last = field.max;
  if (has_step && (!absl::SimpleAtoi(stepped.second, &step) || step < 1 || step > field.max + 1)) return false;
  if (stepped.first != "*") {
    const std::pair<absl::string_view, absl::string_view> range = absl::StrSplit(stepped.first, absl::MaxSplits('-', 1));
    const bool has_end = range.first.size() < stepped.first.size();
    if (!ParseValue(field, range.first, &first)) return false;
    if (has_end && (!ParseValue(field, range.second, &last) || last < first)) return false;
    if (!has_end && !has_step) last = first;
  }
  // Sunday is 0 and 7.
  for (int value = first; value <= last; value += step) set->set(static_cast<std::size_t>(value) % kSize);
  return true;
}

template <std::size_t kSize>
absl::Status ParseField(const Field& field, absl::string_view text, std::bitset<kSize>* set) {
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    if (!AddPart(field, part, set)) return Wrong(field, text);
  }
  return absl::OkStatus();
}

absl::string_view Expanded(absl::string_view expression) {
  constexpr std::pair<absl::string_view, absl::string_view> kShort[] = {
      {"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
      {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}};
  for (const auto& [name, fields] : kShort) {
    if (expression == name) return fields;
  }
  return expression;
}

std::int64_t Millis(absl::Time time) {
  return absl::ToUnixMillis(time);
}

}  // namespace

absl::StatusOr<Timetable> Timetable::Cron(absl::string_view expression, const std::string& time_zone) {
  if (expression.size() > kCronBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a cron expression of ", expression.size(), " bytes, at most ", kCronBytesMax));
  }
  expression = absl::StripAsciiWhitespace(expression);
  const std::vector<absl::string_view> fields = absl::StrSplit(Expanded(expression), absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (fields.size() != 5) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", expression,
        "\" is no cron expression: minute, hour, day of the month, month and day of the week, like 30 2 * * mon-fri; or "
        "one of @hourly, @daily, @weekly, @monthly, @yearly"));
  }
  Timetable table;
  DROVER_RETURN_IF_ERROR(ParseField(kMinute, fields[0], &table.minutes_));
  DROVER_RETURN_IF_ERROR(ParseField(kHour, fields[1], &table.hours_));
  DROVER_RETURN_IF_ERROR(ParseField(kDay, fields[2], &table.days_));
  DROVER_RETURN_IF_ERROR(ParseField(kMonth, fields[3], &table.months_));
  DROVER_RETURN_IF_ERROR(ParseField(kWeekday, fields[4], &table.weekdays_));
  table.every_hour_ = fields[1].front() == '*';
  table.either_day_ = fields[2].front() != '*' && fields[4].front() != '*';
  // The library takes a file's path for a zone, too.
  const bool named = time_zone.find_first_of(".:\\") == std::string::npos && !absl::StartsWith(time_zone, "/");
  if (time_zone.empty()) {
    table.zone_ = absl::UTCTimeZone();
  } else if (!named || !absl::LoadTimeZone(time_zone, &table.zone_)) {
    return absl::FailedPreconditionError(
        absl::StrCat("this host knows no time zone \"", absl::string_view(time_zone).substr(0, 80),
                     "\": it is a name like Europe/Berlin, and the hosts of the masters need the package tzdata"));
  }
  return table;
}

Timetable Timetable::Every(std::int64_t every_ms, std::int64_t from_ms) {
  Timetable table;
  table.every_ms_ = every_ms;
  table.from_ms_ = from_ms;
  return table;
}

bool Timetable::HasDay(absl::CivilDay day) const {
  if (!months_.test(static_cast<std::size_t>(day.month()))) return false;
  const bool of_month = days_.test(static_cast<std::size_t>(day.day()));
  // absl counts from Monday.
  const bool of_week = weekdays_.test((static_cast<std::size_t>(absl::GetWeekday(day)) + 1) % 7);
  return either_day_ ? of_month || of_week : of_month && of_week;
}

template <typename Visit>
void Timetable::EachOf(absl::CivilHour hour, Visit visit) const {
  for (int minute = 0; minute < 60; ++minute) {
    if (!minutes_.test(static_cast<std::size_t>(minute))) continue;
    const absl::TimeZone::TimeInfo info = zone_.At(absl::CivilSecond(hour) + minute * 60);
    switch (info.kind) {
      case absl::TimeZone::TimeInfo::UNIQUE:
        visit(Millis(info.pre));
        break;
      case absl::TimeZone::TimeInfo::SKIPPED:
        if (!every_hour_) visit(Millis(info.trans));
        break;
      case absl::TimeZone::TimeInfo::REPEATED:
        visit(Millis(info.pre));
        if (every_hour_) visit(Millis(info.post));
        break;
    }
  }
}

std::optional<std::int64_t> Timetable::FirstOf(absl::CivilHour hour, std::int64_t after_ms) const {
  std::optional<std::int64_t> first;
  EachOf(hour, [&](std::int64_t ms) {
    if (ms > after_ms && (!first || ms < *first)) first = ms;
  });
  return first;
}

std::optional<std::int64_t> Timetable::LastOf(absl::CivilHour hour, std::int64_t until_ms) const {
  std::optional<std::int64_t> last;
  EachOf(hour, [&](std::int64_t ms) {
    if (ms <= until_ms && (!last || ms > *last)) last = ms;
  });
  return last;
}

// Hours follow each other as their times do; where the clocks jump by more than one, the search begins a day early.
std::optional<std::int64_t> Timetable::Next(std::int64_t ms) const {
  if (every_ms_ != 0) return ms < from_ms_ ? from_ms_ + every_ms_ : ms + every_ms_ - (ms - from_ms_) % every_ms_;
  const absl::CivilDay today(zone_.At(absl::FromUnixMillis(ms)).cs);
  const absl::CivilDay end(absl::CivilYear(today) + kYears);
  for (absl::CivilDay day = today - 1; day < end; ++day) {
    if (!HasDay(day)) continue;
    for (int hour = 0; hour < 24; ++hour) {
      if (!hours_.test(static_cast<std::size_t>(hour))) continue;
      if (const auto first = FirstOf(absl::CivilHour(day) + hour, ms)) return first;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> Timetable::Last(std::int64_t ms) const {
  if (every_ms_ != 0) {
    if (ms < from_ms_ + every_ms_) return std::nullopt;
    return ms - (ms - from_ms_) % every_ms_;
  }
  const absl::CivilDay today(zone_.At(absl::FromUnixMillis(ms)).cs);
  const absl::CivilDay end(absl::CivilYear(today) - kYears);
  for (absl::CivilDay day = today + 1; day > end; --day) {
    if (!HasDay(day)) continue;
    for (int hour = 23; hour >= 0; --hour) {
      if (!hours_.test(static_cast<std::size_t>(hour))) continue;
      if (const auto last = LastOf(absl::CivilHour(day) + hour, ms)) return last;
    }
  }
  return std::nullopt;
}

}  // namespace drover::records

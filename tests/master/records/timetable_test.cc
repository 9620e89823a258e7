#include "master/records/timetable.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace drover::records {
namespace {

constexpr char kBerlin[] = "Europe/Berlin";

std::int64_t At(const std::string& text) {
  absl::Time time;
  std::string wrong;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%dT%H:%M:%E*S%Ez", text, &time, &wrong)) << text << ": " << wrong;
  return absl::ToUnixMillis(time);
}
std::string Text(std::optional<std::int64_t> ms, const std::string& zone = "") {
  if (!ms.has_value()) return "never";
  absl::TimeZone in = absl::UTCTimeZone();
  if (!zone.empty()) {
    EXPECT_TRUE(absl::LoadTimeZone(zone, &in));
  }
  return absl::FormatTime("%m-%dT%H:%M%Ez", absl::FromUnixMillis(*ms), in);
}
// The next `count` times after `from`.
std::vector<std::string> Times(const std::string& cron, const std::string& from, int count, const std::string& zone = "") {
  const auto table = Timetable::Cron(cron, zone);
  if (!table.ok()) return {std::string(table.status().message())};
  std::vector<std::string> times;
  std::optional<std::int64_t> at = At(from);
  for (int i = 0; i < count && at.has_value(); ++i) {
    at = table->Next(*at);
    times.push_back(Text(at, zone));
  }
  return times;
}
using Shown = std::vector<std::string>;

TEST(TimetableTest, FieldsAreThoseOfCrontab) {
  EXPECT_EQ(Times("30 2 * * *", "2026-01-31T02:30:00Z", 2), (Shown{"02-01T02:30+00:00", "02-02T02:30+00:00"}));
  EXPECT_EQ(Times("*/20 8-9 * * *", "2026-01-31T08:30:00Z", 4),
            (Shown{"01-31T08:40+00:00", "01-31T09:00+00:00", "01-31T09:20+00:00", "01-31T09:40+00:00"}));
  EXPECT_EQ(Times("5,10 0 1 jan,jul *", "2026-01-01T00:05:00Z", 3),
            (Shown{"01-01T00:10+00:00", "07-01T00:05+00:00", "07-01T00:10+00:00"}));
  EXPECT_EQ(Times("0 12 * * mon-FRI", "2026-11-27T12:00:00Z", 2), (Shown{"11-30T12:00+00:00", "12-01T12:00+00:00"})) << "a Friday";
  EXPECT_EQ(Times("0 0 * * 7", "2026-11-27T12:00:00Z", 1), (Shown{"11-29T00:00+00:00"}));
  EXPECT_EQ(Times("0 0 * * 5-7", "2026-11-27T12:00:00Z", 2), (Shown{"11-28T00:00+00:00", "11-29T00:00+00:00"}));
  EXPECT_EQ(Times("50/5 * * * *", "2026-11-27T12:00:00Z", 3),
            (Shown{"11-27T12:50+00:00", "11-27T12:55+00:00", "11-27T13:50+00:00"}));
  EXPECT_EQ(Times("@weekly", "2026-11-27T12:00:00Z", 1), (Shown{"11-29T00:00+00:00"}));
  EXPECT_EQ(Times("@hourly", "2026-11-27T12:00:00Z", 1), (Shown{"11-27T13:00+00:00"}));
  EXPECT_EQ(Times("0 0 29 2 *", "2026-11-27T12:00:00Z", 1), (Shown{"02-29T00:00+00:00"})) << "of 2028";
}

TEST(TimetableTest, TwoFieldsOfDaysAreAlternativesUnlessOneIsAStar) {
  EXPECT_EQ(Times("0 0 13 * fri", "2026-11-10T12:00:00Z", 3),
            (Shown{"11-13T00:00+00:00", "11-20T00:00+00:00", "11-27T00:00+00:00"}));
  EXPECT_EQ(Times("0 0 */2 * fri", "2026-11-10T12:00:00Z", 2), (Shown{"11-13T00:00+00:00", "11-27T00:00+00:00"}));
}

TEST(TimetableTest, WhatNeverComesIsNever) {
  EXPECT_EQ(Times("0 0 30 2 *", "2026-11-27T12:00:00Z", 1), (Shown{"never"}));
  EXPECT_EQ(Text(Timetable::Cron("0 0 31 4 *", "")->Last(At("2026-11-27T12:00:00Z"))), "never");
}

TEST(TimetableTest, WhatIsWrongIsNamed) {
  const auto wrong = [](const std::string& cron, const std::string& zone = "") {
    return std::string(Timetable::Cron(cron, zone).status().message()).substr(0, 40);
  };
  EXPECT_EQ(wrong("60 * * * *"), "the minute \"60\" is no list of numbers fr");
  EXPECT_EQ(wrong("* 8-7 * * *"), "the hour \"8-7\" is no list of numbers fro");
  EXPECT_EQ(wrong("* * 0 * *"), "the day of the month \"0\" is no list of n");
  EXPECT_EQ(wrong("* * * foo *"), "the month \"foo\" is no list of numbers fr");
  EXPECT_EQ(wrong("* * * * 8"), "the day of the week \"8\" is no list of nu");
  for (const char* cron : {"", "* * * *", "* * * * * *", "@every", "a b c d e", "*/0 * * * *", "1,,2 * * * *", "-1 * * * *",
                           "1- * * * *", "* * * * mon-", "+1 * * * *", "99999999999 * * * *"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Timetable::Cron(cron, "").status())) << cron;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Timetable::Cron(std::string(257, '*'), "").status()));
  EXPECT_EQ(wrong("* * * * *", "Nowhere/City"), "this host knows no time zone \"Nowhere/Ci");
  for (const char* zone : {"/etc/localtime", "../../etc/passwd", ":UTC", "Europe/../UTC"}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(Timetable::Cron("* * * * *", zone).status())) << zone;
  }
}

// In Berlin the clocks were put forward on 2026-03-29, 02:00 to 03:00, and back on 2026-10-25, 03:00 to 02:00.
TEST(TimetableTest, WhatFallsIntoTheGapFiresAtItsEnd) {
  EXPECT_EQ(Times("30 2 * * *", "2026-03-28T00:00:00Z", 3, kBerlin),
            (Shown{"03-28T02:30+01:00", "03-29T03:00+02:00", "03-30T02:30+02:00"}));
  EXPECT_EQ(Times("15,45 2 * * *", "2026-03-28T12:00:00Z", 2, kBerlin), (Shown{"03-29T03:00+02:00", "03-30T02:15+02:00"}))
      << "once, though both fall there";
  EXPECT_EQ(Times("0 2,3 * * *", "2026-03-28T12:00:00Z", 2, kBerlin), (Shown{"03-29T03:00+02:00", "03-30T02:00+02:00"}));
}

TEST(TimetableTest, WhatFallsIntoTheHourThatComesTwiceFiresInTheFirst) {
  EXPECT_EQ(Times("30 2 * * *", "2026-10-24T12:00:00Z", 2, kBerlin), (Shown{"10-25T02:30+02:00", "10-26T02:30+01:00"}));
}

TEST(TimetableTest, WhatRunsEveryHourDoesSoWhateverTheClocksSay) {
  EXPECT_EQ(Times("15 * * * *", "2026-03-29T00:20:00Z", 2, kBerlin), (Shown{"03-29T03:15+02:00", "03-29T04:15+02:00"}));
  EXPECT_EQ(Times("*/30 * * * *", "2026-10-24T23:59:00Z", 6, kBerlin),
            (Shown{"10-25T02:00+02:00", "10-25T02:30+02:00", "10-25T02:00+01:00", "10-25T02:30+01:00", "10-25T03:00+01:00",
                   "10-25T03:30+01:00"}));
}

// Samoa left out the 30th of December 2011.
TEST(TimetableTest, ADayMayBeMissing) {
  EXPECT_EQ(Times("0 12 * * *", "2011-12-29T12:00:00Z", 3, "Pacific/Apia"),
            (Shown{"12-29T12:00-10:00", "12-31T00:00+14:00", "12-31T12:00+14:00"}));
}

TEST(TimetableTest, TheLastTimeIsTheOneBeforeTheNext) {
  for (const auto& [cron, zone] : std::vector<std::pair<std::string, std::string>>{{"30 2 * * *", kBerlin},
                                                                                   {"*/30 * * * *", kBerlin},
                                                                                   {"15 * * * *", kBerlin},
                                                                                   {"0 2,3 * * *", kBerlin},
                                                                                   {"7 5 1,15 * wed", ""},
                                                                                   {"*/7 */5 * * *", "America/New_York"}}) {
    const auto table = Timetable::Cron(cron, zone);
    ASSERT_TRUE(table.ok()) << table.status();
    for (const char* from : {"2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z", "2026-10-31T00:00:00Z"}) {
      std::optional<std::int64_t> at = table->Next(At(from));
      for (int i = 0; i < 200 && at.has_value(); ++i) {
        const std::optional<std::int64_t> next = table->Next(*at);
        ASSERT_TRUE(next.has_value());
        ASSERT_GT(*next, *at);
        EXPECT_EQ(table->Last(*next - 1), at) << cron << " " << Text(at, zone);
        EXPECT_EQ(table->Last(*next), next) << cron << " " << Text(next, zone);
        at = next;
      }
    }
  }
}

TEST(TimetableTest, EverySoOften) {
  const Timetable table = Timetable::Every(1'000, 10'500);
  EXPECT_EQ(table.Next(0), 11'500);
  EXPECT_EQ(table.Next(11'499), 11'500);
  EXPECT_EQ(table.Next(11'500), 12'500);
  EXPECT_EQ(table.Last(11'499), std::nullopt);
  EXPECT_EQ(table.Last(11'500), 11'500);
  EXPECT_EQ(table.Last(13'000), 12'500);
}

}  // namespace
}  // namespace drover::records

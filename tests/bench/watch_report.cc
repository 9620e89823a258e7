#include "tests/bench/watch_report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/preface.h"
#include "tests/bench/report_parts.h"
#include "tests/bench/table.h"

namespace drover::bench {
namespace {

double EachSession(const Flags& flags, const WatchReport& report) {
  return (report.sessions_bytes - report.empty_bytes) / flags.sessions;
}

double EachWatch(const Flags& flags, const WatchReport& report) {
  return (report.watches_bytes - report.sessions_bytes) / static_cast<double>(flags.watches);
}

std::string MiB(double bytes) {
  return absl::StrFormat("%.0f", bytes / (1 << 20));
}

}  // namespace

std::string WatchText(const Flags& flags, const WatchReport& report) {
  return absl::StrCat(
      PrefaceText(report.machine, report.systems), "\n", flags.sessions, " sessions, each with a connection of its own, and ",
      flags.watches, " watches of the kind ", flags.watch_kind, ", each on a path of its own of ", kWatchedPathBytes,
      " bytes.\nResident MiB of the node: EMPTY, with the sessions, with their watches. Then one node that all sessions watch is "
      "changed again and\nagain; FAN-OUT is from the call until the last of them has been told.\n\n",
      Table({"EMPTY", "SESSIONS", "WATCHES", "BYTES/SESSION", "BYTES/WATCH", "OPEN S", "ARM S"},
            {{MiB(report.empty_bytes), MiB(report.sessions_bytes), MiB(report.watches_bytes),
              absl::StrFormat("%.0f", EachSession(flags, report)), absl::StrFormat("%.0f", EachWatch(flags, report)),
              absl::StrFormat("%.1f", report.open_s), absl::StrFormat("%.1f", report.arm_s)}},
            0),
      "\n",
      Table({"CHANGES", "NOTIFICATIONS/S", "FAN-OUT P50 MS", "P99 MS"},
            {{absl::StrCat(report.changes), absl::StrFormat("%.0f", report.notifications_per_second),
              absl::StrFormat("%.1f", report.p50_ms), absl::StrFormat("%.1f", report.p99_ms)}},
            0));
}

std::string WatchJson(const Flags& flags, const WatchReport& report) {
  Json json = PrefaceJson("watches", report.machine, report.systems);
  json["options"] = {{"sessions", flags.sessions},
                     {"watches", flags.watches},
                     {"kind", flags.watch_kind},
                     {"data_bytes", flags.data_bytes},
                     {"warm_up_s", Seconds(flags.warm_up)},
                     {"measure_s", Seconds(flags.measure)}};
  json["memory"] = {{"empty_bytes", report.empty_bytes},
                    {"sessions_bytes", report.sessions_bytes},
                    {"watches_bytes", report.watches_bytes},
                    {"session_bytes", EachSession(flags, report)},
                    {"watch_bytes", EachWatch(flags, report)},
                    {"open_s", report.open_s},
                    {"arm_s", report.arm_s}};
  json["fan_out"] = {{"changes", report.changes},
                     {"notifications_per_second", report.notifications_per_second},
                     {"p50_ms", report.p50_ms},
                     {"p99_ms", report.p99_ms}};
  return json.dump(2) + "\n";
}

}  // namespace drover::bench

// What drover-bench watches found, as a table for people and as JSON for programs. Pure.
#ifndef DROVER_TESTS_BENCH_WATCH_REPORT_H_
#define DROVER_TESTS_BENCH_WATCH_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/flags.h"
#include "tests/bench/report.h"

namespace drover::bench {

struct WatchReport {
  Machine machine;
  std::vector<SystemFacts> systems;

  // Resident bytes of the node.
  double empty_bytes = 0;
  double sessions_bytes = 0;  // with the sessions
  double watches_bytes = 0;   // with the sessions and their watches
  double open_s = 0;          // until all sessions were granted
  double arm_s = 0;           // until all watches stood

  // One node that all sessions watch is changed; the next change follows when all have been told of the last.
  std::uint64_t changes = 0;
  double notifications_per_second = 0;
  double p50_ms = 0;  // from the call that changes it until the last session was told
  double p99_ms = 0;
};

[[nodiscard]] std::string WatchText(const Flags& flags, const WatchReport& report);
[[nodiscard]] std::string WatchJson(const Flags& flags, const WatchReport& report);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_WATCH_REPORT_H_

// What a run of drover-bench found, as a table for people and as JSON for programs. Pure.
//
// The JSON is one object. All commands: "benchmark", "machine", "systems". coord: "options", "results"; failover: "options",
// "results". Times are microseconds in fields that end in _us, seconds in those that end in _s.
#ifndef DROVER_TESTS_BENCH_REPORT_H_
#define DROVER_TESTS_BENCH_REPORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "tests/bench/flags.h"
#include "tests/bench/workload.h"

namespace drover::bench {

struct Machine {
  unsigned cores = 0;
  std::string kernel;       // as uname(1) names it
  std::string build;        // of this program, and so of Drover
  std::string data;         // directory below which the servers keep their data
  std::string file_system;  // of that directory
};

// How a system ran: whoever doubts a number can do it again.
struct SystemFacts {
  std::string name;
  std::string version;  // as the server names itself
  int nodes = 0;
  std::string fsync;                  // what makes a write durable before it is acknowledged
  std::vector<std::string> commands;  // one a server
  std::string configuration;          // the first server's file, where it has one
  std::string client;                 // what drives it
};

struct Measurement {
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double largest_gap_us = 0;  // between two answers, whichever clients got them
};

// One system at one point of the parameters.
struct Point {
  Workload workload = Workload::kSet;
  Load load;
  std::size_t value_bytes = 0;
  std::string system;
  std::vector<Measurement> repetitions;
  std::vector<std::string> failures;  // why measurements were thrown away and made anew
};

struct CoordReport {
  Machine machine;
  std::vector<SystemFacts> systems;
  std::vector<Point> points;  // those of one workload, load and size beside each other
};

struct Outage {
  int leader = 0;      // which node, from 1
  double seconds = 0;  // from the signal to the acknowledgement of a write that was made after it
};

struct FailoverResult {
  std::string system;
  std::vector<Outage> outages;
  std::size_t writes_acknowledged = 0;
  std::size_t writes_failed = 0;  // their client was told so, or that their outcome is unknown
};

struct FailoverReport {
  Machine machine;
  std::vector<SystemFacts> systems;
  std::vector<FailoverResult> results;
};

[[nodiscard]] std::string CoordText(const Flags& flags, const CoordReport& report);
[[nodiscard]] std::string CoordJson(const Flags& flags, const CoordReport& report);
[[nodiscard]] std::string FailoverText(const Flags& flags, const FailoverReport& report);
[[nodiscard]] std::string FailoverJson(const Flags& flags, const FailoverReport& report);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_REPORT_H_

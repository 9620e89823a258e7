// A run: one seed, so many random operations in turn on both systems, every reply judged; and from time to time, and at the end,
// all that both hold.
//
// Pure, given the systems. Threads: one.
#ifndef DROVER_TESTS_ORACLE_RUN_H_
#define DROVER_TESTS_ORACLE_RUN_H_

#include <cstdint>
#include <map>
#include <string>

#include "tests/oracle/system.h"

namespace drover::oracle {

struct RunOptions {
  std::uint64_t seed = 1;
  std::uint64_t operations = 2'000;
  int sessions = 4;
  std::uint64_t audit_every = 1'000;  // steps
};

struct RunResult {
  std::string fault;  // empty: nothing differed. Else seed, step, operation, both replies, what differs, and the last steps

  std::uint64_t operations = 0;  // compared, audits included
  std::uint64_t transactions = 0;
  std::uint64_t events = 0;
  std::uint64_t stats = 0;
  std::map<std::string, std::uint64_t> answers;      // by kind and code, "create NO_NODE"
  std::map<std::string, std::uint64_t> differences;  // by name, how often each deliberate one showed

  void Add(const RunResult& other);
};

// Both systems are as they begin: without nodes and sessions.
[[nodiscard]] RunResult RunOn(const RunOptions& options, System* zookeeper, System* ours);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_RUN_H_

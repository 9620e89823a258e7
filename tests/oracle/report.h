// What came of runs, for people. Pure.
#ifndef DROVER_TESTS_ORACLE_REPORT_H_
#define DROVER_TESTS_ORACLE_REPORT_H_

#include <string>

#include "tests/oracle/run.h"

namespace drover::oracle {

// A run in a line, without its fault.
[[nodiscard]] std::string Line(const RunOptions& options, const RunResult& result);
// Answers by kind and code, and the deliberate differences that showed, with their sentences.
[[nodiscard]] std::string Report(const RunResult& sum);
// The command that makes the same run again.
[[nodiscard]] std::string Again(const RunOptions& options);

}  // namespace drover::oracle

#endif  // DROVER_TESTS_ORACLE_REPORT_H_

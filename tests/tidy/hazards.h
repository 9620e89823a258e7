// tests/HAZARDS.md, the table of ways in which coordination services went wrong, held against the tests that it names.
#ifndef DROVER_TESTS_TIDY_HAZARDS_H_
#define DROVER_TESTS_TIDY_HAZARDS_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/tidy/sources.h"

namespace drover::tidy {

constexpr int kHazards = 42;

// A file below the root as text; nullopt if there is none.
using ReadText = std::function<std::optional<std::string>(const std::string& path)>;
ReadText FilesBelow(const std::string& root);

// What breaks the table's rules: each of 1 to kHazards has one row, which names at least one test; files that are named exist, and
// hold the tests that are named behind them. `table` is the document; `read` finds what it names.
std::vector<Finding> CheckHazards(const std::string& table, const ReadText& read);

}  // namespace drover::tidy

#endif  // DROVER_TESTS_TIDY_HAZARDS_H_

// Columns for people: cells aligned by the widest of their column, two spaces between. Pure.
#ifndef DROVER_TESTS_BENCH_TABLE_H_
#define DROVER_TESTS_BENCH_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace drover::bench {

// One line for the header and one for each row, each ended by a newline. The first `left` columns are aligned left, the others
// right. Rows may be shorter than the header, not longer.
[[nodiscard]] std::string Table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows,
                                std::size_t left);

}  // namespace drover::bench

#endif  // DROVER_TESTS_BENCH_TABLE_H_

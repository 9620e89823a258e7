#include "tests/bench/table.h"

#include <algorithm>

namespace drover::bench {

std::string Table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows, std::size_t left) {
  std::vector<std::size_t> widths(header.size());
  auto measure = [&widths](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  };
  measure(header);
  for (const std::vector<std::string>& row : rows) measure(row);

  std::string text;
  auto print = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::string padding(widths[i] - cells[i].size(), ' ');
      if (i > 0) line += "  ";
      line += i < left ? cells[i] + padding : padding + cells[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  print(header);
  for (const std::vector<std::string>& row : rows) print(row);
  return text;
}

}  // namespace drover::bench

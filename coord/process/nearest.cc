#include "coord/process/nearest.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace drover::process {
namespace {

constexpr std::size_t kLettersMax = 64;  // of a word that is looked at

// Of optimal string alignment.
std::size_t Distance(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string NearestOf(absl::string_view typed, const std::vector<std::string>& words) {
  std::string nearest;
  if (typed.size() > kLettersMax) return nearest;
  std::size_t least = typed.size() + 1;
  for (const std::string& word : words) {
    const std::size_t distance = Distance(typed, word);
    if (distance >= least || distance * 3 > word.size()) continue;
    least = distance;
    nearest = word;
  }
  return nearest;
}

}  // namespace drover::process

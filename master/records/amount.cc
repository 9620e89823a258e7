#include "master/records/amount.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "master/records/record_limits.h"

namespace drover::records {
namespace {

struct Unit {
  const char* suffix;
  std::int64_t times;
};
constexpr Unit kUnits[] = {{"Ki", std::int64_t{1} << 10},
                           {"Mi", std::int64_t{1} << 20},
                           {"Gi", std::int64_t{1} << 30},
                           {"Ti", std::int64_t{1} << 40},
                           {"K", 1'000},
                           {"M", 1'000'000},
                           {"G", 1'000'000'000},
                           {"T", 1'000'000'000'000}};

}  // namespace

absl::StatusOr<std::int64_t> ParseAmount(absl::string_view text) {
  const auto wrong = [text](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no amount: ", what));
  };
  constexpr char kForm[] = "a number above 0 with at most three decimals, perhaps with K, M, G, T, Ki, Mi, Gi or Ti behind it";
  absl::string_view number = text;
  std::int64_t times = 1;
  for (const Unit& unit : kUnits) {
    if (!absl::ConsumeSuffix(&number, unit.suffix)) continue;
    times = unit.times;
    break;
  }
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(number, absl::MaxSplits('.', 1));
  std::int64_t whole = 0, thousandths = 0;
  const auto digits = [](absl::string_view s) {
    return !s.empty() && s.find_first_not_of("0123456789") == absl::string_view::npos;
  };
  if (!digits(parts.first) || !absl::SimpleAtoi(parts.first, &whole)) return wrong(kForm);
  if (absl::StrContains(number, ".")) {
    if (!digits(parts.second) || parts.second.size() > 3) return wrong(kForm);
    if (!absl::SimpleAtoi(absl::StrCat(parts.second, std::string(3 - parts.second.size(), '0')), &thousandths)) return wrong(kForm);
  }
  std::int64_t amount = 0;
  if (__builtin_mul_overflow(whole, 1000, &amount) || __builtin_add_overflow(amount, thousandths, &amount) ||
      __builtin_mul_overflow(amount, times, &amount) || amount > kResourceMax) {
    return wrong("it is too large");
  }
  if (amount == 0) return wrong(kForm);
  return amount;
}

std::string AmountText(std::int64_t thousandths) {
  const std::int64_t whole = thousandths / 1000;
  if (thousandths % 1000 == 0) {
    std::string shortest = absl::StrCat(whole);
    for (const Unit& unit : kUnits) {
      if (whole == 0 || whole % unit.times != 0) continue;
      std::string text = absl::StrCat(whole / unit.times, unit.suffix);
      if (text.size() < shortest.size()) shortest = std::move(text);
    }
    return shortest;
  }
  std::string fraction = absl::StrCat(1000 + thousandths % 1000).substr(1);
  while (fraction.back() == '0') fraction.pop_back();
  return absl::StrCat(whole, ".", fraction);
}

}  // namespace drover::records

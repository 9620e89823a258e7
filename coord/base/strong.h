// Distinct integer types from one small template, so that a term can never be passed for an index.
#ifndef DROVER_COORD_BASE_STRONG_H_
#define DROVER_COORD_BASE_STRONG_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <ostream>

namespace drover::base {

// A number with a meaning of its own. Compares and hashes; arithmetic is spelled out at the place that means it (`Next`, or `value`).
template <typename Tag, typename Rep = std::uint64_t>
struct Strong {
  Rep value{};

  constexpr Strong() = default;
  constexpr explicit Strong(Rep v) : value(v) {}

  [[nodiscard]] constexpr Strong Next() const { return Strong(value + 1); }
  [[nodiscard]] constexpr Strong Previous() const { return Strong(value - 1); }

  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Strong& s) {
    return H::combine(std::move(h), s.value);
  }
  friend std::ostream& operator<<(std::ostream& os, const Strong& s) { return os << s.value; }
};

}  // namespace drover::base

template <typename Tag, typename Rep>
struct std::hash<drover::base::Strong<Tag, Rep>> {
  std::size_t operator()(const drover::base::Strong<Tag, Rep>& s) const noexcept {
    return std::hash<Rep>{}(s.value);
  }
};

#endif  // DROVER_COORD_BASE_STRONG_H_

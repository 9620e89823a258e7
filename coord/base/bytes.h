// Immutable bytes shared by reference count: a frame is received once and its parts travel to log, peers, apply and watchers.
#ifndef DROVER_COORD_BASE_BYTES_H_
#define DROVER_COORD_BASE_BYTES_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace drover::base {

// A view and a share in what it views. Copying is cheap; threads may share the same bytes.
class Bytes {
 public:
  Bytes() = default;
  // `view` must lie in memory that `owner` keeps alive.
  Bytes(std::shared_ptr<const void> owner, absl::string_view view) : owner_(std::move(owner)), view_(view) {}

  static Bytes Adopt(std::string s) {
    auto owned = std::make_shared<const std::string>(std::move(s));
    absl::string_view view(*owned);
    return Bytes(std::move(owned), view);
  }
  static Bytes Copy(absl::string_view s) { return Adopt(std::string(s)); }

  // Shares the owner. `part` must be a view into these bytes.
  [[nodiscard]] Bytes Share(absl::string_view part) const { return Bytes(owner_, part); }

  [[nodiscard]] absl::string_view view() const { return view_; }
  [[nodiscard]] std::size_t size() const { return view_.size(); }
  [[nodiscard]] bool empty() const { return view_.empty(); }
  [[nodiscard]] std::string ToString() const { return std::string(view_); }

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view_ == b.view_; }

 private:
  std::shared_ptr<const void> owner_;
  absl::string_view view_;
};

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_BYTES_H_

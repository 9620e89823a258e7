// What a rival says to the resource server: one line of text each. Pure.
#ifndef DROVER_TESTS_RIVALS_REPORT_H_
#define DROVER_TESTS_RIVALS_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "coord/base/ids.h"
#include "tests/coord/recipes/holding.h"

namespace drover::rivals {

// Who it is. The first line of a connection.
struct Hello {
  std::string name;
};

// It writes to a resource, with the token of what entitles it to.
struct Use {
  std::string resource;
  base::Zxid token;
  bool fenced = true;  // false: several hold at a time, so an older token is no late one
};

// The counter gave it this number.
struct Number {
  std::int64_t value = 0;
};

// It was told what was decided of a two-phase commit.
struct Decision {
  std::string id;
  bool commit = false;
};

// A claim is what a recipe told it to hold; who says so is not part of the line.
using Report = std::variant<Hello, Use, Number, Decision, recipes::Claim>;

// With the end of the line. Names, resources, ids and paths are without blanks.
[[nodiscard]] std::string EncodeReport(const Report& report);
// Without the end of the line. Nothing: it is no report.
[[nodiscard]] std::optional<Report> DecodeReport(absl::string_view line);

}  // namespace drover::rivals

#endif  // DROVER_TESTS_RIVALS_REPORT_H_

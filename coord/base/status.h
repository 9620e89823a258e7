// The two macros of code that passes errors on.
//
//   DROVER_RETURN_IF_ERROR(file->Sync());
//   DROVER_ASSIGN_OR_RETURN(auto file, fs->Open(path, OpenMode::kRead));
#ifndef DROVER_COORD_BASE_STATUS_H_
#define DROVER_COORD_BASE_STATUS_H_

#include <utility>

#include "absl/base/optimization.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace drover::base {

// The same code with `context: ` before its words; an OK status stays as it is.
inline absl::Status Annotate(const absl::Status& status, absl::string_view context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(context, ": ", status.message()));
}

}  // namespace drover::base

#define DROVER_STATUS_JOIN_INNER(a, b) a##b
#define DROVER_STATUS_JOIN(a, b) DROVER_STATUS_JOIN_INNER(a, b)

// Evaluates an absl::Status and returns it from the enclosing function unless it is OK.
#define DROVER_RETURN_IF_ERROR(expr)                                                                        \
  do {                                                                                                      \
    if (absl::Status drover_status = (expr); ABSL_PREDICT_FALSE(!drover_status.ok())) return drover_status; \
  } while (false)

// Evaluates an absl::StatusOr and assigns its value to `lhs` (which may be a declaration), or returns its status.
#define DROVER_ASSIGN_OR_RETURN(lhs, expr) DROVER_ASSIGN_OR_RETURN_INNER(DROVER_STATUS_JOIN(drover_or_, __LINE__), lhs, expr)
#define DROVER_ASSIGN_OR_RETURN_INNER(or_value, lhs, expr)          \
  auto or_value = (expr);                                           \
  if (ABSL_PREDICT_FALSE(!or_value.ok())) return or_value.status(); \
  lhs = std::move(or_value).value()

#endif  // DROVER_COORD_BASE_STATUS_H_

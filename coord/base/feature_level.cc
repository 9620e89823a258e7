#include "coord/base/feature_level.h"

#include "absl/strings/str_cat.h"

namespace drover::base {

absl::Status CheckFeatureLevel(absl::string_view what, FeatureLevel level, FeatureLevel known) {
  if (level <= known) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat(what, " is at feature level ", level.value, ", and this program knows levels up to ",
                                               known.value, ": start a newer drover-coord; nothing was changed"));
}

}  // namespace drover::base

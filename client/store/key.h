// Splits and checks object keys. The public check is CheckKey in object_store.h.
#ifndef DROVER_CLIENT_STORE_KEY_H_
#define DROVER_CLIENT_STORE_KEY_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace drover::store {

// OK if some valid key could begin with it: a prefix may end inside a component or right behind a '/'.
absl::Status CheckPrefix(absl::string_view prefix);

}  // namespace drover::store

#endif  // DROVER_CLIENT_STORE_KEY_H_

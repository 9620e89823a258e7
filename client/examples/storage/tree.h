// The nodes of the storage cluster, as all of its processes know them (README.md).
#ifndef DROVER_CLIENT_EXAMPLES_STORAGE_TREE_H_
#define DROVER_CLIENT_EXAMPLES_STORAGE_TREE_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "client/examples/store/fenced_store.h"

namespace drover::examples::storage {

inline constexpr char kRoot[] = "/storage";
inline constexpr char kMasters[] = "/storage/masters";  // candidates; data: the address
inline constexpr char kServers[] = "/storage/servers";  // ephemeral nodes by name; data: the address
// A node for each table (data: the id of the wish that made it), below it one for each region (data: the Place), "r-" and its
// first key. The regions of a table never change.
inline constexpr char kTables[] = "/storage/tables";

inline std::string ServerPath(absl::string_view name) {
  return absl::StrCat(kServers, "/", name);
}
inline std::string TablePath(absl::string_view table) {
  return absl::StrCat(kTables, "/", table);
}
inline std::string RegionPath(absl::string_view table, absl::string_view first_key) {
  return absl::StrCat(kTables, "/", table, "/r-", first_key);
}

// The name of a region's log in the store, "TABLE.r-KEY". Empty: not the path of a region.
inline std::string RegionLog(absl::string_view path) {
  if (!absl::ConsumePrefix(&path, absl::StrCat(kTables, "/")) || path.find('/') == absl::string_view::npos) return "";
  const absl::string_view table = path.substr(0, path.find('/'));
  return absl::StrCat(table, ".", path.substr(table.size() + 1));
}

// A dot would make another table's log of "TABLE.r-KEY".
inline bool IsTableName(absl::string_view table) {
  return IsName(table) && table.find('.') == absl::string_view::npos;
}

}  // namespace drover::examples::storage

#endif  // DROVER_CLIENT_EXAMPLES_STORAGE_TREE_H_

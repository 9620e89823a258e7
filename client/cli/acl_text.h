// Access control lists, credentials and quotas as people write them.
#ifndef DROVER_CLIENT_CLI_ACL_TEXT_H_
#define DROVER_CLIENT_CLI_ACL_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/output.h"
#include "drover/coord/types.h"

namespace drover::cli {

// "world:anyone:r,digest:ann:HASH:cdrwa,ip:10.0.0.0/8:rw,auth::cdrwa", as ZooKeeper's command line has it: SCHEME:ID:PERMISSIONS,
// the permissions being letters of c (create), d (delete), r (read), w (write), a (admin). INVALID_ARGUMENT says what is wrong.
[[nodiscard]] absl::StatusOr<coord::Acl> ParseAcl(absl::string_view text);
[[nodiscard]] std::string AclEntryText(const coord::AclEntry& entry);
[[nodiscard]] std::string PermissionsText(std::uint32_t permissions);
[[nodiscard]] Json AclJson(const coord::Acl& acl);
// What AclJson makes.
[[nodiscard]] absl::StatusOr<coord::Acl> AclOfJson(const Json& json);

// Each "digest:USER:PASSWORD". INVALID_ARGUMENT does not repeat what was written.
[[nodiscard]] absl::StatusOr<std::vector<coord::Credential>> ParseCredentials(const std::vector<std::string>& texts);

// What is there, of what may be.
[[nodiscard]] Item QuotaItem(const coord::QuotaUsage& usage);

}  // namespace drover::cli

#endif  // DROVER_CLIENT_CLI_ACL_TEXT_H_

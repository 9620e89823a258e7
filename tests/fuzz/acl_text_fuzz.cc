// client/cli/acl_text.h: access control lists and credentials as people write them, and what is shown of lists and quotas.
#include <cstdint>
#include <string>

#include "absl/strings/str_join.h"
#include "client/cli/acl_text.h"
#include "client/cli/output.h"
#include "coord/base/check.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  const absl::string_view text = ViewOf(data, size);
  absl::StatusOr<drover::coord::Acl> acl;
  {
    const AllocationBound bound(size, 512);
    acl = drover::cli::ParseAcl(text);
  }
  if (acl.ok()) {
    const std::string written = absl::StrJoin(
        *acl, ",", [](std::string* out, const drover::coord::AclEntry& entry) { *out += drover::cli::AclEntryText(entry); });
    const absl::StatusOr<drover::coord::Acl> again = drover::cli::ParseAcl(written);
    DROVER_CHECK(again.ok()) << again.status().ToString();
    DROVER_CHECK(*again == *acl);
    const std::string json = drover::cli::Dump(drover::cli::AclJson(*acl));
    DROVER_CHECK(drover::cli::Json::accept(json));
  } else {
    CheckRefusal(acl.status());
  }
  const auto credentials = drover::cli::ParseCredentials({std::string(text)});
  if (!credentials.ok()) CheckRefusal(credentials.status());
  drover::coord::QuotaUsage usage;
  usage.path = std::string(text);
  DROVER_CHECK(drover::cli::Json::accept(drover::cli::Dump(drover::cli::QuotaItem(usage).json)));
  return 0;
}

// coord/tree/acl.h: access control lists, of requests and snapshots.
#include <cstdint>
#include <string>
#include <vector>

#include "coord/base/check.h"
#include "coord/tree/acl.h"
#include "coord/tree/views.h"
#include "tests/fuzz/allocation_bound.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drover::fuzz;
  using namespace drover::coord::tree;  // NOLINT
  const absl::string_view bytes = ViewOf(data, size);
  Identity identity;
  if (ParseIdentity(bytes, &identity)) {
    std::string again;
    drover::base::WireWriter out(&again);
    AppendIdentity(1, identity, &out);
    absl::string_view element;
    Identity read;
    DROVER_CHECK(drover::base::RepeatedBytes(again, 1).Next(&element) && ParseIdentity(element, &read) && read == identity);
  }
  std::vector<AclEntry> entries;
  {
    const AllocationBound bound(size, 256);
    if (!ParseAclEntries(bytes, &entries)) return 0;
  }
  const Acl acl(entries);
  std::vector<AclEntry> again;
  DROVER_CHECK(ParseAclEntries(acl.encoded(), &again) && again == entries);
  DROVER_CHECK(Acl(again).encoded() == acl.encoded());
  for (const AclEntry& entry : entries) {
    if (AclEntryFault(entry) != nullptr || entry.scheme == Scheme::kIp || entry.scheme == Scheme::kWorld) continue;
    // Who is what an entry names has what it gives.
    const std::vector<Identity> who = {{entry.scheme, entry.id}};
    DROVER_CHECK(entry.permissions == 0 || acl.Grants(entry.permissions, {.identities = who}));
  }
  (void)acl.Grants(Permission::kAll, {.address = bytes.substr(0, 4)});
  (void)acl.Grants(Permission::kAll, {.address = bytes.substr(0, 16)});
  AclTable table;
  if (!table.Admits(acl)) return 0;
  const AclNumber number = table.Use(acl);
  DROVER_CHECK(table.Get(number).encoded() == acl.encoded());
  table.Drop(number);
  DROVER_CHECK(table.empty() && table.bytes() == 0);
  return 0;
}

#include "coord/tree/acl.h"

#include <algorithm>
#include <utility>

#include "coord/base/check.h"
#include "coord/base/wire.h"

namespace drover::coord::tree {
namespace {

constexpr absl::string_view kAnyone = "anyone";

bool ParseEntry(absl::string_view bytes, AclEntry* out) {
  base::WireReader in(bytes);
  while (in.Next()) {
    if (in.Is(1, base::WireType::kVarint)) out->permissions = static_cast<std::uint32_t>(in.number());
    if (in.Is(2, base::WireType::kBytes)) out->scheme = std::string(in.bytes());
    if (in.Is(3, base::WireType::kBytes)) out->id = std::string(in.bytes());
  }
  return in.ok();
}

std::string Encode(const std::vector<AclEntry>& entries) {
  std::string bytes;
  base::WireWriter out(&bytes);
  for (const AclEntry& entry : entries) {
    const std::size_t mark = out.Open(1);
    out.Varint(1, entry.permissions);
    out.Bytes(2, entry.scheme);
    out.Bytes(3, entry.id);
    out.Close(mark);
  }
  return bytes;
}

}  // namespace

bool ParseAclEntries(absl::string_view bytes, std::vector<AclEntry>* out) {
  out->clear();
  base::RepeatedBytes entries(bytes, 1);
  absl::string_view entry;
  while (entries.Next(&entry)) {
    if (!ParseEntry(entry, &out->emplace_back())) return false;
  }
  return entries.ok();
}

const char* AclEntryFault(const AclEntry& entry) {
  if ((entry.permissions & ~Permission::kAll) != 0) return "an entry of the ACL has a permission that is none";
  if (entry.scheme == Scheme::kWorld) return entry.id == kAnyone ? nullptr : "the one id of scheme world is anyone";
  if (entry.scheme == Scheme::kDigest) {
    const std::size_t colon = entry.id.find(':');
    const bool two_parts = colon != std::string::npos && colon > 0 && colon + 1 < entry.id.size();
    if (two_parts && entry.id.find(':', colon + 1) == std::string::npos && base::IsUtf8(entry.id)) return nullptr;
    return "an id of scheme digest is user:hash";
  }
  if (entry.scheme == Scheme::kIp) {
    return base::IpNetwork::Parse(entry.id) ? nullptr : "an id of scheme ip is an address, or a network like 10.0.0.0/8";
  }
  return "an entry of the ACL has a scheme that is none: world, digest, ip, auth";
}

Acl::Acl(std::vector<AclEntry> entries) : entries_(std::move(entries)), encoded_(Encode(entries_)) {
  networks_.reserve(entries_.size());
  for (const AclEntry& entry : entries_) {
    networks_.push_back(entry.scheme == Scheme::kIp ? base::IpNetwork::Parse(entry.id) : std::nullopt);
  }
}

const Acl& Acl::Open() {
  static const Acl open({{Permission::kAll, std::string(Scheme::kWorld), std::string(kAnyone)}});
  return open;
}

bool Acl::Grants(std::uint32_t any_of, const Asker& asker) const {
  for (const Identity& identity : asker.identities) {
    if (identity.scheme == Scheme::kSuper) return true;
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const AclEntry& entry = entries_[i];
    if ((entry.permissions & any_of) == 0) continue;
    if (entry.scheme == Scheme::kWorld) return true;
    if (networks_[i] && networks_[i]->Contains(asker.address)) return true;
    for (const Identity& identity : asker.identities) {
      if (identity.scheme == entry.scheme && identity.id == entry.id) return true;
    }
  }
  return false;
}

AclNumber AclTable::Find(const Acl& acl) const {
  const auto found = by_bytes_.find(acl.encoded());
  return found == by_bytes_.end() ? kOpenAcl : found->second;
}

bool AclTable::Admits(const Acl& acl) const {
  return size() < kAclsMax || Find(acl) != kOpenAcl || acl.encoded() == Acl::Open().encoded();
}

std::size_t AclTable::Growth(const Acl& acl) const {
  return Find(acl) != kOpenAcl || acl.encoded() == Acl::Open().encoded() ? 0 : BytesOf(acl);
}

AclNumber AclTable::Use(const Acl& acl) {
  if (acl.encoded() == Acl::Open().encoded()) return kOpenAcl;
  if (const AclNumber found = Find(acl); found != kOpenAcl) {
    UseAgain(found);
    return found;
  }
  DROVER_CHECK(size() < kAclsMax);
  if (free_.empty()) {
    slots_.emplace_back();
    free_.push_back(static_cast<AclNumber>(slots_.size()));
  }
  const AclNumber number = free_.back();
  free_.pop_back();
  Slot& slot = slots_[number - 1];
  slot.acl = std::make_shared<const Acl>(acl);
  slot.uses = 1;
  by_bytes_.emplace(slot.acl->encoded(), number);
  bytes_ += BytesOf(acl);
  return number;
}

void AclTable::UseAgain(AclNumber number) {
  if (number != kOpenAcl) ++slots_[number - 1].uses;
}

void AclTable::Drop(AclNumber number) {
  if (number == kOpenAcl) return;
  Slot& slot = slots_[number - 1];
  DROVER_DCHECK(slot.uses > 0);
  if (--slot.uses > 0) return;
  bytes_ -= BytesOf(*slot.acl);
  by_bytes_.erase(slot.acl->encoded());
  slot.acl.reset();
  free_.push_back(number);
}

std::shared_ptr<const Acl> AclTable::Share(AclNumber number) const {
  return number == kOpenAcl ? nullptr : slots_[number - 1].acl;
}

}  // namespace drover::coord::tree

#include "client/cli/acl_text.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace drover::cli {
namespace {

using coord::Permission;

// In ZooKeeper's order.
constexpr std::pair<char, std::uint32_t> kLetters[] = {{'c', Permission::kCreate},
                                                       {'d', Permission::kDelete},
                                                       {'r', Permission::kRead},
                                                       {'w', Permission::kWrite},
                                                       {'a', Permission::kAdmin}};

std::uint32_t PermissionOf(char letter) {
  for (const auto& [known, permission] : kLetters) {
    if (known == letter) return permission;
  }
  return 0;
}

absl::StatusOr<coord::AclEntry> ParseEntry(absl::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == absl::string_view::npos || first == last) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is no entry of an access control list; write SCHEME:ID:PERMISSIONS, like world:anyone:r"));
  }
  coord::AclEntry entry{0, std::string(text.substr(0, first)), std::string(text.substr(first + 1, last - first - 1))};
  for (const char letter : text.substr(last + 1)) {
    const std::uint32_t permission = PermissionOf(letter);
    if (permission == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", text.substr(last + 1), "\" in \"", text,
                       "\": permissions are letters of c (create), d (delete), r (read), w (write), a (admin)"));
    }
    entry.permissions |= permission;
  }
  return entry;
}

absl::StatusOr<coord::Credential> ParseCredential(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (parts.first.empty() || parts.second.empty()) {
    return absl::InvalidArgumentError("a credential is SCHEME:SECRET, like digest:USER:PASSWORD");
  }
  return coord::Credential{std::string(parts.first), std::string(parts.second)};
}

}  // namespace

absl::StatusOr<coord::Acl> ParseAcl(absl::string_view text) {
  coord::Acl acl;
  for (const absl::string_view one : absl::StrSplit(text, ',')) {
    absl::StatusOr<coord::AclEntry> entry = ParseEntry(one);
    if (!entry.ok()) return entry.status();
    acl.push_back(*std::move(entry));
  }
  return acl;
}

std::string PermissionsText(std::uint32_t permissions) {
  std::string text;
  for (const auto& [letter, permission] : kLetters) {
    if ((permissions & permission) != 0) text += letter;
  }
  return text;
}

std::string AclEntryText(const coord::AclEntry& entry) {
  return absl::StrCat(entry.scheme, ":", entry.id, ":", PermissionsText(entry.permissions));
}

Json AclJson(const coord::Acl& acl) {
  Json json = Json::array();
  for (const coord::AclEntry& entry : acl) {
    json.push_back({{"scheme", entry.scheme}, {"id", entry.id}, {"permissions", PermissionsText(entry.permissions)}});
  }
  return json;
}

absl::StatusOr<coord::Acl> AclOfJson(const Json& json) {
  coord::Acl acl;
  if (!json.is_array() || json.empty()) return absl::InvalidArgumentError("an access control list has at least one entry");
  for (const Json& one : json) {
    const auto text = [&one](const char* field) {
      return one.is_object() && one.contains(field) && one[field].is_string() ? one[field].get<std::string>() : std::string();
    };
    absl::StatusOr<coord::AclEntry> entry = ParseEntry(absl::StrCat(text("scheme"), ":", text("id"), ":", text("permissions")));
    if (!entry.ok()) return entry.status();
    acl.push_back(*std::move(entry));
  }
  return acl;
}

absl::StatusOr<std::vector<coord::Credential>> ParseCredentials(const std::vector<std::string>& texts) {
  std::vector<coord::Credential> credentials;
  for (const std::string& text : texts) {
    absl::StatusOr<coord::Credential> credential = ParseCredential(text);
    if (!credential.ok()) return credential.status();
    credentials.push_back(*std::move(credential));
  }
  return credentials;
}

Item QuotaItem(const coord::QuotaUsage& usage) {
  const auto bound = [](std::uint64_t max) { return max == 0 ? Json(nullptr) : ExactNumber(max); };
  Item item;
  item.id = usage.path;
  item.json = {{"path", usage.path},
               {"nodes", usage.nodes},
               {"nodes_max", bound(usage.quota.nodes_max)},
               {"bytes", usage.bytes},
               {"bytes_max", bound(usage.quota.bytes_max)}};
  const auto text = [](std::uint64_t max) { return max == 0 ? std::string("-") : absl::StrCat(max); };
  item.cells = {usage.path, absl::StrCat(usage.nodes), text(usage.quota.nodes_max), absl::StrCat(usage.bytes),
                text(usage.quota.bytes_max)};
  return item;
}

}  // namespace drover::cli

#include "coord/server/authenticator.h"

#include <optional>

#include "coord/base/password_digest.h"

namespace drover::coord::server {

std::vector<tree::Identity> Authenticator::Verify(const tree::AuthenticateView& shown) const {
  if (shown.scheme != tree::Scheme::kDigest || shown.credential.size() > kCredentialBytesMax) return {};
  const std::optional<std::string> digest = base::PasswordDigest(shown.credential);
  if (!digest) return {};
  tree::Identity identity{std::string(tree::Scheme::kDigest), *digest};
  if (tree::AclEntryFault({tree::Permission::kAll, identity.scheme, identity.id}) != nullptr) return {};  // no list could name it
  std::vector<tree::Identity> proved = {std::move(identity)};
  if (!super_digest_.empty() && *digest == super_digest_) proved.push_back({std::string(tree::Scheme::kSuper), {}});
  return proved;
}

}  // namespace drover::coord::server

// How a password is named without being said: ZooKeeper's scheme "digest".
#ifndef DROVER_COORD_BASE_PASSWORD_DIGEST_H_
#define DROVER_COORD_BASE_PASSWORD_DIGEST_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace drover::base {

// Of "user:password" (the password may hold further colons): "user:BASE64(SHA1(user:password))", which is what ZooKeeper makes of
// it. Nothing if there is no colon, or no user before it.
[[nodiscard]] std::optional<std::string> PasswordDigest(absl::string_view user_and_password);

}  // namespace drover::base

#endif  // DROVER_COORD_BASE_PASSWORD_DIGEST_H_

#include "coord/base/password_digest.h"

#include <openssl/evp.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "coord/base/check.h"

namespace drover::base {

std::optional<std::string> PasswordDigest(absl::string_view user_and_password) {
  const std::size_t colon = user_and_password.find(':');
  if (colon == absl::string_view::npos || colon == 0) return std::nullopt;
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  const int done = EVP_Digest(user_and_password.data(), user_and_password.size(), hash.data(), &size, EVP_sha1(), nullptr);
  DROVER_CHECK(done == 1);
  return absl::StrCat(user_and_password.substr(0, colon), ":",
                      absl::Base64Escape({reinterpret_cast<const char*>(hash.data()), size}));
}

}  // namespace drover::base

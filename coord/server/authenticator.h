// Who somebody is, from what they show. Runs on the node that is asked; from there on only what was proved travels. Pure.
#ifndef DROVER_COORD_SERVER_AUTHENTICATOR_H_
#define DROVER_COORD_SERVER_AUTHENTICATOR_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "coord/tree/acl.h"
#include "coord/tree/views.h"

namespace drover::coord::server {

class Authenticator {
 public:
  static constexpr std::size_t kCredentialBytesMax = 1024;

  // `super_digest`: who proves this one ("user:hash") may do everything; empty: nobody may.
  explicit Authenticator(std::string super_digest) : super_digest_(std::move(super_digest)) {}

  // What the credential proves; nothing if the scheme is unknown, or it is no credential of it.
  [[nodiscard]] std::vector<tree::Identity> Verify(const tree::AuthenticateView& shown) const;

 private:
  const std::string super_digest_;
};

}  // namespace drover::coord::server

#endif  // DROVER_COORD_SERVER_AUTHENTICATOR_H_

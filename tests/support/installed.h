// What the machine has besides what we build: other services' programs, which are compared with ours.
#ifndef DROVER_TESTS_SUPPORT_INSTALLED_H_
#define DROVER_TESTS_SUPPORT_INSTALLED_H_

#include <string>

#include "absl/status/status.h"

namespace drover::testing {

// The path of `program` on PATH or in /usr/sbin; empty if it is not there.
[[nodiscard]] std::string FindProgram(const std::string& program);
// FAILED_PRECONDITION: "etcd is not there: deploy/install-packages peers ...".
[[nodiscard]] absl::Status NotInstalled(const std::string& what, const std::string& package);

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_INSTALLED_H_

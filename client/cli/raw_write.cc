#include "client/cli/raw_write.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace drover::cli {

bool RawSink::Write(absl::string_view data) {
  while (!data.empty()) {
    const ssize_t n = write(fd_, data.data(), data.size());
    if (n >= 0) {
      data.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      // Somebody made the terminal or pipe non-blocking.
      pollfd wait = {fd_, POLLOUT, 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      error_ = errno;
      return false;
    }
  }
  return true;
}

absl::Status RawSink::status() const {
  if (error_ == 0 || error_ == EPIPE) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("cannot write to ", name_, ": ", std::strerror(error_)));
}

}  // namespace drover::cli

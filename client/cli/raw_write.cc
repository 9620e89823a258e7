#include "client/cli/raw_write.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace drover::cli {

bool WriteRaw(int fd, absl::string_view data) {
  while (!data.empty()) {
    const ssize_t n = write(fd, data.data(), data.size());
    if (n >= 0) {
      data.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN) {
      // Somebody made the terminal or pipe non-blocking.
      pollfd wait = {fd, POLLOUT, 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace drover::cli

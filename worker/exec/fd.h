// Owner of a file descriptor.
#ifndef DROVER_WORKER_EXEC_FD_H_
#define DROVER_WORKER_EXEC_FD_H_

#include <unistd.h>

#include <utility>

namespace drover::worker::exec {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_FD_H_

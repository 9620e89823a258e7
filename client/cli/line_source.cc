#include "client/cli/line_source.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace drover::cli {
namespace {

constexpr std::size_t kLineBytesMax = std::size_t{16} << 20;
constexpr std::size_t kLineReadBytes = 1 << 16;

class Lines final : public LineSource {
 public:
  Lines(int fd, LineHooks hooks) : fd_(fd), hooks_(std::move(hooks)) {}

  LineOutcome Read(const std::string& /*prompt*/, std::string* line) override {
    while (true) {
      const std::size_t end = buffer_.find('\n', searched_);
      if (end != std::string::npos) {
        line->assign(buffer_, 0, end);
        buffer_.erase(0, end + 1);
        searched_ = 0;
        return LineOutcome::kLine;
      }
      searched_ = buffer_.size();
      if (searched_ > kLineBytesMax) return LineOutcome::kFailed;
      if (ended_) {
        if (buffer_.empty()) return LineOutcome::kEnd;
        *line = std::exchange(buffer_, {});
        searched_ = 0;
        return LineOutcome::kLine;
      }
      pollfd ready[2] = {{fd_, POLLIN, 0}, {hooks_.news_fd, POLLIN, 0}};
      if (poll(ready, 2, -1) < 0 && errno != EINTR) return LineOutcome::kFailed;
      if (ready[1].revents != 0 && hooks_.on_news()) return LineOutcome::kInterrupted;
      if (ready[0].revents != 0 && !Fill()) return LineOutcome::kFailed;
    }
  }

 private:
  bool Fill() {
    char block[kLineReadBytes];
    const ssize_t n = read(fd_, block, sizeof block);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    ended_ = n == 0;
    buffer_.append(block, static_cast<std::size_t>(n));
    return true;
  }

  const int fd_;
  const LineHooks hooks_;
  std::string buffer_;
  std::size_t searched_ = 0;  // no newline before
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<LineSource> LinesOf(int fd, LineHooks hooks) {
  return std::make_unique<Lines>(fd, std::move(hooks));
}

}  // namespace drover::cli

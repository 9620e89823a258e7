#include "coord/process/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <utility>

#include "coord/base/check.h"

namespace drover::process {
namespace {

// The end of the pipe that the handler writes to; -1 while nobody listens.
std::atomic<int> g_pipe{-1};

void OnSignal(int signal) {
  const int saved = errno;
  const unsigned char byte = static_cast<unsigned char>(signal);
  // A full pipe holds enough signals already.
  [[maybe_unused]] const ssize_t written = write(g_pipe.load(), &byte, 1);
  errno = saved;
}

}  // namespace

class Signals::Impl : public std::enable_shared_from_this<Signals::Impl> {
 public:
  Impl(base::Loop* loop, absl::AnyInvocable<void(int)> on_signal, const std::vector<int>& others)
      : loop_(loop), on_signal_(std::move(on_signal)), taken_({{SIGTERM, {}}, {SIGINT, {}}}) {
    for (const int signal : others) taken_.push_back({signal, {}});
  }

  void Start() {
    DROVER_CHECK(g_pipe.load() == -1) << "two Signals in one process";
    DROVER_CHECK(pipe2(pipe_, O_CLOEXEC) == 0) << "no pipe";
    fcntl(pipe_[1], F_SETFL, O_NONBLOCK);
    g_pipe = pipe_[1];
    struct sigaction action {};
    action.sa_handler = &OnSignal;
    action.sa_flags = SA_RESTART;
    for (Taken& taken : taken_) sigaction(taken.signal, &action, &taken.former);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, nullptr);
    thread_ = std::thread([this] { Read(); });
  }

  void Stop() {
    for (const Taken& taken : taken_) sigaction(taken.signal, &taken.former, nullptr);
    const unsigned char end = 0;
    while (write(pipe_[1], &end, 1) < 0 && (errno == EINTR || errno == EAGAIN)) {
    }
    thread_.join();
    g_pipe = -1;
    close(pipe_[0]);
    close(pipe_[1]);
    on_signal_ = nullptr;
  }

 private:
  struct Taken {
    int signal;
    struct sigaction former;
  };

  void Read() {
    while (true) {
      unsigned char byte = 0;
      const ssize_t size = read(pipe_[0], &byte, 1);
      if (size < 0 && errno == EINTR) continue;
      if (size != 1 || byte == 0) return;
      loop_->PostFromAnyThread([self = shared_from_this(), signal = static_cast<int>(byte)] {
        if (self->on_signal_) self->on_signal_(signal);
      });
    }
  }

  base::Loop* const loop_;
  absl::AnyInvocable<void(int)> on_signal_;  // owned by the loop
  int pipe_[2] = {-1, -1};
  std::vector<Taken> taken_;
  std::thread thread_;
};

Signals::Signals(base::Loop* loop, absl::AnyInvocable<void(int)> on_signal, const std::vector<int>& others)
    : impl_(std::make_shared<Impl>(loop, std::move(on_signal), others)) {
  impl_->Start();
}

Signals::~Signals() {
  impl_->Stop();
}

}  // namespace drover::process

#include "tests/support/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace drover::testing {

Terminal::Terminal(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  winsize size = {};
  size.ws_row = 24;
  size.ws_col = 120;
  pid_ = forkpty(&fd_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("no terminal");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("TERM", "xterm", 1);
    for (const auto& [name, value] : env) setenv(name.c_str(), value.c_str(), 1);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  fcntl(fd_, F_SETFL, O_NONBLOCK);
  fcntl(fd_, F_SETFD, FD_CLOEXEC);
}

Terminal::~Terminal() {
  if (!Reap()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(fd_);
}

void Terminal::Type(const std::string& text) {
  if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("the terminal takes no more");
}

void Terminal::Drain() {
  char block[4096];
  for (ssize_t n = 0; (n = read(fd_, block, sizeof block)) > 0;) shown_.append(block, static_cast<std::size_t>(n));
}

bool Terminal::Reap() {
  if (exit_code_.has_value()) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

bool Terminal::AwaitText(const std::string& text, std::chrono::milliseconds deadline) {
  const auto is_shown = [&] {
    Drain();
    const std::size_t found = shown_.find(text, seen_);
    if (found == std::string::npos) return false;
    seen_ = found + text.size();
    return true;
  };
  return Await(is_shown, deadline);
}

int Terminal::Wait() {
  const bool ended = Await([&] {
    Drain();
    return Reap();
  });
  Drain();
  return ended ? *exit_code_ : -1;
}

}  // namespace drover::testing

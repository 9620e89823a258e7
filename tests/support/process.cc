#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>

#include "tests/support/await.h"

namespace drover::testing {
namespace {

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

// In the child: becomes the program or ends with 127. The child dies with the thread that made it.
[[noreturn]] void Exec(const std::vector<std::string>& argv, const std::map<std::string, std::string>& env) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_DFL);
  for (const auto& [key, value] : env) setenv(key.c_str(), value.c_str(), 1);
  std::vector<char*> args;
  args.reserve(argv.size() + 1);
  for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
  args.push_back(nullptr);
  execvp(args[0], args.data());
  std::fprintf(stderr, "cannot run %s: %s\n", args[0], std::strerror(errno));
  _exit(127);
}

struct Pipe {
  int fd[2];
  Pipe() {
    if (pipe2(fd, O_CLOEXEC) != 0) Fail("pipe");
  }
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  void CloseRead() { Close(fd[0]); }
  void CloseWrite() { Close(fd[1]); }
  static void Close(int& f) {
    if (f >= 0) close(f);
    f = -1;
  }
};

}  // namespace

CommandResult RunCommand(const std::vector<std::string>& argv, const CommandOptions& options) {
  signal(SIGPIPE, SIG_IGN);  // a program may refuse its input before it has read all of it
  Pipe in;
  Pipe out;
  Pipe err;
  const pid_t pid = fork();
  if (pid < 0) Fail("fork");
  if (pid == 0) {
    dup2(in.fd[0], 0);
    dup2(out.fd[1], 1);
    dup2(err.fd[1], 2);
    Exec(argv, options.env);
  }
  in.CloseRead();
  out.CloseWrite();
  err.CloseWrite();
  fcntl(in.fd[1], F_SETFL, O_NONBLOCK);

  CommandResult result;
  std::size_t written = 0;
  if (options.input.empty()) in.CloseWrite();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.deadline_seconds);
  bool expired = false;
  auto drain = [](int& fd, std::string& into) {
    char buffer[65536];
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n > 0) into.append(buffer, static_cast<std::size_t>(n));
    if (n == 0) Pipe::Close(fd);
  };
  while (out.fd[0] >= 0 || err.fd[0] >= 0) {
    pollfd polls[3] = {{out.fd[0], POLLIN, 0}, {err.fd[0], POLLIN, 0}, {in.fd[1], POLLOUT, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      expired = true;
      break;
    }
    poll(polls, 3, static_cast<int>(left));
    if (polls[0].revents != 0) drain(out.fd[0], result.out);
    if (polls[1].revents != 0) drain(err.fd[0], result.err);
    if (polls[2].revents != 0) {
      const ssize_t n = write(in.fd[1], options.input.data() + written, options.input.size() - written);
      if (n > 0) written += static_cast<std::size_t>(n);
      if (written == options.input.size() || (n < 0 && errno != EAGAIN)) in.CloseWrite();
    }
  }
  if (expired) kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  result.exit_code = expired ? 124 : ExitCode(status);
  return result;
}

Process::Process(std::vector<std::string> argv, std::map<std::string, std::string> env, std::string log_path)
    : argv_(std::move(argv)), env_(std::move(env)), log_path_(std::move(log_path)) {}

Process::~Process() {
  Kill();
}

void Process::Start() {
  if (running()) throw std::logic_error("already running: " + argv_[0]);
  exit_code_.reset();
  pid_ = fork();
  if (pid_ < 0) Fail("fork");
  if (pid_ == 0) {
    const int null = open("/dev/null", O_RDONLY);
    const int log = open(log_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(null, 0);
    dup2(log, 1);
    dup2(log, 2);
    Exec(argv_, env_);
  }
}

void Process::Signal(int signal) {
  if (running()) kill(pid_, signal);
}

void Process::Kill() {
  if (pid_ < 0 || exit_code_.has_value()) return;
  kill(pid_, SIGKILL);
  Wait();
}

int Process::Terminate() {
  if (!running()) return Wait();
  kill(pid_, SIGTERM);
  if (!Await([this] { return !running(); })) Kill();
  return Wait();
}

int Process::Wait() {
  if (exit_code_.has_value()) return *exit_code_;
  if (pid_ < 0) throw std::logic_error("never started: " + argv_[0]);
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) Fail("waitpid");
  exit_code_ = ExitCode(status);
  return *exit_code_;
}

bool Process::running() {
  if (pid_ < 0 || exit_code_.has_value()) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) exit_code_ = ExitCode(status);
  return !exit_code_.has_value();
}

std::string Process::Log() const {
  return ReadFile(log_path_);
}

int FreePort() {
  // Below the range from which the kernel takes source ports, so that no client's dialling occupies a server's port while it is
  // down (or connects to itself). A socket in the abstract name space reserves the number for as long as this process lives.
  constexpr int kFirst = 10240;
  constexpr int kCount = 20000;
  static std::mt19937 random{std::random_device{}()};
  for (int attempt = 0; attempt < kCount; ++attempt) {
    const int port = kFirst + static_cast<int>(random() % kCount);
    const int reservation = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const std::string text = "drover-port-" + std::to_string(port);
    std::memcpy(name.sun_path + 1, text.data(), text.size());
    const auto name_size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    if (bind(reservation, reinterpret_cast<sockaddr*>(&name), name_size) == 0) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<std::uint16_t>(port));
      const bool free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
      close(fd);
      if (free) return port;  // keeps `reservation` open
    }
    close(reservation);
  }
  throw std::runtime_error("no free loopback port");
}

bool Alive(pid_t pid) {
  const std::string stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = stat.rfind(')');
  return end != std::string::npos && end + 2 < stat.size() && stat[end + 2] != 'Z' && stat[end + 2] != 'X';
}

std::vector<pid_t> Processes() {
  std::vector<pid_t> pids;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) pids.push_back(std::stoi(name));
  }
  return pids;
}

std::vector<std::string> ArgumentsOf(pid_t pid) {
  std::vector<std::string> arguments;
  std::istringstream all(ReadFile("/proc/" + std::to_string(pid) + "/cmdline"));
  for (std::string one; std::getline(all, one, '\0');) arguments.push_back(one);
  return arguments;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  if (!file.flush()) Fail("write " + path);
}

TemporaryDirectory::TemporaryDirectory(const std::string& parent) {
  const std::filesystem::path above = parent.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(parent);
  std::string pattern = above / "drover-test-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) Fail("cannot make a directory in " + above.string());
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace drover::testing

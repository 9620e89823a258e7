#include "tests/support/services.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace drover::testing {
namespace {

constexpr std::chrono::seconds kRestartPause{1};  // RestartSec of the units
constexpr int kLookMs = 50;

// $1 and $2 are the FIFOs. One caller at a time.
constexpr char kSystemctl[] = R"(
exec 9> "$root/lock"
flock 9
echo "$DROVER_TEST_HOST $*" > "$root/asked"
read -r code text < "$root/answered"
[ -z "$text" ] || echo "$text"
exit "$code"
)";

// journalctl -u SERVICE [-n LINES]
constexpr char kJournalctl[] = R"(
lines=+1
while [ $# -gt 0 ]; do
  case "$1" in
    -u) service=$2; shift 2 ;;
    -n) lines=$2; shift 2 ;;
    *) echo "journalctl: $1 is not known here" >&2; exit 1 ;;
  esac
done
tail -n "$lines" "$root/$DROVER_TEST_HOST/$service.log"
)";

int MakeFifo(const std::string& path) {
  if (mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("cannot make " + path + ": " + std::strerror(errno));
  // For both directions, so that neither end's opening waits.
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) throw std::runtime_error("cannot open " + path + ": " + std::strerror(errno));
  return fd;
}

int NumberOf(const std::string& signal) {
  if (signal == "KILL") return SIGKILL;
  if (signal == "USR1") return SIGUSR1;
  if (signal == "STOP") return SIGSTOP;
  return SIGTERM;
}

}  // namespace

Services::Services(std::string root, std::string binaries) : root_(std::move(root)), binaries_(std::move(binaries)) {
  std::filesystem::create_directories(programs());
  WritePrograms();
  asked_ = MakeFifo(root_ + "/asked");
  answered_ = MakeFifo(root_ + "/answered");
  thread_ = std::thread([this] { Run(); });
}

Services::~Services() {
  ending_ = true;
  thread_.join();
  close(asked_);
  close(answered_);
}

void Services::WritePrograms() const {
  const auto write = [this](const std::string& name, const std::string& text) {
    const std::string path = programs() + "/" + name;
    WriteFile(path, "#!/bin/bash\nroot='" + root_ + "'\n" + text);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  };
  write("systemctl", kSystemctl);
  write("journalctl", kJournalctl);
}

void Services::SetEnvironment(const std::string& host, const std::string& service, std::map<std::string, std::string> environment) {
  const std::lock_guard<std::mutex> lock(mu_);
  environments_[{host, service}] = std::move(environment);
}

void Services::Systemctl(const std::string& host, const std::vector<std::string>& words) {
  std::vector<std::string> argv = {programs() + "/systemctl"};
  argv.insert(argv.end(), words.begin(), words.end());
  const CommandResult result = RunCommand(argv, {.env = {{"DROVER_TEST_HOST", host}}, .input = ""});
  if (result.exit_code != 0) throw std::runtime_error("systemctl on " + host + ": " + result.out + result.err);
}

void Services::Lose(const std::string& host) {
  Systemctl(host, {"lose"});
}

pid_t Services::PidOf(const std::string& host, const std::string& service) {
  const std::lock_guard<std::mutex> lock(mu_);
  return pids_[{host, service}];
}

std::string Services::Log(const std::string& host, const std::string& service) const {
  return ReadFile(LogPath({host, service}));
}

std::string Services::LogPath(const Name& name) const {
  return root_ + "/" + name.first + "/" + name.second + ".log";
}

void Services::Run() {
  std::string waiting;
  while (!ending_) {
    pollfd poll_for = {asked_, POLLIN, 0};
    if (poll(&poll_for, 1, kLookMs) > 0) {
      char buffer[4096];
      const ssize_t n = read(asked_, buffer, sizeof buffer);
      if (n > 0) waiting.append(buffer, static_cast<std::size_t>(n));
    }
    for (std::size_t end = waiting.find('\n'); end != std::string::npos; end = waiting.find('\n')) {
      std::istringstream line(waiting.substr(0, end));
      waiting.erase(0, end + 1);
      std::string host;
      line >> host;
      std::vector<std::string> words;
      for (std::string word; line >> word;) words.push_back(word);
      const Answer answer = Obey(host, std::move(words));
      const std::string text = std::to_string(answer.exit_code) + " " + answer.text + "\n";
      (void)!write(answered_, text.data(), text.size());
    }
    StartAgain();
  }
  for (auto& [name, service] : services_) {
    service.process->Signal(SIGCONT);
    service.process->Kill();
  }
}

Services::Answer Services::Obey(const std::string& host, std::vector<std::string> words) {
  if (words == std::vector<std::string>{"lose"}) {
    for (auto& [name, service] : services_) {
      if (name.first != host) continue;
      service.wanted = false;
      service.process->Kill();
    }
    StartAgain();
    return {};
  }
  std::string verb;
  std::string signal;
  std::vector<std::string> names;
  bool now = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--now") {
      now = true;
    } else if (words[i] == "-s" && i + 1 < words.size()) {
      signal = words[++i];
    } else if (verb.empty()) {
      verb = words[i];
    } else {
      names.push_back(words[i]);
    }
  }
  if ((verb == "enable" || verb == "disable") && now) verb = verb == "enable" ? "start" : "stop";
  Answer answer;
  for (const std::string& name : names) {
    answer = ObeyOne(verb, signal, {host, name});
    if (answer.exit_code != 0) break;
  }
  return answer;
}

Services::Answer Services::ObeyOne(const std::string& verb, const std::string& signal, const Name& name) {
  if (name.second.rfind("drover-", 0) != 0) return {5, "Unit " + name.second + ".service not found."};
  Service& service = services_[name];
  if (service.process == nullptr) {
    const std::string role = name.second.substr(std::strlen("drover-"));
    const std::string file = root_ + "/" + name.first + "/etc/drover/" + role + ".toml";
    std::map<std::string, std::string> environment = {{"TMPDIR", root_ + "/" + name.first + "/var/lib/drover/work"}};
    service.process = std::make_unique<Process>(std::vector<std::string>{binaries_ + "/" + name.second, "--config", file},
                                                environment, LogPath(name));
  }
  if (verb == "stop" || verb == "restart") Stop(name);
  if (verb == "start" || verb == "restart") Start(name);
  if (verb == "kill") service.process->Signal(NumberOf(signal));
  if (verb == "is-active") {
    if (service.process->running()) return {0, "active"};
    return {3, service.wanted ? "activating" : "inactive"};
  }
  for (const char* known : {"start", "stop", "restart", "kill", "enable", "disable"}) {
    if (verb == known) return {};
  }
  return {1, verb + " is not known here"};
}

void Services::Start(const Name& name) {
  Service& service = services_.at(name);
  service.wanted = true;
  service.ended.reset();
  if (service.process->running()) return;
  const std::lock_guard<std::mutex> lock(mu_);
  for (const auto& [variable, value] : environments_[name]) service.process->SetEnvironment(variable, value);
  service.process->Start();
  pids_[name] = service.process->pid();
}

void Services::Stop(const Name& name) {
  Service& service = services_.at(name);
  service.wanted = false;
  if (!service.process->running()) return;
  service.process->Signal(SIGCONT);
  service.process->Terminate();
  const std::lock_guard<std::mutex> lock(mu_);
  pids_[name] = 0;
}

void Services::StartAgain() {
  const auto now = std::chrono::steady_clock::now();
  for (auto& [name, service] : services_) {
    if (service.process->running()) continue;
    {
      const std::lock_guard<std::mutex> lock(mu_);
      pids_[name] = 0;
    }
    if (!service.wanted) continue;
    if (!service.ended) service.ended = now;
    if (now - *service.ended >= kRestartPause) Start(name);
  }
}

}  // namespace drover::testing
